"""The paired gate: what it says of made-up durations."""

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from scipy import stats

from spec_tests.benchmarks.gate.deadline import Deadline
from spec_tests.benchmarks.gate.session import Measured, measured, sequences
from spec_tests.benchmarks.gate.verdict import (
    AGAIN,
    BASE,
    CONTROL,
    HEAD,
    LEVEL,
    TOLERATED,
    Estimate,
    Evidence,
    Outcome,
    Plan,
    Turn,
    Values,
    contrasts,
    decided,
    estimated,
    fewest_rounds,
    holm,
    planned,
    power,
    rank_sum_tail,
    versus_base,
)

from .made_up import ORDERS, Machine

SESSIONS = 200
GOOD_PLAN = Plan(noise=0.01, needed=12, affordable=40, rounds=12, findable=0.04)


def session(machine: Machine, minutes: float = 4.5) -> Measured:
    found = measured(ORDERS, machine, LEVEL, Deadline(machine.clock, 60 * minutes), machine.rng)
    assert machine.alive == 0
    return found


def outcome(found: Measured) -> Outcome:
    return decided([found.evidence()])[0].outcome


def simulated(seed: int, slowdown: float, noise: float, heavy: bool = False, wild: float = 0.0) -> Outcome:
    """The outcome of a session of which only the contrasts of rounds are made up; noise is that of a process.

    A share ``wild`` of processes is twice as slow.
    """
    rng = np.random.default_rng((seed, int(1000 * slowdown)))

    def logs(count: int) -> Values:
        scale = noise * (1 + rng.random())  # sessions are not alike
        made: Values = scale * (rng.standard_t(3, (3, count)) if heavy else rng.normal(size=(3, count)))
        made += np.log(2) * (rng.random((3, count)) < wild)
        return made

    base, again, _ = logs(8)
    plan = planned(again - base, LEVEL, affordable=200)
    if not plan.rounds:
        return decided([Evidence(plan, None, None)])[0].outcome
    base, again, head = logs(plan.rounds)
    head = head + np.log1p(slowdown) - (base + again) / 2
    return decided([Evidence(plan, estimated(head), estimated(again - base))])[0].outcome


@pytest.mark.parametrize(
    ("noise", "heavy", "wild"),
    [(0.005, False, 0.0), (0.02, False, 0.0), (0.02, True, 0.0), (0.05, False, 0.0), (0.01, False, 0.02)],
)
def test_false_alarms_are_rare_and_slowdowns_are_found(noise: float, heavy: bool, wild: float) -> None:
    sizes = (0, TOLERATED, 0.1)
    found = {size: Counter(simulated(seed, size, noise, heavy, wild) for seed in range(SESSIONS)) for size in sizes}
    assert found[0][Outcome.REGRESSION] <= stats.binom.ppf(0.999, SESSIONS, LEVEL)
    assert found[0][Outcome.PASS] >= 0.8 * SESSIONS
    assert found[TOLERATED][Outcome.REGRESSION] >= 0.8 * SESSIONS
    assert found[TOLERATED][Outcome.PASS] <= 0.06 * SESSIONS
    assert found[0.1][Outcome.REGRESSION] >= 0.95 * SESSIONS


@pytest.mark.parametrize(
    ("circumstances"),
    [{}, {"drift": 0.02}, {"heavy": True}, {"process": 0.0, "run": 0.2}],
    ids=["processes differ", "slower and slower", "heavy tails", "runs differ"],
)
def test_whole_sessions_tell_slow_from_not(circumstances: dict[str, float]) -> None:
    alarms = [outcome(session(Machine(seed, **circumstances))) is Outcome.REGRESSION for seed in range(12)]  # type: ignore[arg-type]
    assert sum(alarms) <= 1
    found = [outcome(session(Machine(seed, slowdown=0.1, **circumstances))) for seed in range(12)]  # type: ignore[arg-type]
    assert found.count(Outcome.REGRESSION) >= 11


def test_rounds_of_one_process_pair_are_not_taken_for_evidence() -> None:
    """Many runs of processes that differ by chance are no reason for an alarm."""
    alarms = [outcome(session(Machine(seed, process=0.05, run=0.001))) is Outcome.REGRESSION for seed in range(20)]
    assert sum(alarms) <= 1


def test_the_fastest_run_of_a_process_counts() -> None:
    def turn(subject: str, *seconds: float) -> Turn:
        return Turn(subject, seconds)

    blocks = ((turn(BASE, 4, 2), turn(AGAIN, 3), turn(HEAD, 9)), (turn(HEAD, 8, 6), turn(AGAIN, 5), turn(BASE, 7)))
    assert contrasts([blocks], CONTROL) == pytest.approx([np.log(3 / 2)])
    assert contrasts([blocks], versus_base()) == pytest.approx([np.log(6 / np.sqrt(2 * 3))])


def test_the_head_is_not_looked_at_before_the_plan_is_made() -> None:
    machine = Machine(3)
    found = session(machine)
    first = machine.started.index(HEAD)
    assert HEAD not in {turn.subject for blocks in found.pilot for block in blocks for turn in block}
    assert first >= 2 * (1 + len(found.pilot))
    slow = session(Machine(3, slowdown=0.3))
    assert slow.plan == found.plan
    assert slow.shape == found.shape
    assert slow.plan
    assert len(slow.rounds) == slow.plan.rounds


def test_each_round_has_new_processes_started_in_an_order_of_its_own() -> None:
    machine = Machine(4)
    found = session(machine)
    started_ones = machine.started[-3 * len(found.rounds) :]
    trios = [tuple(started_ones[index : index + 3]) for index in range(0, len(started_ones), 3)]
    assert all(sorted(trio) == sorted(ORDERS) for trio in trios)
    assert len(set(trios)) > 2


@pytest.mark.parametrize("names", [(BASE, AGAIN), (BASE, AGAIN, HEAD)])
def test_orders_are_mirrored_and_balanced(names: tuple[str, ...]) -> None:
    ways = 2 if len(names) == 2 else 6
    drawn = list(islice(sequences(names, np.random.default_rng(5)), 10 * ways))
    assert all(order == order[::-1] and sorted(order) == sorted(2 * names) for order in drawn)
    assert set(Counter(drawn).values()) == {10}
    assert drawn != list(islice(sequences(names, np.random.default_rng(6)), 10 * ways))


def test_a_session_is_the_same_from_the_same_seed() -> None:
    assert session(Machine(7)) == session(Machine(7))
    assert session(Machine(7)) != session(Machine(8))


def test_a_control_that_fails_is_inconclusive_whatever_head_is() -> None:
    for slowdown in (0.0, 0.2):
        found = session(Machine(2, slowdown=slowdown, copy=0.1))
        decision = decided([found.evidence()])[0]
        assert decision.outcome is Outcome.INCONCLUSIVE
        assert "base differs from itself by +" in decision.reason


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (Estimate(0.06, 0.04, 0.08, 1e-4, 2e-4), Outcome.REGRESSION),
        (Estimate(0.02, 0.01, 0.03, 1e-4, 2e-4), Outcome.PASS),  # sure, and too little
        (Estimate(0.02, 0.01, 0.06, 1e-4, 2e-4), Outcome.INCONCLUSIVE),
        (Estimate(0.04, -0.01, 0.09, 0.02, 0.04), Outcome.INCONCLUSIVE),
        (Estimate(-0.3, -0.4, -0.2, 1.0, 1e-4), Outcome.PASS),
    ],
)
def test_outcomes(head: Estimate, expected: Outcome) -> None:
    same = Estimate(0.0, -0.01, 0.01, 0.5, 1.0)
    assert decided([Evidence(GOOD_PLAN, head, same)])[0].outcome is expected


def test_benchmarks_share_the_level() -> None:
    same = Estimate(0.0, -0.01, 0.01, 0.5, 1.0)
    slow = Estimate(0.06, 0.01, 0.1, LEVEL * 0.9, 1.8 * LEVEL)
    outcomes = [one.outcome for one in decided([Evidence(GOOD_PLAN, slow, same), Evidence(GOOD_PLAN, same, same)])]
    assert outcomes == [Outcome.INCONCLUSIVE, Outcome.PASS]
    assert decided([Evidence(GOOD_PLAN, slow, same)])[0].outcome is Outcome.REGRESSION


@pytest.mark.parametrize(
    ("p_values", "rejected"),
    [
        ([0.01, 0.04, 0.03, 0.005], [True, False, False, True]),  # Holm's own way down: 0.05 / 4, / 3, then stop
        ([0.02, 0.02], [True, True]),
        ([0.03, 0.001], [True, True]),
        ([0.03, 0.04], [False, False]),
        ([], []),
    ],
)
def test_holm(p_values: list[float], rejected: list[bool]) -> None:
    assert holm(p_values, 0.05) == rejected


@pytest.mark.parametrize("count", [1, 2, 7, 25])
def test_signed_ranks_are_those_of_scipy(count: int) -> None:
    values = np.random.default_rng(count).normal(0.3, 1, count)
    found = estimated(values)
    assert found.slower == pytest.approx(stats.wilcoxon(values, alternative="greater", method="exact").pvalue)
    assert found.differs == pytest.approx(stats.wilcoxon(values, method="exact").pvalue)
    tail = rank_sum_tail(count)
    assert tail[0] == pytest.approx(1)
    assert tail[-1] == pytest.approx(0.5**count)


def test_bounds_are_the_shifts_that_are_not_rejected() -> None:
    values = np.random.default_rng(0).normal(0.3, 1, 20)
    found = estimated(values)
    for bound, sign in ((found.low, 1), (found.high, -1)):
        inside, outside = (estimated(sign * (values - bound - sign * step)).slower for step in (1e-9, -1e-9))
        assert inside > 0.05 >= outside


def test_few_or_equal_values_bound_nothing() -> None:
    assert estimated(np.ones(3)).high == np.inf
    assert estimated(np.zeros(20)).slower == 1.0
    assert estimated(np.zeros(20)).differs == 1.0


def test_the_fewest_rounds_can_reach_the_level_whatever_wild_ones_say() -> None:
    assert fewest_rounds(LEVEL, 0) == 8  # 1 / 256
    for wild in (0, 1, 2):
        for count, rejects in ((fewest_rounds(LEVEL, wild), True), (fewest_rounds(LEVEL, wild) - 1, False)):
            values = np.linspace(0.04, 0.06, count)
            values[:wild] = -0.7
            assert (estimated(values).slower <= LEVEL) is rejects


def test_the_power_of_no_slowdown_is_the_level() -> None:
    assert power(0.0, 0.02, 20, LEVEL) == pytest.approx(LEVEL, rel=1e-3)


def test_the_control_is_independent_of_the_test() -> None:
    assert sum(versus_base()[name] * weight for name, weight in CONTROL.items()) == 0
    assert sum(versus_base().values()) == sum(CONTROL.values()) == 0
