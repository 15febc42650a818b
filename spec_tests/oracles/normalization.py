"""Batch normalisation over all axes but the last (arXiv 1502.03167), with Keras's constants."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EPSILON = 1e-3  # added to a variance
MOMENTUM = 0.99  # the share of the old moving statistics that is kept


def batch_normalization(
    x: NDArray[Any], gamma: NDArray[Any], beta: NDArray[Any], mean: NDArray[Any], variance: NDArray[Any]
) -> Array:
    """Gamma × (x - mean) / sqrt(variance + epsilon) + beta."""
    centred = x.astype(np.float64) - mean
    return np.asarray(gamma * centred / np.sqrt(variance.astype(np.float64) + EPSILON) + beta)


def moments(x: NDArray[Any]) -> tuple[Array, Array]:
    """Mean and biased variance of each channel."""
    axes = tuple(range(x.ndim - 1))
    return x.mean(axis=axes, dtype=np.float64), x.var(axis=axes, dtype=np.float64)


def moved(old: NDArray[Any], batch: NDArray[Any]) -> Array:
    """A moving statistic after a training step on a batch whose statistic is ``batch``."""
    return np.asarray(MOMENTUM * old.astype(np.float64) + (1 - MOMENTUM) * batch)
