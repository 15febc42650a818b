"""Vectors of training: loss and accuracy, and the steps of Adam."""

from collections.abc import Mapping

import numpy as np

from ..oracles.training import accuracy, adam, crossentropy
from .topic import NOTHING, Numbers, Topic, Within, draw

LOSS = 1e-4  # TRAIN-1
ACCURACY = 1e-6
# Relative to the learning rate: the errors of powers of beta in float32 and of where epsilon is added.
STEP = 1e-4
RATE = 1e-3
# After so many steps the bias correction is 1, so that the paper's epsilon and Keras's, which is added to the
# uncorrected root, are equivalent.
LONG_AGO = 30_000
TINY = 1e-7  # a gradient as large as epsilon


def loss_and_accuracy() -> Topic:
    """The vectors of TRAIN-1."""
    topic = Topic("loss_and_accuracy", "Mean binary cross-entropy and accuracy, over samples whatever the batches.")
    unsure, sure = draw("TRAIN-1/1/p", (10,), 0.05, 0.95), draw("TRAIN-1/2/p", (9,), 1e-4, 0.01)
    labels = np.array([0, 1, 1, 0, 1, 0, 0, 1, 0, 0], np.int32)
    right = np.array([0, 1, 0, 1, 1, 0, 1, 0, 1], np.int32)
    halves = np.array([0.5, 0.5, 0.5, np.nextafter(np.float32(0.5), np.float32(1)), 0.5], np.float32)
    for key, note, p, truth, sizes in (
        ("TRAIN-1/1", "uneven batches: not the mean of their means", unsure, labels, [4, 4, 2]),
        ("TRAIN-1/2", "sure, and once wrong", np.where(right == 1, 1 - sure, sure), _flipped(right, 3), [8, 1]),
        ("TRAIN-1/3", "0.5 is class 0, the next number above is class 1", halves, labels[:5], [5]),
        ("TRAIN-1/4", "probabilities (n, 1) against labels (n,)", unsure[:6, None].copy(), labels[:6], [3, 3]),
    ):
        _evaluate(topic, key, note, p, truth, sizes)
    return topic


def _flipped(labels: Numbers, index: int) -> Numbers:
    return np.where(np.arange(len(labels)) == index, 1 - labels, labels).astype(np.int32)


def _evaluate(topic: Topic, id: str, note: str, p: Numbers, labels: Numbers, sizes: list[int]) -> None:
    flat = p.reshape(-1)
    topic.add(
        id,
        "loss_and_accuracy",
        note,
        inputs={"probabilities": p, "labels": labels},
        parameters={"batch_sizes": sizes},
        expected={"loss": np.array(crossentropy(flat, labels)), "accuracy": accuracy(flat, labels)},
        tolerance={"loss": Within(LOSS), "accuracy": Within(ACCURACY)},
    )


def adam_steps() -> Topic:
    """The vectors of TRAIN-2."""
    topic = Topic(
        "adam", "What each step of Adam adds to weights with given gradients; beta 0.9 and 0.999, epsilon 1e-7."
    )
    drawn = draw("TRAIN-2/1/gradients", (8, 3), -1, 1)
    away = drawn + np.copysign(np.float32(0.2), drawn)
    _step(topic, "TRAIN-2/1", "eight steps of three weights", away)
    constant = np.tile(np.array([1, -0.3], np.float32), (6, 1))
    _step(topic, "TRAIN-2/2", "gradients that do not change: each step is the learning rate", constant)
    turning = np.array([[0.5], [0.5], [0.5], [-0.4], [-0.4], [0.6]], np.float32)
    _step(topic, "TRAIN-2/3", "gradients that turn round, at 1e-5", turning, 1e-5)
    past = {
        "first_moment": np.array([TINY, 2 * TINY, -TINY / 2], np.float32),
        "second_moment": np.array([TINY**2, 9 * TINY**2, TINY**2], np.float32),
    }
    tiny = (draw("TRAIN-2/4/gradients", (3, 3)) * np.float32(TINY)).astype(np.float32)
    _step(topic, "TRAIN-2/4", "gradients as small as epsilon, after many steps", tiny, past=past, taken=LONG_AGO)
    return topic


def _step(
    topic: Topic,
    id: str,
    note: str,
    gradients: Numbers,
    rate: float = RATE,
    *,
    past: Mapping[str, Numbers] = NOTHING,
    taken: int = 0,
) -> None:
    """Add steps after ``taken`` earlier ones, which left the moments ``past``; without ``past`` there were none."""
    before = zip(*past.values(), strict=True) if past else [(0.0, 0.0)] * gradients.shape[1]
    columns = zip(gradients.T, before, strict=True)
    updates = [adam(g.astype(np.float64), rate, first=float(m), second=float(v), taken=taken) for g, (m, v) in columns]
    topic.add(
        id,
        "adam",
        note,
        inputs={"gradients": gradients, **past},
        parameters={"learning_rate": rate} | ({"taken": taken} if past else {}),
        expected={"updates": np.stack(updates, axis=1)},
        tolerance={"updates": Within(atol=STEP * rate)},
    )
