"""Stage 10: how good the classifier is, how sure that is, and where it fails."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

THRESHOLD = 0.5  # class 1 above it; exactly 0.5 counts as class 0, as in Keras


@dataclass(frozen=True)
class Mistake:
    """An image whose class the model predicted wrongly, and the predicted probability of class 1."""

    path: Path
    label: int
    probability: float


@dataclass(frozen=True)
class Evaluation:
    """Accuracy on n images with its 95 % interval, and counts of images confusion[true class][predicted class]."""

    accuracy: float
    low: float
    high: float
    confusion: list[list[int]]
    mistakes: list[Mistake]  # the most confident first


def judge(probabilities: NDArray[Any], labels: NDArray[Any], paths: Sequence[Path], worst: int = 9) -> Evaluation:
    """The evaluation of predictions against labels, all three in the same order."""
    predicted = (probabilities > THRESHOLD).astype(int)
    correct = int((predicted == labels).sum())
    confusion = np.zeros((2, 2), dtype=int)
    np.add.at(confusion, (labels, predicted), 1)
    by_confidence = np.argsort(-np.abs(probabilities - labels), kind="stable")
    mistakes = [
        Mistake(paths[i], int(labels[i]), float(probabilities[i])) for i in by_confidence if predicted[i] != labels[i]
    ]
    low, high = wilson_interval(correct, len(labels))
    return Evaluation(correct / len(labels), low, high, confusion.tolist(), mistakes[:worst])


def wilson_interval(correct: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for a proportion. Unlike the normal interval it is valid near 0 and 1."""
    interval = binomtest(correct, total).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)
