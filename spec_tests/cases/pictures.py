"""What the clauses of augmentation are tried on: pictures, and charts that tell how they were transformed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ..adapter.contract import Array, Labels
from ..adapter.implementation import Implementation
from ..oracles.transformations import chart, recover
from .windows import SEEDS

MANY = 2048  # images in a statistical test: the power that this gives is stated with each
TRANSFORMATIONS = ("random_flip", "random_rotation", "random_zoom", "augment")
SIZES = ((8, 8), (9, 9), (7, 12), (12, 7))
CHART_SIZES = ((21, 21), (16, 16), (15, 24), (24, 15))
LARGE_SIZES = ((21, 21), (20, 31), (30, 21))  # the middle of which shows no reflection after two transformations
LABELS = (np.int32, np.int64, np.uint8, np.bool_, np.float32)  # dtypes of labels


@dataclass(frozen=True)
class Pictures:
    """A batch of pictures of one size: of noise that is black and white, faint, or neither; or of one colour each."""

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
        """Of each image, 0 or 1."""
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
    """Pictures of every shape."""
    return st.builds(Pictures, st.sampled_from(SIZES), st.just(24), st.just(plain), SEEDS)


def charts(sizes: Sequence[tuple[int, int]] = CHART_SIZES) -> st.SearchStrategy[Charts]:
    """Charts of every shape."""
    return st.builds(Charts, st.sampled_from(sizes), st.just(16), SEEDS)


def transform(implementation: Implementation, name: str, images: Array, *, seed: int, training: bool = True) -> Array:
    """The images that came of one of ``TRANSFORMATIONS``, with its own factor; ``augment`` is given ``classes``."""
    labels = classes(len(images), seed)
    return transform_labelled(implementation, name, images, labels, seed=seed, training=training)


def transform_labelled(
    implementation: Implementation, name: str, images: Array, labels: Labels, *, seed: int, training: bool = True
) -> Array:
    """The images that came of one of ``TRANSFORMATIONS``, of which ``augment`` is given the labels too."""
    if name == "augment":
        augmented: Array = implementation.augment(images, labels, seed=seed, training=training)[0]
        return augmented
    transformed: Array = getattr(implementation, name)(images, seed=seed, training=training)
    return transformed


def many(implementation: Implementation, names: Sequence[str], seed: int) -> dict[str, Array]:
    """{name: MANY copies of a chart, transformed} of those functions that are offered."""
    charts = Charts(count=MANY).images
    return {name: transform(implementation, name, charts, seed=seed) for name in implementation.offered(names)}


def classes(count: int, seed: int) -> NDArray[np.int32]:
    """Labels of either class, at random."""
    return np.random.default_rng(seed).integers(0, 2, count, dtype=np.int32)


def draws(images: Array) -> dict[str, NDArray[np.float64]]:
    """Flip, angle in turns and zoom of each chart that was augmented, to the digits that recovery is sure of."""
    found = recover(images)
    return {"flip": found.mirrored.astype(np.float64), "angle": found.turns.round(4), "zoom": found.zooms.round(4)}


def most_alike(images: Array, plain: Array) -> NDArray[np.intp]:
    """The index of the plain image whose colour is the nearest to that in the middle of each image."""
    colours, known = images[:, images.shape[1] // 2, images.shape[2] // 2], plain[:, 0, 0]
    return np.asarray(np.linalg.norm(colours[:, None] - known, axis=-1).argmin(axis=1))
