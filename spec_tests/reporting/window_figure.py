"""The window of a counterexample, to scale: the image with its padding, the first window, the last, and the strides."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch, Rectangle
from matplotlib.path import Path

from ..oracles.windows import Padding, output_side, span

FIRST, LAST, WORST, LINES, FAINT = "#d55e00", "#0072b2", "#b5179e", "#777777", "#bbbbbb"
BREAK = (math.nan, math.nan)  # a gap between two lines
LARGEST = 64  # pixels of a side with its padding, at most
# In points:
CELL = 24  # a pixel, if it fits
SIDE = 240  # the pixels of a side together, at most
MARGIN = 40  # around them, for arrows and sizes
NEAR, FAR = 11, 25  # distance of a line from the image, and of the text beside it
LEGEND = 34  # height, below the image, for two lines
LEGEND_LINE = 12
NARROWEST = 300  # width in which the legend fits


class CannotDraw(Exception):  # noqa: N818 - not an error of this program
    """The reason why some evidence has no picture, in half a sentence."""


@dataclass(frozen=True)
class Axis:
    """One side of an image and the windows along it, in pixels from the image's first pixel."""

    side: int
    size: int
    stride: int
    dilation: int
    padding: Padding
    before: int
    after: int

    @property
    def span(self) -> int:
        """The number of pixels from the first to the last one of a window."""
        return span(self.size, self.dilation)

    @property
    def count(self) -> int:
        """The number of windows."""
        return max(output_side(self.side, self.size, self.stride, self.dilation, self.padding), 0)

    @property
    def last(self) -> int:
        """The first pixel of the last window. The first window begins at -before."""
        return self.start(self.count - 1)

    @property
    def low(self) -> int:
        """The first pixel of the padding, where the first window also begins."""
        return -self.before

    @property
    def high(self) -> int:
        """The end of the image, of its padding and of a window that does not fit."""
        return max(self.side + self.after, self.span - self.before)

    def start(self, number: int) -> int:
        """The first pixel of the window of an output."""
        return number * self.stride - self.before

    def pixels(self, start: int) -> list[int]:
        """The pixels that a window covers."""
        return [start + self.dilation * number for number in range(self.size)]


def draw_window(evidence: Mapping[str, Any]) -> Figure:
    """The picture; raises CannotDraw if the numbers do not describe a window, or are too large."""
    rows, columns = _axes(evidence)
    worst = _worst(evidence, rows, columns)
    longer = max(axis.high - axis.low for axis in (rows, columns))
    point = max(1 / CELL, longer / SIDE)  # pixels of the image in one point
    left, right = columns.low - MARGIN * point, columns.high + MARGIN * point
    top, bottom = rows.low - MARGIN * point, rows.high + MARGIN * point
    width, height = max((right - left) / point, NARROWEST), (bottom - top) / point
    handles = list(_legend(rows, columns, worst is not None))
    below = LEGEND + LEGEND_LINE * (len(handles) > 4)
    figure = Figure(figsize=(width / 72, (height + below) / 72))
    axes = figure.add_axes((0, below / (height + below), 1, height / (height + below)), aspect="equal")
    axes.set_axis_off()
    axes.set(xlim=(left, right), ylim=(bottom, top))
    _draw_image(axes, rows, columns)
    _draw_windows(axes, rows, columns)
    if worst:
        _draw_worst(axes, rows, columns, worst)
    _draw_strides(axes, rows, columns, point)
    _draw_sizes(axes, rows, columns, point)
    figure.legend(handles=handles, loc="lower center", ncols=2, frameon=False, fontsize=8)
    return figure


def describe_window(evidence: Mapping[str, Any]) -> str:
    """A description of the window in words."""
    rows, columns = axes = _axes(evidence)
    words = [f"Image {rows.side} × {columns.side}", f"window {rows.size} × {columns.size}"]
    if any(axis.dilation > 1 for axis in axes):
        words.append(f"dilation {rows.dilation} × {columns.dilation}, so that it spans {rows.span} × {columns.span}")
    words.append(f"stride {rows.stride} × {columns.stride}")
    pads = f"{rows.before} above, {rows.after} below, {columns.before} left, {columns.after} right"
    words.append(f"{rows.padding} padding" + (f": {pads}" if rows.padding == "same" else ""))
    if not all(axis.count for axis in axes):
        return f"{', '.join(words)}. The window does not fit: an error is expected."
    said = f"{', '.join(words)}. Output expected: {rows.count} × {columns.count}."
    worst = _worst(evidence, rows, columns)
    return f"{said} Most wrong is the output in row {worst[0]}, column {worst[1]} (from 0)." if worst else said


def _axes(evidence: Mapping[str, Any]) -> tuple[Axis, Axis]:
    """Height and width; raises CannotDraw if they do not describe a window, or are too large."""
    rows, columns = _axis(evidence, 0), _axis(evidence, 1)
    for axis in (rows, columns):
        if min(axis.side, axis.size, axis.stride, axis.dilation) < 1:
            raise CannotDraw("an image, a window, a stride or a dilation of size zero")
        if axis.high - axis.low > LARGEST:
            raise CannotDraw(f"more than {LARGEST} pixels a side")
    return rows, columns


def _worst(evidence: Mapping[str, Any], rows: Axis, columns: Axis) -> tuple[int, int] | None:
    """The output with the largest error; None if the evidence names none."""
    if "worst" not in evidence:
        return None
    row, column = evidence["worst"]
    if not (0 <= row < rows.count and 0 <= column < columns.count):
        raise CannotDraw("an output that does not exist")
    return row, column


def _axis(evidence: Mapping[str, Any], number: int) -> Axis:
    side, size, stride, dilation = (evidence[name][number] for name in ("image", "size", "strides", "dilation"))
    before, after = evidence["pads"][number]
    return Axis(side, size, stride, dilation, evidence["padding"], before, after)


def _draw_image(axes: Any, rows: Axis, columns: Axis) -> None:
    """Draw the pixels and the padding around them."""
    height, width = (axis.before + axis.side + axis.after for axis in (rows, columns))
    if (height, width) != (rows.side, columns.side):
        around = (columns.low, rows.low), width, height
        axes.add_patch(Rectangle(*around, fill=False, hatch="////", edgecolor=FAINT, linewidth=0.6))
    axes.add_patch(Rectangle((0, 0), columns.side, rows.side, facecolor="white", edgecolor="none"))
    level = [point for y in range(1, rows.side) for point in ((0, y), (columns.side, y), BREAK)]
    upright = [point for x in range(1, columns.side) for point in ((x, 0), (x, rows.side), BREAK)]
    axes.plot(*zip(*level, *upright, BREAK, strict=True), color=FAINT, linewidth=0.5)
    axes.add_patch(Rectangle((0, 0), columns.side, rows.side, fill=False, edgecolor="black", linewidth=1.2, zorder=3))


def _draw_windows(axes: Any, rows: Axis, columns: Axis) -> None:
    """Draw the first window and, if there are several, the last one. Gaps of dilation stay empty."""
    several = rows.count * columns.count > 1
    windows = [(FIRST, rows.low, columns.low, "-")]
    windows += [(LAST, rows.last, columns.last, "--")] if several else []
    for colour, top, left, line in windows:
        seen = [_pixel(x, y) for y in rows.pixels(top) for x in columns.pixels(left)]
        axes.add_patch(PathPatch(Path.make_compound_path(*seen), facecolor=colour, alpha=0.35, linewidth=0))
        outline = (left, top), columns.span, rows.span
        axes.add_patch(Rectangle(*outline, fill=False, edgecolor=colour, linewidth=1.8, linestyle=line))


def _draw_worst(axes: Any, rows: Axis, columns: Axis, worst: tuple[int, int]) -> None:
    """Draw the window of the output with the largest error."""
    corner = columns.start(worst[1]), rows.start(worst[0])
    outline = Rectangle(corner, columns.span, rows.span, fill=False, edgecolor=WORST, linewidth=2.6, linestyle=":")
    axes.add_patch(outline)
    outline.set_zorder(4)


def _pixel(x: int, y: int) -> Any:
    return Path([(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1), (x, y)], closed=True)


def _draw_strides(axes: Any, rows: Axis, columns: Axis, point: float) -> None:
    """Draw the strides from the first window to the next ones, above and at the left."""
    arrow = {"arrowstyle": "-|>", "color": FIRST, "shrinkA": 0, "shrinkB": 0, "linewidth": 1.2}
    text = {"color": FIRST, "fontsize": 8, "ha": "center", "va": "center"}
    x, y = columns.low + 0.5, rows.low + 0.5
    if columns.count > 1:
        above = rows.low - NEAR * point
        axes.annotate("", (x + columns.stride, above), (x, above), arrowprops=arrow)
        axes.text(x + columns.stride / 2, rows.low - FAR * point, f"stride {columns.stride}", **text)
    if rows.count > 1:
        left = columns.low - NEAR * point
        axes.annotate("", (left, y + rows.stride), (left, y), arrowprops=arrow)
        axes.text(columns.low - FAR * point, y + rows.stride / 2, f"stride {rows.stride}", rotation=90, **text)


def _draw_sizes(axes: Any, rows: Axis, columns: Axis, point: float) -> None:
    """Draw the length of each part of the sides, below and at the right."""
    line = {"color": LINES, "linewidth": 0.8, "markersize": 5}
    text = {"fontsize": 9, "ha": "center", "va": "center"}
    below, right = rows.high + NEAR * point, columns.high + NEAR * point
    for start, end in _parts(columns):
        axes.plot((start, end), (below, below), marker="|", **line)
        axes.text((start + end) / 2, rows.high + FAR * point, str(end - start), **text)
    for start, end in _parts(rows):
        axes.plot((right, right), (start, end), marker="_", **line)
        axes.text(columns.high + FAR * point, (start + end) / 2, str(end - start), **text)


def _parts(axis: Axis) -> Iterator[tuple[int, int]]:
    """The padding before, the image and the padding after, as far as they exist."""
    for start, end in ((axis.low, 0), (0, axis.side), (axis.side, axis.side + axis.after)):
        if end > start:
            yield start, end


def _legend(rows: Axis, columns: Axis, worst: bool) -> Iterator[Patch]:
    several = rows.count * columns.count > 1
    fits = rows.count * columns.count > 0
    word = "first window" if several else "the only window" if fits else "window, which does not fit"
    yield Patch(facecolor=f"{FIRST}59", edgecolor=FIRST, label=f"{word}, {rows.size} × {columns.size}")
    if several:
        yield Patch(facecolor=f"{LAST}59", edgecolor=LAST, linestyle="--", label="last window")
    if worst:
        label = "window of the worst output"
        yield Patch(facecolor="none", edgecolor=WORST, linestyle=":", linewidth=2, label=label)
    yield Patch(facecolor="white", edgecolor="black", label="image")
    if any((rows.before, rows.after, columns.before, columns.after)):
        yield Patch(facecolor="none", edgecolor=FAINT, hatch="////", label="padding")
