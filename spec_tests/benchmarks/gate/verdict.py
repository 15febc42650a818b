"""The statistics of the gate: from durations to one of three outcomes.

What others do on a machine makes runs slower, never faster, so that of a process the fastest run counts. The unit is
a round, which has processes of its own: of it one number counts, a log ratio. Rounds of the same code are symmetric
about zero, since who was who was drawn. They are tested by Wilcoxon's signed ranks, which hold their level exactly
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

LEVEL = 0.005  # of false alarms, over all benchmarks together: half of what the recorded curve is held to
POWER = 0.9  # of finding what is not tolerated
TOLERATED = 0.05  # slowdown, unless another one is asked for: "pass" says that there is less
LEAST_SHARE = 0.5  # of what is tolerated: a smaller slowdown is no regression, however sure
CONFIDENCE = 0.95  # of the bounds, each on its own
CONTROL_LEVEL = 0.01  # at which base differs from itself
CAUTION = 0.8  # confidence of the upper bound that is taken for the noise
EFFICIENCY = 3 / math.pi  # of signed ranks, beside Student's test of normal values
WILD_ROUNDS = 3  # that may point the wrong way, and further than all others, without hiding what these show
WILD_FOR_ONE = 2  # more of them for each wild round of the pilot
WILD = 5  # times the noise, and beyond what is tolerated
MOST_ROUNDS = 200
MANY_MINUTES = 10  # are said without a decimal
LEAST_NOISE = 1e-3  # that a plan reckons with

CONTROL = {BASE: -1.0, AGAIN: 1.0}  # the contrast of base and its copy


@dataclass(frozen=True)
class Turn:
    """Runs of one subject, one after the other."""

    subject: str
    seconds: tuple[float, ...]


Block = tuple[Turn, ...]  # all subjects in some order, and back
Round = tuple[Block, ...]  # of the same processes
Values = NDArray[np.float64]


class Outcome(StrEnum):
    """What the gate says."""

    PASS = "pass"  # noqa: S105 - no password
    REGRESSION = "regression"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Estimate:
    """A difference in log time; ``low`` and ``high`` are bounds of CONFIDENCE each."""

    shift: float
    low: float
    high: float
    slower: float  # the p-value of there being no slowdown
    differs: float  # of there being no difference, two-sided

    @property
    def percent(self) -> tuple[float, float, float]:
        """Estimate and bounds as per cent of time."""
        shift, low, high = (100 * math.expm1(value) for value in (self.shift, self.low, self.high))
        return shift, low, high


@dataclass(frozen=True)
class Plan:
    """How many rounds there are to be, settled before head is looked at."""

    noise: float  # standard deviation of a round's log ratio of head, as most of the pilot has it
    needed: int  # rounds for POWER at the slowdown that is tolerated
    affordable: int  # rounds that the time allows
    rounds: int  # to be made; 0 if the time is too short for a result
    findable: float  # the slowdown that the affordable ones find with POWER; infinite for none
    tolerated: float = TOLERATED


@dataclass(frozen=True)
class Decision:
    """What is said of a benchmark, and why."""

    outcome: Outcome
    reason: str


def versus_base(head: str = HEAD) -> dict[str, float]:
    """The contrast of head and base, of which there are two copies; it is orthogonal to that of these."""
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
    """Hodges and Lehmann's estimate of the shift of symmetric values, and the shifts that are not rejected.

    The signed rank sum is the number of Walsh averages above zero (of ties and zeros the less telling one).
    """
    averages = np.sort(np.add.outer(values, values)[np.triu_indices(values.size)] / 2)
    tail = rank_sum_tail(values.size)
    slower, faster = (float(tail[np.count_nonzero(side > 0)]) for side in (averages, -averages))
    count = int(np.argmax(tail <= 1 - CONFIDENCE))  # the fewest above zero that reject; 0 if none do
    low, high = (averages[-count], averages[count - 1]) if count else (-math.inf, math.inf)
    return Estimate(float(np.median(averages)), float(low), float(high), slower, min(1.0, 2 * min(slower, faster)))


@cache
def rank_sum_tail(count: int) -> Values:
    """The probability that Wilcoxon's signed rank sum of so many values reaches w, exact, for each w from 0 on."""
    tail: Values = np.cumsum(_rank_sum_chances(count)[::-1])[::-1]
    return tail


@cache
def _rank_sum_chances(count: int) -> Values:
    """The probability of each sum: the last rank counts or not, whatever the others are."""
    if not count:
        return np.ones(1)
    others = _rank_sum_chances(count - 1)
    return (np.pad(others, (0, count)) + np.pad(others, (count, 0))) / 2


def planned(pilot: Values, level: float, affordable: int, tolerated: float = TOLERATED, gated: bool = True) -> Plan:
    """The rounds to be made, by the control contrasts of the pilot, (rounds,); ``affordable`` is what time allows.

    ``level`` is that of the test which is hardest to pass after Holm's correction. The noise is taken from the median
    size of a contrast, which few wild ones leave alone, and to be safe from an upper bound of that median; there are
    rounds enough for as many wild ones as the pilot makes likely. If the time allows fewer, all of these are made; but
    none if they lack the power even with the noise at the median itself. What is not gated needs no power.
    """
    scale = math.sqrt(_squares(versus_base()) / _squares(CONTROL)) / stats.norm.ppf(0.75)
    sizes = scale * np.sort(np.abs(pilot))
    bound = min(int(stats.binom.ppf(CAUTION, sizes.size, 0.5)), sizes.size - 1)  # the rank that bounds a median
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
    """The fewest that any plan has, by the wild rounds of the pilot."""
    return fewest_rounds(level, WILD_ROUNDS + WILD_FOR_ONE * wild)


def fewest_rounds(level: float, wild: int) -> int:
    """With which the test can reject at this level even if so many rounds point the wrong way, further than others."""
    count = wild + 1
    while rank_sum_tail(count)[sum(range(1, count - wild + 1))] > level:
        count += 1
    return count


def power(slowdown: float, noise: float, rounds: int, level: float) -> float:
    """How often rounds of normal values find a slowdown: as Student's test does, with the efficiency of ranks."""
    counted = EFFICIENCY * rounds
    effect = math.log1p(slowdown) / max(noise, LEAST_NOISE) * math.sqrt(counted)
    critical = special.stdtrit(counted - 1, 1 - level)
    return float(1 - special.nctdtr(counted - 1, effect, critical))


def _squares(weights: dict[str, float]) -> float:
    return sum(weight**2 for weight in weights.values())


def holm(p_values: Sequence[float], level: float) -> list[bool]:
    """Which of the hypotheses are rejected so that a wrong rejection among them has at most this probability."""
    rejected = [False] * len(p_values)
    for passed, index in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[index] > level / (len(p_values) - passed):
            break
        rejected[index] = True
    return rejected


@dataclass(frozen=True)
class Evidence:
    """What is known of a benchmark when it is decided; None for what was not measured."""

    plan: Plan | None
    head: Estimate | None
    control: Estimate | None
    made: int | None = None  # rounds that were over in time; None for all of the plan
    minutes_needed: float | None = None  # for all rounds that are needed; without a plan, for any result, at least


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
    """Why there are no rounds, and what would be needed."""
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
    """The rounds that are needed, and their time, in words."""
    more = " or more" if plan.needed == MOST_ROUNDS else ""
    about = "" if evidence.minutes_needed is None else f", about {in_minutes(evidence.minutes_needed)} in all"
    return f"a slowdown of {100 * plan.tolerated:g} % takes {plan.needed} rounds{more}{about}"


def in_minutes(minutes: float) -> str:
    """Minutes with the digits that they are worth, or as seconds."""
    if minutes < 1:
        return f"{60 * minutes:.0f} seconds"
    return f"{minutes:.1f} minutes" if minutes < MANY_MINUTES else f"{math.ceil(minutes)} minutes"
