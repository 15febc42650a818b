"""The first calls of random transformations of images."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...adapter.implementation import Implementation
from .answers import an_array, labels, several
from .calling import call


def trials(implementation: Implementation, folder: Path) -> Iterator[Callable[[], Any]]:  # noqa: ARG001
    """The first calls, with two grey images."""
    use = partial(call, implementation)
    images = np.full((2, 8, 8, 3), 100, np.float32)
    yield partial(use, "random_flip", an_array, images, seed=0, training=True)
    yield partial(use, "random_rotation", an_array, images, factor=0.1, seed=0, training=True)
    yield partial(use, "random_zoom", an_array, images, factor=0.2, seed=0, training=True)
    yield partial(use, "augment", several(an_array, labels), images, np.zeros(2, np.int32), seed=0, training=True)
