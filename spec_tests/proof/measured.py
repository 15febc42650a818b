"""How often reports name the right fault, another one or none, counted over the rows."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from ..adapter.stages import whole
from ..clauses.catalogue import all_clauses
from ..reporting.naming.model import CONFIDENT, Ranking, Seen, same
from ..reporting.naming.names import decided
from ..reporting.naming.rows import Row

SAMPLE = 300  # number of pairs, and of random sets of failures
SETTINGS = (0.6, 0.7, 0.8, 0.85, CONFIDENT, 0.95)  # values of the fit above which a fault is named


class Said(StrEnum):
    """The quality of a naming."""

    RIGHT = "right first"  # the fault, or one that no clause distinguishes from it
    LISTED = "right, not first"  # another fault is named first, and the right one together with it
    ONE = "one of the two"
    # another fault from the same file of mutants, if the fault itself is unknown
    NEAR = "of its file"
    NONE = "none"
    WRONG = "wrong"


@dataclass(frozen=True)
class Trial:
    """An observed run, the known rows, and the faults in it; no faults mean random failures."""

    seen: Seen
    known: tuple[Row, ...]
    there: tuple[Row, ...]
    unknown: bool = False  # whether the known rows lack every fault of this kind

    @cached_property
    def ranking(self) -> Ranking:
        """The ranking, computed once for all settings."""
        return Ranking(self.known, self.seen)


def judged(trial: Trial, confident: float = CONFIDENT) -> Said:
    """The worst quality of a trial's namings. Two faults must both be named."""
    found = decided(trial.ranking, confident)
    each = {_judged(faults, trial) for _, faults in found} or {Said.NONE}
    worst = next(said for said in (Said.WRONG, Said.NEAR, Said.NONE, Said.LISTED, Said.RIGHT) if said in each)
    if worst in (Said.LISTED, Said.RIGHT) and len(found) < len(trial.there):
        return Said.ONE
    return worst


def _judged(faults: Sequence[Row], trial: Trial) -> Said:
    if _one_of(faults[0], trial.there):
        return Said.RIGHT
    if any(_one_of(row, trial.there) for row in faults):
        return Said.LISTED
    if trial.unknown and any(faults[0].group == row.group for row in trial.there):
        return Said.NEAR
    return Said.WRONG


def _one_of(row: Row, there: Iterable[Row]) -> bool:
    return any(row.name == other.name or same(row, other) for other in there)


def observed(*there: Row) -> Seen:
    """The observation of a run with these faults, each with the outcomes of its row."""
    stages = {clause.id: whole(clause.stage) for clause in all_clauses()}
    failed: dict[str, str] = {}
    for row in there:
        failed |= {clause: text for clause, text in row.failed.items() if not failed.get(clause)}
    held = (
        clause
        for clause in set().union(*(row.held for row in there)) - failed.keys()
        if all(clause in row.held or stages[clause] not in row.stages for row in there)
    )
    ran = frozenset(held)
    return Seen(failed, ran, {clause: stages[clause] for clause in failed.keys() | ran})


def held_out(rows: tuple[Row, ...], with_kin: bool) -> Iterator[Trial]:
    """A trial for each fault without its own row.

    ``with_kin`` selects faults of which another row is of the same kind.
    """
    for row in rows:
        rest = tuple(other for other in rows if other is not row)
        kin = any(same(row, other) for other in rest)
        if row.failed and kin == with_kin:
            yield Trial(observed(row), rest, (row,), unknown=not kin)


def again(rows: tuple[Row, ...], resampled: Iterable[Row]) -> Iterator[Trial]:
    """A trial for each fault from a run with another seed, with all rows known."""
    known = {row.name: row for row in rows}
    for row in resampled:
        if row.name in known and row.failed:
            yield Trial(observed(row), rows, (known[row.name],))


def parts(rows: tuple[Row, ...]) -> Iterator[Trial]:
    """A trial for each fault in a run with a random half of the clauses."""
    drawn = random.Random(0)  # noqa: S311 - nothing secret
    for row in rows:
        seen = observed(row)
        left = [clause for clause in sorted(row.looked) if drawn.random() < 0.5]
        if row.failed.keys() - left:
            yield Trial(seen.without(left), rows, (row,))


def pairs(rows: tuple[Row, ...]) -> Iterator[Trial]:
    """A trial for two faults at once, neither of which has all failures of the other."""
    drawn = random.Random(0)  # noqa: S311
    usable = [row for row in rows if row.failed]
    count = 0
    while count < SAMPLE and len(usable) > 1:
        one, other = drawn.sample(usable, 2)
        if one.failed.keys() - other.failed.keys() and other.failed.keys() - one.failed.keys():
            count += 1
            yield Trial(observed(one, other), rows, (one, other))


def by_chance(rows: tuple[Row, ...]) -> Iterator[Trial]:
    """A trial of two to eight random failures without a common fault, with messages from the rows."""
    drawn = random.Random(0)  # noqa: S311
    texts = {clause: text for row in rows for clause, text in row.failed.items()}
    stages = {clause.id: whole(clause.stage) for clause in all_clauses()}
    for _ in range(SAMPLE):
        failed = drawn.sample(sorted(texts), drawn.randint(2, 8))
        seen = Seen({clause: texts[clause] for clause in failed}, frozenset(stages.keys() - set(failed)), stages)
        yield Trial(seen, rows, ())


def counted(trials: Iterable[Trial], confident: float = CONFIDENT) -> Counter[Said]:
    """{quality: number of trials}."""
    return Counter(judged(trial, confident) for trial in trials)


def table(rows: tuple[Row, ...], resampled: Sequence[Row]) -> Iterator[str]:
    """Lines of Markdown: each kind of trial, then the results of some kinds at other settings of the fit."""
    kin, alone = (list(held_out(rows, with_kin)) for with_kin in (True, False))
    chance = list(by_chance(rows))
    kinds = {
        "the same fault, another seed": again(rows, resampled),
        "half of the clauses": parts(rows),
        "left out, another of its kind is known": kin,
        "left out, none of its kind is known": alone,
        "two faults at once": pairs(rows),
        "failures by chance": chance,
    }
    yield f"| what is matched | trials | {' | '.join(Said)} |"
    yield f"|{' --- |' * (len(Said) + 2)}"
    for title, trials in kinds.items():
        said = counted(trials)
        if said:
            yield f"| {title} | {said.total()} | {' | '.join(_share(said[each], said.total()) for each in Said)} |"
    yield ""
    yield "| fit asked for | kind known: right | unknown: of its file | unknown: wrong | by chance: wrong |"
    yield f"|{' --- |' * 5}"
    for setting in SETTINGS:
        yield _setting(setting, *(counted(trials, setting) for trials in (kin, alone, chance)))


def _setting(setting: float, kin: Counter[Said], alone: Counter[Said], chance: Counter[Said]) -> str:
    cells = [
        _share(kin[Said.RIGHT] + kin[Said.LISTED], kin.total()),
        *(_share(alone[each], alone.total()) for each in (Said.NEAR, Said.WRONG)),
        _share(chance[Said.WRONG], chance.total()),
    ]
    return f"| {setting:g} | {' | '.join(cells)} |"


def _share(count: int, of: int) -> str:
    return f"{count} ({100 * count / of:.0f} %)" if of else "0"
