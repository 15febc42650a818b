"""The convnet that is trained from scratch: valid 3 × 3 convolutions with ReLU, and max pooling between them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .training import sigmoid
from .windows import conv2d, max_pooling2d

Array = NDArray[np.float64]

FILTERS = (8, 16, 32, 64, 128)
CHANNELS = (3, *FILTERS)
# number of values in each array
SIZES = sorted([size for a, b in pairwise(CHANNELS) for size in (9 * a * b, b)] + [FILTERS[-1], 1])


def probabilities(
    images: NDArray[Any],
    kernels: Sequence[NDArray[Any]],
    biases: Sequence[NDArray[Any]],
    weights: NDArray[Any],
    offset: float,
) -> Array:
    """Probabilities of class 1 (n,) for images in [0, 255], dropout off.

    Kernels are (3, 3, in, out), weights (128,).
    """
    x = images.astype(np.float64) / 255
    for layer, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
        x = max_pooling2d(x, (2, 2), (2, 2)) if layer else x
        x = np.maximum(conv2d(x, kernel) + bias, 0)
    return sigmoid(x.mean(axis=(1, 2)) @ weights.astype(np.float64) + offset)
