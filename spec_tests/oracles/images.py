"""Resizing by bilinear interpolation, and the preprocessing of the base.

Images are (..., height, width, channels). A pixel is a square with its value at the centre, so pixel i of m
is at the point (i + 0.5) n / m - 0.5 of an axis of n pixels. Beyond the outermost centres the edge values
continue. The aspect ratio is not kept, and shrinking does not smooth.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def bilinear_weights(side: int, target: int) -> Array:
    """The weight of each of ``side`` pixels in each of ``target``, (target, side).

    At most two neighbouring weights of a row are not zero.
    """
    at = np.clip((np.arange(target) + 0.5) * side / target - 0.5, 0, side - 1)
    return np.asarray(np.maximum(1 - np.abs(at[:, None] - np.arange(side)), 0))


def resize_bilinear(images: NDArray[Any], size: tuple[int, int]) -> Array:
    """Images of ``size`` (height, width) in float64."""
    height, width = (bilinear_weights(*sides) for sides in zip(images.shape[-3:-1], size, strict=True))
    return np.asarray(np.einsum("yi,...ijc,xj->...yxc", height, images.astype(np.float64), width, optimize=True))


def preprocess(images: NDArray[Any], size: tuple[int, int]) -> Array:
    """Images as the base's input, of ``size`` and in [-1, 1], from images in [0, 255]."""
    return resize_bilinear(images, size) / 127.5 - 1
