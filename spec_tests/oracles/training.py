"""Loss, accuracy, Adam's steps, and the head of the classifier (arXiv 1412.6980; Keras documentation)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
# The largest step in units of the learning rate: a first gradient after none at all.
LARGEST_STEP = (1 - BETA_1) / np.sqrt(1 - BETA_2)


def binary_crossentropy(probabilities: NDArray[Any], labels: NDArray[Any]) -> float:
    """The mean over samples of -log of the probability that the right class was given."""
    p = probabilities.astype(np.float64)
    return float(-np.where(labels == 1, np.log(p), np.log1p(-p)).mean())


def accuracy(probabilities: NDArray[Any], labels: NDArray[Any]) -> float:
    """The fraction of samples whose class is (p > 0.5); exactly 0.5 is class 0."""
    return float(((probabilities > 0.5) == (labels == 1)).mean())


def adam(
    gradients: Sequence[float], learning_rate: float, *, first: float = 0, second: float = 0, taken: int = 0
) -> Array:
    """What each step in a row adds to a weight with these gradients, after ``taken`` steps that left both moments."""
    m, v = first, second
    steps = []
    for t, gradient in enumerate(gradients, start=taken + 1):
        m = BETA_1 * m + (1 - BETA_1) * gradient
        v = BETA_2 * v + (1 - BETA_2) * gradient**2
        steps.append(-learning_rate * (m / (1 - BETA_1**t)) / (np.sqrt(v / (1 - BETA_2**t)) + EPSILON))
    return np.array(steps)


def dropped_losses(
    hidden: NDArray[Any], last: NDArray[Any], offset: float, labels: NDArray[Any], rate: float, rng: np.random.Generator
) -> Array:
    """The loss of each sample whose hidden units (n, units) are dropped at ``rate``, with a mask of its own."""
    kept = np.where(rng.random(hidden.shape) < rate, 0, hidden / (1 - rate))
    logits = kept @ last + offset
    return np.asarray(np.logaddexp(0, np.where(labels == 1, -logits, logits)))


def sigmoid(x: NDArray[Any] | float) -> Array:
    """1 / (1 + exp(-x))."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(x, dtype=np.float64))))


def head(features: NDArray[Any], kernel: NDArray[Any], bias: NDArray[Any], last: NDArray[Any], offset: float) -> Array:
    """Dense without an activation, then one sigmoid unit: probabilities (n,), dropout off."""
    hidden = features.astype(np.float64) @ kernel + bias
    return sigmoid(hidden @ last + offset)
