"""Operating curves as pictures, one for each clause, narrow enough for a phone."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from matplotlib.figure import Figure

from ..reporting.figures import BLUE, GREY, ORANGE, style, svg_text
from .curves import RECORDED, Curve
from .faults import PROMISES, Promise, in_words

WIDTH, HEIGHT = 3.5, 2.3  # inches, of one curve
LEFT, BOTTOM, BREADTH, RISE = 0.68, 0.5, 2.74, 1.25  # inches, the position of the axes in the picture
ABOVE, FAR_ABOVE = 1.07, 1.22  # vertical positions of the two text lines, in heights of the axes


def figures(curves: Iterable[Curve]) -> dict[str, str]:
    """{clause ID: an ``svg`` element}, with the curves of a clause stacked."""
    return {clause: _figure(list(members)) for clause, members in groupby(curves, key=lambda curve: curve.clause)}


def described(curve: Curve) -> str:
    """A description of a curve in words."""
    rates = ", ".join(
        f"{point.rate:.0%} of {point.runs:,} at {point.size:g}" for point in curve.points if point.size != curve.none
    )
    words = f"{curve.clause}, {curve.title} ({curve.unit}): found in {rates}."
    if none := curve.at(curve.none):
        words += (
            f" False alarms without a fault: {none.detected} of {none.runs:,}, at most {none.upper_bound:.2g} a run."
        )
    if curve.subject == RECORDED:
        words += (
            " Trials are drawn from the normal distribution fitted to the recorded ones, and made worse by the size."
        )
    return words


def _figure(curves: list[Curve]) -> str:
    height = HEIGHT * len(curves)
    with style():
        figure = Figure(figsize=(WIDTH, height))
        for number, curve in enumerate(curves):
            bottom = height - HEIGHT * (number + 1) + BOTTOM
            axes = figure.add_axes((LEFT / WIDTH, bottom / height, BREADTH / WIDTH, RISE / height))
            _draw(axes, curve, [p for p in PROMISES if (p.clause, p.fault) == (curve.clause, curve.fault)])
        return svg_text(figure, " ".join(map(described, curves)))


def _draw(axes: Any, curve: Curve, promises: list[Promise]) -> None:
    """Draw the rates with their intervals, the false-alarm rate, and the promised power."""
    points = sorted(curve.points, key=lambda point: point.size)
    sizes, rates = [point.size for point in points], [point.rate for point in points]
    below = [point.rate - point.interval[0] for point in points]
    above = [point.interval[1] - point.rate for point in points]
    axes.errorbar(sizes, rates, (below, above), fmt="o-", color=BLUE, markersize=3.5, elinewidth=1, capsize=2.5)
    axes.axvline(curve.none, color=GREY, linestyle=":", linewidth=1)
    line = {"fontsize": 8, "transform": axes.transAxes}
    axes.text(-LEFT / BREADTH, FAR_ABOVE, curve.title, fontsize=9, fontweight="bold", transform=axes.transAxes)
    if none := curve.at(curve.none):
        axes.plot(none.size, none.rate, "s", markersize=7, markerfacecolor="none", color=GREY, clip_on=False, zorder=3)
        axes.text(-LEFT / BREADTH, ABOVE, f"false alarms: {none.detected} of {none.runs:,}", color=GREY, **line)
    if promises:
        places, powers = [promise.size for promise in promises], [promise.power for promise in promises]
        axes.plot(places, powers, "D", markersize=8, markerfacecolor="none", color=ORANGE, clip_on=False, zorder=3)
        at = ", ".join(f"{size:g}" for size in sorted(places))
        axes.text(1, ABOVE, f"promised: {in_words(powers[0])} at {at}", color=ORANGE, ha="right", **line)
    axes.set(
        ylim=(-0.04, 1.04), yticks=(0, 0.5, 1), yticklabels=("0 %", "50 %", "100 %"), xlabel=curve.unit, ylabel="found"
    )
    axes.margins(x=0.05)
    axes.xaxis.get_major_locator().set_params(nbins=6)
