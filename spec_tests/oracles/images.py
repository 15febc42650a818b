"""Images resized by bilinear interpolation: pixel centres at half, no antialiasing, the edge repeated."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def resize_bilinear(images: NDArray[Any], size: tuple[int, int]) -> Array:
    """Images (n, height, width, channels) squashed to ``size``."""
    rows, columns = (_weights(old, new) for old, new in zip(images.shape[1:3], size, strict=True))
    return np.asarray(np.einsum("yh,nhwc,xw->nyxc", rows, images.astype(np.float64), columns, optimize=True))


def _weights(old: int, new: int) -> Array:
    """How much of each old pixel of a line is in each new one, (new, old)."""
    centres = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    before = np.floor(centres).astype(int)
    after = np.minimum(before + 1, old - 1)
    weights = np.zeros((new, old))
    np.add.at(weights, (np.arange(new), before), 1 - (centres - before))
    np.add.at(weights, (np.arange(new), after), centres - before)
    return weights
