"""The statistics of the gate: from durations to one of three outcomes.

Other processes on a machine make runs slower, never faster, so the fastest run of a process counts. The unit is a
round with new processes, and one log ratio of it counts. Rounds of the same code are symmetric about zero,
since the roles were drawn at random. They are tested by Wilcoxon's signed ranks, which hold their level exactly
under symmetry, however heavy the tails, and estimated by Hodges and Lehmann's shift.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

BASE, AGAIN, HEAD = "base", "base again", "head"

LEVEL = 0.005  # of false alarms over all benchmarks together: half of the recorded curve's limit
POWER = 0.9  # of finding a slowdown that is not tolerated
TOLERATED = 0.05  # slowdown, unless another one is requested: "pass" says that it is smaller
LEAST_SHARE = 0.5  # of the tolerated slowdown: a smaller one is no regression, however certain
CONFIDENCE = 0.95  # of each bound separately
CONTROL_LEVEL = 0.01  # of the test whether base differs from its copy
CAUTION = 0.8  # confidence of the upper bound that is used as the noise
EFFICIENCY = 3 / math.pi  # of signed ranks, relative to Student's test of normal values
WILD_ROUNDS = 3  # that may point the wrong way, further than all others, without hiding the result
WILD_FOR_ONE = 2  # further ones for each wild round of the pilot
WILD = 5  # times the noise, and beyond the tolerated slowdown
MOST_ROUNDS = 200
MANY_MINUTES = 10  # from here on without a decimal
LEAST_NOISE = 1e-3  # smallest that a plan assumes

CONTROL = {BASE: -1.0, AGAIN: 1.0}  # the contrast of base and its copy


@dataclass(frozen=True)
class Turn:
    """Consecutive runs of one subject."""

    subject: str
    seconds: tuple[float, ...]


Block = tuple[Turn, ...]  # all subjects in some order, forwards and backwards
Round = tuple[Block, ...]  # with the same processes
Values = NDArray[np.float64]


class Outcome(StrEnum):
    """The answer of the gate."""

    PASS = "pass"  # noqa: S105 - no password
    REGRESSION = "regression"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Estimate:
    """A difference in log time. ``low`` and ``high`` are one-sided bounds with CONFIDENCE each."""

    shift: float
    low: float
    high: float
    slower: float  # the p-value of the hypothesis of no slowdown
    differs: float  # the same of no difference, two-sided

    @property
    def percent(self) -> tuple[float, float, float]:
        """Estimate and bounds in per cent of time."""
        shift, low, high = (100 * math.expm1(value) for value in (self.shift, self.low, self.high))
        return shift, low, high


@dataclass(frozen=True)
class Plan:
    """The number of rounds, fixed before head is measured."""

    noise: float  # standard deviation of a round's log ratio of head, typical of the pilot
    needed: int  # rounds for POWER at the tolerated slowdown
    affordable: int  # rounds that the time allows
    rounds: int  # to make; 0 if the time is too short for a result
    findable: float  # slowdown that the affordable rounds find with POWER; infinite without rounds
    tolerated: float = TOLERATED


@dataclass(frozen=True)
class Decision:
    """The outcome for a benchmark, and the reason."""

    outcome: Outcome
    reason: str


def versus_base(head: str = HEAD) -> dict[str, float]:
    """The contrast of head and the two copies of base; it is orthogonal to that of the copies."""
    return {BASE: -0.5, AGAIN: -0.5, head: 1.0}


def contrasts(rounds: Sequence[Round], weights: dict[str, float]) -> Values:
    """A log ratio for each round, (rounds,): the weighted sum of the logarithms of the subjects' fastest runs."""
    return np.array([
        sum(weight * math.log(fastest(blocks, subject)) for subject, weight in weights.items()) for blocks in rounds
    ])  # fmt: skip


def fastest(blocks: Round, subject: str) -> float:
    """The seconds of a subject's fastest run in a round."""
    return min(min(turn.seconds) for block in blocks for turn in block if turn.subject == subject)


def estimated(values: Values) -> Estimate:
    """Hodges and Lehmann's estimate of the shift of symmetric values, with the shifts that are not rejected as bounds.

    The signed rank sum is the number of Walsh averages above zero (ties and zeros count conservatively).
    """
    averages = np.sort(np.add.outer(values, values)[np.triu_indices(values.size)] / 2)
    tail = rank_sum_tail(values.size)
    slower, faster = (float(tail[np.count_nonzero(side > 0)]) for side in (averages, -averages))
    count = int(np.argmax(tail <= 1 - CONFIDENCE))  # the fewest averages above zero that reject; 0 if none do
    low, high = (averages[-count], averages[count - 1]) if count else (-math.inf, math.inf)
    return Estimate(float(np.median(averages)), float(low), float(high), slower, min(1.0, 2 * min(slower, faster)))


@cache
def rank_sum_tail(count: int) -> Values:
    """The exact probability that Wilcoxon's signed rank sum of so many values is at least w, for each w from 0."""
    tail: Values = np.cumsum(_rank_sum_chances(count)[::-1])[::-1]
    return tail


@cache
def _rank_sum_chances(count: int) -> Values:
    """The probability of each sum. The last rank counts or not, independently of the others."""
    if not count:
        return np.ones(1)
    others = _rank_sum_chances(count - 1)
    return (np.pad(others, (0, count)) + np.pad(others, (count, 0))) / 2


def planned(pilot: Values, level: float, affordable: int, tolerated: float = TOLERATED, gated: bool = True) -> Plan:
    """The rounds to make, from the pilot's control contrasts (rounds,). ``affordable`` is the number that time allows.

    ``level`` is that of the strictest test under Holm's correction. The noise comes from the median size of a
    contrast, which a few wild rounds hardly change, or rather from an upper bound of that median. There are enough
    rounds for as many wild ones as the pilot makes likely. If the time allows fewer, all of these are made, but
    none if they lack the power even with the noise at the median. Benchmarks that are not gated need no power.
    """
    scale = math.sqrt(_squares(versus_base()) / _squares(CONTROL)) / stats.norm.ppf(0.75)
    sizes = scale * np.sort(np.abs(pilot))
    bound = min(int(stats.binom.ppf(CAUTION, sizes.size, 0.5)), sizes.size - 1)  # the rank that bounds the median
    noise, feared = float(np.median(sizes)), float(sizes[bound])
    wild = int(np.count_nonzero(sizes > max(WILD * noise, scale * math.log1p(tolerated))))
    steady = steady_rounds(level, wild)

    def found(slowdown: float, rounds: int, noise: float = feared) -> bool:
        return power(slowdown, noise, rounds, level) >= POWER

    needed = steady + bisect_left(range(steady, MOST_ROUNDS), True, key=lambda count: found(tolerated, count))
    rounds, findable = min(needed, affordable), math.inf
    if rounds >= steady:
        percent = 1 + bisect_left(range(1, 100), True, key=lambda size: found(size / 100, rounds))
        findable = percent / 100 if found(percent / 100, rounds) else math.inf
    least = steady if gated else fewest_rounds(level, 0)
    if rounds < least or (gated and rounds < needed and not found(tolerated, rounds, noise)):
        return Plan(noise, needed, affordable, 0, findable, tolerated)
    return Plan(noise, needed, affordable, rounds, findable, tolerated)


def steady_rounds(level: float, wild: int = 0) -> int:
    """The fewest rounds of any plan, given the wild rounds of the pilot."""
    return fewest_rounds(level, WILD_ROUNDS + WILD_FOR_ONE * wild)


def fewest_rounds(level: float, wild: int) -> int:
    """The fewest rounds that can reject at this level if so many rounds point the wrong way, the furthest."""
    count = wild + 1
    while rank_sum_tail(count)[sum(range(1, count - wild + 1))] > level:
        count += 1
    return count


def power(slowdown: float, noise: float, rounds: int, level: float) -> float:
    """The power to find a slowdown with normal values: that of Student's test, with the efficiency of ranks."""
    counted = EFFICIENCY * rounds
    effect = math.log1p(slowdown) / max(noise, LEAST_NOISE) * math.sqrt(counted)
    critical = special.stdtrit(counted - 1, 1 - level)
    return float(1 - special.nctdtr(counted - 1, effect, critical))


def _squares(weights: dict[str, float]) -> float:
    return sum(weight**2 for weight in weights.values())


def holm(p_values: Sequence[float], level: float) -> list[bool]:
    """Which hypotheses are rejected, so that any wrong rejection has at most the probability ``level``."""
    rejected = [False] * len(p_values)
    for passed, index in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[index] > level / (len(p_values) - passed):
            break
        rejected[index] = True
    return rejected


@dataclass(frozen=True)
class Evidence:
    """The evidence about a benchmark when it is decided; None for values that were not measured."""

    plan: Plan | None
    head: Estimate | None
    control: Estimate | None
    made: int | None = None  # rounds done in time; None for all of the plan
    minutes_needed: float | None = None  # for all needed rounds; without a plan, the least for any result


def decided(evidence: Sequence[Evidence], level: float = LEVEL) -> list[Decision]:
    """The outcome of each benchmark of a session."""
    p_values = [one.head.slower if one.head else 1.0 for one in evidence]
    return [_decision(one, slow) for one, slow in zip(evidence, holm(p_values, level), strict=True)]


def _decision(evidence: Evidence, slow: bool) -> Decision:
    head, control, plan = evidence.head, evidence.control, evidence.plan
    if plan is None or head is None or control is None:
        return Decision(Outcome.INCONCLUSIVE, too_short(evidence))
    least_effect = math.log1p(LEAST_SHARE * plan.tolerated)
    if control.differs <= CONTROL_LEVEL and abs(control.shift) >= least_effect:
        words = f"base differs from itself by {control.percent[0]:+.1f} %: nothing can be said of head"
        return Decision(Outcome.INCONCLUSIVE, words)
    estimate, _, high = head.percent
    if slow and head.shift >= least_effect:
        return Decision(Outcome.REGRESSION, f"slower by {estimate:.1f} %")
    if head.high < math.log1p(plan.tolerated):
        return Decision(Outcome.PASS, f"slower by {max(high, 0):.1f} % at most")
    words = f"it may be slower by {high:.1f} %"
    if plan.rounds < plan.needed:
        words += f"; {_needs(evidence, plan)}"
    elif evidence.made is not None and evidence.made < plan.rounds:
        words += f"; the time ended after {evidence.made} of {plan.rounds} rounds"
    return Decision(Outcome.INCONCLUSIVE, words)


def too_short(evidence: Evidence) -> str:
    """The reason why there are no rounds, and what would be needed."""
    plan, minutes = evidence.plan, evidence.minutes_needed
    if plan is None:
        more = "" if minutes is None else f"; at this pace any result takes more than {in_minutes(minutes)}"
        return f"the time ended before the noise was known{more}"
    wanted, left = _needs(evidence, plan), f"the time left allows {plan.affordable}"
    if plan.rounds:
        return f"the time ended in the first of {plan.rounds} rounds; {wanted}"
    if math.isfinite(plan.findable):
        return f"{wanted}; {left}, which find one of {100 * plan.findable:.0f} %"
    return f"{wanted}; {left}, too few to find any slowdown"


def _needs(evidence: Evidence, plan: Plan) -> str:
    """The needed rounds and their time, in words."""
    more = " or more" if plan.needed == MOST_ROUNDS else ""
    about = "" if evidence.minutes_needed is None else f", about {in_minutes(evidence.minutes_needed)} in all"
    return f"a slowdown of {100 * plan.tolerated:g} % takes {plan.needed} rounds{more}{about}"


def in_minutes(minutes: float) -> str:
    """The minutes in words, rounded to their significant digits, or as seconds."""
    if minutes < 1:
        return f"{60 * minutes:.0f} seconds"
    return f"{minutes:.1f} minutes" if minutes < MANY_MINUTES else f"{math.ceil(minutes)} minutes"
