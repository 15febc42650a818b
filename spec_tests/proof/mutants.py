"""The kill matrix: each mutant against the clauses that must catch it.

A mutant is killed when every clause that must catch it does, by what it checks: an exception that the
mutant raises of its own is no proof, unless an exception is how its fault shows. What other clauses say of it
decides nothing: it is known from the rows that reports name faults by, or asked again.
"""

import inspect
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fixtures.mutants import Mutant
from fixtures.mutants import mutants as all_mutants

from ..adapter.stages import PIPELINE, whole
from ..clauses.catalogue import all_clauses, tests
from ..clauses.clause import Clause, Level
from ..jobs.job import Job, stopped
from ..jobs.runner import Runner
from ..reporting.naming.rows import Row, rows
from ..reporting.record import FAILURES, Outcome, Result
from ..running.isolation.journal import Event
from ..running.isolation.nursery import nursery
from ..running.isolation.process import MEMORY_OF_A_WORKER, Limits, spawned
from ..running.isolation.supervisor import check
from ..running.isolation.task import Task

REACH = {  # {stage: stages that use what it consists of}
    "environment": ("environment",),
    "data": ("data",),
    "layers": ("layers", "transfer"),
    "augmentation": ("augmentation", "transfer"),
    "transfer": ("transfer",),
}
# Fixtures that take a second or much more to make
DEAR = {"fits", "frozen_runs", "traces", "looks", "recorded", "states", "trial", "xception_41"}
CHEAP = ("numpy_port", "torch_port")  # checked in seconds; on others the first call of a function compiles it
WORDING = "a SHOULD, never fails a run; spec_tests/meta/test_refusals.py shows that it sees a message without numbers"
PIPELINES = "asked of pipelines alone: python -m spec_tests.proof wild"
WITHOUT = {  # {clause: why no mutant needs it}
    **{clause.id: PIPELINES for clause in all_clauses() if PIPELINE in clause.tied},
    "ACC-7": "a SHOULD, never fails a run; what it looks at is time",
    "PAD-7": WORDING,
    "POOL-9": WORDING,
}
FEW = "glance"  # profile in which a mutant is checked first
LIMITS = Limits(seconds=300, memory=6 * 2**30)  # of a clause, on busy cores


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"  # by every clause that must catch it
    ELSEWHERE = "killed by another"  # and not by all that must catch it
    SURVIVED = "survived"
    OF_ITSELF = "died of itself"  # an exception of its own, where the fault is about values


@dataclass(frozen=True)
class Death:
    """What became of one mutant, in the order of checking."""

    mutant: Mutant
    results: tuple[Result, ...]
    row: Row | None = None  # what is known of the same mutant, where only its own clauses were asked

    @property
    def fate(self) -> Fate:
        """What the results come to."""
        killers, own = set(self.killers), set(self.mutant.caught_by)
        if self.raised & own or any(result.outcome is Outcome.BROKEN for result in self.results):
            return Fate.OF_ITSELF
        if own <= killers:
            return Fate.KILLED
        return Fate.ELSEWHERE if killers else Fate.OF_ITSELF if self.raised else Fate.SURVIVED

    @property
    def killers(self) -> list[str]:
        """The clauses that caught it."""
        return [result.clause.id for result in self._failures if result.clause.id not in self.raised]

    @property
    def others(self) -> list[str]:
        """The clauses that caught it and need not, in this run or when its row was made."""
        found = self.row.failed if self.row else self.killers
        return [clause for clause in found if clause not in self.mutant.caught_by]

    @property
    def missed(self) -> list[str]:
        """The clauses that must catch it and did not."""
        return [clause for clause in self.mutant.caught_by if clause not in self.killers]

    @property
    def raised(self) -> set[str]:
        """The clauses that an exception of the mutant kept from judging."""
        if self.mutant.raises:
            return set()
        return {r.clause.id for r in self._failures if r.failure.raised or r.outcome is not Outcome.FAILED}

    @property
    def seconds(self) -> float | None:
        """Seconds of checking until the first clause caught it; None if none did."""
        total = 0.0
        for result in self.results:
            total += result.seconds
            if result.clause.id in self.killers:
                return total
        return None

    @property
    def words(self) -> str:
        """What the first clause that caught it said of it, or what it died of."""
        if broken := next((r.reason for r in self.results if r.outcome is Outcome.BROKEN), ""):
            return broken
        first = next((r for r in self._failures if r.clause.id in self.mutant.caught_by), None)
        first = first or next(iter(self._failures), None)
        return f"{first.clause.id}: {first.failure.violated or first.failure.raised}" if first else ""

    @property
    def _failures(self) -> list[Result]:
        return [result for result in self.results if result.outcome in FAILURES]


@dataclass(frozen=True)
class Matrix:
    """All mutants and all clauses."""

    deaths: tuple[Death, ...]
    clauses: tuple[Clause, ...]
    seed: int
    profile: str
    seconds: float

    @property
    def needed(self) -> dict[str, list[str]]:
        """{clause: the mutants that must be caught by it, and are}."""
        return {
            clause.id: [
                death.mutant.name
                for death in self.deaths
                if clause.id in death.mutant.caught_by and clause.id in death.killers
            ]
            for clause in self.clauses
        }

    @property
    def unneeded(self) -> dict[str, str]:
        """{clause that no mutant needs: the recorded reason, or nothing}."""
        return {clause: WITHOUT.get(clause, "") for clause, mutants in self.needed.items() if not mutants}

    @property
    def sole(self) -> dict[str, str]:
        """{mutant: the one clause that caught it} of those that only one did."""
        alone = (death for death in self.deaths if len(death.killers) == 1 and not death.others)
        return {death.mutant.name: death.killers[0] for death in alone}

    @property
    def times(self) -> tuple[float, float]:
        """Median and largest seconds to the first failure."""
        times = [death.seconds for death in self.deaths if death.seconds is not None] or [0.0]
        return statistics.median(times), max(times)

    def count(self, fate: Fate) -> int:
        """How many mutants met it."""
        return sum(death.fate is fate for death in self.deaths)

    def faults(self, whole: bool) -> list[str]:
        """What is wrong with the specification, or with its mutants, a line each; clauses too if all mutants ran."""
        found = [
            f"{death.mutant.name} {death.fate}: {_named(death.missed)} did not catch it{_said(death)}"
            for death in self.deaths
            if death.fate is not Fate.KILLED
        ]
        if not whole:
            return found
        found += [
            f"{clause} is needed by a mutant: the reason recorded for it in WITHOUT is to go"
            for clause in WITHOUT
            if self.needed.get(clause)
        ]
        idle = [clause for clause, reason in self.unneeded.items() if not reason]
        return [*found, *([f"no mutant needs {', '.join(idle)}, and no reason is recorded"] if idle else [])]


def run(
    mutants: Sequence[Mutant],
    *,
    seed: int,
    profile: str,
    thorough: bool,
    runner: Runner,
    told: Callable[[Death], None],
    few: str = FEW,
    beside: bool = False,
) -> Matrix:
    """Check each mutant in processes of its own, several at a time.

    ``beside``: against other clauses of its reach too, without the expensive ones. ``thorough``: against every clause
    of its reach, with as many examples as its own. ``few``: the profile in which it is checked first otherwise.
    """
    started = time.monotonic()
    clauses = {clause.id: clause for clause in all_clauses()}
    _check_names(mutants, clauses.values())

    def job(mutant: Mutant) -> Job:
        others = _others(mutant, clauses.values(), thorough) if thorough or beside else []
        first, then = (profile, "") if thorough else (few, profile if few != profile else "")
        given = {"name": mutant.name, "others": others, "seed": seed, "profile": first, "again": then}
        depends = f"{mutant.digest} {mutant.caught_by} {mutant.raises}"
        return Job(mutant.name, f"{__name__}:results", given, memory=MEMORY_OF_A_WORKER, depends=depends)

    places = {clause: place for place, clause in enumerate(clauses)}
    first = {mutant: min(places[clause] for clause in mutant.caught_by) for mutant in mutants}
    # While the nursery gets ready come those that do without; then those of accuracy, which take longest.
    begun = sorted(first, key=lambda mutant: (_runs_in_nursery(mutant), -first[mutant]))
    died, by_name = dict[str, Death](), {mutant.name: mutant for mutant in mutants}
    for done in runner.whole([job(mutant) for mutant in begun]):
        mutant = by_name[done.job.name]
        found = tuple(Result.from_json(result, clauses) for result in done.result)
        died[mutant.name] = Death(mutant, found, None if done.job.arguments["others"] else _row(mutant))
        told(died[mutant.name])
    deaths = tuple(died[mutant.name] for mutant in sorted(mutants, key=first.__getitem__))
    return Matrix(deaths, tuple(clauses.values()), seed, profile, time.monotonic() - started)


def results(name: str, others: Sequence[str], seed: int, profile: str, again: str) -> list[dict[str, Any]]:
    """What clauses say of one mutant, its own first, as JSON; those of its own that miss it are asked ``again``."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes side by side, each on one core
    mutant = all_mutants()[name]
    own = list(mutant.caught_by)
    found = _asked(mutant, own + list(others), seed, profile)
    found.sort(key=lambda result: result.clause.id not in own)
    if (missed := Death(mutant, tuple(found)).missed) and again:  # what few examples catch is caught with more
        anew = {result.clause.id: result for result in _asked(mutant, missed, seed, again)}
        found = [anew.get(result.clause.id, result) for result in found]
    return [result.to_json() for result in found]


def _asked(mutant: Mutant, clauses: Sequence[str], seed: int, profile: str) -> list[Result]:
    options = ("--first-failure", f"--seed={seed}", f"--profile={profile}", "--clause", *clauses)
    places = tuple(dict.fromkeys(inspect.getfile(tests()[clause]) for clause in clauses))
    target = f"fixtures.mutants:{mutant.name}"
    task = Task(mutant.name, target, mutant.backend, options, tried=tuple(REACH), places=places)
    warm = nursery()  # which gets ready in the meantime where this one does without
    launch = warm if _runs_in_nursery(mutant) else spawned
    return list(check(task, LIMITS, ignored, launch, stopped).results.values())


def _others(mutant: Mutant, clauses: Iterable[Clause], thorough: bool) -> list[str]:
    """The clauses that its fault may reach, without its own."""
    stages = reach(mutant, clauses)
    reached = (clause for clause in clauses if whole(clause.stage) in stages and clause.id not in mutant.caught_by)
    reached = (clause for clause in reached if PIPELINE not in clause.tied)
    return [clause.id for clause in reached if thorough or not _is_dear(clause, mutant)]


def _row(mutant: Mutant) -> Row | None:
    """What is known of it, unless it was changed since."""
    return next((row for row in rows() if row.name == mutant.name and row.diff == mutant.digest), None)


def reach(mutant: Mutant, clauses: Iterable[Clause]) -> set[str]:
    """The stages of the clauses that must catch it, and those that use what these consist of."""
    return {reached for clause in clauses if clause.id in mutant.caught_by for reached in REACH[whole(clause.stage)]}


def _runs_in_nursery(mutant: Mutant) -> bool:
    """Whether it does with Keras on TensorFlow, if it needs Keras."""
    return mutant.of != "reference" or mutant.backend == "tensorflow"


def _is_dear(clause: Clause, mutant: Mutant) -> bool:
    """Whether it takes too long for a mutant that it need not catch."""
    return mutant.of not in CHEAP or bool(DEAR & inspect.signature(tests()[clause.id]).parameters.keys())


def _check_names(mutants: Sequence[Mutant], clauses: Iterable[Clause]) -> None:
    levels = {clause.id: clause.level for clause in clauses}
    for mutant in mutants:
        for clause in mutant.caught_by:
            if levels.get(clause, Level.SHOULD) is Level.SHOULD:
                raise ValueError(f"{mutant.name}: {clause} is no clause that can catch a mutant")
        if not mutant.caught_by:
            raise ValueError(f"{mutant.name}: name the clauses that must catch it")


def ignored(event: Event) -> None:
    """Steps of a check are not told."""


def _named(clauses: Sequence[str]) -> str:
    return " and ".join(clauses) or "what must catch it"


def _said(death: Death) -> str:
    return f"; {death.words}" if death.words else ""
