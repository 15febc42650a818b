"""Whole training runs: losses, seeds, saved models, and accuracies that are compared."""

import math

import numpy as np

from ...oracles.normalization import moved
from ...oracles.training import BETA_2, accuracy, adam, crossentropy
from ..example import Example, agree, example, number, numbers


@example("TRAIN-3")
def _one_batch() -> Example:
    start, end = crossentropy(np.array([0.5]), np.array([1])), 0.05
    agree([start, math.exp(-end)], [math.log(2), math.exp(-0.05)])
    steps = (
        f"A fresh head answers about 0.5, a loss of log 2 = {number(start)}. A loss of {number(end)} is a probability "
        f"of exp(-0.05) = {number(math.exp(-end))} for the right class, on average. A model that cannot reach that on "
        "one small batch does not learn at all.",
    )
    return Example(steps)


@example("TRAIN-5")
def _goes_on() -> Example:
    kept, lost = float(adam([1.0, 1.0, 0.1], 0.001)[2]), float(adam([0.1], 0.001)[0])
    m = 0.9 * (0.9 * 0.1 + 0.1) + 0.1 * 0.1
    v = BETA_2 * (BETA_2 * 0.001 + 0.001) + 0.001 * 0.01
    agree(kept, -0.001 * (m / (1 - 0.9**3)) / (math.sqrt(v / (1 - BETA_2**3)) + 1e-7))
    steps = (
        f"Gradients 1, 1 and then 0.1 at a rate of 0.001: the third step is {number(kept)}. If the file holds the "
        f"weights but not the moments of Adam, the step after loading is a first one, {number(lost)}.",
    )
    return Example(steps)


@example("TRAIN-7")
def _leak() -> Example:
    after = float(moved(np.array(0.97), np.array(1.0)))
    agree(after, 0.99 * 0.97 + 0.01)
    steps = (
        "Two runs that differ only in their validation images end with the same weights, bit for bit. A "
        "normalisation that also moves its statistics in validation takes a moving mean of 0.97 and a validation batch "
        f"of mean 1 to 0.99 × 0.97 + 0.01 × 1 = {number(after)}.",
    )
    return Example(steps)


@example("TRAIN-17")
def _steps_over_features() -> Example:
    agree(math.ceil(2000 / 64) * 10, 320)
    return Example(("The features of 2,000 images in batches of 64, for 10 epochs: 32 × 10 = 320 steps of Adam.",))


@example("TRAIN-18")
def _all_variables() -> Example:
    head = 2048 * 256 + 256 + 256 + 1
    agree(head, 524801)
    steps = (
        f"A head of {number(head)} weights in 4 variables. An optimizer that was made before the head was replaced "
        "holds 4 variables too, those of the old head: it moves them, and the new head keeps its random weights. "
        "Identity decides, not the number.",
    )
    return Example(steps)


@example("TRAIN-21")
def _reloaded() -> Example:
    p = np.array([0.98, 0.03, 0.91])
    agree(accuracy(p, np.array([1, 0, 1])), 1)
    steps = (
        f"Probabilities {numbers(p)} before saving are {numbers(p)} after loading. A file with the weights of the head "
        "alone, loaded into a model whose base is random, loads without an error and predicts at random.",
    )
    return Example(steps)


@example("HEAD-5")
def _paired() -> Example:
    labels, p = np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])
    right, wrong = accuracy(p, labels), accuracy(p, np.array([0, 1, 0, 1]))
    agree([right, wrong], [1, 0.5])
    steps = (
        f"Probabilities {numbers(p)} for labels {numbers(labels)}: accuracy {number(right)}. If the labels are read in "
        f"a second pass over shuffled batches, as 0, 1, 0, 1, it is {number(wrong)}: a good model looks like chance.",
    )
    return Example(steps)


@example("ACC-2")
def _difference() -> Example:
    spread = math.sqrt(0.015 * 800) / 800
    agree(spread, math.sqrt(12) / 800)
    steps = (
        "Two models are compared on the same 800 images. If they differ in 12 of them, the difference of their "
        f"accuracies is uncertain by sqrt(12) / 800 = {number(spread)}, less than that of either accuracy.",
    )
    return Example(steps)


@example("ACC-4")
def _gap() -> Example:
    plain, augmented = 0.98 - 0.85, 0.91 - 0.87
    agree(plain - augmented, 0.09)
    steps = (
        f"Without augmentation 0.98 on training images and 0.85 on test images: a gap of {number(plain)}. With it 0.91 "
        f"and 0.87: {number(augmented)}. The gap narrows by {number(plain - augmented)}, although the training "
        "accuracy falls.",
    )
    return Example(steps)


@example("ACC-6")
def _shift() -> Example:
    agree([128 // 4, 4 / 128], [32, 0.03125])
    steps = (
        "4 of 128 pixels are 1/32 of the side. A feature map of 4 × 4 has cells of 32 pixels: its global mean hardly "
        "changes. A layer that flattens the map has other weights for each cell.",
    )
    return Example(steps)
