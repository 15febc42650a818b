"""The proof as one HTML file: the kill matrix, the count of false alarms, and the operating curves.

It loads nothing from elsewhere, like the page of a report, and runs no script.
"""

import base64
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .. import __version__
from ..clauses.catalogue import FAMILIES
from ..reporting.page import FOLDER as REPORTING
from ..reporting.page import STYLE, code, duration, policy
from .alarms import Run, known, upper_bound
from .chart import LEFT, STEP, TOP, chart
from .curve_figure import described, figures
from .curves import Curve
from .mutants import Fate, Matrix
from .terminal import alarm_sums

FOLDER = Path(__file__).parent
TEMPLATE = "page.html.j2"
TONES = {Fate.KILLED: "passed", Fate.ELSEWHERE: "reported", Fate.SURVIVED: "failed", Fate.OF_ITSELF: "broken-adapter"}
GLYPHS = {Fate.KILLED: "✓", Fate.ELSEWHERE: "!", Fate.SURVIVED: "✗", Fate.OF_ITSELF: "⊘"}


def page(matrix: Matrix, runs: Sequence[Run], curves: Sequence[Curve], whole: bool) -> str:
    """The whole page."""
    style = "\n".join((folder / STYLE).read_text(encoding="utf-8") for folder in (REPORTING, FOLDER))
    text = (
        _environment()
        .get_template(TEMPLATE)
        .render(
            matrix=matrix,
            chart=chart(matrix),
            faults=matrix.faults(whole),
            runs=_by_implementation(runs),
            alarms=[(run, alarm) for run in runs for alarm in run.alarms],
            alarm_sums=alarm_sums(runs) if runs else "",
            curves={clause: _source(svg) for clause, svg in figures(curves).items()},
            words={curve.clause: described(curve) for curve in reversed(curves)},
            specification=__version__,
            policy=policy(style, ""),
            style=Markup(style),  # noqa: S704 - our own files
        )
    )
    return text.lstrip()


def _by_implementation(runs: Sequence[Run]) -> list[dict[str, object]]:
    """The rows of the table of false alarms, one for each implementation."""
    rows = []
    for name in dict.fromkeys(run.implementation for run in runs):
        own, variant = [run for run in runs if run.implementation == name], known().get(name)
        condemned = sum(bool(run.alarms) for run in own)
        rows.append(
            {
                "name": name.replace("_", " ") if variant else name,
                "differs": variant.differs if variant else "as it is",
                "of": variant.of if variant else "",
                "runs": len(own),
                "clauses": sum(run.clauses for run in own),
                "condemned": condemned,
                "bound": upper_bound(condemned, len(own)),
            }
        )
    return rows


def _source(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(Fate=Fate, TONES=TONES, GLYPHS=GLYPHS, FAMILIES=FAMILIES, STEP=STEP, LEFT=LEFT, TOP=TOP)
    environment.filters.update(code=code, duration=duration, plain=lambda name: name.replace("_", " "))
    return environment
