"""Training, and the accuracy that it must reach."""

import math

import numpy as np

from ...oracles.training import BETA_1, BETA_2, LARGEST_STEP, accuracy, adam, crossentropy
from ..example import Example, agree, example, number, numbers


@example("TRAIN-1")
def _loss() -> Example:
    p, labels = np.array([0.9, 0.2, 0.5]), np.array([1, 0, 1])
    losses = [-math.log(0.9), -math.log(0.8), -math.log(0.5)]
    agree(crossentropy(p, labels), sum(losses) / 3)
    agree(accuracy(p, labels), 2 / 3)
    batches = ((losses[0] + losses[1]) / 2 + losses[2]) / 2
    steps = (
        f"Probabilities 0.9, 0.2, 0.5 for the labels 1, 0, 1: losses {numbers(losses)}, mean "
        f"{number(sum(losses) / 3)}.",
        "0.5 is not above 0.5 and counts as class 0, which is wrong here: accuracy 2 / 3.",
        f"In batches of two and one, the mean of their means would be {number(batches)}.",
    )
    return Example(steps)


@example("TRAIN-2")
def _adam() -> Example:
    first, second = (float(step) for step in adam([0.3, 0.1], 0.001))
    m, v = 0.9 * 0.1 * 0.3 + 0.1 * 0.1, 0.999 * 0.001 * 0.09 + 0.001 * 0.01
    by_hand = -0.001 * (m / (1 - 0.81)) / (math.sqrt(v / (1 - 0.999**2)) + 1e-7)
    agree([-0.001 * 0.3 / (0.3 + 1e-7), by_hand], [first, second])
    steps = (
        "Gradient 0.3 at a rate of 0.001: after correction the moments are 0.3 and 0.09, the step -0.001 × 0.3 / "
        f"(0.3 + 1e-7) = {number(first)}. A first step has the size of the rate, whatever the gradient.",
        f"Then gradient 0.1: m = 0.9 × 0.03 + 0.1 × 0.1 = {number(m)}, v = 0.999 × 0.00009 + 0.001 × 0.01 = "
        f"{number(v)}; divided by 0.19 and 0.001999, the step is {number(second)}.",
    )
    return Example(steps)


@example("TRAIN-4", "TRAIN-11", "TRAIN-16", "TRAIN-20")
def _best_epoch() -> Example:
    losses = [0.60, 0.41, 0.47, 0.39, 0.52]
    agree(int(np.argmin(losses)) + 1, 4)
    steps = (
        f"Validation losses {numbers(losses)}: epoch 4 is kept, not the last one, nor epoch 2, after which the loss "
        "rose for the first time.",
    )
    return Example(steps)


@example("TRAIN-14")
def _nan() -> Example:
    losses = [math.nan, 0.5]
    agree(int(np.nanargmin(losses)) + 1, 2)
    steps = (
        "Validation losses NaN, 0.5: epoch 2 is the best. `0.5 < NaN` is false: what starts from the first loss, and "
        "asks whether the next one is lower, keeps epoch 1 for good.",
    )
    return Example(steps)


@example("TRAIN-9")
def _every_image() -> Example:
    agree([2000 // 64, 2000 % 64], [31, 16])
    return Example(
        ("2,000 images in batches of 64: the last 16 count too. 31 whole batches leave them out of each epoch.",)
    )


@example("TRAIN-15")
def _steps() -> Example:
    agree(math.ceil(2000 / 64) * 30, 960)
    return Example(
        ("2,000 images in batches of 64 are 32 steps an epoch, and 960 in 30 epochs, each at the rate given.",)
    )


@example("TRAIN-10", "TRAIN-12", "TRAIN-13", "TRAIN-19")
def _dropout() -> Example:
    kept = 0.75**4
    agree(kept, 0.31640625)
    steps = (
        f"At a rate of 0.25 four units are all kept in 0.75^4 = {number(kept)} of the samples: with a mask of their "
        "own, samples of a batch that are alike get different losses in training, and the same one in validation.",
    )
    return Example(steps)


@example("TUNE-5")
def _small_steps() -> Example:
    bound = (1 - BETA_1) / math.sqrt(1 - BETA_2)
    agree(bound, LARGEST_STEP)
    first = float(adam([0.3], 1e-5)[0])
    agree(first, -1e-5 * 0.3 / (0.3 + 1e-7))
    steps = (
        f"The first step at a rate of 1e-5 is {number(first)}, whatever the gradient.",
        f"No later one is larger than (1 - 0.9) / sqrt(1 - 0.999) = {number(bound)} times the rate, "
        f"{number(bound * 1e-5)}.",
        "With the rate of feature extraction, 0.001, it would be a hundred times as large.",
    )
    return Example(steps)


@example("TUNE-7")
def _counts_from_one() -> Example:
    fresh = float(adam([0.3], 0.001)[0])
    old = float(adam([0.3], 0.001, taken=1000)[0])
    agree(
        old, -0.001 * 0.03 / (math.sqrt(0.00009) + 1e-7) * math.sqrt(1 - BETA_2**1001) / (1 - BETA_1**1001) / _epsilon()
    )
    steps = (
        f"A fresh optimiser's first step is {number(fresh)}. One that counts on from step 1,000, with moments of "
        f"zero, takes {number(old)}.",
    )
    return Example(steps)


def _epsilon() -> float:
    """The quotient above with epsilon, which is added after the correction."""
    root = math.sqrt(0.00009)
    corrected = root / math.sqrt(1 - BETA_2**1001)
    return (corrected + 1e-7) / corrected * root / (root + 1e-7)


@example("ACC-1")
def _wilson() -> Example:
    n, right, z = 800, 787, 1.959964
    share = right / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    limits = (centre - half, centre + half)
    for p in limits:  # Wilson's limits are the proportions at which the normal test gives z
        agree(abs(share - p) / math.sqrt(p * (1 - p) / n), z)
    steps = (
        f"787 of 800 test images right are {number(share)}; by Wilson's interval the accuracy lies between "
        f"{number(limits[0])} and {number(limits[1])} (95 %). A difference of half a point between two runs on 800 "
        "images says little.",
    )
    return Example(steps)


@example("ACC-5")
def _chance() -> Example:
    spread = math.sqrt(800 * 0.25) / 800
    agree(spread, 0.0176776695)
    steps = (
        f"At chance 800 test images give 0.5, give or take {number(spread)}; 0.6 is more than five such spreads off.",
    )
    return Example(steps)
