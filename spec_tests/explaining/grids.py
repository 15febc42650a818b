"""The numbers of an example as small SVG elements, in the colours of the surrounding page, dark or light."""

import math
from collections.abc import Iterable, Sequence
from html import escape

from .example import Grid, Place, number

# CSS pixels: height of a row, width of the narrowest column, width of a character
HIGH, NARROWEST, LETTER = 26, 30, 7.4
SIZE = 13  # of numbers


def html(grids: Sequence[Grid]) -> str:
    """Figures side by side, and a legend of the marks, in HTML without empty lines."""
    figures = "\n".join(_figure(grid) for grid in grids)
    return f'<div class="grids">\n{figures}\n{_legend(grids)}</div>'


def _figure(grid: Grid) -> str:
    name = escape(grid.name)
    return f"<figure>{_svg(grid)}<figcaption>{name}</figcaption></figure>"


def _svg(grid: Grid) -> str:
    shown = [["" if (y, x) in grid.padding and math.isnan(value) else number(value) for x, value in enumerate(row)]
             for y, row in enumerate(grid.rows)]  # fmt: skip
    across = max(NARROWEST, math.ceil(max(len(text) for row in shown for text in row) * LETTER) + 10)
    rows, columns = len(shown), len(shown[0])
    width, height = columns * across, rows * HIGH
    parts = [
        _cells("padding", grid.padding, across),
        _cells("first", grid.first - grid.last, across),
        _cells("last", grid.last - grid.first, across),
        _cells("both", grid.first & grid.last, across),
        f'<path class="lines" d="{_lines(rows, columns, across)}"/>',
    ]
    for y, row in enumerate(shown):
        for x, text in enumerate(row):
            kind = ' class="faint"' if (y, x) in grid.padding - grid.first - grid.last else ""
            parts.append(f'<text{kind} x="{(x + 0.5) * across:g}" y="{(y + 0.5) * HIGH + 4.5:g}">{text}</text>')
    words = escape(f"{grid.name}: {'; '.join(' '.join(row) for row in shown)}", quote=True)
    box = f'width="{width + 2}" height="{height + 2}" viewBox="-1 -1 {width + 2} {height + 2}"'
    return f'<svg role="img" aria-label="{words}" font-size="{SIZE}" {box}>{"".join(filter(None, parts))}</svg>'


def _cells(kind: str, places: Iterable[Place], across: int) -> str:
    squares = "".join(f"M{x * across} {y * HIGH}h{across}v{HIGH}h-{across}z" for y, x in sorted(places))
    return f'<path class="{kind}" d="{squares}"/>' if squares else ""


def _lines(rows: int, columns: int, across: int) -> str:
    level = (f"M0 {row * HIGH}h{columns * across}" for row in range(rows + 1))
    upright = (f"M{column * across} 0v{rows * HIGH}" for column in range(columns + 1))
    return "".join((*level, *upright))


def _legend(grids: Sequence[Grid]) -> str:
    several = any(grid.last for grid in grids)
    meanings = {
        "first": "first window, first output" if several else "what the text is about",
        "last": "last window, last output",
        "padding": "padding",
    }
    there = [(kind, words) for kind, words in meanings.items() if any(getattr(grid, kind) for grid in grids)]
    items = "".join(f'<span><i class="{kind}"></i> {words}</span>' for kind, words in there)
    return f'<p class="legend">{items}</p>\n' if items else ""
