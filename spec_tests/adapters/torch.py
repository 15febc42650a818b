"""The kit for PyTorch: functions of the contract from ``nn.Module`` classes, or functions as in ``nn.functional``.

A class is called as torch's own of that name is, and gets its weights by ``load_state_dict``, in the order in which it
declares them; a function as torch's own is. ``functools.partial`` settles an argument. Images come as (n, channels,
height, width), kernels as (out, in, height, width), padding as "valid" or "same". For a GPU there is
``torch.set_default_device``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import signatures
from .signatures import (
    EPSILON,
    MOMENTUM,
    Array,
    Function,
    Layer,
    Normalized,
    Pair,
    copied,
    is_class,
    unsettled,
)

try:
    import torch
except ModuleNotFoundError as error:
    raise signatures.missing(__name__, "torch") from error

REFUSED = {  # what torch says of padding="same": what that means
    "padding='same' is not supported for strided convolutions": "torch has no same padding with strides",
    "must be tuple of ints, not str": "torch has no same padding of pooling",
}
DEPTHWISE, POINTWISE = (2, 3, 0, 1), (3, 2, 0, 1)  # the axes of a kernel (height, width, in, out) in torch's order
Tensor = Any


def conv2d(layer: Layer) -> Function:
    """Of ``nn.Conv2d`` or the like, or of ``F.conv2d``."""

    def call(images: Array, kernel: Array, bias: Array | None, strides: Pair, padding: str, dilation: Pair) -> Array:
        options: dict[str, Any] = {"stride": strides, "padding": padding, "dilation": dilation}
        return _last(_convolved(layer, _first(images), _tensor(kernel.transpose(POINTWISE)), bias, **options))

    return signatures.conv2d(call)


def separable_conv2d(layer: Layer, pointwise: Layer | None = None) -> Function:
    """Of one layer, called with both kernels, as ``nn.Conv2d`` is; or of the depthwise one, with groups, and the other.

    A class of both declares the depthwise kernel (in, 1, height, width) first, then the pointwise one.
    """

    def call(images: Array, depthwise_kernel: Array, kernel: Array, strides: Pair, padding: str) -> Array:
        first, second = _tensor(depthwise_kernel.transpose(DEPTHWISE)), _tensor(kernel.transpose(POINTWISE))
        x, options = _first(images), {"stride": strides, "padding": padding}
        if pointwise is None:
            sizes = (len(first), len(second), tuple(first.shape[2:]))
            return _last(_applied(layer, sizes, x, first, second, biased=False, **options))
        between = _convolved(layer, x, first, None, groups=len(first), **options)
        return _last(_convolved(pointwise, between, second, None))

    return signatures.separable_conv2d(call)


def max_pooling2d(layer: Layer) -> Function:
    """Of ``nn.MaxPool2d`` or the like, or of ``F.max_pool2d``; padding is given where it is same."""

    def call(images: Array, size: Pair, strides: Pair, padding: str) -> Array:
        options = unsettled(layer, stride=strides, **({} if padding == "valid" else {"padding": padding}))
        with _calling():
            x = _first(images)
            return _last(layer(size, **options)(x) if is_class(layer) else layer(x, size, **options))

    return signatures.pooling2d(call)


def average_pooling2d(layer: Layer) -> Function:
    """Of ``nn.AvgPool2d`` or the like, or of ``F.avg_pool2d``; padding is given where it is same."""
    return max_pooling2d(layer)


def global_average_pooling2d(function: Callable[[Tensor], Tensor]) -> Function:
    """Of a function of the images, or a module: ``nn.AdaptiveAvgPool2d(1)``; sides of one pixel are dropped."""

    def call(images: Array) -> Array:
        with _calling():
            return _numpy(function(_first(images)).flatten(1))

    return signatures.global_average_pooling2d(call)


def dense(layer: Layer) -> Function:
    """Of ``nn.Linear`` or the like, or of ``F.linear``; weights come as (units, inputs)."""

    def call(features: Array, kernel: Array, bias: Array | None) -> Array:
        weights = (_tensor(kernel.T), None if bias is None else _tensor(bias))
        return _numpy(_applied(layer, kernel.shape, _tensor(features), *weights, biased=bias is not None))

    return signatures.dense(call)


def batch_normalization(layer: Layer) -> Function:
    """Of ``nn.BatchNorm2d`` or the like, or of ``F.batch_norm``; features come as images of one pixel.

    A frozen module is in training, if that is asked for, and its weights want no gradients: as in ``model.train()``
    after ``model.requires_grad_(False)``. Torch's momentum is the share of the new, 0.01.
    """

    def call(inputs: Array, variables: tuple[Array, ...], training: bool, trainable: bool) -> Normalized:
        x = _first(inputs if inputs.ndim > 2 else inputs[:, None, None])
        gamma, beta, mean, variance = map(_tensor, variables)
        options = unsettled(layer, momentum=1 - MOMENTUM, eps=EPSILON)
        with _calling():
            if is_class(layer):
                module = _loaded(layer(len(gamma), **options), gamma, beta, mean, variance)
                outputs = module.train(training).requires_grad_(trainable)(x)
                mean, variance = list(_variables(module).values())[-2:]
            elif training and not trainable:
                raise signatures.frozen_alone("a function")
            else:
                outputs = layer(x, mean, variance, gamma, beta, training=training, **options)
        outputs = _last(outputs)
        return outputs if inputs.ndim > 2 else outputs[:, 0, 0], _numpy(mean), _numpy(variance)

    return signatures.batch_normalization(call)


def dropout(layer: Layer) -> Function:
    """Of ``nn.Dropout`` or the like, or of ``F.dropout``; it draws from torch's global generator, which is seeded."""

    def call(inputs: Array, rate: float, seed: int, training: bool) -> Array:
        with _calling(), torch.random.fork_rng(range(torch.cuda.device_count())):
            torch.manual_seed(seed)
            x = _tensor(inputs)
            return _numpy(layer(rate).train(training)(x) if is_class(layer) else layer(x, rate, training=training))

    return signatures.dropout(call)


def _convolved(layer: Layer, x: Tensor, weight: Tensor, bias: Array | None, groups: int = 1, **options: Any) -> Tensor:
    leaving, entering, *size = weight.shape
    grouped = {"groups": groups} if groups > 1 else {}  # a convolution of one's own need not know of them
    weights = (weight, None if bias is None else _tensor(bias))
    sizes = (entering * groups, leaving, tuple(size))
    return _applied(layer, sizes, x, *weights, biased=bias is not None, **grouped, **options)


def _applied(layer: Layer, sizes: Any, x: Tensor, *weights: Tensor | None, biased: bool, **options: Any) -> Tensor:
    """What a module of these sizes makes of x with the weights, or a function that is given them."""
    with _calling():
        if not is_class(layer):
            return layer(x, *weights, **unsettled(layer, **options))
        module = _loaded(layer(*sizes, **unsettled(layer, bias=biased, **options)), *weights)
        return module.eval()(x)


def _variables(module: Any) -> dict[str, Tensor]:
    """Its weights and statistics by name, in the order in which it declares them; no counters."""
    return {name: value for name, value in module.state_dict().items() if value.is_floating_point()}


def _loaded(module: Any, *weights: Tensor | None) -> Any:
    """The module with these weights; an error, torch's own, for those of another shape."""
    given = [weight for weight in weights if weight is not None]
    module.load_state_dict(module.state_dict() | dict(zip(_variables(module), given, strict=True)))
    return module


@contextmanager
def _calling() -> Iterator[None]:
    """Without gradients; what torch says it has not becomes Unsupported."""
    try:
        with torch.no_grad():
            yield
    except (RuntimeError, TypeError, ValueError) as error:
        signatures.raise_unsupported(error, REFUSED)
        raise


def _tensor(array: Array) -> Tensor:
    return torch.tensor(copied(array))


def _first(images: Array) -> Tensor:
    return _tensor(images.transpose(0, 3, 1, 2))


def _last(images: Tensor) -> Array:
    return _numpy(images.permute(0, 2, 3, 1).contiguous())


def _numpy(x: Tensor) -> Array:
    return np.asarray(x.detach().cpu().numpy())
