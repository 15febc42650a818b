"""The windows of the layers' examples, drawn to scale: ``python -m spec_tests.explaining --drawings`` writes them."""

from pathlib import Path

from ..reporting.document import DRAWINGS
from ..reporting.figures import style, svg_text
from ..reporting.window_figure import describe_window, draw_window
from ..support.files import write_text
from .example import EXAMPLES
from .examples import worked


def windows() -> dict[str, dict[str, object]]:
    """{clause: the window of its example}, for clauses that have a window."""
    made = {clause: worked(clause) for clause in EXAMPLES}
    return {clause: dict(one.window) for clause, one in made.items() if one and one.window}


def caption(window: dict[str, object]) -> str:
    """A description of a drawing in words."""
    return describe_window(window)


def drawing(window: dict[str, object]) -> str:
    """An SVG on white, so that it is legible on a dark page."""
    with style():
        return svg_text(draw_window(window), caption(window), background="white") + "\n"


def write(folder: Path = DRAWINGS) -> None:
    """Write each drawing as CLAUSE.svg, and remove files that belong to no clause."""
    made = windows()
    for clause, window in made.items():
        write_text(folder / f"{clause}.svg", drawing(window))
    for file in folder.glob("*.svg"):
        if file.stem not in made:
            file.unlink()
