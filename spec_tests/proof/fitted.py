"""An implementation whose ``fit`` augments and learns nothing, and one that leaves some images unchanged."""

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..adapter.implementation import Implementation
from ..cases.trials import CONVNET_SIZE

Array = NDArray[np.float32]

SHAPE = (2, 8, 8)
FIELDS = np.kron(np.random.default_rng(0).normal(size=SHAPE), np.ones([side // 8 for side in CONVNET_SIZE]))


def predicted(_: Any, images: Array) -> NDArray[np.float64]:
    """A probability that depends on the position and direction of edges in an image, as a convnet's does."""
    grey = images.mean(axis=-1) / 255
    edges = np.stack([np.abs(np.diff(grey, axis=axis, append=0)) for axis in (1, 2)], axis=1)
    return np.asarray(1 / (1 + np.exp(-np.tensordot(edges, FIELDS, axes=3) / 100)))


def unturned(base: Implementation, share: float, seed: int) -> dict[str, Any]:
    """The arguments of AUG-12 for a ``fit`` that rotates all images except for this share."""
    rng = np.random.default_rng(seed)

    def augmented(images: Array) -> Array:
        one, other, third = map(int, rng.integers(2**31, size=3))
        flipped = base.random_flip(images, seed=one)
        turned = base.random_rotation(flipped, factor=0.1, seed=other)
        still = (rng.random(len(images)) < share)[:, None, None, None]
        zoomed: Array = base.random_zoom(np.where(still, flipped, turned), factor=0.2, seed=third)
        return zoomed

    def fit(
        model: Any, train: Any, validation: Any, *, epochs: int, **_options: Any
    ) -> tuple[Any, dict[str, list[float]]]:
        losses = []
        for _epoch in range(epochs):
            seen = np.concatenate([augmented(images) for images, _ in train])
            losses.append(float(-np.log1p(-predicted(model, seen)).mean()))
            list(validation)
        return model, {"loss": losses}

    made = SimpleNamespace(augment=base.augment, predict=predicted, fit=fit, build_convnet=lambda **_: None)
    return {"implementation": made, "tmp_path": Path(tempfile.gettempdir()), "seed": seed}
