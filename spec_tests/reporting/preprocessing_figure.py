"""The preprocessing of pixels before a base, next to the one of its pretraining, as lines and colours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from .window_figure import LINES, CannotDraw

CHANNELS = 3
BRIGHTEST = 255
LARGEST, SMALLEST = 1e9, 1e-9  # of a number that is drawn, and of a scale
NAMES = {"r": "red", "g": "green", "b": "blue"}
COLOURS = {"r": "#c62828", "g": "#2e7d32", "b": "#1565c0"}
BARS = ((255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0))
BAR, HIGH, RAMP = 16, 56, 28  # pixels: the width of a colour bar, its height, and the height of the greys below

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """value = scale × pixel + offset in each channel; the colours of the channels, such as ``rgb``."""

    scale: Numbers
    offset: Numbers
    order: str

    @property
    def ends(self) -> Numbers:
        """The values of pixels 0 and 255, (2, channels)."""
        return np.array([self.offset, self.scale * BRIGHTEST + self.offset])


def lines(evidence: Mapping[str, Any]) -> tuple[Line, Line]:
    """The expected and the actual line; raises CannotDraw without three channels of numbers of drawable size."""
    expected, got = (_line(evidence[name]) for name in ("expected", "got"))
    if np.abs(expected.scale).min() < SMALLEST:
        raise CannotDraw("a channel that is expected to be 0 for all pixels")
    return expected, got


def _line(given: Mapping[str, Any]) -> Line:
    numbers = [*given["scale"], *given["offset"]]
    if len(given["scale"]) != CHANNELS or len(numbers) != 2 * CHANNELS or sorted(given["order"]) != sorted(NAMES):
        raise CannotDraw("its channels are not red, green and blue")
    if any(number is None or not abs(number) <= LARGEST for number in numbers):
        raise CannotDraw("its numbers are too large")
    scale, offset = np.array(numbers, np.float64).reshape(2, CHANNELS)
    return Line(scale, offset, given["order"])


def describe_lines(subset: str, expected: Line, got: Line) -> str:
    """A description of both lines in words."""
    words = f"In {subset} pixels from 0 to 255 become {_ranges(got)}"
    same = np.allclose(expected.ends, got.ends, rtol=0, atol=1e-3 * np.ptp(expected.ends))
    words += ", as they should" if same else f"; expected: {_ranges(expected)}"
    if got.order != expected.order:
        words += f". The channels are {_colours(got)}; expected: {_colours(expected)}"
    return f"{words}."


def _ranges(line: Line) -> str:
    each = [f"{low:.3g} to {high:.3g}" for low, high in line.ends.T]
    return f"{each[0]} in each channel" if len(set(each)) == 1 else f"{', '.join(each[:-1])} and {each[-1]}"


def _colours(line: Line) -> str:
    return ", ".join(NAMES[colour] for colour in line.order)


def draw_lines(expected: Line, got: Line) -> Figure:
    """A plot for each channel in its colour: the actual values as a line, the expected ones dashed."""
    figure = Figure(figsize=(3, 2.1))
    low, high = (float(function([expected.ends, got.ends])) for function in (np.min, np.max))
    margin = 0.06 * (high - low)
    axes: Any
    for place in range(CHANNELS):
        axes = figure.add_axes((0.15 + 0.29 * place, 0.28, 0.25, 0.58))
        for line, style, width in ((got, "-", 2.2), (expected, "--", 1.4)):
            axes.plot((0, BRIGHTEST), line.ends[:, place], style, color=COLOURS[line.order[place]], linewidth=width)
        came, right = (NAMES[line.order[place]] for line in (got, expected))
        axes.set_title(came if came == right else f"{came}, not {right}", fontsize=8)
        axes.set(xlim=(0, BRIGHTEST), ylim=(low - margin, high + margin), xticks=(0, BRIGHTEST))
        axes.tick_params(labelsize=8, labelleft=place == 0)
        axes.locator_params(axis="y", nbins=5)
        for number, side in zip(axes.get_xticklabels(), ("left", "right"), strict=True):
            number.set_horizontalalignment(side)  # inside the plot, so that it does not touch the next one's
    figure.text(0.565, 0.212, "pixel", fontsize=8, ha="center", va="center")
    styles = (("got", "-", 2.2), ("expected", "--", 1.4))
    handles = [Line2D([], [], color=LINES, linestyle=style, linewidth=w, label=name) for name, style, w in styles]
    figure.legend(handles=handles, loc="lower center", ncols=2, frameon=False, fontsize=8, borderaxespad=0)
    return figure


def card(expected: Line, got: Line) -> NDArray[np.uint8]:
    """Colour bars and greys (height, width, 3) as the base interprets its input.

    With the expected preprocessing, these colours would give the same numbers as the actual ones gave.
    """
    colours = np.repeat(np.array(BARS, np.float64), BAR, axis=0)
    greys = np.repeat(np.linspace(0, BRIGHTEST, len(colours))[:, None], CHANNELS, axis=1)
    pixels = np.concatenate([np.tile(row, (high, 1, 1)) for row, high in ((colours, HIGH), (greys, RAMP))])
    reached = pixels[..., ["rgb".index(colour) for colour in got.order]] * got.scale + got.offset
    taken = ((reached - expected.offset) / expected.scale)[..., [expected.order.index(colour) for colour in "rgb"]]
    shown: NDArray[np.uint8] = np.rint(np.clip(taken, 0, BRIGHTEST)).astype(np.uint8)
    return shown
