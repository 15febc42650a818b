"""Vectors of layers without windows: dense layers, batch normalisation, dropout."""

from typing import Any

import numpy as np

from ..cases.layers import MOVED, SUM, magnitudes_of_moments, moved_magnitudes
from ..oracles.normalization import EPSILON, batch_normalization, moments, moved
from ..oracles.windows import dense as dense_oracle
from .topic import Numbers, Shape, Topic, Within, draw, drawn

SCALED = 1e-6  # tolerance of a value that dropout keeps, DROP-3
RATES = (0.25, 0.5, 0.8)
Outcome = tuple[dict[str, Numbers], dict[str, Within]]  # the outputs by name, and their tolerances

SPREADS = np.array([0.005, 0.03, 1, 10])  # of four channels, on both sides of sqrt(1e-3)


def dense() -> Topic:
    """The vectors of DENSE."""
    topic = Topic("dense", "Dense layers: features times a kernel, plus a bias.")
    _multiply(topic, "DENSE-1/1", "with a bias", (3, 5), (5, 4), (4,))
    _multiply(topic, "DENSE-1/2", "without", (2, 4), (4, 3))
    _multiply(topic, "DENSE-1/3", "a square kernel shows transposition", (2, 4), (4, 4), (4,))
    _multiply(topic, "DENSE-1/4", "long sums, where half precision shows", (2, 400), (400, 3), (3,))
    base = draw("DENSE-2/1/base", (1, 6))
    changed = np.concatenate([base, base + 8 * np.eye(6, dtype=np.float32)])
    _multiply(topic, "DENSE-2/1", "row i is the first with feature i raised by 8", changed, (6, 3), (3,))
    _permuted(topic)
    weights = drawn("DENSE-4/1", kernel=(4, 3), bias=(3,))
    for key, inputs in (("DENSE-4/1", 5), ("DENSE-4/2", 8)):
        features = draw(f"{key}/features", (2, inputs))
        topic.refuse(key, "dense", f"{inputs} inputs for a kernel of 4", inputs={"features": features, **weights})
    for key, note, units in (("DENSE-5/1", "a bias for one unit more", 4), ("DENSE-5/2", "one value for all units", 1)):
        biased = drawn(key, features=draw(f"{key}/features", (2, 4)), kernel=(4, 3), bias=(units,))
        topic.refuse(key, "dense", note, inputs=biased)
    return topic


def _multiply(
    topic: Topic, id: str, note: str, features: Shape | Numbers, kernel: Shape | Numbers, bias: Shape | None = None
) -> None:
    features = draw(f"{id}/features", features) if isinstance(features, tuple) else features
    inputs = drawn(id, features=features, kernel=kernel, bias=bias)
    terms = inputs | {"bias": inputs.get("bias", np.zeros(1, np.float32))}
    within = Within(SUM, scale=dense_oracle(*map(np.abs, terms.values())))
    topic.compute(id, "dense", note, dense_oracle(**terms), within, inputs=inputs)


def _permuted(topic: Topic) -> None:
    features, order = draw("DENSE-3/1/features", (2, 7)), np.argsort(draw("DENSE-3/2/order", (7,)))
    kernel = drawn("DENSE-3/1", kernel=(7, 3))["kernel"]
    _multiply(topic, "DENSE-3/1", "in one order", features, kernel)
    _multiply(topic, "DENSE-3/2", "inputs and rows of the kernel in another", features[:, order], kernel[order])


def normalization() -> Topic:
    """The vectors of NORM."""
    topic = Topic(
        "normalization", "Batch normalisation in inference, in training, and frozen; momentum 0.99, epsilon 1e-3."
    )
    _normalize(topic, "NORM-1/1", "channels last", (2, 3, 2, 4), training=False, trainable=True)
    _normalize(topic, "NORM-1/2", "not trainable either", (3, 4), training=False, trainable=False)
    large, small = np.full(4, 300, np.float32), np.full(4, 1e-4, np.float32)
    near = draw("NORM-1/3/inputs", (4, 4), 299.9, 300.1)
    _normalize(topic, "NORM-1/3", "a large mean and a small variance", near, large, small, training=False)
    none = np.zeros(4, np.float32)
    _normalize(topic, "NORM-1/4", "no variance at all: epsilon alone", (2, 2, 2, 4), variance=none, training=False)
    _normalize(topic, "NORM-2/1", "few values: an unbiased variance is 4/3 of the biased", (2, 2, 1, 4), training=True)
    _normalize(topic, "NORM-2/2", "samples by channels", (5, 4), training=True, trainable=True)
    same = np.broadcast_to(np.array([1.5, -2, 0, 0.25], np.float32), (4, 4)).copy()
    _normalize(topic, "NORM-2/3", "a batch without variance", same, training=True, trainable=True)
    _normalize(topic, "NORM-3/1", "frozen in training", (2, 2, 3, 4), training=True, trainable=False)
    return topic


def _normalize(
    topic: Topic,
    id: str,
    note: str,
    x: Shape | Numbers,
    mean: Numbers | None = None,
    variance: Numbers | None = None,
    **parameters: Any,
) -> None:
    """Add a case of four channels with ``SPREADS``. Statistics that are not given are drawn around the inputs'."""
    if isinstance(x, tuple):
        x = np.asarray(draw(f"{id}/inputs", x) * SPREADS + SPREADS / 4, np.float32)
    if mean is None:
        mean = (draw(f"{id}/moving_mean", (4,)) * SPREADS / 4).astype(np.float32)
    if variance is None:
        variance = (draw(f"{id}/moving_variance", (4,), 0.5, 2) * SPREADS**2).astype(np.float32)
    variables = drawn(id, gamma=(4,), beta=(4,), moving_mean=mean, moving_variance=variance)
    in_training = parameters["training"] and parameters.get("trainable", True)
    expected, tolerance = _trained(x, variables) if in_training else _inferred(x, variables)
    inputs = {"inputs": x, **variables}
    operation = "batch_normalization"
    topic.add(id, operation, note, inputs=inputs, parameters=parameters, expected=expected, tolerance=tolerance)


def _inferred(x: Numbers, variables: dict[str, Numbers]) -> Outcome:
    """The outcome in inference: normalised with the moving statistics, which do not change."""
    gamma, beta, mean, variance = variables.values()
    outputs, within = _normalized(x, gamma, beta, mean, variance, subtracted=np.abs(mean))
    return {"outputs": outputs, "moving_mean": mean, "moving_variance": variance}, {"outputs": within}


def _trained(x: Numbers, variables: dict[str, Numbers]) -> Outcome:
    """The outcome in training: normalised with the batch's statistics, towards which the moving ones move."""
    gamma, beta, *moving = variables.values()
    statistics, sums = moments(x), magnitudes_of_moments(x)
    outputs, within = _normalized(x, gamma, beta, *statistics, subtracted=sums[0])
    expected, tolerance = {"outputs": outputs}, {"outputs": within}
    for name, old, batch, magnitude in zip(("moving_mean", "moving_variance"), moving, statistics, sums, strict=True):
        expected[name] = moved(old, batch)
        tolerance[name] = Within(MOVED, scale=moved_magnitudes(old, magnitude))
    return expected, tolerance


def _normalized(
    x: Numbers, gamma: Numbers, beta: Numbers, mean: Numbers, variance: Numbers, *, subtracted: Numbers
) -> tuple[Numbers, Within]:
    """Normalised outputs, with tolerances that follow from the magnitudes that are summed."""
    factors = np.abs(gamma) / np.sqrt(variance + EPSILON)
    scale = factors * (np.abs(x) + subtracted) + np.abs(beta)
    return batch_normalization(x, gamma, beta, mean, variance), Within(SUM, scale=scale)


def dropout() -> Topic:
    """The vectors of DROP that do not depend on random draws."""
    topic = Topic("dropout", "Dropout in inference, and the scale of what survives; which values those are is drawn.")
    values = draw("DROP-1/1/inputs", (2, 2, 3, 2))
    for key, rate, training in (("DROP-1/1", 0.5, False), ("DROP-1/2", 0.25, False), ("DROP-3/1", 0, True)):
        note = "a rate of 0 drops nothing" if training else "inference"
        parameters = {"rate": rate, "training": training}
        topic.compute(key, "dropout", note, values, inputs={"inputs": values}, parameters=parameters)
    for key, rate in zip(("DROP-3/2", "DROP-3/3", "DROP-3/4"), RATES, strict=True):
        kept = (draw(f"{key}/kept", values.shape, 0, 1) >= rate).astype(np.int32)
        outputs, note = np.where(kept == 1, values.astype(np.float64) / (1 - rate), 0), "divided by 1 - rate"
        inputs, parameters = {"inputs": values, "kept": kept}, {"rate": rate}
        topic.compute(key, "scale_survivors", note, outputs, Within(SCALED), inputs=inputs, parameters=parameters)
    return topic
