"""Pooling (notes, "풀링(Pooling)")."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ..adapter.implementation import Implementation
from ..cases.examples import one_in
from ..cases.layers import POOLINGS, SUM, expect_pooled, pool
from ..cases.windows import SEEDS, Window, misfits, windows
from ..judging.checks import expect_close, expect_equal, expect_error, expect_same
from ..oracles import windows as oracle
from .clause import Level, clause

SOURCE = 'notes, "풀링(Pooling)"; Keras documentation of MaxPooling2D and AveragePooling2D'

HALVED = ((2, 2), (3, 2), (4, 7), (9, 5), (6, 33))  # sides, even and odd

INCREASING: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {  # exactly so in float32 too
    "2 x + 1": lambda x: 2 * x + 1,
    "x / 4 - 7": lambda x: x / 4 - 7,
    "x cubed": lambda x: x * x * x,
    "x clipped to ±1": lambda x: x.clip(-1, 1),
    "2^40 x": lambda x: x * 2.0**40,  # beyond any number that could stand for minus infinity
}


@clause("POOL-1", Level.MUST, "layers", SOURCE)
@given(image=st.sampled_from(HALVED), name=st.sampled_from(POOLINGS), seed=SEEDS)
def test_two_by_two_halves(implementation: Implementation, image: tuple[int, int], name: str, seed: int) -> None:
    """A 2×2 pooling window with stride 2 halves the side n of the input, rounded down: floor(n / 2).

    This window is the default.

    If this fails, check odd sides, whose last row or column is dropped.
    """
    case = Window(image, (2, 2), (2, 2), seed=seed)
    sides = (image[0] // 2, image[1] // 2)
    expect_equal(pool(implementation, name, case).shape[1:3], sides, f"height and width after {name}")
    expect_equal(
        implementation.one_of(POOLINGS, name)(case.images).shape[1:3],
        sides,
        f"height and width after {name} by default",
    )


@clause("POOL-2", Level.MUST, "layers", SOURCE)
@given(case=windows(dilated=False), name=st.sampled_from(POOLINGS))
def test_pooling_obeys_padding(implementation: Implementation, case: Window, name: str) -> None:
    """Pooling obeys PAD-1, PAD-3 and PAD-5, and its stride defaults to its window.

    Tolerance of means: 1e-5 of the mean of the magnitudes in each window, for each of the two outputs.

    If this fails, check that the stride is not 1 by default.
    """
    expect_equal(pool(implementation, name, case).shape[1:3], case.sides, f"height and width after {name}")
    by_default = implementation.one_of(POOLINGS, name)(case.images, pool_size=case.size, padding=case.padding)
    case = replace(case, strides=case.size)
    expect_pooled(
        by_default, pool(implementation, name, case), name, case, f"{name} with default strides", rtol=2 * SUM
    )


@clause("POOL-3", Level.MUST, "layers", SOURCE)
@given(case=windows(dilated=False))
def test_max_pooling_takes_the_largest(implementation: Implementation, case: Window) -> None:
    """Each output of max pooling is the largest value of its window; padding never counts, even for negative inputs.

    If this fails, check for padding with zeros instead of minus infinity, and where windows start.
    """
    expected = oracle.max_pooling2d(case.images, case.size, case.strides, case.padding)
    expect_same(pool(implementation, "max_pooling2d", case), expected, "max pooling")


@clause("POOL-4", Level.MUST, "layers", SOURCE)
@given(case=windows(dilated=False))
def test_average_pooling_counts_real_pixels(implementation: Implementation, case: Window) -> None:
    """Average pooling divides by the number of real pixels in the window, not by the window's area.

    Tolerance: 1e-5 of the mean of the magnitudes in each window.

    If this fails, check the windows at the border: padding is neither added nor counted (count_include_pad), and Keras
    on torch repeats the edge instead where padding is uneven.
    """
    got = pool(implementation, "average_pooling2d", case)
    expected = oracle.average_pooling2d(case.images, case.size, case.strides, case.padding)
    expect_pooled(got, expected, "average_pooling2d", case, "average pooling")


@clause("POOL-5", Level.MUST, "layers", SOURCE)
@given(case=windows(dilated=False, such=lambda case: case.channels > 1), name=st.sampled_from(POOLINGS))
def test_pooling_acts_on_each_channel_alone(implementation: Implementation, case: Window, name: str) -> None:
    """Pooling acts on each channel alone.

    The output of a channel is the same whatever the other channels hold. Tolerance of means: 1e-5 of the mean of the
    magnitudes, for each of the two outputs.

    If this fails, check for a window that spans channels, and for the order of the axes.
    """
    same = np.arange(case.channels) == case.seed % case.channels
    others = np.where(same, case.images, replace(case, seed=case.seed + 1).images)
    expected, got = (np.where(same, pool(implementation, name, case, images), 0) for images in (case.images, others))
    what = f"{name} of one channel among others, compared with its other company"
    expect_pooled(got, expected, name, case, what, rtol=2 * SUM)


@clause("POOL-6", Level.MUST, "layers", SOURCE)
@given(
    image=st.sampled_from(((2, 2), (4, 6), (6, 4), (8, 8))),
    strength=st.floats(0.125, 255, width=32),
)
def test_max_pooling_keeps_presence(implementation: Implementation, image: tuple[int, int], strength: float) -> None:
    """A lone activation of strength a keeps strength a through 2×2 max pooling wherever it is, falls to a/4 through average pooling, and is lost in three positions out of four by an identity convolution with stride 2.

    The images have even sides and are zero elsewhere. Tolerance of a/4 and of what the convolution keeps: 1e-6, which
    is sixteen roundings of float32; each sum has one nonzero term, so its order does not matter.

    If this fails, check that windows start at the first pixel and do not overlap.
    """
    case = Window(image, (2, 2), (2, 2))
    images, places = case.impulses(strength), image[0] * image[1]
    strongest, mean = (pool(implementation, name, case, images).max(axis=(1, 2, 3)) for name in POOLINGS)
    expect_same(strongest, np.full(places, np.float32(strength)), "strongest output of max pooling, for each place")
    expect_close(mean, np.full(places, strength / 4), "strongest output of average pooling, for each place", rtol=1e-6)
    kept = implementation.conv2d(images, np.ones((1, 1, 1, 1), np.float32), strides=2).max(axis=(1, 2, 3))
    expected = np.repeat([0, strength], [places - places // 4, places // 4])
    expect_close(np.sort(kept), expected, "strongest output of the convolution, sorted over the places", rtol=1e-6)


@clause("POOL-7", Level.MUST, "layers", SOURCE)
@given(case=windows(dilated=False), function=st.sampled_from(list(INCREASING)))
def test_max_pooling_commutes_with_increasing_functions(
    implementation: Implementation, case: Window, function: str
) -> None:
    """Max pooling commutes with any increasing function of the values.

    If this fails, check for padding that exceeds values below it, and for a mean or a norm instead of the maximum.
    """
    increasing = INCREASING[function]
    got = pool(implementation, "max_pooling2d", case, increasing(case.images))
    expected = increasing(pool(implementation, "max_pooling2d", case))
    expect_same(got, expected, f"max pooling of {function}, compared with {function} of max pooling")


@clause("POOL-8", Level.MUST, "layers", SOURCE)
@one_in(3)
@given(large=misfits(dilated=False), name=st.sampled_from(POOLINGS))
def test_a_pooling_window_that_does_not_fit_is_refused(
    implementation: Implementation, large: Window, name: str
) -> None:
    """With valid padding, pooling raises an error for an input that is smaller than its window.

    If this fails, check what the library does with a window that does not fit: some backends return an empty or
    uninitialised array, or end the process.
    """
    n, e = large.short_side
    expect_error(lambda: pool(implementation, name, large), f"{name}: a window of {e} pixels in an image of {n}")


@clause("POOL-9", Level.SHOULD, "layers", SOURCE)
@one_in(3)
@given(large=misfits(dilated=False), name=st.sampled_from(POOLINGS))
def test_that_refusal_of_pooling_gives_both_sides(implementation: Implementation, large: Window, name: str) -> None:
    """The error for a pooling window that does not fit into the image (POOL-8) gives the sides of the window and of the image.

    If this fails, check for a message from a lower layer that reports other shapes.
    """
    n, e = large.short_side
    expect_error(lambda: pool(implementation, name, large), f"{name}: a window of {e} pixels in an image of {n}", e, n)


@clause("GAP-1", Level.MUST, "layers", "code 7; Keras documentation of GlobalAveragePooling2D")
@given(case=windows("same", such=lambda case: case.channels > 1))
def test_global_average_pooling_is_the_mean(implementation: Implementation, case: Window) -> None:
    """Global average pooling is the mean of each channel over height and width, and ignores the order of the pixels.

    Tolerance: 1e-5 of the mean of the magnitudes.

    If this fails, check for the maximum instead of the mean, for axes that are kept, and for a mean over channels.
    """
    pixels = case.images.reshape(case.batch, -1, case.channels)
    order = np.random.default_rng(case.seed).permutation(pixels.shape[1])
    expected, scale = pixels.mean(axis=1, dtype=np.float64), np.abs(pixels).mean(axis=1, dtype=np.float64)
    for images, what in (
        (case.images, "mean over the pixels"),
        (pixels[:, order].reshape(case.images.shape), "mean in another order"),
    ):
        expect_close(implementation.global_average_pooling2d(images), expected, what, rtol=SUM, scale=scale)
