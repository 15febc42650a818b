"""Inputs for the clauses of augmentation: pictures, and charts from which a transformation can be recovered."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ..adapter.contract import Array, Labels
from ..adapter.implementation import Implementation
from ..oracles.transformations import chart, recover
from .windows import SEEDS

MANY = 2048  # images in a statistical test; each test states the power that this gives
TRANSFORMATIONS = ("random_flip", "random_rotation", "random_zoom", "augment")
SIZES = ((8, 8), (9, 9), (7, 12), (12, 7))
CHART_SIZES = ((21, 21), (16, 16), (15, 24), (24, 15))
LARGE_SIZES = ((21, 21), (20, 31), (30, 21))  # after two transformations their middle shows no reflection
LABELS = (np.int32, np.int64, np.uint8, np.bool_, np.float32)  # dtypes of labels


@dataclass(frozen=True)
class Pictures:
    """A batch of pictures of one size: noise (black and white, faint, or neither), or one colour for each picture."""

    size: tuple[int, int]
    count: int = 1
    plain: bool = False
    seed: int = 0

    @property
    def images(self) -> Array:
        """Float32 (count, height, width, 3)."""
        rng = np.random.default_rng(self.seed)
        images = rng.uniform(0, 255, (self.count, *self.size, 3)).astype(np.float32)
        if self.plain:
            return np.broadcast_to(images[:, :1, :1], images.shape).copy()
        images[1::3] = np.where(images[1::3] < 127, 0, 255)
        images[2::3] = 200 + images[2::3] / 255
        return images

    @property
    def labels(self) -> NDArray[np.int32]:
        """Labels (count,), int32 in {0, 1}."""
        return classes(self.count, self.seed + 1)


@dataclass(frozen=True)
class Charts:
    """Copies of one chart, whose transformation can be recovered from the result."""

    size: tuple[int, int] = CHART_SIZES[0]
    count: int = 16
    seed: int = 0

    @property
    def images(self) -> Array:
        """Float32 (count, height, width, 3)."""
        return np.repeat(chart(*self.size, self.seed)[None], self.count, axis=0).astype(np.float32)


def pictures(plain: bool = False) -> st.SearchStrategy[Pictures]:
    """Batches of pictures of each size."""
    return st.builds(Pictures, st.sampled_from(SIZES), st.just(24), st.just(plain), SEEDS)


def charts(sizes: Sequence[tuple[int, int]] = CHART_SIZES) -> st.SearchStrategy[Charts]:
    """Batches of charts of each size."""
    return st.builds(Charts, st.sampled_from(sizes), st.just(16), SEEDS)


def transform(implementation: Implementation, name: str, images: Array, *, seed: int, training: bool = True) -> Array:
    """The images after one of ``TRANSFORMATIONS`` with its default factor; ``augment`` gets labels from ``classes``."""
    labels = classes(len(images), seed)
    return transform_labelled(implementation, name, images, labels, seed=seed, training=training)


def transform_labelled(
    implementation: Implementation, name: str, images: Array, labels: Labels, *, seed: int, training: bool = True
) -> Array:
    """The images after one of ``TRANSFORMATIONS``; ``augment`` also gets the labels."""
    if name == "augment":
        augmented: Array = implementation.augment(images, labels, seed=seed, training=training)[0]
        return augmented
    transformed: Array = getattr(implementation, name)(images, seed=seed, training=training)
    return transformed


def many(implementation: Implementation, names: Sequence[str], seed: int) -> dict[str, Array]:
    """{name: ``MANY`` transformed copies of a chart} of those functions that are offered."""
    charts = Charts(count=MANY).images
    return {name: transform(implementation, name, charts, seed=seed) for name in implementation.offered(names)}


def classes(count: int, seed: int) -> NDArray[np.int32]:
    """Random labels (count,), int32 in {0, 1}."""
    return np.random.default_rng(seed).integers(0, 2, count, dtype=np.int32)


def draws(images: Array) -> dict[str, NDArray[np.float64]]:
    """{"flip", "angle" in turns, "zoom": values} of augmented charts, rounded to the digits that can be recovered."""
    found = recover(images)
    return {"flip": found.mirrored.astype(np.float64), "angle": found.turns.round(4), "zoom": found.zooms.round(4)}


def most_alike(images: Array, plain: Array) -> NDArray[np.intp]:
    """For each image, the index of the plain image whose colour is nearest to that in the image's middle."""
    colours, known = images[:, images.shape[1] // 2, images.shape[2] // 2], plain[:, 0, 0]
    return np.asarray(np.linalg.norm(colours[:, None] - known, axis=-1).argmin(axis=1))
