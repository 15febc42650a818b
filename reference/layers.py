"""The layers of the notes as pure functions: convolution, pooling, dense, normalisation, dropout.

Images are float32 (n, height, width, channels); kernels (height, width, in, out). ``valid`` uses
only whole windows; ``same`` pads with zeros, the odd row or column at the bottom or right.
"""

from typing import Any, Literal

import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

Array = NDArray[np.float32]
Padding = Literal["valid", "same"]
Size = int | tuple[int, int]

MOMENTUM = 0.99  # of the moving statistics
EPSILON = 1e-3  # added to a variance


def conv2d(
    images: Array, kernel: Array, bias: Array | None = None, *,
    strides: Size = 1, padding: Padding = "valid", dilation_rate: Size = 1,
) -> Array:  # fmt: skip
    """Cross-correlation of every window with the kernel, plus bias; raises ValueError if the image is too small."""
    _check_window(images, kernel.shape[:2], padding, dilation_rate)
    if images.shape[-1] != kernel.shape[-2]:  # Keras would take fewer for those of a group of channels
        raise ValueError(f"a kernel for {kernel.shape[-2]} channels does not fit images of {images.shape[-1]}")
    if images.shape[-1] == 1:
        images, kernel = _two_channels(images, -1), _two_channels(kernel, -2)
    return _biased(ops.conv(images, kernel, strides=strides, padding=padding, dilation_rate=dilation_rate), bias)


def separable_conv2d(
    images: Array, depthwise_kernel: Array, pointwise_kernel: Array, *, strides: Size = 1, padding: Padding = "valid"
) -> Array:
    """A depthwise convolution (h, w, in, 1), then a pointwise one (1, 1, in, out)."""
    if depthwise_kernel.shape[2] != pointwise_kernel.shape[2]:  # a single channel would be broadcast
        raise ValueError(f"weights for {depthwise_kernel.shape[2]} and for {pointwise_kernel.shape[2]} channels")
    # This is one convolution with the product of both kernels, which is equivalent. TensorFlow refuses a depthwise one
    # with two different strides on a CPU for which it does not enable oneDNN.
    return conv2d(images, depthwise_kernel * pointwise_kernel, strides=strides, padding=padding)


def max_pooling2d(
    images: Array, *, pool_size: Size = 2, strides: Size | None = None, padding: Padding = "valid"
) -> Array:
    """The largest value of each window in each channel; padding never wins."""
    _check_window(images, pool_size, padding)
    return _numpy(ops.max_pool(images, pool_size, strides or pool_size, padding))


def average_pooling2d(
    images: Array, *, pool_size: Size = 2, strides: Size | None = None, padding: Padding = "valid"
) -> Array:
    """The mean of the real pixels of each window in each channel."""
    _check_window(images, pool_size, padding)
    strides = strides or pool_size
    # On torch Keras pads unevenly by repeating the edge, and counts the repeated pixels. Padding with
    # zeros and dividing by the share of real pixels, which an image of ones gives, is
    # right on every backend.
    pads = _same_pads(images.shape[1:3], pool_size, strides) if padding == "same" else 0
    padded = np.pad(np.concatenate((images, np.ones_like(images[:1]))), pads)
    means = _numpy(ops.average_pool(padded, pool_size, strides, "valid"))
    return means[:-1] / means[-1:]


def global_average_pooling2d(images: Array) -> Array:
    """The mean over height and width, shape (n, channels)."""
    return _numpy(ops.mean(images, axis=(1, 2)))


def dense(features: Array, kernel: Array, bias: Array | None = None) -> Array:
    """The matrix product of features (n, inputs) and kernel (inputs, units), plus bias (units,)."""
    return _biased(ops.matmul(features, kernel), bias)


def batch_normalization(
    inputs: Array, gamma: Array, beta: Array, moving_mean: Array, moving_variance: Array, *,
    training: bool, trainable: bool = True,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """The outputs and the new moving mean and variance. A frozen layer runs in inference mode."""
    layer = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)
    layer.build(inputs.shape)
    layer.set_weights([gamma, beta, moving_mean, moving_variance])
    layer.trainable = trainable
    outputs = _numpy(layer(inputs, training=training))
    return outputs, _numpy(layer.moving_mean), _numpy(layer.moving_variance)


def dropout(inputs: Array, rate: float, *, seed: int, training: bool) -> Array:
    """The inputs; in training each is zeroed with probability ``rate`` or else divided by 1 - rate."""
    return _numpy(layers.Dropout(rate, seed=seed)(inputs, training=training))


def _numpy(tensor: Any) -> Array:
    return np.asarray(ops.convert_to_numpy(tensor), dtype=np.float32)


def _biased(tensor: Any, bias: Array | None) -> Array:
    outputs = _numpy(tensor)
    if bias is None:
        return outputs
    if bias.shape != outputs.shape[-1:]:  # a single value would be broadcast
        raise ValueError(f"a bias of {bias.shape} does not fit {outputs.shape[-1]} outputs")
    return outputs + bias


def _check_window(images: Array, window: Size, padding: Padding, dilation_rate: Size = 1) -> None:
    """Refuse a valid window that does not fit; TensorFlow would return uninitialised memory."""
    span = (np.array(window) - 1) * dilation_rate + 1
    if padding == "valid" and np.any(span > images.shape[1:3]):
        raise ValueError(f"a window of {span} pixels does not fit into an image of {images.shape[1:3]}")


def _two_channels(array: Array, axis: int) -> Array:
    """The array with a second channel of zeros.

    With one channel oneDNN (TensorFlow, torch) returns wrong rows or uninitialised memory if the
    output is one pixel wide and the horizontal stride is greater than the vertical one.
    """
    return np.concatenate((array, np.zeros_like(array)), axis)


def _same_pads(sides: tuple[int, ...], window: Size, strides: Size) -> list[tuple[int, int]]:
    """(before, after) for each of the four axes."""
    windows = -(-np.array(sides) // strides)
    total = np.maximum((windows - 1) * strides + window - sides, 0)
    return [(0, 0), *zip(total // 2, total - total // 2, strict=True), (0, 0)]
