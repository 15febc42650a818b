"""Calls of the layers for a case, and comparisons of the results with the oracles."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..adapter.contract import Array, Size
from ..adapter.implementation import Implementation
from ..judging.checks import expect_close
from ..judging.statistics import axis_p_values, binomial_counts_p_value, binomial_p_value, independence_p_value
from ..oracles import windows as oracle
from ..oracles.normalization import EPSILON, batch_normalization, moments, moved
from ..oracles.windows import Pair
from .windows import Batch, Matrix, Window, arrays

# Tolerance of a sum, relative to the magnitudes of its terms. Float32 rounds by at most 6e-8. A sum of n rounded
# products is therefore off by at most n × 6e-8 of these magnitudes, in any order of summation: 1e-5 for n = 160. Here n
# is at most 300. Rounding errors have either sign and partly cancel, so that for n = 300 they reach 9 sqrt(n) × 6e-8 =
# 1e-5 less than once in 1e16 sums.
SUM = 1e-5
MOVED = 1e-6  # tolerance of a moving statistic, see ``moved_magnitudes``
SEEN = 1e-3  # a larger change is an effect: rounding stays far below this, and effects are far above

NORMALIZED = ("inputs", "gamma", "beta", "moving_mean", "moving_variance")  # arguments of batch normalisation

CONVOLUTIONS = ("conv2d", "separable_conv2d")
POOLINGS = ("max_pooling2d", "average_pooling2d")

PURE_LAYERS = (
    "conv2d",
    "separable_conv2d",
    *POOLINGS,
    "global_average_pooling2d",
    "dense",
    "batch_normalization",
    "dropout",
)

RATES = (0.1, 0.25, 0.5, 0.8)  # of dropout
CALLS, DROPPED = 64, (4, 4, 4, 32)
BLOCKS = (4, 4096)  # the shape of values whose rows are as long as the masks that code may draw at once


def plain(pair: Pair) -> Size:
    """One number for a pair of equal numbers: functions take either form."""
    return pair[0] if pair[0] == pair[1] else pair


def convolve(implementation: Implementation, case: Window, images: Array | None = None) -> Array:
    """The convolution without a bias of the case's images, or of ``images``."""
    images = case.images if images is None else images
    options = {"strides": plain(case.strides), "padding": case.padding, "dilation_rate": plain(case.dilation)}
    outputs: Array = implementation.conv2d(images, case.kernel, **options)
    return outputs


def separate(implementation: Implementation, case: Window) -> Array:
    """The separable convolution of the case's images."""
    options = {"strides": plain(case.strides), "padding": case.padding}
    outputs: Array = implementation.separable_conv2d(case.images, case.depthwise, case.pointwise, **options)
    return outputs


def convolutions(
    implementation: Implementation, case: Window, dilated: Window | None = None
) -> list[tuple[Callable[[Implementation, Window], Array], Window]]:
    """[(function, case)] for each of ``CONVOLUTIONS`` that is offered, and (``convolve``, ``dilated``) if given."""
    offered = implementation.offered(CONVOLUTIONS)
    found: list[tuple[Callable[[Implementation, Window], Array], Window]] = []
    found += [(convolve, case)] if "conv2d" in offered else []
    found += [(separate, case)] if "separable_conv2d" in offered else []
    return [*found, (convolve, dilated)] if dilated and "conv2d" in offered else found


def pool(implementation: Implementation, name: str, case: Window, images: Array | None = None) -> Array:
    """One of ``POOLINGS`` applied to the case's images, or to ``images``."""
    images = case.images if images is None else images
    options = {"pool_size": plain(case.size), "strides": plain(case.strides), "padding": case.padding}
    outputs: Array = implementation.one_of(POOLINGS, name)(images, **options)
    return outputs


def layer_call(
    implementation: Implementation, name: str, seed: int
) -> tuple[Callable[..., Any], dict[str, NDArray[Any]]]:
    """One of ``PURE_LAYERS`` as a function of arrays, and its arrays by name; in training mode where there is one."""
    window = Window((5, 7), (2, 2), batch=2, channels=3, seed=seed)
    matrix, batch = Matrix(5, 5, 5, seed), Batch((2, 2, 3, 2), seed)
    arguments: dict[str, dict[str, NDArray[Any]]] = {
        "conv2d": {"images": window.images, "kernel": window.kernel, "bias": window.bias},
        "separable_conv2d": {
            "images": window.images,
            "depthwise_kernel": window.depthwise,
            "pointwise_kernel": window.pointwise,
        },
        "dense": {"features": matrix.features, "kernel": matrix.kernel, "bias": matrix.bias},
        "batch_normalization": dict(zip(NORMALIZED, (batch.inputs, *batch.variables), strict=True)),
        "dropout": {"inputs": batch.inputs},
    }
    options: dict[str, dict[str, Any]] = {
        "batch_normalization": {"training": True},
        "dropout": {"rate": 0.5, "seed": seed, "training": True},
    }
    function = partial(getattr(implementation, name), **options.get(name, {}))
    return function, arguments.get(name, {"images": window.images})


def magnitudes(case: Window) -> NDArray[np.float64]:
    """For each output of a convolution, the sum of the magnitudes of its terms."""
    return oracle.conv2d(np.abs(case.images), np.abs(case.kernel), case.strides, case.dilation, case.padding)


def separable_magnitudes(case: Window) -> NDArray[np.float64]:
    """For each output of a separable convolution, the sum of the magnitudes of its terms."""
    images, depthwise, pointwise = map(np.abs, (case.images, case.depthwise, case.pointwise))
    return oracle.separable_conv2d(images, depthwise, pointwise, case.strides, case.padding)


def expect_convolution(got: Array, case: Window, what: str, bias: Array | float = 0) -> None:
    """Expect the right result of ``convolve``."""
    expected = oracle.conv2d(case.images, case.kernel, case.strides, case.dilation, case.padding) + bias
    expect_close(got, expected, what, rtol=SUM, scale=magnitudes(case) + np.abs(bias))


def expect_separable(got: Array, case: Window, what: str) -> None:
    """Expect the right result of ``separate``."""
    kernels, options = (case.depthwise, case.pointwise), (case.strides, case.padding)
    expected = oracle.separable_conv2d(case.images, *kernels, *options)
    expect_close(got, expected, what, rtol=SUM, scale=separable_magnitudes(case))


def expect_pooled(
    got: Array, expected: NDArray[np.floating], name: str, case: Window, what: str, rtol: float = SUM
) -> None:
    """Expect pooled values: maxima are exact, and means are as precise as the mean of the magnitudes."""
    scale = oracle.average_pooling2d(np.abs(case.images), case.size, case.strides, case.padding)
    expect_close(got, expected, what, rtol=0 if name == "max_pooling2d" else rtol, scale=scale)


def expect_inferred(got: Array, case: Batch) -> None:
    """Expect the case's inputs to be normalised with its moving statistics."""
    mean, variance = case.variables[2:]
    expect_normalized(got, case, mean, variance, np.abs(mean))


def expect_trained(got: Array, case: Batch) -> None:
    """Expect the case's inputs to be normalised with their own statistics.

    A mean is as precise as the mean of the magnitudes.
    """
    expect_normalized(got, case, *moments(case.inputs), magnitudes_of_moments(case.inputs)[0])


def expect_normalized(
    got: Array,
    case: Batch,
    mean: NDArray[np.floating],
    variance: NDArray[np.floating],
    subtracted: NDArray[np.floating],
) -> None:
    """Expect inputs to be normalised with these statistics; ``subtracted`` is the magnitude of the mean."""
    gamma, beta = case.variables[:2]
    expected = batch_normalization(case.inputs, gamma, beta, mean, variance)
    factors = np.abs(gamma) / np.sqrt(variance + EPSILON)
    scale = factors * (np.abs(case.inputs) + subtracted) + np.abs(beta)
    expect_close(got, expected, "normalised values", rtol=SUM, scale=scale)


def expect_moved(moving: Sequence[Array], case: Batch) -> None:
    """Expect moving mean and variance to have moved towards those of the case's inputs."""
    old, statistics, sums = case.variables[2:], moments(case.inputs), magnitudes_of_moments(case.inputs)
    names = ("mean", "variance")
    for name, got, before, batch, magnitude in zip(names, moving, old, statistics, sums, strict=True):
        scale = moved_magnitudes(before, magnitude)
        expect_close(got, moved(before, batch), f"moving {name}", rtol=MOVED, scale=scale)


def magnitudes_of_moments(x: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean magnitude and the mean square of each channel, which bound the errors of mean and variance."""
    axes = tuple(range(x.ndim - 1))
    return np.abs(x).mean(axis=axes, dtype=np.float64), np.square(x, dtype=np.float64).mean(axis=axes)


def moved_magnitudes(old: NDArray[np.floating], batch: NDArray[np.floating]) -> NDArray[np.float64]:
    """The magnitudes that the tolerance of a moving statistic is relative to, from those of the old and the batch's.

    The batch's share may be off by ``SUM``, ten times ``MOVED``: 1 - 0.99f is 0.0099999905 in float32, 9.6e-7 less than
    0.01, and there are two roundings of 6e-8 and those of the sums in the batch's statistic. The old one's share may be
    off by ``MOVED``: 0.99f is off by 1e-8, and there are two roundings.
    """
    return moved(np.abs(old), SUM / MOVED * np.abs(batch))


def masks(implementation: Implementation, rate: float, seed: int) -> tuple[Array, NDArray[np.bool_]]:
    """Nonzero values, and a mask of what dropout zeroed in each of ``CALLS`` calls with different seeds."""
    values = arrays(DROPPED, seed, "weights")
    calls = range(seed, seed + CALLS)
    return values, np.stack([implementation.dropout(values, rate, seed=s, training=True) == 0 for s in calls])


def dropout_p_values(values: Array, zeroed: NDArray[np.bool_], rate: float, seed: int) -> dict[str, float]:
    """{test: p-value} of masks (calls, samples, height, width, channels).

    The hypothesis is that they zero each of ``values`` independently at this rate.
    """
    counts = zeroed.sum(axis=(1, 2, 3, 4))
    everywhere = np.broadcast_to(values, zeroed.shape)
    return {
        "share of zeros": binomial_p_value(zeroed.sum(), zeroed.size, rate),
        "zeros in each call": binomial_counts_p_value(counts, values.size, rate, seed),
        "zeros and the values that they replace": independence_p_value(everywhere, zeroed, seed),
        "zeros and the magnitudes that they replace": independence_p_value(np.abs(everywhere), zeroed, seed),
        "a sample and the one before it in the next call": independence_p_value(
            zeroed[:-1:2, 1:], zeroed[1::2, :-1], seed
        ),
        **axis_p_values(zeroed, ("calls", "samples", "height", "width", "channels"), seed),
    }


def block_p_values(implementation: Implementation, rate: float, seed: int) -> dict[str, float]:
    """{test: p-value} of the mask of one call, in which no block of ``BLOCKS`` may follow from another."""
    zeroed = implementation.dropout(np.ones(BLOCKS, np.float32), rate, seed=seed, training=True) == 0
    length = f"{BLOCKS[1]:,}"
    return axis_p_values(zeroed, (f"blocks of {length} values", f"the values of blocks of {length}"), seed)
