"""The kit for Keras 3: functions of the contract from the classes of layers, on the backend that Keras runs on.

A class is called as Keras's own of that name is, built, and gets its weights by ``set_weights``, in the order in which
Keras's own has them. ``functools.partial`` settles an argument. What Keras has by default is not given: the contract's
momentum and epsilon of batch normalisation are Keras's.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import signatures
from .signatures import Array, Function, Layer, Normalized, Pair, copied, unsettled

try:
    import keras
except ModuleNotFoundError as error:
    raise signatures.missing(__name__, "keras") from error


def conv2d(layer: Layer) -> Function:
    """Of ``keras.layers.Conv2D`` or the like."""

    def call(images: Array, kernel: Array, bias: Array | None, strides: Pair, padding: str, dilation: Pair) -> Array:
        height, width, entering, leaving = kernel.shape
        options = {"strides": strides, "padding": padding, "dilation_rate": dilation}
        made = layer(leaving, (height, width), **unsettled(layer, use_bias=bias is not None, **options))
        return _applied(made, images, entering, kernel, bias)

    return signatures.conv2d(call)


def separable_conv2d(layer: Layer) -> Function:
    """Of ``keras.layers.SeparableConv2D`` or the like."""

    def call(images: Array, depthwise_kernel: Array, kernel: Array, strides: Pair, padding: str) -> Array:
        height, width, entering, _ = depthwise_kernel.shape
        options = unsettled(layer, strides=strides, padding=padding, use_bias=False)
        return _applied(layer(kernel.shape[-1], (height, width), **options), images, entering, depthwise_kernel, kernel)

    return signatures.separable_conv2d(call)


def max_pooling2d(layer: Layer) -> Function:
    """Of ``keras.layers.MaxPooling2D`` or the like."""

    def call(images: Array, size: Pair, strides: Pair, padding: str) -> Array:
        return _numpy(layer(size, **unsettled(layer, strides=strides, padding=padding))(copied(images)))

    return signatures.pooling2d(call)


def average_pooling2d(layer: Layer) -> Function:
    """Of ``keras.layers.AveragePooling2D`` or the like, which is called as that of maxima is."""
    return max_pooling2d(layer)


def global_average_pooling2d(layer: Callable[[Any], Any]) -> Function:
    """Of a layer, ``keras.layers.GlobalAveragePooling2D()``, or a function of the images."""
    return signatures.global_average_pooling2d(lambda images: _numpy(layer(copied(images))))


def dense(layer: Layer) -> Function:
    """Of ``keras.layers.Dense`` or the like."""

    def call(features: Array, kernel: Array, bias: Array | None) -> Array:
        made = layer(kernel.shape[1], **unsettled(layer, use_bias=bias is not None))
        return _applied(made, features, len(kernel), kernel, bias)

    return signatures.dense(call)


def batch_normalization(layer: Layer) -> Function:
    """Of ``keras.layers.BatchNormalization`` or the like; frozen by its attribute ``trainable``."""

    def call(inputs: Array, variables: tuple[Array, ...], training: bool, trainable: bool) -> Normalized:
        made = layer()
        made.build(inputs.shape)
        made.set_weights(list(map(copied, variables)))
        made.trainable = trainable
        outputs = _numpy(made(copied(inputs), training=training))
        return outputs, _numpy(made.moving_mean), _numpy(made.moving_variance)

    return signatures.batch_normalization(call)


def dropout(layer: Layer) -> Function:
    """Of ``keras.layers.Dropout`` or the like."""

    def call(inputs: Array, rate: float, seed: int, training: bool) -> Array:
        return _numpy(layer(rate, **unsettled(layer, seed=seed))(copied(inputs), training=training))

    return signatures.dropout(call)


def _applied(layer: Any, inputs: Array, entering: int, *weights: Array | None) -> Array:
    """What a layer for so many channels makes of inputs with these weights; it refuses others, as Keras does."""
    layer.build((None,) * (inputs.ndim - 1) + (entering,))
    layer.set_weights([copied(weight) for weight in weights if weight is not None])
    return _numpy(layer(copied(inputs)))


def _numpy(x: Any) -> Array:
    """A copy: some backends' arrays cannot be written to."""
    return np.array(keras.ops.convert_to_numpy(x))
