"""The tests of the STOCHASTIC clauses: no more alarms than stated, worked numbers, and their power."""

from collections.abc import Callable
from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray

from spec_tests.cases.layers import CALLS, DROPPED, RATES, dropout_p_values
from spec_tests.cases.windows import arrays
from spec_tests.judging.statistics import (
    ALPHA,
    axis_p_values,
    binomial_counts_p_value,
    binomial_p_value,
    binomial_power,
    binomial_trials,
    closeness_p_value,
    independence_p_value,
    uniform_p_value,
)

Rng = np.random.Generator

NULLS: dict[str, Callable[[Rng, int], float]] = {  # a p-value of what is as it should be
    "binomial": lambda rng, _: binomial_p_value(rng.binomial(200, 0.25), 200, 0.25),
    "binomial counts": lambda rng, seed: binomial_counts_p_value(rng.binomial(50, 0.1, 30), 50, 0.1, seed),
    "uniform": lambda rng, _: uniform_p_value(rng.uniform(-0.1, 0.1, 50), -0.1, 0.1),
    "numbers": lambda rng, seed: independence_p_value(rng.random(40), rng.random(40), seed),
    "numbers and flags": lambda rng, seed: independence_p_value(rng.random(40), rng.random(40) < 0.1, seed),
    "flags and numbers": lambda rng, seed: independence_p_value(
        rng.random(40) < 0.1, rng.exponential(size=40) ** 3, seed
    ),
    "closeness": lambda rng, seed: closeness_p_value(rng.random(8), rng.random(60), seed),
    "flags": lambda rng, seed: independence_p_value(rng.random(40) < 0.3, rng.random(40) < 0.3, seed),
}

LEAST = {
    "numbers": 1,
    "closeness": 0.5,
    "uniform": 0.85,
    "binomial counts": 0.85,
}  # share of a level: exact, or two tests share it


@pytest.mark.parametrize("name", NULLS)
def test_p_values_are_no_smaller_than_they_claim(name: str) -> None:
    """2,000 of them; at each level no more lie below it than five standard deviations above the nominal share."""
    rng = np.random.default_rng(0)
    p_values = np.array([NULLS[name](rng, seed) for seed in range(2000)])
    for level in (0.001, 0.01, 0.05, 0.2, 0.5):
        share = float((p_values <= level).mean())
        assert share < level + 5 * np.sqrt(level * (1 - level) / p_values.size), level
        least = LEAST.get(name, 0) * level
        assert share >= least - 5 * np.sqrt(least * (1 - least) / p_values.size), level


def test_worked_numbers() -> None:
    assert binomial_p_value(10, 10, 0.5) == pytest.approx(2 / 2**10)
    assert binomial_p_value(0, 4, 0.25) == pytest.approx(1 - 4 * 0.25 * 0.75**3)  # all but one success
    assert binomial_p_value(5, 10, 0.5) == pytest.approx(1)
    assert uniform_p_value([0.25], 0, 1) == pytest.approx(1)
    assert uniform_p_value([0.1], 0, 1) == pytest.approx(2 * 0.2)  # by the distribution
    assert uniform_p_value([0.4, 0.6], 0, 1) == pytest.approx(2 * 0.2**2)  # by the reach
    assert uniform_p_value([0.1, 0.2, 1.01], 0, 1) == 0 == uniform_p_value([np.nan], 0, 1)
    flags = np.repeat([0, 1], 10)
    assert independence_p_value(flags, flags, 0) == pytest.approx(2 / comb(20, 10))
    assert independence_p_value(flags, 1 - flags, 0) == pytest.approx(2 / comb(20, 10))
    assert independence_p_value([1, 1, 1], [1, 2, 3], 0) == 1 == independence_p_value([1, 2, 3], [1, 1, 1], 0)
    assert closeness_p_value([2, 3], [1, 4], 0) == pytest.approx(3 / comb(4, 2))  # three pairs are neighbours
    assert closeness_p_value([1, 4], [2, 3], 0) == 1


def test_any_level_can_be_reached() -> None:
    numbers = np.arange(60.0)
    for p_value in (
        independence_p_value(numbers, numbers, 0),
        independence_p_value(numbers, -(numbers**3), 0),
        independence_p_value(numbers, numbers > 30, 0),
        uniform_p_value(numbers / 120, 0, 1),
        closeness_p_value(np.full(10, 30), numbers, 0),
        binomial_counts_p_value(np.full(64, 500), 1000, 0.5, 0),  # too even
        binomial_counts_p_value(np.repeat([400, 600], 32), 1000, 0.5, 0),  # too uneven
    ):
        assert p_value < ALPHA / 100


def test_the_power_of_the_binomial_test() -> None:
    assert binomial_power(21, 0.5, 1.0) == 1 == binomial_power(21, 0.5, 0.0)  # 2 / 2^21 is below 1e-6
    assert binomial_power(20, 0.5, 1.0) == 0
    assert binomial_power(1000, 0.5, 0.5) <= ALPHA
    rng = np.random.default_rng(0)
    alarms = [binomial_p_value(rng.binomial(1000, 0.6), 1000, 0.5) < ALPHA for _ in range(2000)]
    assert np.mean(alarms) == pytest.approx(binomial_power(1000, 0.5, 0.6), abs=0.03)  # five standard deviations
    trials = binomial_trials(0.25, 0.5)
    assert binomial_power(trials, 0.25, 0.5) >= 1 - ALPHA > binomial_power(int(trials / 1.2), 0.25, 0.5)


def null_masks(rng: Rng, rate: float) -> NDArray[np.bool_]:
    """Masks as dropout should draw them."""
    return rng.random((CALLS, *DROPPED)) < rate


def exact_masks(rng: Rng, rate: float) -> NDArray[np.bool_]:
    """As many zeros in each call."""
    sample = np.arange(np.prod(DROPPED)) < rate * np.prod(DROPPED)
    return np.stack([rng.permutation(sample).reshape(DROPPED) for _ in range(CALLS)])


def shared(*axes: int) -> Callable[[Rng, float], NDArray[np.bool_]]:
    """One mask along some axes."""
    shape = [1 if axis in axes else side for axis, side in enumerate((CALLS, *DROPPED))]
    return lambda rng, rate: np.broadcast_to(rng.random(shape) < rate, (CALLS, *DROPPED))


FAULTS: dict[str, Callable[[Rng, float], NDArray[np.bool_]]] = {
    "a rate too high by 0.02": lambda rng, rate: null_masks(rng, rate + 0.02),
    "a rate too low by 0.02": lambda rng, rate: null_masks(rng, rate - 0.02),
    "one mask for every call": shared(0),
    "one mask for the samples of a batch": shared(1),
    "one mask for all pixels of a channel": shared(2, 3),
    "one mask for a row": shared(3),
    "one mask for all channels": shared(4),
    "as many zeros in each call": exact_masks,
}


def smallest(masks: NDArray[np.bool_], rate: float) -> float:
    """Of all p-values of DROP-2 for one rate, counting how many there are in the whole clause."""
    p_values = dropout_p_values(arrays(DROPPED, 0, "weights"), masks, rate, 0)
    return min(p_values.values()) * len(p_values) * len(RATES)


@pytest.mark.parametrize("rate", RATES)
def test_dropout_as_it_should_be_raises_no_alarm(rate: float) -> None:
    assert smallest(null_masks(np.random.default_rng(0), rate), rate) > 0.01


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_dropout_raises_an_alarm(fault: str, rate: float) -> None:
    assert smallest(FAULTS[fault](np.random.default_rng(0), rate), rate) < ALPHA


def test_dropout_by_magnitude_raises_an_alarm() -> None:
    values = np.abs(arrays(DROPPED, 0, "weights"))
    rng = np.random.default_rng(0)
    masks = rng.random((CALLS, *DROPPED)) < np.where(values > np.median(values), 0.2, 0.3)
    assert smallest(masks, 0.25) < ALPHA


def test_the_power_that_drop_2_states() -> None:
    """The binomial test alone finds a rate that is wrong by 0.02, at each rate."""
    trials = CALLS * int(np.prod(DROPPED))
    tests = len(dropout_p_values(arrays(DROPPED, 0), null_masks(np.random.default_rng(0), 0.5), 0.5, 0)) * len(RATES)
    powers = [binomial_power(trials, rate, rate + off, ALPHA / tests) for rate in RATES for off in (-0.02, 0.02)]
    assert min(powers) > 1 - ALPHA


def test_each_axis_is_named() -> None:
    masks = np.broadcast_to(np.random.default_rng(0).random((40, 1, 30)) < 0.5, (40, 4, 30))
    p_values = axis_p_values(masks, ("rows", "copies", "columns"), 0)
    assert {name for name, p_value in p_values.items() if p_value < ALPHA} == {
        "neighbours along copies",
        "halves along copies",
    }
