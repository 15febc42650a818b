"""How well a known fault explains a run: which clauses failed, which held, and the messages of the failures.

Each clause that ran adds the logarithm of the probability of its outcome if the fault is present (naive Bayes). A
row was made with few examples, and other implementations fail elsewhere for the same fault, so no probability is 0
or 1. A simpler measure decides whether a fault is named: the product of the share of failures that it explains, the
share of its failures that were seen, and the share of their words that agree.
"""

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache, cached_property

from .rows import Row

# The probability that a clause fails if the fault is present, when in the row it
MUST, ALSO = 0.97, 0.85  # failed: a clause that must catch the fault, or another one
HELD = 0.03  # held
UNKNOWN = 0.15  # did not check the fault, in a stage that the fault may reach
BEYOND = 0.005  # belongs to a stage that the fault does not reach
OTHER_WORDS = 0.05  # the probability that a failing clause gives a quite different message
PAIR = math.log(0.01)  # two faults at once are rarer than one
NOT_RUN = 0.1  # the weight of a possible failure of a clause that did not run
FIRSTS, SECONDS = 20, 5  # first faults to try in a pair, and second faults to try with each

# `python -m spec_tests.proof naming` finds these: of faults that are unknown or not in the rows, one in twenty is named
CONFIDENT = 0.9
CLOSE = math.log(3)  # faults whose log scores differ by less are named together


@dataclass(frozen=True)
class Seen:
    """The outcomes of the clauses that ran."""

    failed: Mapping[str, str]  # {clause: its message}
    held: frozenset[str]
    stages: Mapping[str, str]  # {clause: its stage}

    def without(self, clauses: Iterable[str]) -> "Seen":
        """The same outcomes without these clauses."""
        left = set(clauses)
        return Seen(
            {clause: text for clause, text in self.failed.items() if clause not in left},
            self.held - left,
            {clause: stage for clause, stage in self.stages.items() if clause not in left},
        )


@dataclass(frozen=True)
class Match:
    """A fault, or two at once, compared with a run."""

    rows: tuple[Row, ...]
    seen: Seen
    score: float  # logarithm of a probability

    @cached_property
    def explained(self) -> tuple[str, ...]:
        """The failures of the run that the fault explains."""
        return tuple(clause for clause in self.seen.failed if any(clause in row.failed for row in self.rows))

    @cached_property
    def expected(self) -> tuple[str, ...]:
        """The failures that the fault causes, of clauses that ran."""
        ran = self.seen.failed.keys() | self.seen.held
        return tuple(dict.fromkeys(clause for row in self.rows for clause in row.failed if clause in ran))

    @cached_property
    def fit(self) -> float:
        """The agreement with the run, from 0 to 1, reduced if few of the fault's failures were checked."""
        return self.agrees * self._covered

    @cached_property
    def agrees(self) -> float:
        """The product of three shares: failures explained, expected failures seen, and words that agree."""
        if not self.explained:
            return 0.0
        unknown = sum(self._may_be(clause) for clause in self.seen.failed) / 2
        explained = (len(self.explained) + unknown) / len(self.seen.failed)
        return explained * self._weight(self.explained) / self._weight(self.expected) * self.agreement

    @property
    def _covered(self) -> float:
        left = {clause for row in self.rows for clause in row.failed} - set(self.expected)
        ran = self._weight(self.expected)
        return ran / (ran + NOT_RUN * self._weight(left)) if ran else 0.0

    def _weight(self, clauses: Iterable[str]) -> float:
        """The total weight of failures. A clause that need not fail in each run has half the weight."""
        return sum(1.0 if any(clause in row.must for row in self.rows) else 0.5 for clause in clauses)

    @property
    def agreement(self) -> float:
        """The share of words that agree, over messages that are known."""
        shares = [
            max(alike(self.seen.failed[clause], row.failed[clause]) for row in self.rows if clause in row.failed)
            for clause in self.explained
        ]
        return sum(shares) / len(shares)

    def _may_be(self, clause: str) -> bool:
        """Whether the failure may come from a fault whose run did not check the clause."""
        if clause in self.explained:
            return False
        stage = self.seen.stages.get(clause)
        return any(clause not in row.looked and stage in row.stages for row in self.rows)


@cache
def alike(one: str, other: str) -> float:
    """The share of words that two texts have in common; 1 if either is empty, since it is then unknown."""
    if not one or not other or one == other:
        return 1.0
    words, others = set(one.split()), set(other.split())
    return len(words & others) / len(words | others)


def chance(row: Row, clause: str, stage: str | None) -> float:
    """The probability that a clause fails if the fault is present."""
    if clause in row.failed:
        return MUST if clause in row.must else ALSO
    if clause in row.held:
        return HELD
    return UNKNOWN if stage in row.stages else BEYOND


def score(rows: Sequence[Row], seen: Seen) -> float:
    """The logarithm of the probability of the run if these faults are present, and no others."""
    total = 0.0
    for clause, text in seen.failed.items():
        chances = [chance(row, clause, seen.stages.get(clause)) for row in rows]
        total += math.log(1 - math.prod(1 - p for p in chances))
        words = max((alike(text, row.failed[clause]) for row in rows if clause in row.failed), default=1.0)
        total += math.log(OTHER_WORDS + (1 - OTHER_WORDS) * words)
    for clause in seen.held:
        total += sum(math.log(1 - chance(row, clause, seen.stages.get(clause))) for row in rows)
    return total


def best(known: Sequence[Row], seen: Seen) -> list[Match]:
    """The single faults, the likeliest first."""
    touching = [row for row in known if row.failed.keys() & seen.failed.keys()]
    return sorted((Match((row,), seen, score((row,), seen)) for row in touching), key=lambda match: -match.score)


@dataclass(frozen=True)
class Ranking:
    """The known faults compared with a run."""

    known: tuple[Row, ...]
    seen: Seen

    @cached_property
    def singles(self) -> list[Match]:
        """The single faults, the likeliest first."""
        return best(self.known, self.seen)

    @cached_property
    def likeliest(self) -> list[Match]:
        """The faults nearly as likely as the first, the best fit first."""
        near = (match for match in self.singles if match.score > self.singles[0].score - CLOSE)
        return sorted(near, key=lambda match: (-match.fit, -match.score))

    @cached_property
    def pair(self) -> Match | None:
        """The likeliest pair of faults; None if there is none."""
        return best_pair(self.singles, self.seen)


def best_pair(singles: Sequence[Match], seen: Seen) -> Match | None:
    """The likeliest pair of faults in which each explains failures that the other does not; None if there is none."""
    caused = {match.rows[0].name: match.rows[0].failed.keys() & seen.stages.keys() for match in singles}
    firsts = sorted(singles, key=lambda match: -_overlap(caused[match.rows[0].name], seen.failed.keys()))[:FIRSTS]
    pairs: dict[tuple[Row, ...], Match] = {}
    for first in firsts:
        own = caused[first.rows[0].name]
        left = seen.failed.keys() - own
        order = sorted(singles, key=lambda match: -_overlap(caused[match.rows[0].name] - own, left))
        for other in order[:SECONDS]:
            rows = first.rows + other.rows
            if left & caused[other.rows[0].name] and rows[::-1] not in pairs:
                pairs[rows] = Match(rows, seen, score(rows, seen) + PAIR)
    return max(pairs.values(), key=lambda match: match.score, default=None)


def _overlap(one: Set[str], other: Set[str]) -> float:
    """The size of the intersection over the size of the union."""
    return len(one & other) / max(len(one | other), 1)


def same(one: Row, other: Row) -> bool:
    """Whether no clause distinguishes two faults: the same clauses fail, with the same messages."""
    both = one.looked & other.looked
    failed = one.failed.keys() & both
    if not failed or failed != other.failed.keys() & both or not {*one.must, *other.must} <= both:
        return False
    return all(alike(one.failed[clause], other.failed[clause]) == 1 for clause in failed)
