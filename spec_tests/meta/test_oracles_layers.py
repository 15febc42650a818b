"""The oracles of the layers against SciPy and against cases worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray
from scipy import ndimage, signal

from spec_tests.cases.windows import Batch, Window, arrays, batches, windows
from spec_tests.oracles import windows as oracle
from spec_tests.oracles.normalization import batch_normalization, moments, moved
from spec_tests.oracles.windows import Padding, Pair

LINE = np.arange(16.0).reshape(1, 4, 4, 1)


def padded(case: Window, fill: float = 0) -> NDArray[np.float64]:
    """The images with the zeros that same padding adds."""
    pads = case.pads if case.padding == "same" else ((0, 0), (0, 0))
    return np.pad(case.images.astype(np.float64), [(0, 0), *pads, (0, 0)], constant_values=fill)


def dilated(kernel: NDArray[np.float32], dilation: Pair) -> NDArray[np.float64]:
    """The kernel with zeros between its rows and columns."""
    down, right = dilation
    spread = np.zeros(((len(kernel) - 1) * down + 1, (kernel.shape[1] - 1) * right + 1, *kernel.shape[2:]))
    spread[::down, ::right] = kernel
    return spread


@given(case=windows())
def test_convolution_agrees_with_scipy(case: Window) -> None:
    kernel, (down, right) = dilated(case.kernel, case.dilation), case.strides
    expected = np.array(
        [
            [
                sum(signal.correlate(image[..., c], kernel[..., c, o], mode="valid") for c in range(case.channels))
                for o in range(case.filters)
            ]
            for image in padded(case)
        ]
    )
    got = oracle.conv2d(case.images, case.kernel, case.strides, case.dilation, case.padding)
    np.testing.assert_allclose(got, expected[:, :, ::down, ::right].transpose(0, 2, 3, 1), atol=1e-12)
    assert got.shape[1:3] == case.sides


@given(case=windows(dilated=False))
def test_separable_convolution_agrees_with_scipy(case: Window) -> None:
    images, (down, right) = padded(case), case.strides
    channels = [
        [
            signal.correlate(image[..., c], case.depthwise[..., c, 0], mode="valid", method="direct")
            for c in range(case.channels)
        ]
        for image in images
    ]
    expected = np.einsum("ncyx,co->nyxo", channels, case.pointwise[0, 0])[:, ::down, ::right]
    got = oracle.separable_conv2d(case.images, case.depthwise, case.pointwise, case.strides, case.padding)
    np.testing.assert_allclose(got, expected, atol=1e-12)


@given(case=windows(dilated=False))
def test_pooling_agrees_with_scipy(case: Window) -> None:
    """SciPy's filters are as large as the image; the window that begins at each stride is picked."""
    (down, right), origin = case.strides, [-(k // 2) for k in case.size]  # windows that begin at their pixel
    largest = ndimage.maximum_filter(padded(case, -np.inf), (1, *case.size, 1), origin=(0, *origin, 0))
    images, real = padded(case), np.isfinite(padded(case, -np.inf)).astype(float)
    sums, counts = (
        ndimage.uniform_filter(x, (1, *case.size, 1), origin=(0, *origin, 0), mode="constant") for x in (images, real)
    )
    height, width = case.sides
    chosen = np.s_[:, : height * down : down, : width * right : right]
    options = (case.size, case.strides, case.padding)
    np.testing.assert_array_equal(oracle.max_pooling2d(case.images, *options), largest[chosen])
    np.testing.assert_allclose(
        oracle.average_pooling2d(case.images, *options), sums[chosen] / counts[chosen], atol=1e-6
    )


@pytest.mark.parametrize(
    ("numbers", "padding", "side", "zeros"),
    [
        ((5, 3, 1, 1), "valid", 3, None),
        ((6, 3, 2, 1), "valid", 2, None),  # the last pixel is in no window
        ((7, 3, 1, 3), "valid", 1, None),
        ((4, 3, 1, 1), "same", 4, (1, 1)),
        ((4, 2, 1, 1), "same", 4, (0, 1)),
        ((4, 3, 2, 1), "same", 2, (0, 1)),
        ((5, 3, 2, 1), "same", 3, (1, 1)),
        ((4, 1, 2, 1), "same", 2, (0, 0)),
        ((1, 5, 3, 1), "same", 1, (2, 2)),
        ((8, 3, 1, 2), "same", 8, (2, 2)),
    ],
)
def test_sizes_by_hand(
    numbers: tuple[int, int, int, int], padding: Padding, side: int, zeros: tuple[int, int] | None
) -> None:
    assert oracle.output_side(*numbers, padding) == side
    assert zeros in (None, oracle.same_padding(*numbers))


def test_windows_by_hand() -> None:
    right = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0]]).reshape(3, 3, 1, 1)  # the pixel to the right: not flipped
    np.testing.assert_array_equal(oracle.conv2d(LINE, right)[0, ..., 0], [[6, 7], [10, 11]])
    corners = np.array([[1, 0], [0, 10]]).reshape(2, 2, 1, 1)
    np.testing.assert_array_equal(oracle.conv2d(LINE, corners, dilation=(3, 3))[0, ..., 0], [[150]])
    got = oracle.conv2d(LINE, np.ones((3, 3, 1, 1)), (2, 2), padding="same")  # zeros below and to the right
    np.testing.assert_array_equal(got[0, ..., 0], [[45, 39], [66, 50]])
    got = oracle.max_pooling2d(-1 - LINE, (3, 3), (2, 2), "same")
    np.testing.assert_array_equal(got[0, ..., 0], [[-1, -3], [-9, -11]])
    got = oracle.average_pooling2d(LINE, (3, 3), (2, 2), "same")
    np.testing.assert_array_equal(got[0, ..., 0], [[5, 6.5], [11, 12.5]])
    got = oracle.separable_conv2d(LINE, np.ones((2, 2, 1, 1)), np.array([[[[1, -2]]]]), (2, 2))
    np.testing.assert_array_equal(got[0], [[[10, -20], [18, -36]], [[42, -84], [50, -100]]])
    got = oracle.dense(np.array([[10, 1]]), np.array([[1, 2], [3, 4]]), np.array([0.5, -0.5]))
    np.testing.assert_array_equal(got, [[13.5, 23.5]])


def test_which_windows_hold_a_pixel_by_hand() -> None:
    got = oracle.seeing((2, 3), (1, 2))[:, :, :, None].squeeze()
    np.testing.assert_array_equal(got[:3, 0], [[1, 0], [1, 1], [0, 1]])
    np.testing.assert_array_equal(got[:3, 1], np.zeros((3, 2)))
    np.testing.assert_array_equal(oracle.seeing((1, 3), (1, 1), (1, 2))[:, 0], [[1, 0], [0, 0], [0, 1]])
    assert oracle.seeing((5, 5), (5, 5)).all()


@given(case=windows())
def test_a_window_holds_as_many_pixels_as_it_has(case: Window) -> None:
    seeing = oracle.seeing(case.image, case.size, case.strides, case.dilation, case.padding)
    real = Window(case.image, case.size, case.strides, case.dilation, case.padding, filters=1)
    ones = np.ones((1, *case.image, 1)), np.ones((*real.size, 1, 1))
    counted = oracle.conv2d(*ones, real.strides, real.dilation, real.padding)[0, ..., 0]
    np.testing.assert_array_equal(seeing.sum(axis=0), counted)


@given(case=batches())
def test_a_normalised_batch_has_the_mean_beta_and_the_spread_gamma(case: Batch) -> None:
    gamma, beta = case.variables[:2]
    mean, variance = moments(case.inputs)
    got_mean, got_variance = moments(batch_normalization(case.inputs, gamma, beta, mean, variance))
    np.testing.assert_allclose(got_mean, beta, atol=1e-9)
    np.testing.assert_allclose(got_variance, gamma**2 * variance / (variance + 1e-3), atol=1e-9)


def test_normalisation_by_hand() -> None:
    x = np.array([[0.0], [2.0]])
    mean, variance = moments(x)
    assert (mean[0], variance[0]) == (1, 1)  # 2 if it were divided by n - 1
    got = batch_normalization(x, *(np.array([v]) for v in (2.0, 1.0, 0.5, 4.0)))
    np.testing.assert_allclose(got.ravel(), [1 - 1 / 4.001**0.5, 1 + 3 / 4.001**0.5], rtol=1e-12)
    np.testing.assert_allclose(moved(np.array([4.0]), variance), [3.97], rtol=1e-12)
    by_channel = moments(np.arange(8.0).reshape(1, 2, 2, 2))
    np.testing.assert_array_equal(by_channel, [[3, 4], [5, 5]])


def test_what_is_drawn_shows_epsilon_and_the_divisor() -> None:
    """Of all cases together: spreads on both sides of sqrt(1e-3), and no mean so large that it hides its variance."""
    for seed in range(20):
        case = Batch((5, 4), seed)
        mean, variance = moments(case.inputs)
        assert np.all(mean**2 < 1.01 * variance)
    spreads = np.concatenate([moments(Batch((5, 4), seed).inputs)[1] for seed in range(20)])
    assert (spreads < 1e-3).sum() > 10 < (spreads > 1e-3).sum()


def test_weights_are_never_near_zero() -> None:
    weights = np.abs(arrays((100_000,), 0, "weights"))
    assert weights.min() >= 0.5
