"""What a clause observed, kept for the pictures of a report.

A clause keeps its observations under titles while it runs. The latest one under a title replaces the others, so a
property ends with its smallest counterexample. Nothing here affects an outcome.
"""

import base64
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..adapter.contract import Variable
from ..audit.pipeline import Expects
from ..audit.probe import Line
from ..judging.checks import Wrong
from .models import moved, values
from .windows import Window

BINS = 24
DRAWN = 12  # rows and columns shown of an array that is wrong
LAYERS = 40  # the most layers in a chart of those that moved
SHOWN = ("layers", "augmentation")  # stages whose wrong arrays are drawn
BEYOND = 0.25  # share of the range that is also shown on each side, for draws that lie outside

Evidence = dict[str, Any]
_kept: dict[str, Callable[[], Evidence]] = {}  # {title: function}; evidence is made only if a report asks for it
_of_failures: set[str] = set()


def start() -> None:
    """Forget what an earlier clause kept."""
    _kept.clear()
    _of_failures.clear()


@contextmanager
def aside() -> Iterator[None]:
    """Drop what is kept inside the ``with`` block, and restore what was kept before."""
    before, of_failures = dict(_kept), set(_of_failures)
    try:
        yield
    finally:
        start()
        _kept.update(before)
        _of_failures.update(of_failures)


def kept(failed: bool, stage: str = "", wrong: Wrong | None = None) -> tuple[Evidence, ...]:
    """The evidence to show of a clause; what only explains a failure is left out if the clause passed.

    A wrong array is shown only if the clause keeps no images, which say more.
    """
    found = tuple(make() for title, make in _kept.items() if failed or title not in _of_failures)
    if wrong is None or stage not in SHOWN or any(evidence["kind"] == "images" for evidence in found):
        return found
    return (*found, *difference(wrong))


def keep_histogram(title: str, values: ArrayLike, low: float, high: float, unit: str) -> None:
    """Keep a histogram of draws that should be uniform in [low, high]."""
    margin = BEYOND * (high - low)
    drawn = np.clip(np.asarray(values, np.float64), low - margin, high + margin)

    def make() -> Evidence:
        counts, edges = np.histogram(drawn, BINS, (low - margin, high + margin))
        return {
            "kind": "histogram",
            "title": title,
            "unit": unit,
            "edges": [round(float(edge), 6) for edge in edges],
            "counts": counts.tolist(),
            "low": low,
            "high": high,
        }

    _kept[title] = make


def keep_curves(title: str, history: Mapping[str, Sequence[float]]) -> None:
    """Keep loss and accuracy by epoch."""

    def make() -> Evidence:
        finite = {name: [float(v) if math.isfinite(v) else None for v in values] for name, values in history.items()}
        return {"kind": "curves", "title": title, "history": finite}

    _kept[title] = make


def keep_images(
    title: str, expected: NDArray[Any], got: NDArray[Any], names: tuple[str, str] = ("expected", "got")
) -> None:
    """Keep, for a failure, the image that differs most between two batches (n, height, width, 3) in [0, 255]."""
    if np.shape(got) != np.shape(expected):
        return

    def make() -> Evidence:
        worst = int(np.abs(np.nan_to_num(got) - expected).max(axis=(1, 2, 3)).argmax())
        shown = {"expected": _png(expected[worst]), "got": _png(got[worst])}
        return {"kind": "images", "title": title, "names": list(names), **shown}

    _kept[title] = make
    _of_failures.add(title)


def keep_preprocessing(title: str, subset: str, got: Line, expected: Expects) -> None:
    """Keep, for a failure, what pixels become in a subset, and what they should become."""

    def make() -> Evidence:
        lines = {"expected": _line(expected), "got": _line(got)}
        return {"kind": "preprocessing", "title": title, "subset": subset, **lines}

    _kept[title] = make
    _of_failures.add(title)


def _line(of: Line | Expects) -> Evidence:
    scale, offset = ([_finite(float(value)) for value in values] for values in (of.scale, of.offset))
    return {"scale": scale, "offset": offset, "order": of.order}


def keep_movement(title: str, before: Sequence[Variable], after: Sequence[Variable], part: str) -> None:
    """Keep, for a failure, how far the layers of a part moved: those that moved farthest, in model order."""

    def make() -> Evidence:
        layers = {v.layer: v.layer_type for v in before if v.part == part}
        largest = _largest_changes(before, after, part)
        farthest = sorted(largest, key=lambda layer: -largest[layer])[:LAYERS]
        shown = [
            {
                "name": layer or "the model itself",
                "normalization": layers[layer] == "BatchNormalization",
                "largest": _finite(largest[layer]),
            }
            for layer in largest
            if layer in farthest
        ]
        return {"kind": "movement", "title": title, "layers": shown, "moved": len(largest), "count": len(layers)}

    _kept[title] = make
    _of_failures.add(title)


def _largest_changes(before: Sequence[Variable], after: Sequence[Variable], part: str) -> dict[str, float]:
    """{layer: its largest change} of the layers that moved; infinite if it is not a number or the shape changed."""
    was, now = values(before, part), values(after, part)
    changed = moved(was, now)
    largest: dict[str, float] = {}
    for variable in before:
        if variable.path in changed:
            one, other = (arrays[variable.path].astype(np.float64) for arrays in (was, now))
            with np.errstate(invalid="ignore", over="ignore"):
                change = float(np.abs(other - one).max(initial=0)) if one.shape == other.shape else math.inf
            change = change if math.isfinite(change) else math.inf
            largest[variable.layer] = max(change, largest.get(variable.layer, 0.0))
    return largest


def difference(wrong: Wrong) -> tuple[Evidence, ...]:
    """The expected and the actual values around the worst one, in its image and channel.

    Nothing unless the arrays have two or four axes and the plane has several values.
    """
    plane, place = _plane(wrong.worst)
    if wrong.expected.ndim not in (2, 4) or wrong.expected[plane].size < 2:
        return ()
    shape = wrong.expected[plane].shape
    rows, columns = (_around(at, side) for at, side in zip(place, shape, strict=True))
    shown = (*plane[:1], rows, columns, *plane[3:]) if len(plane) > 2 else (rows, columns)
    made = {
        "kind": "difference",
        "title": "what is wrong",
        "sample": plane[0] if len(plane) > 2 else None,
        "channel": plane[3] if len(plane) > 2 else None,
        "shape": list(shape),
        "first": [rows.start, columns.start],
        "worst": list(place),
        "expected": _numbers(wrong.expected[shown]),
        "got": _numbers(wrong.got[shown]),
        "wrong": wrong.where[shown].astype(int).tolist(),
    }
    return (made,)


def _plane(worst: tuple[int, ...]) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """The index of the image and channel of the worst value of (n, height, width, channels), and its position there."""
    if len(worst) == 4:
        return (worst[0], slice(None), slice(None), worst[3]), worst[1:3]
    return (slice(None),) * len(worst), worst


def _around(at: int, side: int) -> slice:
    """At most ``DRAWN`` indices of a side, with ``at`` in the middle if the side is longer."""
    start = min(max(at - DRAWN // 2, 0), max(side - DRAWN, 0))
    return slice(start, min(start + DRAWN, side))


def _numbers(values: NDArray[Any]) -> list[list[float | None]]:
    """The values with six digits; None for a value that is not finite."""
    rows: list[list[float]] = values.astype(np.float64).tolist()
    return [[_finite(value) for value in row] for row in rows]


def _finite(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def window(title: str, case: Window, wrong: Wrong | None = None) -> Evidence:
    """The geometry of a counterexample, and the position of the worst output if its outputs are wrong."""
    made = _geometry(title, case)
    shape = wrong.expected.shape if wrong else ()
    if wrong and shape[:-1] == (case.batch, *case.sides) and shape[-1] in (case.channels, case.filters):
        made["worst"] = list(wrong.worst[1:3])
    return made


def _geometry(title: str, case: Window) -> Evidence:
    pads = case.pads if case.padding == "same" else ((0, 0), (0, 0))
    pairs = {name: list(getattr(case, name)) for name in ("image", "size", "strides", "dilation")}
    return {"kind": "window", "title": title, **pairs, "padding": case.padding, "pads": [list(pair) for pair in pads]}


def _png(image: NDArray[Any]) -> str:
    encoded = io.BytesIO()
    from PIL import Image  # only needed if pictures are kept

    Image.fromarray(np.clip(np.nan_to_num(image), 0, 255).astype(np.uint8)).save(encoded, "PNG")
    return base64.b64encode(encoded.getvalue()).decode()
