"""The page of a clause for a terminal, in colour, or as plain text if it is piped."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from ..support.texts import printable
from .example import Grid, number
from .explanation import Explanation
from .page import Block, Code, Grids, Items, Link, Section, Words, heading, page

PLAIN_WIDTH = 100  # columns, if there is no terminal
WIDEST = 110  # columns; longer lines are hard to read
TITLE, SOURCE, NAME = "bold", "cyan", "bold cyan"
GAP = "   "
MARKED_FIRST, MARKED_LAST, PADDING = ("[", "]"), ("(", ")"), "·"


@dataclass(frozen=True)
class Line:
    """A line, and its style in rich's notation."""

    text: str
    style: str = ""


def lines(explained: Explanation, width: int) -> Iterator[Line]:
    """The whole page. No line of text is longer than ``width``."""
    clause = explained.clause
    yield Line(f"{clause.id}  {heading(explained)}", NAME)
    yield from (Line(text, TITLE) for text in _wrapped(_plain(clause.sentence), width))
    for section in page(explained):
        yield Line("")
        yield from _section(section, width)


def text(explained: Sequence[Explanation], width: int = PLAIN_WIDTH) -> str:
    """Several pages without colour."""
    return "\n\n".join("\n".join(line.text for line in lines(one, width)) for one in explained) + "\n"


def show(explained: Sequence[Explanation]) -> None:
    """Print pages in the colours of the terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for one in explained:
        for line in lines(one, min(console.width, WIDEST)):
            console.print(Text(line.text, line.style), soft_wrap=True)
        console.print()


def _section(section: Section, width: int) -> Iterator[Line]:
    yield Line(section.title, TITLE)
    for block in section.blocks:
        yield from _block(block, width)


def _block(block: Block, width: int) -> Iterator[Line]:
    if isinstance(block, Words):
        yield from map(Line, _wrapped(_plain(block.text), width, "  "))
    elif isinstance(block, Items):
        for words, link in block.items:
            yield from map(Line, _wrapped(_item(_plain(words), link), width, "  - ", "    "))
    elif isinstance(block, Code):
        yield from _code(block)
    elif isinstance(block, Grids):
        yield Line("")
        yield from map(Line, _grids(block.grids, width))
        yield Line("")


def _item(words: str, link: Link | None) -> str:
    """The text, with the link's address if it can be opened outside the site."""
    if link is None or (words and not link.is_public):
        return words
    named = f"{link.words} <{link.address}>" if link.is_public else link.words
    return f"{words} ({named})" if words else named


def _code(block: Code) -> Iterator[Line]:
    for place, line in enumerate(block.text.splitlines()):
        before = f"{block.first + place:5}  " if block.first else "  "
        yield Line(f"{before}{line}".rstrip(), SOURCE)


def _grids(grids: Sequence[Grid], width: int) -> Iterator[str]:
    """Grids side by side as far as they fit, and the meaning of the brackets."""
    row: list[list[str]] = []
    for grid in map(_grid, grids):
        if row and sum(len(lines[0]) + len(GAP) for lines in [*row, grid]) > width:
            yield from _beside(row)
            yield ""
            row = []
        row.append(grid)
    yield from _beside(row)
    yield from (f"  {meaning}" for meaning in _legend(grids))


def _beside(blocks: Iterable[list[str]]) -> Iterator[str]:
    blocks = list(blocks)
    widths = [len(block[0]) for block in blocks]
    for cells in zip_longest(*blocks, fillvalue=""):
        yield "  " + GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _grid(grid: Grid) -> list[str]:
    """Lines of equal width: the grid's name, then its rows."""
    cells = [[_cell(grid, value, (y, x)) for x, value in enumerate(row)] for y, row in enumerate(grid.rows)]
    widest = max(len(cell) for row in cells for cell in row)
    rows = ["".join(cell.rjust(widest + 1) for cell in row) for row in cells]
    width = max(len(grid.name), len(rows[0]))
    return [line.ljust(width) for line in (grid.name, *rows)]


def _cell(grid: Grid, value: float, place: tuple[int, int]) -> str:
    shown = PADDING if place in grid.padding else number(value)
    first, last = place in grid.first, place in grid.last
    left, right = MARKED_FIRST if first else MARKED_LAST if last else (" ", " ")
    return f"{left}{shown}{right}"


def _legend(grids: Sequence[Grid]) -> Iterator[str]:
    meanings = []
    if any(grid.first for grid in grids):
        meanings.append(
            "[ ] " + ("the first window and its output" if any(g.last for g in grids) else "what the text is about")
        )
    if any(grid.last for grid in grids):
        meanings.append("( ) the last window and its output")
    if any(grid.padding for grid in grids):
        meanings.append(f"{PADDING} padding")
    if meanings:
        yield "; ".join(meanings)


def _wrapped(words: str, width: int, first: str = "", later: str | None = None) -> list[str]:
    return textwrap.wrap(
        printable(words),
        width,
        initial_indent=first,
        subsequent_indent=first if later is None else later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _plain(words: str) -> str:
    return words.replace("``", "").replace("`", "")
