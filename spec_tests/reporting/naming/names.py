"""The likely faults of a run, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...adapter.stages import PIPELINE, whole
from ..record import FAILURES, Outcome, Result
from .model import CLOSE, CONFIDENT, PAIR, Match, Ranking, Seen, best, same
from .rows import Row, said, usable

MOST = 3  # faults that are named together, at most
LISTED = 6  # clauses that are listed, at most


@dataclass(frozen=True)
class Naming:
    """A fault that failures look like, or the statement that no known fault matches."""

    implementation: str
    failures: tuple[str, ...]  # the IDs of the clauses
    # The likeliest first, with those that no clause distinguishes from it. Empty: no known fault matches.
    faults: tuple[Row, ...] = ()
    fit: float = 0.0
    expected: int = 0  # failures that the fault causes, of clauses that ran
    total: int = 0  # failures of the run

    @property
    def text(self) -> str:
        """The finding as one paragraph."""
        if not self.faults:
            return f"no known fault matches {_clauses(self.failures)}"
        return f"{_clauses(self.failures)} {self._like}: {self._named}. {self._fits}"

    @property
    def _like(self) -> str:
        verb = "looks" if len(self.failures) == 1 else "look"
        count = len(self.faults)
        return f"{verb} like one fault" if count == 1 else f"{verb} like one of {count} known faults"

    @property
    def _named(self) -> str:
        if len(self.faults) == 1:
            row = self.faults[0]
            return f"{row.sentence}. Seen: {row.seen.rstrip('.')}"
        shown = [f"({number}) {row.sentence}" for number, row in enumerate(self.faults[:MOST], 1)]
        return "; ".join([*shown, *(["…"] if len(self.faults) > MOST else [])])

    @property
    def _fits(self) -> str:
        shown = f"{len(self.failures)} of {self.total} failures, and {len(self.failures)} of {self.expected} expected"
        return f"Fit {self.fit:.2f}: {shown}."


def named(results: Iterable[Result]) -> list[Naming]:
    """What the failures of each implementation look like: one known fault, two, or none."""
    every = list(results)
    if any(PIPELINE in result.clause.tied for result in every):
        return []  # an audit; the rows come from implementations of the contract
    columns = dict.fromkeys(result.implementation for result in every)
    return [found for column in columns for found in _of_column(column, every)]


def _of_column(column: str, results: Sequence[Result]) -> list[Naming]:
    try:
        seen = observed([result for result in results if result.implementation == column])
        found = decided(Ranking(usable(), seen)) if seen.failed else []
        return [_naming(column, match, faults, seen) for match, faults in found] or _unknown(column, seen)
    except Exception:  # an error here must not cost the user the report
        return []


def _unknown(column: str, seen: Seen) -> list[Naming]:
    return [Naming(column, tuple(seen.failed))] if seen.failed else []


def _naming(column: str, match: Match, faults: tuple[Row, ...], seen: Seen) -> Naming:
    return Naming(column, match.explained, faults, match.fit, len(match.expected), len(seen.failed))


def observed(results: Iterable[Result]) -> Seen:
    """The outcomes of the clauses that were decided. Excused and reported ones carry no information."""
    run = [result for result in results if result.outcome in (*FAILURES, Outcome.PASSED)]
    failed = {result.clause.id: said(result.failure) for result in run if result.outcome in FAILURES}
    held = frozenset(result.clause.id for result in run if result.outcome is Outcome.PASSED)
    return Seen(failed, held, {result.clause.id: whole(result.clause.stage) for result in run})


def decided(ranking: Ranking, confident: float = CONFIDENT) -> list[tuple[Match, tuple[Row, ...]]]:
    """One fault, or else two, each with the faults that no clause distinguishes from it; empty if none fits well."""
    known, seen = ranking.known, ranking.seen
    near = [match for match in ranking.likeliest if match.agrees >= confident]
    if near and near[0].fit >= confident:
        return [(near[0], _with_kin(known, near))]
    pair = ranking.pair
    if pair is None or pair.fit < confident or len(pair.explained) < len(seen.failed):
        return []
    if pair.score < ranking.singles[0].score + PAIR:  # a single fault whose row is incomplete is likelier
        return []
    halves = [_half(known, row, other, seen) for row, other in (pair.rows, pair.rows[::-1])]
    return halves if all(match.fit >= confident for match, _ in halves) else []


def _half(known: tuple[Row, ...], row: Row, other: Row, seen: Seen) -> tuple[Match, tuple[Row, ...]]:
    """One fault of a pair, judged without the failures that only the other fault explains."""
    singles = best(known, seen.without(clause for clause in other.failed if clause not in row.failed))
    first = next(match for match in singles if match.rows == (row,))
    near = [match for match in singles if match.score > first.score - CLOSE and match.agrees >= first.agrees]
    return first, _with_kin(known, [first, *near])


def _with_kin(known: tuple[Row, ...], near: Sequence[Match]) -> tuple[Row, ...]:
    """The faults of these matches, and those that no clause distinguishes from the first."""
    rows = [match.rows[0] for match in near]
    return tuple(dict.fromkeys([*rows, *_kind(known, rows[0])]))


def _kind(known: Iterable[Row], row: Row) -> list[Row]:
    """The faults that no clause distinguishes from this one."""
    return [other for other in known if other is not row and same(row, other)]


def _clauses(ids: Sequence[str]) -> str:
    """A phrase for these failures, with the first few IDs."""
    count = "this failure" if len(ids) == 1 else f"these {len(ids)} failures"
    more = f" and {len(ids) - LISTED} more" if len(ids) > LISTED else ""
    return f"{count} ({', '.join(ids[:LISTED])}{more})"
