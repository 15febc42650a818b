"""What a clause saw, kept for the pictures of a report.

A clause keeps what it looks at as it goes, under a title; of what has one title the latest is kept, so
that a property ends with its smallest counterexample. Nothing here decides anything.
"""

import base64
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .windows import Window

BINS = 24
BEYOND = 0.25  # of the range on each side is shown too, for draws that lie outside

Evidence = dict[str, Any]
_kept: dict[str, Callable[[], Evidence]] = {}  # made into JSON only if a report asks for it
_of_failures: set[str] = set()


def start() -> None:
    """Forget what an earlier clause kept."""
    _kept.clear()
    _of_failures.clear()


def kept(failed: bool) -> tuple[Evidence, ...]:
    """What there is to show of a clause; what only explains a failure is left out of a success."""
    return tuple(make() for title, make in _kept.items() if failed or title not in _of_failures)


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


def keep_images(title: str, expected: NDArray[Any], got: NDArray[Any]) -> None:
    """Images (n, height, width, 3) in [0, 255], for a failure: that in which the two differ most is shown."""
    if np.shape(got) != np.shape(expected):
        return

    def make() -> Evidence:
        worst = int(np.abs(np.nan_to_num(got) - expected).max(axis=(1, 2, 3)).argmax())
        return {"kind": "images", "title": title, "expected": _png(expected[worst]), "got": _png(got[worst])}

    _kept[title] = make
    _of_failures.add(title)


def window(title: str, case: Window) -> Evidence:
    """The geometry of a counterexample."""
    pads = case.pads if case.padding == "same" else ((0, 0), (0, 0))
    pairs = {name: list(getattr(case, name)) for name in ("image", "size", "strides", "dilation")}
    return {"kind": "window", "title": title, **pairs, "padding": case.padding, "pads": [list(pair) for pair in pads]}


def _png(image: NDArray[Any]) -> str:
    encoded = io.BytesIO()
    from PIL import Image  # only what keeps pictures needs it

    Image.fromarray(np.clip(np.nan_to_num(image), 0, 255).astype(np.uint8)).save(encoded, "PNG")
    return base64.b64encode(encoded.getvalue()).decode()
