"""The layers as functions, against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import layers

LINE = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
ONES = np.ones((3, 3, 1, 1), np.float32)


def test_convolution_does_not_flip_its_kernel() -> None:
    kernel = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0]], np.float32).reshape(3, 3, 1, 1)
    np.testing.assert_array_equal(layers.conv2d(LINE, kernel)[0, ..., 0], [[6, 7], [10, 11]])


def test_same_padding_at_stride_two_adds_zeros_at_the_bottom_and_right() -> None:
    out = layers.conv2d(LINE, ONES, np.array([1], np.float32), strides=2, padding="same")
    full = [[LINE[0, i : i + 3, j : j + 3, 0].sum() + 1 for j in (0, 2)] for i in (0, 2)]
    np.testing.assert_array_equal(out[0, ..., 0], full)


@given(side=st.integers(1, 8), window=st.integers(1, 4), stride=st.integers(1, 3))
def test_output_sides(side: int, window: int, stride: int) -> None:
    image = np.ones((1, side, side, 1), np.float32)
    same = layers.max_pooling2d(image, pool_size=window, strides=stride, padding="same")
    assert same.shape[1] == -(-side // stride)
    if window <= side:
        valid = layers.max_pooling2d(image, pool_size=window, strides=stride)
        assert valid.shape[1] == (side - window) // stride + 1


def test_a_window_that_does_not_fit_is_refused_with_both_sides() -> None:
    with pytest.raises(ValueError, match="5×5 does not fit into an image of 4×4"):
        layers.conv2d(LINE, ONES, dilation_rate=2)
    with pytest.raises(ValueError, match="9×9 does not fit into an image of 4×4"):
        layers.max_pooling2d(LINE, pool_size=9)


def test_padding_never_wins_a_max_pooling() -> None:
    out = layers.max_pooling2d(-1 - LINE, pool_size=3, strides=2, padding="same")
    np.testing.assert_array_equal(out[0, ..., 0], [[-1, -3], [-9, -11]])


def test_average_pooling_divides_by_the_real_pixels() -> None:
    line = np.arange(4, dtype=np.float32).reshape(1, 1, 4, 1)
    out = layers.average_pooling2d(line, pool_size=(1, 3), strides=(1, 2), padding="same")
    np.testing.assert_allclose(out.ravel(), [1, 2.5], rtol=1e-6)
    out = layers.average_pooling2d(LINE, pool_size=3, strides=2, padding="same")
    np.testing.assert_allclose(out[0, ..., 0], [[5, 6.5], [11, 12.5]], rtol=1e-6)


def test_average_pooling_halves() -> None:
    np.testing.assert_allclose(layers.average_pooling2d(LINE)[0, ..., 0], [[2.5, 4.5], [10.5, 12.5]])
    np.testing.assert_allclose(layers.global_average_pooling2d(LINE), [[7.5]])


def test_separable_convolution_is_depthwise_then_pointwise() -> None:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(2, 5, 6, 2)).astype(np.float32)
    depthwise = rng.normal(size=(3, 3, 2, 1)).astype(np.float32)
    pointwise = rng.normal(size=(1, 1, 2, 3)).astype(np.float32)
    channels = [layers.conv2d(images[..., c : c + 1], depthwise[:, :, c : c + 1]) for c in range(2)]
    expected = layers.conv2d(np.concatenate(channels, axis=-1), pointwise)
    np.testing.assert_allclose(layers.separable_conv2d(images, depthwise, pointwise), expected, rtol=1e-4, atol=1e-5)


def test_dense_is_a_matrix_product_plus_bias() -> None:
    kernel = np.array([[1, 2], [3, 4]], np.float32)
    out = layers.dense(np.array([[10, 1]], np.float32), kernel, np.array([0.5, -0.5], np.float32))
    np.testing.assert_allclose(out, [[13.5, 23.5]])


def test_batch_normalization_in_its_three_modes() -> None:
    x = np.array([[0.0], [2.0]], np.float32)
    gamma, beta, mean, variance = (np.array([v], np.float32) for v in (2.0, 1.0, 0.5, 4.0))
    inference = 2 * (x - 0.5) / np.sqrt(4 + 1e-3) + 1
    out, new_mean, new_variance = layers.batch_normalization(x, gamma, beta, mean, variance, training=False)
    np.testing.assert_allclose(out, inference, rtol=1e-5)
    assert (new_mean[0], new_variance[0]) == (0.5, 4.0)
    out, new_mean, new_variance = layers.batch_normalization(x, gamma, beta, mean, variance, training=True)
    np.testing.assert_allclose(out, 2 * (x - 1) / np.sqrt(1 + 1e-3) + 1, rtol=1e-5)
    np.testing.assert_allclose([new_mean[0], new_variance[0]], [0.99 * 0.5 + 0.01, 0.99 * 4 + 0.01], rtol=1e-6)
    frozen = layers.batch_normalization(x, gamma, beta, mean, variance, training=True, trainable=False)
    np.testing.assert_allclose(frozen[0], inference, rtol=1e-5)
    assert (frozen[1][0], frozen[2][0]) == (0.5, 4.0)


def test_dropout_zeroes_a_share_and_scales_the_rest() -> None:
    ones = np.ones((100, 100), np.float32)
    out = layers.dropout(ones, 0.25, seed=1, training=True)
    np.testing.assert_allclose(out[out > 0], 1 / 0.75, rtol=1e-6)
    assert abs((out == 0).mean() - 0.25) < 0.03  # seven standard deviations
    np.testing.assert_array_equal(layers.dropout(ones, 0.25, seed=1, training=False), ones)
