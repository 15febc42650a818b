"""What a clause saw, kept for the pictures of a report.

A clause keeps what it looks at as it goes, under a title; of what has one title the latest is kept, so
that a property ends with its smallest counterexample. Nothing here decides anything.
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
DRAWN = 12  # values a side of an array that is wrong
LAYERS = 40  # that moved, of which a chart is drawn
SHOWN = ("layers", "augmentation")  # stages of which wrong arrays are drawn
BEYOND = 0.25  # of the range on each side is shown too, for draws that lie outside

Evidence = dict[str, Any]
_kept: dict[str, Callable[[], Evidence]] = {}  # made into JSON only if a report asks for it
_of_failures: set[str] = set()


def start() -> None:
    """Forget what an earlier clause kept."""
    _kept.clear()
    _of_failures.clear()


@contextmanager
def aside() -> Iterator[None]:
    """What is kept meanwhile is forgotten."""
    before, of_failures = dict(_kept), set(_of_failures)
    try:
        yield
    finally:
        start()
        _kept.update(before)
        _of_failures.update(of_failures)


def kept(failed: bool, stage: str = "", wrong: Wrong | None = None) -> tuple[Evidence, ...]:
    """What there is to show of a clause; what only explains a failure is left out of a success.

    An array that is wrong is shown where the clause keeps no images of its own, which say more.
    """
    found = tuple(make() for title, make in _kept.items() if failed or title not in _of_failures)
    if wrong is None or stage not in SHOWN or any(evidence["kind"] == "images" for evidence in found):
        return found
    return (*found, *difference(wrong))


def keep_histogram(title: str, values: ArrayLike, low: float, high: float, unit: str) -> None:
    """Draws that are to be uniform in [low, high]."""
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
    """Loss and accuracy by epoch."""

    def make() -> Evidence:
        finite = {name: [float(v) if math.isfinite(v) else None for v in values] for name, values in history.items()}
        return {"kind": "curves", "title": title, "history": finite}

    _kept[title] = make


def keep_images(
    title: str, expected: NDArray[Any], got: NDArray[Any], names: tuple[str, str] = ("expected", "got")
) -> None:
    """Images (n, height, width, 3) in [0, 255], for a failure: that in which the two differ most is shown."""
    if np.shape(got) != np.shape(expected):
        return

    def make() -> Evidence:
        worst = int(np.abs(np.nan_to_num(got) - expected).max(axis=(1, 2, 3)).argmax())
        shown = {"expected": _png(expected[worst]), "got": _png(got[worst])}
        return {"kind": "images", "title": title, "names": list(names), **shown}

    _kept[title] = make
    _of_failures.add(title)


def keep_preprocessing(title: str, subset: str, got: Line, expected: Expects) -> None:
    """What pixels become in a subset, and what they should, for a failure."""

    def make() -> Evidence:
        lines = {"expected": _line(expected), "got": _line(got)}
        return {"kind": "preprocessing", "title": title, "subset": subset, **lines}

    _kept[title] = make
    _of_failures.add(title)


def _line(of: Line | Expects) -> Evidence:
    scale, offset = ([_finite(float(value)) for value in values] for values in (of.scale, of.offset))
    return {"scale": scale, "offset": offset, "order": of.order}


def keep_movement(title: str, before: Sequence[Variable], after: Sequence[Variable], part: str) -> None:
    """How far the layers of a part moved, for a failure: those that moved farthest, in their order."""

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
    """The largest change of each layer that moved, in order; infinite if it is not a number or the shape changed."""
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
    """The part around the worst value of what was expected and of what came, a plane of each; of one axis nothing."""
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
    """The image and the channel in which the worst value of (n, height, width, channels) is, and its place there."""
    if len(worst) == 4:
        return (worst[0], slice(None), slice(None), worst[3]), worst[1:3]
    return (slice(None),) * len(worst), worst


def _around(at: int, side: int) -> slice:
    """As many of a side as are drawn, with this one in the middle where it is long."""
    start = min(max(at - DRAWN // 2, 0), max(side - DRAWN, 0))
    return slice(start, min(start + DRAWN, side))


def _numbers(values: NDArray[Any]) -> list[list[float | None]]:
    """Six digits of each; None for a value that is not finite."""
    rows: list[list[float]] = values.astype(np.float64).tolist()
    return [[_finite(value) for value in row] for row in rows]


def _finite(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def window(title: str, case: Window, wrong: Wrong | None = None) -> Evidence:
    """The geometry of a counterexample, and where the window of the worst value begins, if its outputs are wrong."""
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
    from PIL import Image  # only what keeps pictures needs it

    Image.fromarray(np.clip(np.nan_to_num(image), 0, 255).astype(np.uint8)).save(encoded, "PNG")
    return base64.b64encode(encoded.getvalue()).decode()
