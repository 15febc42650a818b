"""Sliding windows, and convolution and pooling as sums, maxima and means over them; also dense layers.

A window of k pixels with dilation d spans e = (k - 1) d + 1. Images are (n, height, width, channels).
"""

from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float64]
Pair = tuple[int, int]
Padding = Literal["valid", "same"]

ONE = (1, 1)


def span(kernel: int, dilation: int = 1) -> int:
    """The number of pixels from the first to the last of a window."""
    return (kernel - 1) * dilation + 1


def output_side(side: int, kernel: int, stride: int = 1, dilation: int = 1, padding: Padding = "valid") -> int:
    """The number of windows that fit, one every ``stride`` pixels."""
    if padding == "same":
        return -(-side // stride)
    return (side - span(kernel, dilation)) // stride + 1


def same_padding(side: int, kernel: int, stride: int = 1, dilation: int = 1) -> Pair:
    """The pixels that same padding adds before and after; an odd one goes after."""
    total = max((-(-side // stride) - 1) * stride + span(kernel, dilation) - side, 0)
    return total // 2, total - total // 2


def windows(
    images: NDArray[Any],
    size: Pair,
    strides: Pair = ONE,
    dilation: Pair = ONE,
    padding: Padding = "valid",
    fill: float = 0,
) -> Array:
    """Every window of the images, shape (n, out_height, out_width, k_height, k_width, channels)."""
    pads = [(0, 0)] * 4
    if padding == "same":
        sides = zip(images.shape[1:3], size, strides, dilation, strict=True)
        pads[1:3] = [same_padding(*numbers) for numbers in sides]
    padded = np.pad(images.astype(np.float64), pads, constant_values=fill)
    spans = tuple(span(k, d) for k, d in zip(size, dilation, strict=True))
    every = sliding_window_view(padded, spans, axis=(1, 2))  # (n, y, x, channels, span, span)
    chosen = every[:, :: strides[0], :: strides[1], :, :: dilation[0], :: dilation[1]]
    return np.moveaxis(chosen, 3, -1)


def conv2d(
    images: NDArray[Any], kernel: NDArray[Any], strides: Pair = ONE, dilation: Pair = ONE, padding: Padding = "valid"
) -> Array:
    """The sum of each window times the kernel (k_height, k_width, in, out), which is not flipped."""
    seen = windows(images, kernel.shape[:2], strides, dilation, padding)
    return np.asarray(np.einsum("nyxijc,ijco->nyxo", seen, kernel.astype(np.float64), optimize=True))


def depthwise_conv2d(
    images: NDArray[Any], kernel: NDArray[Any], strides: Pair = ONE, padding: Padding = "valid"
) -> Array:
    """Each channel convolved with its own kernel, (k_height, k_width, channels, 1)."""
    seen = windows(images, kernel.shape[:2], strides, ONE, padding)
    return np.asarray(np.einsum("nyxijc,ijc->nyxc", seen, kernel[..., 0].astype(np.float64), optimize=True))


def separable_conv2d(
    images: NDArray[Any],
    depthwise: NDArray[Any],
    pointwise: NDArray[Any],
    strides: Pair = ONE,
    padding: Padding = "valid",
) -> Array:
    """A depthwise convolution, then a 1 × 1 convolution of its channels with a kernel (1, 1, in, out)."""
    return np.asarray(depthwise_conv2d(images, depthwise, strides, padding) @ pointwise[0, 0].astype(np.float64))


def max_pooling2d(images: NDArray[Any], size: Pair, strides: Pair, padding: Padding = "valid") -> Array:
    """The largest real pixel of each window."""
    return np.asarray(windows(images, size, strides, ONE, padding, fill=-np.inf).max(axis=(3, 4)))


def average_pooling2d(images: NDArray[Any], size: Pair, strides: Pair, padding: Padding = "valid") -> Array:
    """The mean of the real pixels of each window."""
    return np.asarray(np.nanmean(windows(images, size, strides, ONE, padding, fill=np.nan), axis=(3, 4)))


def dense(features: NDArray[Any], kernel: NDArray[Any], bias: NDArray[Any]) -> Array:
    """Features (n, inputs) times the kernel (inputs, units), plus the bias of each unit."""
    return np.asarray(features.astype(np.float64) @ kernel.astype(np.float64) + bias)


def seeing(
    image: Pair, size: Pair, strides: Pair = ONE, dilation: Pair = ONE, padding: Padding = "valid"
) -> NDArray[np.bool_]:
    """For each pixel, counted by rows, the windows that contain it: (height × width, out_height, out_width)."""
    pixels = np.eye(image[0] * image[1]).reshape(-1, *image, 1)
    return np.asarray(windows(pixels, size, strides, dilation, padding).any(axis=(3, 4, 5)))
