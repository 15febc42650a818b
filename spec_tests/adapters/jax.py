"""The kit for JAX: functions of the contract from functions of JAX arrays, or classes of ``flax.nnx``.

Arrays and kernels have JAX's order already, which is the contract's; padding is "VALID" or "SAME". A class is called as
flax's own of that name is, and its variables have flax's names (kernel, bias, scale, mean, var). What a function is
called with stands at each of the kit's. ``functools.partial`` settles an argument, ``precision`` for example.
"""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from . import signatures
from .signatures import EPSILON, MOMENTUM, Array, Function, Layer, Normalized, Pair, is_class, unsettled

try:
    import jax
    import jax.numpy as jnp
except ModuleNotFoundError as error:
    raise signatures.missing(__name__, "jax") from error


def conv2d(layer: Layer) -> Function:
    """Of ``nnx.Conv`` or the like, or of ``function(images, kernel, bias, strides=, padding=, dilation_rate=)``."""

    def call(images: Array, kernel: Array, bias: Array | None, strides: Pair, padding: str, dilation: Pair) -> Array:
        name = "kernel_dilation" if is_class(layer) else "dilation_rate"
        options = {"strides": strides, "padding": padding.upper(), name: dilation}
        return _numpy(_convolved(layer, images, kernel, bias, **options))

    return signatures.conv2d(call)


def separable_conv2d(layer: Layer, pointwise: Layer | None = None) -> Function:
    """Of ``function(images, depthwise_kernel, pointwise_kernel, strides=, padding=)``, or of two classes as ``Conv``.

    The first class is called with ``feature_group_count``, and its kernel is (height, width, 1, channels).
    """

    def call(images: Array, depthwise_kernel: Array, kernel: Array, strides: Pair, padding: str) -> Array:
        options = {"strides": strides, "padding": padding.upper()}
        if pointwise is None:
            arrays = map(jnp.asarray, (images, depthwise_kernel, kernel))
            return _numpy(layer(*arrays, **unsettled(layer, **options)))
        first = depthwise_kernel.swapaxes(2, 3)
        between = _convolved(layer, images, first, None, feature_group_count=first.shape[3], **options)
        return _numpy(_convolved(pointwise, between, kernel, None))

    return signatures.separable_conv2d(call)


def max_pooling2d(function: Callable[..., jax.Array]) -> Function:
    """Of ``nnx.max_pool`` or the like: ``function(images, size, strides=, padding=)``."""

    def call(images: Array, size: Pair, strides: Pair, padding: str) -> Array:
        options = unsettled(function, strides=strides, padding=padding.upper())
        return _numpy(function(jnp.asarray(images), size, **options))

    return signatures.pooling2d(call)


def average_pooling2d(function: Callable[..., jax.Array]) -> Function:
    """Of ``nnx.avg_pool`` or the like, which is called as that of maxima is."""
    return max_pooling2d(function)


def global_average_pooling2d(function: Callable[[jax.Array], jax.Array]) -> Function:
    """Of ``function(images)``."""
    return signatures.global_average_pooling2d(lambda images: _numpy(function(jnp.asarray(images))))


def dense(layer: Layer) -> Function:
    """Of ``nnx.Linear`` or the like, or of ``function(features, kernel, bias)``."""

    def call(features: Array, kernel: Array, bias: Array | None) -> Array:
        return _numpy(_applied(layer, kernel.shape, features, kernel, bias))

    return signatures.dense(call)


def batch_normalization(layer: Layer) -> Function:
    """Of ``nnx.BatchNorm`` or the like, or of a function with the contract's arguments, which returns its three arrays.

    Flax has no frozen layers. Its momentum is the share of the old, as in the contract.
    """

    def call(inputs: Array, variables: tuple[Array, ...], training: bool, trainable: bool) -> Normalized:
        x, *arrays = map(jnp.asarray, (inputs, *variables))
        if not is_class(layer):
            options = unsettled(layer, training=training, trainable=trainable)
            outputs, mean, variance = map(_numpy, layer(x, *arrays, **options))
            return outputs, mean, variance
        if training and not trainable:
            raise signatures.frozen_alone("flax.nnx")
        options = {"momentum": MOMENTUM, "epsilon": EPSILON}
        weights = dict(zip(("scale", "bias", "mean", "var"), arrays, strict=True))
        module = _in_mode(_holding(weights, layer, x.shape[-1], **options), training)
        return _numpy(module(x)), _numpy(module.mean), _numpy(module.var)

    return signatures.batch_normalization(call)


def dropout(layer: Layer) -> Function:
    """Of ``nnx.Dropout`` or the like, or of ``function(inputs, rate, key)``, whose key is None in inference."""

    def call(inputs: Array, rate: float, seed: int, training: bool) -> Array:
        x = jnp.asarray(inputs)
        if not is_class(layer):
            return _numpy(layer(x, rate, jax.random.key(seed) if training else None))
        return _numpy(_in_mode(layer(rate, **unsettled(layer, rngs=_nnx().Rngs(seed))), training)(x))

    return signatures.dropout(call)


def _convolved(layer: Layer, images: Any, kernel: Array, bias: Array | None, **options: Any) -> jax.Array:
    height, width, entering, leaving = kernel.shape
    sizes = (entering * options.get("feature_group_count", 1), leaving, (height, width))
    return _applied(layer, sizes, images, kernel, bias, **options)


def _applied(layer: Layer, sizes: Any, x: Any, kernel: Array, bias: Array | None, **options: Any) -> jax.Array:
    """What a module of these sizes makes of x with the weights, or a function that is given them."""
    weights = {"kernel": jnp.asarray(kernel)} | ({} if bias is None else {"bias": jnp.asarray(bias)})
    if not is_class(layer):
        return layer(jnp.asarray(x), weights["kernel"], weights.get("bias"), **unsettled(layer, **options))
    return _holding(weights, layer, *sizes, use_bias=bias is not None, **options)(jnp.asarray(x))


def _nnx() -> Any:
    """The module ``flax.nnx``, which whoever has classes of it has installed."""
    return importlib.import_module("flax.nnx")


def _holding(weights: dict[str, Any], layer: Layer, *sizes: Any, **options: Any) -> Any:
    """A module with these weights: all that it has, so that none are drawn, which would compile for each shape."""
    module = _nnx().eval_shape(lambda: layer(*sizes, **unsettled(layer, rngs=_nnx().Rngs(0), **options)))
    _nnx().update(module, weights)
    return module


def _in_mode(module: Any, training: bool) -> Any:
    """The module, which will be in training or in inference."""
    if training:
        module.train()
    else:
        module.eval()
    return module


def _numpy(x: Any) -> Array:
    """A copy: JAX's own arrays cannot be written to."""
    return np.array(x)
