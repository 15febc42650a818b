"""Stage 5: augmentation."""

import itertools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from reference.augmentation import (
    augment,
    augment_dataset,
    augmentation_layers,
    random_flip,
    random_rotation,
    random_zoom,
)

TRANSFORMATIONS = [random_flip, random_rotation, random_zoom]
SIDE = 33


@pytest.fixture(scope="module")
def images() -> Any:
    """Sixty-four different smooth images (64, 33, 33, 3): a slope and a blob each."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    slope = rng.uniform(-2, 2, (64, 1, 1, 3)) * x[..., None] + rng.uniform(-2, 2, (64, 1, 1, 3)) * y[..., None]
    return np.clip(slope + 128, 0, 255).astype(np.float32)


@pytest.mark.parametrize("transform", TRANSFORMATIONS)
def test_shape_and_dtype_are_kept_and_values_stay_within_the_image(transform: Any, images: Any) -> None:
    out = transform(images, seed=1)
    assert (out.shape, out.dtype) == (images.shape, np.float32)
    assert (out.max((1, 2)) <= images.max((1, 2)) + 1e-3).all()
    assert (out.min((1, 2)) >= images.min((1, 2)) - 1e-3).all()
    assert not np.array_equal(out, images)


@pytest.mark.parametrize("transform", TRANSFORMATIONS)
def test_outside_training_it_is_the_identity(transform: Any, images: Any) -> None:
    np.testing.assert_array_equal(transform(images, seed=1, training=False), images)
    np.testing.assert_array_equal(augment(images, np.arange(64), seed=1, training=False)[0], images)


@pytest.mark.parametrize("transform", TRANSFORMATIONS)
def test_a_seed_repeats_and_another_does_not(transform: Any, images: Any) -> None:
    first = transform(images, seed=1)
    np.testing.assert_array_equal(transform(images, seed=1), first)
    assert not np.array_equal(transform(images, seed=2), first)


@pytest.mark.parametrize("transform", TRANSFORMATIONS)
def test_a_constant_image_stays_what_it_is(transform: Any) -> None:
    """Reflection at the border: black corners would show."""
    constant = np.full((16, SIDE, SIDE, 3), 77, np.float32)
    np.testing.assert_allclose(transform(constant, seed=4), constant, atol=1e-3)


def test_a_flipped_image_is_the_original_or_its_mirror(images: Any) -> None:
    out = random_flip(images, seed=3)
    kept = (out == images).all((1, 2, 3))
    mirrored = (out == images[:, :, ::-1]).all((1, 2, 3))
    assert (kept | mirrored).all()
    assert 10 < kept.sum() < 54  # outside with probability 1e-8


def angles_of(images: Any, outputs: Any) -> Any:
    """The turn in degrees of a linear slope, from its gradient in the middle of the image."""

    def direction(stack: Any) -> Any:
        middle = stack[:, SIDE // 2 - 3 : SIDE // 2 + 4, SIDE // 2 - 3 : SIDE // 2 + 4, 0]
        down, right = np.gradient(middle, axis=(1, 2))
        return np.degrees(np.arctan2(down.mean((1, 2)), right.mean((1, 2))))

    return (direction(outputs) - direction(images) + 180) % 360 - 180


def test_rotation_spans_a_tenth_of_a_turn_both_ways() -> None:
    slopes = np.broadcast_to(np.arange(SIDE, dtype=np.float32)[None, None, :, None], (512, SIDE, SIDE, 1))
    angles = angles_of(slopes, random_rotation(np.ascontiguousarray(slopes), seed=5))
    assert np.abs(angles).max() <= 36.1
    assert angles.min() < -34  # 512 uniform draws miss the last two degrees with probability 4e-7
    assert angles.max() > 34


def test_zoom_spans_a_fifth_both_ways_and_keeps_the_aspect() -> None:
    x = np.arange(SIDE, dtype=np.float32) - SIDE // 2
    slopes = np.stack(np.broadcast_arrays(x[None, :], x[:, None], 0 * x), axis=-1)
    out = random_zoom(np.repeat(slopes[None], 512, 0), seed=5)
    middle = out[:, SIDE // 2 - 3 : SIDE // 2 + 4, SIDE // 2 - 3 : SIDE // 2 + 4]
    across = np.gradient(middle[..., 0], axis=2).mean((1, 2))
    down = np.gradient(middle[..., 1], axis=1).mean((1, 2))
    np.testing.assert_allclose(across, down, atol=1e-3)
    assert (across >= 0.8 - 1e-3).all()
    assert (across <= 1.2 + 1e-3).all()
    assert across.min() < 0.81
    assert across.max() > 1.19


def test_labels_are_untouched(images: Any) -> None:
    labels = np.arange(64)
    out, same = augment(images, labels, seed=1)
    np.testing.assert_array_equal(same, np.arange(64))
    assert out.shape == images.shape


def test_equal_images_of_a_batch_become_different() -> None:
    equal = np.repeat(np.random.default_rng(1).uniform(0, 255, (1, SIDE, SIDE, 3)), 16, 0).astype(np.float32)
    out, _ = augment(equal, np.zeros(16), seed=1)
    assert all(not np.array_equal(a, b) for a, b in itertools.combinations(out, 2))


def test_the_three_layers_have_seeds_of_their_own() -> None:
    assert len({layer.seed for layer in augmentation_layers(7)}) == 3


def epochs(images: Any, seed: int) -> list[Any]:
    """Two epochs through the input pipeline, in sixteen batches each."""
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
