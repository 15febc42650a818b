"""The oracle of augmentation against SciPy, and what is recovered from transformed charts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from spec_tests.cases.pictures import LARGE_SIZES
from spec_tests.oracles.transformations import (
    MIRROR,
    augmented,
    chart,
    recover,
    reflected,
    rotation,
    transformed,
    zoom,
)

Transform = Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]

SIZES = [(21, 21), (16, 16), (15, 24), (24, 15)]
TURNS, SHARES = st.floats(-0.5, 0.5), st.floats(0.75, 1.3)


def by_scipy(images: NDArray[Any], matrices: NDArray[Any], mode: str = "reflect") -> NDArray[Any]:
    """The same by SciPy, whose mode "reflect" is d c b a | a b c d | d c b a, and whose "mirror" repeats no pixel."""
    centre = (np.array(images.shape[1:3]) - 1) / 2
    return np.stack(
        [
            np.stack(
                [
                    ndimage.affine_transform(channel, matrix, centre - matrix @ centre, order=1, mode=mode)
                    for channel in np.moveaxis(image.astype(np.float64), -1, 0)
                ],
                axis=-1,
            )
            for image, matrix in zip(images, matrices, strict=True)
        ]
    )


@given(st.sampled_from(SIZES), st.lists(st.tuples(TURNS, st.floats(0.5, 3)), min_size=1, max_size=4), st.booleans())
def test_the_oracle_agrees_with_scipy(size: tuple[int, int], drawn: list[tuple[float, float]], mirror: bool) -> None:
    turns, shares = np.array(drawn).T
    matrices = (MIRROR if mirror else np.eye(2)) @ rotation(turns) @ zoom(shares)
    images = np.random.default_rng(0).uniform(0, 255, (len(turns), *size, 3))
    np.testing.assert_allclose(transformed(images, matrices), by_scipy(images, matrices), atol=1e-8)
    once = transformed(images, matrices, repeated=False)
    np.testing.assert_allclose(once, by_scipy(images, matrices, "mirror"), atol=1e-8)


@given(st.sampled_from(LARGE_SIZES), st.booleans(), st.floats(-0.1, 0.1), st.floats(0.8, 1.2))
def test_the_whole_is_recovered_from_its_middle(
    size: tuple[int, int], mirror: bool, turns: float, share: float
) -> None:
    """To 1e-5 turns and shares, though it is interpolated twice; and it is what SciPy makes of it in three steps."""
    image = chart(*size, 0)[None].astype(np.float32)
    whole = augmented(image, np.array([mirror]), np.array([turns]), np.array([share]))
    flipped = image[:, :, ::-1] if mirror else image
    steps = by_scipy(by_scipy(flipped, rotation(np.array([turns]))), zoom(np.array([share])))
    np.testing.assert_allclose(whole, steps, atol=1e-8)
    found = recover(whole.astype(np.float32))
    assert found.mirrored[0] == mirror
    np.testing.assert_allclose([found.turns[0], found.zooms[0]], [turns, share], atol=1e-5)
    np.testing.assert_allclose(found.shifts, 0, atol=1e-4)


def test_a_row_is_reflected_with_its_edge_pixels_twice() -> None:
    assert "".join(np.array([*"abc"])[reflected(np.arange(-7, 10), 3)]) == "aabccbaabccbaabcc"
    once = reflected(np.arange(-7, 10), 3, repeated=False)
    assert "".join(np.array([*"abc"])[once]) == "bcbabcbabcbabcbab"
    assert reflected(np.arange(-2, 3), 1, repeated=False).tolist() == [0] * 5


def test_hand_worked_cases() -> None:
    image = np.arange(9.0).reshape(1, 3, 3, 1)
    np.testing.assert_array_equal(transformed(image, MIRROR[None]), image[:, :, ::-1])
    quarter = transformed(image, rotation(np.array([0.25])))[0, ..., 0]
    np.testing.assert_allclose(quarter, np.rot90(image[0, ..., 0]), atol=1e-12)
    double = transformed(image, zoom(np.array([2.0])))[0, ..., 0]  # rows and columns a | a b c | c
    np.testing.assert_array_equal(double, [[0, 1, 2], [3, 4, 5], [6, 7, 8]])
    half = transformed(image, zoom(np.array([0.5])))[0, ..., 0]
    np.testing.assert_array_equal(half, [[2, 2.5, 3], [3.5, 4, 4.5], [5, 5.5, 6]])


@pytest.mark.parametrize("transform", [transformed, by_scipy])
@given(st.sampled_from(SIZES), TURNS, SHARES, SHARES, st.booleans())
def test_what_is_recovered_is_right(
    transform: Transform, size: tuple[int, int], turns: float, height: float, width: float, mirror: bool
) -> None:
    """To 1e-5 turns and shares, and 1e-4 pixels, from float32 charts."""
    matrix = (MIRROR if mirror else np.eye(2)) @ rotation(turns) @ np.diag([height, width])
    charts = transform(chart(*size, 0)[None].astype(np.float32), matrix[None]).astype(np.float32)
    found = recover(charts)
    assert found.mirrored[0] == mirror
    np.testing.assert_allclose([found.heights[0], found.widths[0]], [height, width], atol=1e-5)
    np.testing.assert_allclose(found.shifts, 0, atol=1e-4)
    if height == pytest.approx(width, abs=1e-3):
        assert abs((found.turns[0] - turns + 0.5) % 1 - 0.5) < 1e-3
    if height == width:
        assert abs((found.turns[0] - turns + 0.5) % 1 - 0.5) < 1e-5


def test_a_transformation_about_another_centre_shows_as_a_shift() -> None:
    """About (n / 2, n / 2), half a pixel off, which a port may take for the centre."""
    size, matrix = (20, 20), rotation(0.1)
    centre = np.array(size) / 2
    channels = [
        ndimage.affine_transform(channel, matrix, centre - matrix @ centre, order=1, mode="reflect")
        for channel in np.moveaxis(chart(*size, 0), -1, 0)
    ]
    found = recover(np.stack(channels, axis=-1)[None])
    np.testing.assert_allclose(found.turns, 0.1, atol=1e-6)
    np.testing.assert_allclose(found.shifts[0], (np.eye(2) - matrix) @ [0.5, 0.5], atol=1e-6)
