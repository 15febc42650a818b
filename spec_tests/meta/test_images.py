"""The oracle of resizing, against SciPy, Pillow and worked cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import map_coordinates

from spec_tests.oracles.images import bilinear_weights, preprocess, resize_bilinear

SIDES = st.integers(1, 9)
SIZES = st.tuples(SIDES, SIDES)


def noise(size: tuple[int, int], seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(0, 255, (*size, 3))


def test_weights_of_small_cases_worked_by_hand() -> None:
    np.testing.assert_allclose(bilinear_weights(2, 4) * 4, [[4, 0], [3, 1], [1, 3], [0, 4]])
    np.testing.assert_allclose(bilinear_weights(4, 2), [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    np.testing.assert_allclose(bilinear_weights(6, 2), np.eye(6)[[1, 4]])  # not smoothed
    np.testing.assert_allclose(bilinear_weights(3, 2), [[0.75, 0.25, 0], [0, 0.25, 0.75]])


@given(size=SIZES, target=SIZES)
def test_resizing_is_what_scipy_interpolates_at_the_centres(size: tuple[int, int], target: tuple[int, int]) -> None:
    image = noise(size)
    centres = [(np.arange(m) + 0.5) * n / m - 0.5 for n, m in zip(size, target, strict=True)]
    at = np.meshgrid(*centres, indexing="ij")
    channels = [np.asarray(map_coordinates(image[..., c], at, order=1, mode="nearest")) for c in range(3)]
    np.testing.assert_allclose(resize_bilinear(image, target), np.stack(channels, axis=-1), rtol=1e-12, atol=1e-9)


@given(size=SIZES, factors=SIZES)
def test_enlarging_is_what_pillow_does(size: tuple[int, int], factors: tuple[int, int]) -> None:
    """Pillow smooths only where it shrinks."""
    target = (size[0] * factors[0], size[1] * factors[1])
    plane = noise(size)[..., 0].astype(np.float32)
    expected = np.asarray(Image.fromarray(plane).resize(target[::-1], Image.Resampling.BILINEAR))
    np.testing.assert_allclose(resize_bilinear(plane[..., None], target)[..., 0], expected, rtol=1e-5)


@given(size=SIZES)
def test_the_same_size_changes_nothing(size: tuple[int, int]) -> None:
    np.testing.assert_array_equal(resize_bilinear(noise(size), size), noise(size))


@given(size=SIZES, target=SIZES, value=st.integers(0, 255))
def test_a_constant_image_stays_constant(size: tuple[int, int], target: tuple[int, int], value: int) -> None:
    np.testing.assert_allclose(
        resize_bilinear(np.full((2, *size, 3), value), target), np.full((2, *target, 3), value), rtol=1e-12
    )


@pytest.mark.parametrize("size", [(2, 3), (4, 4)])
def test_preprocessing_maps_0_to_minus_1_and_255_to_1(size: tuple[int, int]) -> None:
    images = np.stack([np.zeros((2, 3, 3)), np.full((2, 3, 3), 255), np.full((2, 3, 3), 127.5)])
    expected = np.array([-1, 1, 0]).reshape(3, 1, 1, 1) * np.ones((1, *size, 3))
    np.testing.assert_allclose(preprocess(images, size), expected, atol=1e-12)
