"""Loss, accuracy, Adam's steps, and the head of the classifier (arXiv 1412.6980; Keras documentation)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
# The largest step in units of the learning rate, which a first gradient after zeros gives.
LARGEST_STEP = (1 - BETA_1) / np.sqrt(1 - BETA_2)


def crossentropy(probabilities: NDArray[Any], labels: NDArray[Any]) -> float:
    """The mean over samples of -log of the probability of the right class.

    Probabilities are those of class 1, (n,), or of each class, (n, classes).
    """
    p = probabilities.astype(np.float64)
    if p.ndim == 1:
        return float(-np.where(labels == 1, np.log(p), np.log1p(-p)).mean())
    return float(-np.log(p[np.arange(len(p)), labels]).mean())


def accuracy(probabilities: NDArray[Any], labels: NDArray[Any]) -> float:
    """The fraction of right samples. The class is p > 0.5, so exactly 0.5 is class 0, or the likeliest of several."""
    classes = probabilities > 0.5 if probabilities.ndim == 1 else probabilities.argmax(axis=1)
    return float((classes == labels).mean())


def adam(
    gradients: Sequence[float], learning_rate: float, *, first: float = 0, second: float = 0, taken: int = 0
) -> Array:
    """The change of a weight in each of these steps, after ``taken`` steps that left both moments."""
    m, v = first, second
    steps = []
    for t, gradient in enumerate(gradients, start=taken + 1):
        m = BETA_1 * m + (1 - BETA_1) * gradient
        v = BETA_2 * v + (1 - BETA_2) * gradient**2
        steps.append(-learning_rate * (m / (1 - BETA_1**t)) / (np.sqrt(v / (1 - BETA_2**t)) + EPSILON))
    return np.array(steps)


@dataclass
class Classifier:
    """A head whose features are zero, so that its biases and last weights give every sample the same probability.

    In a convnet only the last bias remains: ``hidden`` and ``last`` are empty.
    """

    hidden: Array  # biases (units,)
    last: Array  # (units,)
    offset: float

    @property
    def probability(self) -> float:
        """The probability of class 1, without dropout."""
        return float(sigmoid(self.hidden @ self.last + self.offset))

    def epochs(
        self, train: Sequence[NDArray[Any]], validation: Sequence[NDArray[Any]], count: int, rate: float
    ) -> dict[str, list[float]]:
        """Loss and accuracy of each epoch, with one step of Adam for each batch of labels and without dropout."""
        judged, learnt = np.concatenate(validation), np.concatenate(train)
        history: dict[str, list[float]] = {name: [] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
        moments, taken = np.zeros((2, 2 * len(self.last) + 1)), 0
        for _ in range(count):
            seen = []
            for labels in train:
                seen.append(np.full(len(labels), self.probability))
                error, taken = self.probability - labels.mean(), taken + 1
                gradient = error * np.concatenate([self.last, self.hidden, [1]])
                moments = np.stack(
                    [
                        BETA_1 * moments[0] + (1 - BETA_1) * gradient,
                        BETA_2 * moments[1] + (1 - BETA_2) * gradient**2,
                    ]
                )
                mean, square = moments[0] / (1 - BETA_1**taken), moments[1] / (1 - BETA_2**taken)
                self._move(-rate * mean / (np.sqrt(square) + EPSILON))
            after = np.full(len(judged), self.probability)
            for prefix, p, labels in (("", np.concatenate(seen), learnt), ("val_", after, judged)):
                history[f"{prefix}loss"].append(crossentropy(p, labels))
                history[f"{prefix}accuracy"].append(accuracy(p, labels))
        return history

    def _move(self, steps: Array) -> None:
        units = len(self.last)
        self.hidden, self.last = self.hidden + steps[:units], self.last + steps[units : 2 * units]
        self.offset += float(steps[-1])


def dropped_losses(
    hidden: NDArray[Any], last: NDArray[Any], offset: float, labels: NDArray[Any], rate: float, rng: np.random.Generator
) -> Array:
    """The loss of each sample whose hidden units (n, units) are dropped at ``rate``, with a separate mask for each."""
    kept = np.where(rng.random(hidden.shape) < rate, 0, hidden / (1 - rate))
    logits = kept @ last + offset
    return np.asarray(np.logaddexp(0, np.where(labels == 1, -logits, logits)))


def sigmoid(x: NDArray[Any] | float) -> Array:
    """1 / (1 + exp(-x))."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(x, dtype=np.float64))))


def head(features: NDArray[Any], kernel: NDArray[Any], bias: NDArray[Any], last: NDArray[Any], offset: float) -> Array:
    """Probabilities (n,) of a dense layer without activation and one sigmoid unit, dropout off."""
    hidden = features.astype(np.float64) @ kernel + bias
    return sigmoid(hidden @ last + offset)
