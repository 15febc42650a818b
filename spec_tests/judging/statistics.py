"""The exact tests that decide the STOCHASTIC clauses, and their power.

A p-value below ALPHA fails a clause; a clause with several tests divides ALPHA among them. Each test holds its nominal
rate exactly or stays below it, even far in the tail.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import scipy  # scipy.stats is loaded on first use, which takes a second or two
from numpy.typing import ArrayLike, NDArray

ALPHA = 1e-6  # the rate of false alarms of a clause


def binomial_p_value(successes: int, trials: int, probability: float) -> float:
    """P-value of this many successes in independent trials of this probability (exact, two-sided)."""
    return float(scipy.stats.binomtest(int(successes), int(trials), probability).pvalue)


def uniform_p_value(values: ArrayLike, low: float, high: float) -> float:
    """P-value of independent values that are uniform in [low, high]; 0 if one lies outside.

    It is twice the smaller of two: that of the Kolmogorov-Smirnov test, which detects a wrong shape, and the
    probability that none of as many values lies further from the middle, which detects a range that is a little too
    narrow.
    """
    values = np.asarray(values, dtype=np.float64)
    if not np.all((low <= values) & (values <= high)):
        return 0.0
    shape = float(scipy.stats.kstest(values, scipy.stats.uniform(low, high - low).cdf).pvalue)
    reach = np.abs(values - (low + high) / 2).max() / ((high - low) / 2)
    return min(1.0, 2 * shape, 2 * float(reach**values.size))


def independence_p_value(a: ArrayLike, b: ArrayLike, seed: int) -> float:
    """P-value of ``a``, whose values are exchangeable, being uncorrelated with ``b``; 1 if either is constant.

    For two arrays with two distinct values each it is Fisher's exact test. Otherwise the values of ``a`` are replaced
    by normal ones drawn from ``seed``, in the same order, with ties in random order. Their correlation with anything
    independent of them has exactly Student's distribution, so p-values are exact in the tail too, which permutations
    would not reach.
    """
    a, b = (np.asarray(values, dtype=np.float64).ravel() for values in (a, b))
    if min(np.ptp(a), np.ptp(b)) == 0:
        return 1.0
    if all(np.unique(values).size == 2 for values in (a, b)):
        high = a == a.max(), b == b.max()
        table = [[np.sum((high[0] == x) & (high[1] == y)) for y in (True, False)] for x in (True, False)]
        return float(scipy.stats.fisher_exact(table).pvalue)
    return float(scipy.stats.pearsonr(_normal_scores(a, seed), b).pvalue)


def closeness_p_value(some: ArrayLike, others: ArrayLike, seed: int) -> float:
    """P-value of exchangeable values (exact); small if ``some`` lie closer together, by rank among all values.

    It is the share of subsets of that size whose ranks span no more than theirs do; equal values rank at random.
    """
    some, others = (np.asarray(values, dtype=np.float64).ravel() for values in (some, others))
    count, size = some.size, some.size + others.size
    scores = _normal_scores(np.concatenate([some, others]), seed)
    ranks = scores.argsort().argsort()[:count]
    span = int(np.ptp(ranks))
    subsets = sum(math.comb(min(span, size - first - 1), count - 1) for first in range(size))
    return subsets / math.comb(size, count)


def binomial_power(trials: int, probability: float, alternative: float, alpha: float = ALPHA) -> float:
    """The probability that ``binomial_p_value`` is below ``alpha`` if each success has probability ``alternative``."""
    low, high = _acceptance(trials, probability, alpha)
    return float(scipy.stats.binom.cdf(low - 1, trials, alternative) + scipy.stats.binom.sf(high, trials, alternative))


def binomial_trials(probability: float, alternative: float, power: float = 1 - ALPHA, alpha: float = ALPHA) -> int:
    """The fewest trials, within a tenth, that detect ``alternative`` with this power."""
    trials = 10
    while binomial_power(trials, probability, alternative, alpha) < power:
        trials += trials // 10
    return trials


def _acceptance(trials: int, probability: float, alpha: float) -> tuple[int, int]:
    """The smallest and the largest count without an alarm; p-values decrease on both sides of the mean."""
    middle = round(trials * probability)
    low = _first(0, middle, lambda count: binomial_p_value(count, trials, probability) >= alpha)
    high = _first(middle, trials + 1, lambda count: binomial_p_value(count, trials, probability) < alpha) - 1
    return low, high


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The smallest integer from ``low`` on for which ``holds`` is true; ``high`` if there is none below it."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _normal_scores(values: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Independent normal values in the order of ``values``, ties in random order."""
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(values.size), values))
    scores = np.empty(values.size)
    scores[order] = np.sort(rng.normal(size=values.size))
    return scores


def binomial_counts_p_value(counts: ArrayLike, trials: int, probability: float, seed: int) -> float:
    """P-value of counts of successes in ``trials`` trials each, for being neither too far apart nor too close.

    Each count is placed at random, from ``seed``, within its step of the binomial distribution function. These places
    are exactly uniform.
    """
    counts = np.asarray(counts)
    below, above = (scipy.stats.binom.cdf(ends, trials, probability) for ends in (counts - 1, counts))
    return uniform_p_value(below + np.random.default_rng(seed).random(counts.shape) * (above - below), 0, 1)


def axis_p_values(values: ArrayLike, axes: Sequence[str], seed: int) -> dict[str, float]:
    """{test: p-value} of values that are independent along each axis: of neighbours in pairs, and of the two halves."""
    p_values = {}
    for axis, name in enumerate(axes):
        lines = np.moveaxis(np.asarray(values), axis, 0)
        half = len(lines) // 2
        p_values[f"neighbours along {name}"] = independence_p_value(
            lines[: 2 * half : 2], lines[1 : 2 * half : 2], seed
        )
        p_values[f"halves along {name}"] = independence_p_value(lines[:half], lines[half : 2 * half], seed)
    return p_values
