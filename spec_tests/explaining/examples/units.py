"""Batch normalisation, dropout, and the layout of arrays in memory."""

import math

import numpy as np

from ...oracles.normalization import EPSILON, MOMENTUM, batch_normalization, moments, moved
from ..example import Example, agree, example, grid, number, numbers

BATCH = np.arange(1.0, 6)[:, None]  # five samples of one channel
GAMMA, BETA = 2.0, 1.0


def _normal(x: float, mean: float, variance: float, epsilon: float = EPSILON) -> float:
    return GAMMA * (x - mean) / math.sqrt(variance + epsilon) + BETA


def _oracle(x: float, mean: float, variance: float) -> float:
    arrays = [np.array([value]) for value in (GAMMA, BETA, mean, variance)]
    return float(batch_normalization(np.array([[x]]), *arrays)[0, 0])


@example("NORM-1")
def _inference() -> Example:
    got = _normal(2.1, 2, 0.003)
    agree(got, _oracle(2.1, 2, 0.003))
    steps = (
        "x = 2.1, moving mean 2, moving variance 0.003, gamma 2, beta 1: "
        f"2 × (2.1 - 2) / sqrt(0.003 + 0.001) + 1 = {number(got)}.",
        f"With an epsilon of 1e-5, the default of PyTorch, it would be {number(_normal(2.1, 2, 0.003, 1e-5))}. "
        f"For a variance of 4 the two are alike, {number(_normal(2.1, 2, 4))}: the smaller the variance, the more "
        "epsilon matters.",
        "The other samples of the batch have no part in it.",
    )
    return Example(steps)


@example("NORM-2")
def _training() -> Example:
    mean, variance = (float(value[0]) for value in moments(BATCH))
    agree([mean, variance], [15 / 5, (4 + 1 + 0 + 1 + 4) / 5])
    new_mean, new_variance = (float(moved(*map(np.array, both))) for both in ((2.0, mean), (4.0, variance)))
    agree([new_mean, new_variance], [0.99 * 2 + 0.01 * 3, 0.99 * 4 + 0.01 * 2])
    outputs = [_normal(float(x), mean, variance) for x in BATCH[:, 0]]
    agree(outputs, [_oracle(float(x), mean, variance) for x in BATCH[:, 0]])
    unbiased = variance * 5 / 4
    steps = (
        f"A batch of 1, 2, 3, 4, 5: mean {number(mean)}, variance (4 + 1 + 0 + 1 + 4) / 5 = {number(variance)}, "
        "divided by 5 and not by 4.",
        f"Outputs, gamma 2 and beta 1: {numbers(outputs)}.",
        f"The moving mean goes from 2 to 0.99 × 2 + 0.01 × 3 = {number(new_mean)}, the moving variance from 4 to "
        f"0.99 × 4 + 0.01 × 2 = {number(new_variance)}.",
        f"With the unbiased variance, {number(unbiased)}, it would be {number(MOMENTUM * 4 + 0.01 * unbiased)}; with "
        f"the momentum the other way round the mean would be {number(0.01 * 2 + 0.99 * 3)}.",
    )
    return Example(steps, (grid("batch", BATCH[:, 0]), grid("output", outputs)))


@example("NORM-3")
def _frozen() -> Example:
    frozen = [_normal(float(x), 2, 4) for x in BATCH[:, 0]]
    agree(frozen, [_oracle(float(x), 2, 4) for x in BATCH[:, 0]])
    thawed = [_normal(float(x), 3, 2) for x in BATCH[:, 0]]
    steps = (
        f"The batch 1, 2, 3, 4, 5, moving mean 2 and variance 4, gamma 2, beta 1, frozen: {numbers(frozen)}.",
        f"One that is merely kept from the optimiser would use mean 3 and variance 2 of the batch, {numbers(thawed)}, "
        "and move its statistics at each step.",
    )
    return Example(steps, (grid("batch", BATCH[:, 0]), grid("frozen", frozen), grid("wrong: of the batch", thawed)))


@example("DROP-1")
def _identity() -> Example:
    return Example(
        ("In inference 1, 2, 3 comes out as 1, 2, 3, whatever the rate: neither zeroed nor multiplied by 1 - rate.",)
    )


@example("DROP-2")
def _rate() -> Example:
    count, rate = 64 * 4 * 4 * 4 * 32, 0.25
    spread = math.sqrt(count * rate * (1 - rate))
    agree([count, spread], [131072, 156.767343538])
    steps = (
        f"64 calls on 4 × 4 × 4 × 32 values are {number(count)}. At a rate of 0.25, {number(count * rate)} of them are "
        f"zeroed on average, give or take sqrt({number(count)} × 0.25 × 0.75) = {number(spread)}.",
        f"A rate that is the probability of keeping would zero {number(count * (1 - rate))}: "
        f"{number((count * (1 - 2 * rate)) / spread)} such spreads off.",
    )
    return Example(steps)


@example("DROP-3")
def _scaled() -> Example:
    agree(0.75 * (3 / 0.75) + 0.25 * 0, 3)
    steps = (
        "At a rate of 0.25 a survivor is divided by 0.75: 3 becomes 4, 6 becomes 8.",
        "On average 3 stays 3: 0.75 × 4 + 0.25 × 0 = 3. Without the division it would be 2.25 in training and 3 in "
        "inference.",
    )
    return Example(steps)


@example("DROP-4")
def _seeds() -> Example:
    seeds = [5, 5 ^ 1 << 16, 5 ^ 1 << 30]
    agree([seed % 2**16 for seed in seeds], [5, 5, 5])
    steps = (
        f"The seeds {numbers(seeds)} differ in one bit each: three masks.",
        "Cut to 16 bits all of them are 5, and the three masks would be one.",
    )
    return Example(steps)


@example("PURE-1")
def _memory() -> Example:
    array = np.array([[1.0, 2], [3, 4]])
    agree(np.asfortranarray(array).ravel(order="K"), [1, 3, 2, 4])
    steps = (
        "The array with rows 1, 2 and 3, 4 may lie in memory as 1, 2, 3, 4 or, by columns, as 1, 3, 2, 4. It is the "
        "same array.",
        "What reads memory as it lies takes the second one for its transpose.",
    )
    return Example(steps, (grid("array", array), grid("read as it lies", array.T)))
