"""Layers for JAX: matrix products, and sums and maxima of shifted images, which XLA fuses to one loop."""

from functools import reduce
from typing import Any

import keras
from jax import Array, lax
from jax import numpy as jnp
from keras import layers

Shifts = dict[tuple[int, int], Array]  # keys are row and column in the window

register = keras.saving.register_keras_serializable("convspec")


@register
class Conv2D(layers.Conv2D):
    """Keras's layer, computed as a matrix product if the kernel is one pixel."""

    def call(self, inputs: Array) -> Array:
        """Feature maps (n, height, width, channels)."""
        if self.kernel_size != (1, 1):
            return super().call(inputs)
        outputs = inputs[:, :: self.strides[0], :: self.strides[1]] @ self.kernel[0, 0]
        return self.activation(outputs + self.bias if self.use_bias else outputs)


@register
class DepthwiseConv2D(layers.DepthwiseConv2D):
    """Keras's layer with one kernel for each channel."""

    def call(self, inputs: Array) -> Array:
        """Feature maps (n, height, width, channels)."""
        outputs = _depthwise(inputs, self.kernel, self.strides, self.padding)
        return self.activation(outputs + self.bias if self.use_bias else outputs)


@register
class SeparableConv2D(layers.SeparableConv2D):
    """Keras's layer with one depthwise kernel for each channel."""

    def call(self, inputs: Array) -> Array:
        """Feature maps (n, height, width, channels)."""
        outputs = _depthwise(inputs, self.depthwise_kernel, self.strides, self.padding) @ self.pointwise_kernel[0, 0]
        return self.activation(outputs + self.bias if self.use_bias else outputs)


@register
class MaxPooling2D(layers.MaxPooling2D):
    """Keras's layer. Equal maxima share the gradient."""

    def call(self, inputs: Array) -> Array:
        """Feature maps (n, height, width, channels)."""
        if (self.strides, self.padding) == (self.pool_size, "valid"):
            return _apart(inputs, *self.pool_size).max((2, 4))
        return reduce(jnp.maximum, _shifted(inputs, self.pool_size, self.strides, self.padding, -jnp.inf).values())


FASTER: dict[Any, Any] = {
    faster.__base__: faster for faster in (Conv2D, DepthwiseConv2D, SeparableConv2D, MaxPooling2D)
}
USUAL = {"data_format": "channels_last", "depth_multiplier": 1, "dilation_rate": (1, 1), "groups": 1}


def rebuilt(model: Any) -> Any:
    """The same graph with the layers of this module and new weights."""
    return keras.models.clone_model(model, clone_function=_faster, recursive=True)


def _faster(layer: Any) -> Any:
    config = layer.get_config()
    usual = all(config.get(name, value) == value for name, value in USUAL.items())
    return (FASTER.get(type(layer), type(layer)) if usual else type(layer)).from_config(config)


def _depthwise(images: Array, kernel: Array, strides: tuple[int, int], padding: str) -> Array:
    """Each channel convolved with its part of the kernel (k_h, k_w, channels, 1)."""
    shifted = _shifted(images, kernel.shape[:2], strides, padding, 0)
    return reduce(jnp.add, (image * kernel[row, column, :, 0] for (row, column), image in shifted.items()))


def _apart(images: Array, height: int, width: int) -> Array:
    """Windows side by side, (n, rows, height, columns, width, channels). Incomplete windows are left out."""
    rows, columns = images.shape[1] // height, images.shape[2] // width
    images = images[:, : rows * height, : columns * width]
    return images.reshape(len(images), rows, height, columns, width, -1)


def _shifted(images: Array, window: tuple[int, ...], strides: tuple[int, int], padding: str, fill: float) -> Shifts:
    """{(row, column): the pixels at this place of each window}, each (n, output height, output width, channels)."""
    pads = lax.padtype_to_pads(images.shape[1:3], window, strides, padding.upper())
    images = jnp.pad(images, [(0, 0), *pads, (0, 0)], constant_values=fill)
    rows, columns = (side - size + 1 for side, size in zip(images.shape[1:3], window, strict=True))
    return {
        (row, column): images[:, row : row + rows : strides[0], column : column + columns : strides[1]]
        for row in range(window[0])
        for column in range(window[1])
    }
