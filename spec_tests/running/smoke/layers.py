"""The first calls of the layers."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...adapter.implementation import Implementation
from .answers import an_array, several
from .calling import call


def trials(implementation: Implementation, folder: Path) -> Iterator[Callable[[], Any]]:  # noqa: ARG001
    """The first calls, with images of 4 × 4 pixels."""
    use = partial(call, implementation)
    images, two = np.ones((1, 4, 4, 2), np.float32), np.ones(2, np.float32)
    kernel, pointwise = np.ones((2, 2, 2, 2), np.float32), np.ones((1, 1, 2, 2), np.float32)
    yield partial(use, "conv2d", an_array, images, kernel, two, strides=1, padding="valid", dilation_rate=1)
    yield partial(use, "separable_conv2d", an_array, images, kernel[..., :1], pointwise, strides=1, padding="same")
    for name in ("max_pooling2d", "average_pooling2d"):
        yield partial(use, name, an_array, images, pool_size=2, strides=None, padding="valid")
    yield partial(use, "global_average_pooling2d", an_array, images)
    yield partial(use, "dense", an_array, images[0, 0], pointwise[0, 0], two)
    three = several(an_array, an_array, an_array)
    yield partial(use, "batch_normalization", three, images, two, two, two, two, training=True, trainable=True)
    yield partial(use, "dropout", an_array, images, 0.5, seed=0, training=True)
