"""The power that the clauses of augmentation state, at their sizes and false-alarm rates."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from spec_tests.cases.pictures import MANY, draws
from spec_tests.judging.statistics import ALPHA, binomial_power, independence_p_value
from spec_tests.oracles.transformations import MIRROR, chart, rotation, transformed, zoom

POWER = 0.999

# Cumulative distributions on [-1, 1], the range that a draw should be uniform in
ALTERNATIVES: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "one direction": stats.uniform(0, 1).cdf,
    "half the range": stats.uniform(-0.5, 1).cdf,
    "radians": stats.uniform(-1 / (2 * np.pi), 1 / np.pi).cdf,
    "normal": stats.truncnorm(-2, 2, scale=0.5).cdf,
}


def kolmogorov_smirnov_power(n: int, alpha: float, distance: float) -> float:
    """At least this is the probability that n draws are found out whose distribution is ``distance`` away.

    By the Dvoretzky-Kiefer-Wolfowitz inequality the empirical distribution is within t of the true one
    with probability 1 - 2 exp(-2 n t²).
    """
    t = distance - stats.kstwo.isf(alpha, n)
    return float(1 - 2 * np.exp(-2 * n * t**2)) if t > 0 else 0.0


def correlation_power(n: int, alpha: float, correlation: float) -> float:
    """The probability that a correlation is found in n pairs, by Fisher's transformation.

    Normal scores of a uniform variable have a correlation of sqrt(3 / pi) with it, by which others are reduced.
    """
    z = np.arctanh(correlation * np.sqrt(3 / np.pi)) * np.sqrt(n - 3)
    return float(stats.norm.sf(stats.norm.isf(alpha / 2) - z))


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_a_distribution_that_is_not_uniform_is_found_out(name: str) -> None:
    x = np.linspace(-1, 1, 20001)
    distance = float(np.abs(ALTERNATIVES[name](x) - (x + 1) / 2).max())
    assert kolmogorov_smirnov_power(MANY, ALPHA / 6, distance) >= POWER  # three distributions, and the reach of each


def test_a_biased_coin_is_found_out() -> None:
    assert binomial_power(MANY, 0.5, 0.4, ALPHA / 2) >= POWER


def test_dependence_is_found_out() -> None:
    assert correlation_power(MANY - 1, ALPHA / 12, 0.2) >= POWER
    assert correlation_power(MANY // 2, ALPHA / 12, 0.3) >= POWER


def test_the_draws_are_those_that_were_made_to_the_digits_kept() -> None:
    rng = np.random.default_rng(0)
    flips, turns, zooms = rng.random(64) < 0.5, rng.uniform(-0.1, 0.1, 64).round(4), rng.uniform(0.8, 1.2, 64).round(4)
    matrices = np.where(flips[:, None, None], MIRROR, np.eye(2)) @ rotation(turns) @ zoom(zooms)
    images = np.repeat(chart(21, 21, 0)[None], 64, axis=0)
    found = draws(transformed(images, matrices).astype(np.float32))
    np.testing.assert_array_equal(found["flip"], flips)
    np.testing.assert_allclose(found["angle"], turns, atol=1e-9)
    np.testing.assert_allclose(found["zoom"], zooms, atol=1e-9)


def test_what_the_clauses_name_as_dependent_is_so() -> None:
    """One draw for every two images; one seed for all transformations; a correlation of 0.2, a hundred times."""
    rng = np.random.default_rng(0)
    u = rng.random(MANY)
    shared = np.repeat(u[: MANY // 2], 2)
    for a, b in ((shared[::2], shared[1::2]), (u < 0.5, u), (u, 1 - u)):
        assert independence_p_value(a, b, 0) < ALPHA / 12
    for _ in range(100):
        a, b = rng.multivariate_normal([0, 0], [[1, 0.2], [0.2, 1]], MANY).T
        assert independence_p_value(stats.norm.cdf(a), stats.norm.cdf(b), 0) < ALPHA / 12
