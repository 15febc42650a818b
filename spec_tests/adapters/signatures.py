"""The layers of the contract as a kit fills them in: their arguments and defaults, once for all frameworks.

Each function here takes a call of plain arguments (both numbers of a size, pooling's strides settled) and returns a
function of the contract, see ``spec_tests/adapter/contract.py``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import Unsupported

Array = NDArray[Any]
Pair = tuple[int, int]
Size = int | Pair
Layer = Callable[..., Any]  # a class, a function, or a partial of one
Function = Callable[..., Any]  # one of the contract
Normalized = tuple[Array, Array, Array]  # outputs, new moving mean, new moving variance

MOMENTUM, EPSILON = 0.99, 1e-3  # of batch normalisation, as the contract has them


def conv2d(call: Callable[[Array, Array, Array | None, Pair, str, Pair], Array]) -> Function:
    """Of ``call(images, kernel, bias, strides, padding, dilation)``."""

    def conv2d(
        images: Array,
        kernel: Array,
        bias: Array | None = None,
        *,
        strides: Size = 1,
        padding: str = "valid",
        dilation_rate: Size = 1,
    ) -> Array:
        return call(images, kernel, bias, pair(strides), padding, pair(dilation_rate))

    return conv2d


def separable_conv2d(call: Callable[[Array, Array, Array, Pair, str], Array]) -> Function:
    """Of ``call(images, depthwise_kernel, pointwise_kernel, strides, padding)``."""

    def separable_conv2d(
        images: Array, depthwise_kernel: Array, pointwise_kernel: Array, *, strides: Size = 1, padding: str = "valid"
    ) -> Array:
        return call(images, depthwise_kernel, pointwise_kernel, pair(strides), padding)

    return separable_conv2d


def separated(call: Callable[..., Array]) -> Function:
    """Of ``call(images, kernel, bias, strides, padding, dilation, groups)``, a convolution that is called twice."""

    def twice(images: Array, depthwise_kernel: Array, kernel: Array, strides: Pair, padding: str) -> Array:
        first = depthwise_kernel.swapaxes(2, 3)  # (height, width, 1, channels), a group for each
        between = call(images, first, None, strides, padding, (1, 1), first.shape[3])
        return call(between, kernel, None, (1, 1), "valid", (1, 1), 1)

    return separable_conv2d(twice)


def pooling2d(call: Callable[[Array, Pair, Pair, str], Array]) -> Function:
    """Either pooling, of ``call(images, pool_size, strides, padding)``."""

    def pooling2d(images: Array, *, pool_size: Size = 2, strides: Size | None = None, padding: str = "valid") -> Array:
        return call(images, pair(pool_size), pair(pool_size if strides is None else strides), padding)

    return pooling2d


def global_average_pooling2d(call: Callable[[Array], Array]) -> Function:
    """Of ``call(images)``."""

    def global_average_pooling2d(images: Array) -> Array:
        return call(images)

    return global_average_pooling2d


def dense(call: Callable[[Array, Array, Array | None], Array]) -> Function:
    """Of ``call(features, kernel, bias)``."""

    def dense(features: Array, kernel: Array, bias: Array | None = None) -> Array:
        return call(features, kernel, bias)

    return dense


def batch_normalization(call: Callable[[Array, tuple[Array, ...], bool, bool], Normalized]) -> Function:
    """Of ``call(inputs, (gamma, beta, mean, variance), training, trainable)``."""

    def batch_normalization(
        inputs: Array,
        gamma: Array,
        beta: Array,
        moving_mean: Array,
        moving_variance: Array,
        *,
        training: bool,
        trainable: bool = True,
    ) -> Normalized:
        return call(inputs, (gamma, beta, moving_mean, moving_variance), training, trainable)

    return batch_normalization


def dropout(call: Callable[[Array, float, int, bool], Array]) -> Function:
    """Of ``call(inputs, rate, seed, training)``."""

    def dropout(inputs: Array, rate: float, *, seed: int, training: bool) -> Array:
        return call(inputs, rate, seed, training)

    return dropout


def pair(size: Size) -> Pair:
    """Height and width."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def copied(array: Array) -> Array:
    """A copy in C's order, which every framework takes: what is given may be read-only, or run backwards."""
    return np.array(array, order="C")


def is_class(layer: Layer) -> bool:
    """Whether a layer is a class, or a partial of one, and no function."""
    return isinstance(getattr(layer, "func", layer), type)


def unsettled(layer: Layer, **options: Any) -> dict[str, Any]:
    """Options without those that a partial has settled: these are the user's, right or wrong, and stay."""
    settled: dict[str, Any] = getattr(layer, "keywords", {})
    return {name: value for name, value in options.items() if name not in settled}


def frozen_alone(framework: str) -> Unsupported:
    """What a kit says of a frozen layer in training, where the framework knows none."""
    return Unsupported(f"{framework} has no frozen batch normalisation: whoever calls it has to ask for inference")


def raise_unsupported(error: Exception, refused: dict[str, str]) -> None:
    """Unsupported, with the reason, for an error by which a library says that it has not something: {words: reason}."""
    for words, reason in refused.items():
        if words in str(error):
            raise Unsupported(reason) from error


def missing(kit: str, package: str) -> ModuleNotFoundError:
    """What a kit says, in one line, without its framework."""
    return ModuleNotFoundError(f"the kit {kit} needs {package}: run pip install {package}", name=package)
