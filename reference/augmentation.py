"""Stage 5: augmentation (notes, code 5): horizontal flip, rotation 0.1, zoom 0.2.

The layers run in TensorFlow on every backend, inside tf.data for training. In JAX and torch they
take seconds for a batch, in TensorFlow a fraction of a second.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers

from .layers import Array
from .loading import untuned

ROTATION = 0.1  # of a full turn, either way: ±36°
ZOOM = 0.2  # of the side, in or out


def augmentation_layers(seed: int) -> list[Any]:
    """Flip, rotation and zoom layers with separate seeds. A common seed would make angle and zoom dependent."""
    flip, rotation, zoom = map(int, np.random.SeedSequence(seed).generate_state(3) // 2)  # torch takes 31 bits
    return [
        layers.RandomFlip("horizontal", seed=flip),
        layers.RandomRotation(ROTATION, seed=rotation),
        layers.RandomZoom(ZOOM, seed=zoom),
    ]


def augment_dataset(dataset: Any, steps: Sequence[Any]) -> Any:
    """A tf.data.Dataset of (images, labels) batches whose images differ in every epoch."""
    _put_in_tensorflow(steps)

    def draw(images: Any, labels: Any) -> tuple[Any, Any, tuple[Any, ...]]:
        return images, labels, tuple(layer.get_random_transformation(images) for layer in steps)

    def transform(images: Any, labels: Any, transformations: tuple[Any, ...]) -> tuple[Any, Any]:
        for layer, transformation in zip(steps, transformations, strict=True):
            images = layer.transform_images(images, transformation)
        return images, labels

    # A parallel map over whole layers is a race for their seeds, and no run repeats. So the
    # cheap draws are made batch by batch, and only the pixels are transformed in parallel.
    return untuned(dataset.map(draw).map(transform, num_parallel_calls=os.cpu_count()).prefetch(1))


def random_flip(images: Array, *, seed: int, training: bool = True) -> Array:
    """Each image (n, height, width, 3) or its left-right mirror, with probability 1/2 each."""
    return _apply([layers.RandomFlip("horizontal", seed=seed)], images) if training else images


def random_rotation(images: Array, *, factor: float = ROTATION, seed: int, training: bool = True) -> Array:
    """Each image rotated about its centre by an angle uniform in ±factor turns; reflected outside."""
    return _apply([layers.RandomRotation(factor, seed=seed)], images) if training else images


def random_zoom(images: Array, *, factor: float = ZOOM, seed: int, training: bool = True) -> Array:
    """Each image scaled about its centre. The visible window is 1 + u times the image, u uniform in ±factor."""
    return _apply([layers.RandomZoom(factor, seed=seed)], images) if training else images


def augment(images: Array, labels: Any, *, seed: int, training: bool = True) -> tuple[Array, Any]:
    """All three, each sample on its own; the labels are returned untouched."""
    return (_apply(augmentation_layers(seed), images) if training else images), labels


def _apply(steps: Sequence[Any], images: Array) -> Array:
    _put_in_tensorflow(steps)
    batch = tf.convert_to_tensor(images)
    for layer in steps:
        batch = layer.transform_images(batch, layer.get_random_transformation(batch))
    return np.asarray(batch, dtype=np.float32)


def _put_in_tensorflow(steps: Sequence[Any]) -> None:
    for layer in steps:
        layer.backend.set_backend("tensorflow")  # what Layer.__call__ does inside tf.data, for its two halves
