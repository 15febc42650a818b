"""Pictures of a wrong array: the expected values, the actual values and their difference, cell by cell.

The SVG is written directly: a picture is a few kilobytes, and the same numbers give the same file.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .window_figure import FAINT, WORST, CannotDraw

MOST = 40  # cells on a side
NUMBERED = 5  # columns up to which each cell holds its number
WIDE, HIGH = 40, 26  # CSS pixels of a cell with a number
SMALLEST, SIDE = 10, 126  # a cell without a number; all cells of a row, so that three pictures fit side by side
LEVELS = 8  # of grey
DARKEST = 150  # of 255, so that black numbers stay legible
FONT = "DejaVu Sans,Verdana,Arial,sans-serif"

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """The cells of one picture."""

    name: str
    svg: str
    width: int
    height: int


@dataclass(frozen=True)
class Planes:
    """The drawn part of an array; a value that is not finite is NaN."""

    expected: Numbers
    got: Numbers
    wrong: NDArray[np.bool_]
    worst: tuple[int, int]  # relative to the drawn part

    @property
    def apart(self) -> Numbers:
        """The actual minus the expected values."""
        with np.errstate(over="ignore"):
            return self.got - self.expected


def planes(evidence: Mapping[str, Any]) -> Planes:
    """The arrays of the evidence; raises CannotDraw if their shapes differ or are too large."""
    found = [_plane(evidence[name]) for name in ("expected", "got", "wrong")]
    expected, got, wrong = found
    row, column = (int(at) - int(first) for at, first in zip(evidence["worst"], evidence["first"], strict=True))
    if len({plane.shape for plane in found}) > 1 or not (0 <= row < wrong.shape[0] and 0 <= column < wrong.shape[1]):
        raise CannotDraw("its parts differ in shape")
    return Planes(expected, got, wrong == 1, (row, column))


def _plane(rows: list[list[float | None]]) -> Numbers:
    if not rows or len({len(row) for row in rows}) > 1 or not 0 < len(rows[0]) <= MOST or len(rows) > MOST:
        raise CannotDraw("its rows are of different lengths, or too many")
    return np.array([[math.nan if value is None else value for value in row] for row in rows], np.float64)


def describe(evidence: Mapping[str, Any], shown: Planes) -> str:
    """A description of the difference in words."""
    (height, width), (row, column) = evidence["shape"], evidence["worst"]
    alone = evidence["sample"] is None
    plane = "Most" if alone else f"Image {evidence['sample']}, channel {evidence['channel']}: most"
    expected, got = (_number(values[shown.worst]) for values in (shown.expected, shown.got))
    words = f"{plane} wrong in row {row}, column {column} (from 0), where {expected} was expected and {got} came."
    rows, columns = shown.wrong.shape
    count = f" {np.count_nonzero(shown.wrong):,} of {shown.wrong.size:,} values are wrong"
    if (rows, columns) == (height, width):
        return f"{words}{count}."
    top, left = evidence["first"]
    part = f"rows {top} to {top + rows - 1} and columns {left} to {left + columns - 1} of {height:,} × {width:,}"
    return f"{words}{count} of the part that is shown, {part}."


def grids(shown: Planes) -> Iterator[Grid]:
    """Expected and actual values in the same greys, with wrong cells marked at a corner, and their difference."""
    low, high = _range(shown.expected)
    for name, values, marked in (("expected", shown.expected, False), ("got", shown.got, True)):
        # Both use the range of the expected values. A value beyond it takes the colour of the nearer end.
        levels = [[_grey(float(value), low, high) for value in row] for row in values]
        yield _grid(name, values, levels, shown, marked)
    apart = shown.apart
    largest = float(np.nanmax(np.abs(apart[shown.wrong & np.isfinite(apart)]), initial=0.0)) or 1.0
    fills = [
        [_tint(value, largest) if wrong else "#fff" for value, wrong in zip(row, wrong_row, strict=True)]
        for row, wrong_row in zip(apart, shown.wrong, strict=True)
    ]
    yield _grid("difference", apart, fills, shown, marked=False)


def _range(values: Numbers) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)


def _grey(value: float, low: float, high: float) -> str:
    """A grey; white for the lowest value and for NaN, whose cell has a text or a mark."""
    spread = high / 2 - low / 2  # halves, since the difference of the largest numbers overflows
    share = min(max((value / 2 - low / 2) / spread, 0), 1) if spread > 0 and not math.isnan(value) else 0
    level = 255 - round(share * LEVELS) * (255 - DARKEST) // LEVELS
    return f"#{level:02x}{level:02x}{level:02x}"


def _tint(value: float, largest: float) -> str:
    """A colour for a wrong value, stronger for a larger difference and strongest for NaN."""
    share = 1.0 if not math.isfinite(value) else min(abs(value) / largest, 1)
    strength = 0.2 + 0.55 * math.ceil(share * LEVELS) / LEVELS
    return "#" + "".join(f"{round(255 - strength * (255 - int(WORST[at : at + 2], 16))):02x}" for at in (1, 3, 5))


def _grid(name: str, values: Numbers, fills: list[list[str]], shown: Planes, marked: bool) -> Grid:
    rows, columns = values.shape
    numbered = columns <= NUMBERED
    small = max(SIDE // columns, SMALLEST)
    across, down = (WIDE, HIGH) if numbered else (small, small)
    width, height = columns * across, rows * down
    places: dict[str, list[tuple[int, int]]] = {}
    for row, column in product(range(rows), range(columns)):
        places.setdefault(fills[row][column], []).append((row, column))
    cells = [f'<path fill="{fill}" d="{_squares(where, across, down)}"/>' for fill, where in sorted(places.items())]
    lines = "".join(f"M{column * across} 0v{height}" for column in range(1, columns))
    lines += "".join(f"M0 {row * down}h{width}" for row in range(1, rows))
    parts = [*cells, f'<path stroke="{FAINT}" stroke-width=".5" fill="none" d="{lines}"/>']
    parts.append(f'<path stroke="#000" stroke-width="1.2" fill="none" d="M0 0h{width}v{height}h-{width}z"/>')
    if marked:  # a corner, so that the grey stays visible
        corner = max(down // 3, 4)
        ends = [(int(column + 1) * across, int(row) * down) for row, column in np.argwhere(shown.wrong)]
        corners = "".join(f"M{x - corner} {y}h{corner}v{corner}z" for x, y in ends)
        parts.append(f'<path fill="{WORST}" d="{corners}"/>')
    row, column = shown.worst
    around = f"M{column * across} {row * down}h{across}v{down}h-{across}z"
    parts.append(f'<path stroke="{WORST}" stroke-width="3" fill="none" d="{around}"/>')
    if numbered:
        parts += _texts(values, across, down)
    box = f'viewBox="-2 -2 {width + 4} {height + 4}"'
    size = f'width="{width + 4}" height="{height + 4}"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box}>{"".join(parts)}</svg>'
    return Grid(name, svg, width + 4, height + 4)


def _squares(places: list[tuple[int, int]], across: int, down: int) -> str:
    return "".join(f"M{column * across} {row * down}h{across}v{down}h-{across}z" for row, column in places)


def _texts(values: Numbers, across: int, down: int) -> Iterator[str]:
    yield f'<g font-family="{FONT}" text-anchor="middle" fill="#000">'
    for (row, column), value in np.ndenumerate(values):
        text = _number(float(value))
        x, y = (column + 0.5) * across, (row + 0.5) * down + 3.5
        yield f'<text x="{x:g}" y="{y:g}" font-size="{10 if len(text) < 7 else 7.5}">{text}</text>'
    yield "</g>"


def _number(value: float) -> str:
    """The number in a few digits, since a cell is narrow."""
    return "NaN" if math.isnan(value) else f"{value:.3g}".replace("e+0", "e+").replace("e-0", "e-")
