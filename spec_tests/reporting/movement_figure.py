"""A bar for each layer that moved and should not have."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from .window_figure import FIRST, LAST, LINES, CannotDraw

LARGEST = 1e12  # largest change that is drawn
LONGEST = 24  # characters of a name; its end is kept, which distinguishes layers
# In inches:
WIDE, ROW = 3.0, 0.155
LETTER = 0.064  # one character of a name
NUMBER = 0.55  # beside a bar
ABOVE, BELOW = 0.05, 0.42
KINDS = {True: (LAST, "batch normalisation"), False: (FIRST, "other layers")}


@dataclass(frozen=True)
class Layer:
    """A layer that moved; a change that is not a number is infinite."""

    name: str
    normalization: bool
    largest: float


def layers_of(evidence: Mapping[str, Any]) -> list[Layer]:
    """The layers of the evidence; raises CannotDraw if there are none, or if a change is too large."""
    given = evidence["layers"]
    found = [
        Layer(one["name"], one["normalization"], math.inf if one["largest"] is None else one["largest"])
        for one in given
    ]
    if not found:
        raise CannotDraw("no layer moved")
    if any(LARGEST < layer.largest < math.inf for layer in found):
        raise CannotDraw("a change is too large")
    return found


def describe_layers(evidence: Mapping[str, Any], layers: Sequence[Layer]) -> str:
    """A description of the layers in words."""
    moved, count = evidence["moved"], evidence["count"]
    words = f"{moved:,} of {count:,} layers moved"
    if len(layers) == moved and (normalizations := sum(layer.normalization for layer in layers)):
        words += (
            ", all of them batch normalisations"
            if normalizations == moved
            else (f", {normalizations:,} of them batch normalisations")
        )
    if len(layers) < moved:
        words += f", of which the {len(layers):,} that moved farthest are shown"
    farthest = max(layers, key=lambda layer: layer.largest)
    return f"{words}. Farthest moved {farthest.name}, by {_distance(farthest.largest)}."


def draw_layers(layers: Sequence[Layer]) -> Figure:
    """A row for each layer: its name at the left, its bar, and its number at the end of the bar."""
    names = [_short(layer.name, LONGEST) for layer in layers]
    left, high = LETTER * (1 + max(map(len, names))), ROW * len(layers)
    height = ABOVE + high + BELOW
    figure = Figure(figsize=(WIDE, height))
    axes: Any = figure.add_axes((left / WIDE, BELOW / height, (WIDE - left - NUMBER) / WIDE, high / height))
    top = max((layer.largest for layer in layers if math.isfinite(layer.largest)), default=0) or 1
    rows = range(len(layers))
    axes.barh(rows, [min(one.largest, top) for one in layers], color=[KINDS[one.normalization][0] for one in layers])
    for row, layer in enumerate(layers):
        axes.text(min(layer.largest, top) + 0.03 * top, row, _distance(layer.largest), fontsize=7.5, va="center")
    axes.set_yticks(rows, names, fontsize=7.5)
    axes.set(xlim=(0, top), ylim=(len(layers) - 0.5, -0.5), xticks=())
    axes.tick_params(axis="y", length=0)
    axes.spines["bottom"].set_visible(False)
    figure.text(0.01, 0.26 / height, "largest absolute change of a value", fontsize=8, color=LINES, va="center")
    kinds = sorted({layer.normalization for layer in layers}, reverse=True)
    handles = [Patch(color=KINDS[kind][0], label=KINDS[kind][1]) for kind in kinds]
    figure.legend(handles=handles, loc="lower left", ncols=2, frameon=False, fontsize=8, borderaxespad=0)
    return figure


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else f"…{name[1 - most :]}"


def _distance(change: float) -> str:
    return f"{change:.2g}" if math.isfinite(change) else "NaN"
