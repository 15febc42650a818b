"""Stage 5: augmentation, beyond the clauses."""

import itertools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from reference.augmentation import augment_dataset, augmentation_layers


@pytest.fixture(scope="module")
def images() -> Any:
    """Sixty-four different images (64, 33, 33, 3)."""
    return np.random.default_rng(0).uniform(0, 255, (64, 33, 33, 3)).astype(np.float32)


def test_the_three_layers_have_seeds_of_their_own() -> None:
    assert len({layer.seed for layer in augmentation_layers(7)}) == 3


def epochs(images: Any, seed: int) -> list[Any]:
    """Two epochs from the input pipeline, sixteen batches each."""
    dataset = tf.data.Dataset.from_tensor_slices((images, np.arange(64))).batch(4)
    augmented = augment_dataset(dataset, augmentation_layers(seed))
    return [[(x.copy(), y.copy()) for x, y in augmented.as_numpy_iterator()] for _ in range(2)]


def test_the_parallel_pipeline_repeats_itself_and_no_epoch_repeats_another(images: Any) -> None:
    first, second = epochs(images, 1)
    for (x, y), (again, same) in zip(first + second, itertools.chain(*epochs(images, 1)), strict=True):
        np.testing.assert_array_equal(x, again)
        np.testing.assert_array_equal(y, same)
    assert not any(np.array_equal(a, b) for (a, _), (b, _) in zip(first, second, strict=True))
    np.testing.assert_array_equal(np.concatenate([y for _, y in first]), np.arange(64))
