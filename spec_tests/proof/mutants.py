"""The kill matrix: each mutant checked against the clauses that must catch it.

A mutant is killed if every clause that must catch it fails by its own check. An exception that the mutant raises is
no proof, unless the fault shows as an exception. Other clauses do not affect the result: their outcomes come from
the rows that reports use to name faults, or are checked again.
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

REACH = {  # {stage: stages that use its parts}
    "environment": ("environment",),
    "data": ("data",),
    "layers": ("layers", "transfer"),
    "augmentation": ("augmentation", "transfer"),
    "transfer": ("transfer",),
}
# Fixtures that take more than about a second to make
DEAR = {"fits", "frozen_runs", "traces", "looks", "recorded", "states", "trial", "xception_41"}
# Checked in seconds; on other implementations the first call of a function compiles it.
CHEAP = ("numpy_port", "torch_port")
WORDING = "a SHOULD, never fails a run; spec_tests/meta/test_refusals.py shows that it sees a message without numbers"
PIPELINES = "applies only to pipelines: python -m spec_tests.proof wild"
WITHOUT = {  # {clause: the reason why no mutant needs it}
    **{clause.id: PIPELINES for clause in all_clauses() if PIPELINE in clause.tied},
    "ACC-7": "a SHOULD, which never fails a run; it judges time",
    "PAD-7": WORDING,
    "POOL-9": WORDING,
}
FEW = "glance"  # the profile of a mutant's first check
LIMITS = Limits(seconds=300, memory=6 * 2**30)  # for a clause, on busy cores


class Fate(StrEnum):
    """The result of a mutant."""

    KILLED = "killed"  # by every clause that must catch it
    ELSEWHERE = "killed by another"  # but not by all that must catch it
    SURVIVED = "survived"
    OF_ITSELF = "died of itself"  # an unexpected exception, although the fault is about values


@dataclass(frozen=True)
class Death:
    """The results of one mutant, in the order of checking."""

    mutant: Mutant
    results: tuple[Result, ...]
    row: Row | None = None  # the recorded outcomes of the mutant, if only its own clauses were checked

    @property
    def fate(self) -> Fate:
        """The fate that follows from the results."""
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
        """The clauses that also caught it without needing to, in this run or when its row was made."""
        found = self.row.failed if self.row else self.killers
        return [clause for clause in found if clause not in self.mutant.caught_by]

    @property
    def missed(self) -> list[str]:
        """The clauses that must catch it and did not."""
        return [clause for clause in self.mutant.caught_by if clause not in self.killers]

    @property
    def raised(self) -> set[str]:
        """The clauses that could not judge the mutant because it raised an exception."""
        if self.mutant.raises:
            return set()
        return {r.clause.id for r in self._failures if r.failure.raised or r.outcome is not Outcome.FAILED}

    @property
    def seconds(self) -> float | None:
        """Seconds of checking until the first clause caught the mutant; None if none did."""
        total = 0.0
        for result in self.results:
            total += result.seconds
            if result.clause.id in self.killers:
                return total
        return None

    @property
    def words(self) -> str:
        """The message of the first clause that caught the mutant, or the exception that ended it."""
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
    """The results of all mutants with all clauses."""

    deaths: tuple[Death, ...]
    clauses: tuple[Clause, ...]
    seed: int
    profile: str
    seconds: float

    @property
    def needed(self) -> dict[str, list[str]]:
        """{clause: the mutants that it must catch and does catch}."""
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
        """{clause that no mutant needs: the recorded reason, or an empty string}."""
        return {clause: WITHOUT.get(clause, "") for clause, mutants in self.needed.items() if not mutants}

    @property
    def sole(self) -> dict[str, str]:
        """{mutant: the clause that caught it}, for mutants that only one clause caught."""
        alone = (death for death in self.deaths if len(death.killers) == 1 and not death.others)
        return {death.mutant.name: death.killers[0] for death in alone}

    @property
    def times(self) -> tuple[float, float]:
        """The median and the largest number of seconds to the first failure."""
        times = [death.seconds for death in self.deaths if death.seconds is not None] or [0.0]
        return statistics.median(times), max(times)

    def count(self, fate: Fate) -> int:
        """The number of mutants with this fate."""
        return sum(death.fate is fate for death in self.deaths)

    def faults(self, whole: bool) -> list[str]:
        """Faults of the specification or of its mutants, a line each. With ``whole`` also faults of clauses."""
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
    """Check each mutant in separate processes, several at a time.

    ``beside``: also check other clauses that the fault may reach, without the slow ones. ``thorough``: check all of
    these, with as many examples as its own clauses. ``few``: the profile of the first check, unless ``thorough``.
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
    # Mutants that do not use the nursery start while it is prepared; then come those of accuracy, the slowest.
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
    """The results of one mutant as JSON, its own clauses first. Those that miss it are checked ``again``."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes run in parallel, each on one core
    mutant = all_mutants()[name]
    own = list(mutant.caught_by)
    found = _asked(mutant, own + list(others), seed, profile)
    found.sort(key=lambda result: result.clause.id not in own)
    if (missed := Death(mutant, tuple(found)).missed) and again:  # more examples catch what few may miss
        anew = {result.clause.id: result for result in _asked(mutant, missed, seed, again)}
        found = [anew.get(result.clause.id, result) for result in found]
    return [result.to_json() for result in found]


def _asked(mutant: Mutant, clauses: Sequence[str], seed: int, profile: str) -> list[Result]:
    options = ("--first-failure", f"--seed={seed}", f"--profile={profile}", "--clause", *clauses)
    places = tuple(dict.fromkeys(inspect.getfile(tests()[clause]) for clause in clauses))
    target = f"fixtures.mutants:{mutant.name}"
    task = Task(mutant.name, target, mutant.backend, options, tried=tuple(REACH), places=places)
    warm = nursery()  # it is prepared while this process works without it
    launch = warm if _runs_in_nursery(mutant) else spawned
    return list(check(task, LIMITS, ignored, launch, stopped).results.values())


def _others(mutant: Mutant, clauses: Iterable[Clause], thorough: bool) -> list[str]:
    """The clauses that the fault may reach, without those that must catch it."""
    stages = reach(mutant, clauses)
    reached = (clause for clause in clauses if whole(clause.stage) in stages and clause.id not in mutant.caught_by)
    reached = (clause for clause in reached if PIPELINE not in clause.tied)
    return [clause.id for clause in reached if thorough or not _is_dear(clause, mutant)]


def _row(mutant: Mutant) -> Row | None:
    """The row of the mutant; None if the mutant was changed since."""
    return next((row for row in rows() if row.name == mutant.name and row.diff == mutant.digest), None)


def reach(mutant: Mutant, clauses: Iterable[Clause]) -> set[str]:
    """The stages of the clauses that must catch the mutant, and the stages that use their parts."""
    return {reached for clause in clauses if clause.id in mutant.caught_by for reached in REACH[whole(clause.stage)]}


def _runs_in_nursery(mutant: Mutant) -> bool:
    """Whether the mutant runs in the nursery, that is, needs no Keras or Keras on TensorFlow."""
    return mutant.of != "reference" or mutant.backend == "tensorflow"


def _is_dear(clause: Clause, mutant: Mutant) -> bool:
    """Whether a clause is too slow for a mutant that it need not catch."""
    return mutant.of not in CHEAP or bool(DEAR & inspect.signature(tests()[clause.id]).parameters.keys())


def _check_names(mutants: Sequence[Mutant], clauses: Iterable[Clause]) -> None:
    levels = {clause.id: clause.level for clause in clauses}
    for mutant in mutants:
        for clause in mutant.caught_by:
            if levels.get(clause, Level.SHOULD) is Level.SHOULD:
                raise ValueError(f"{mutant.name}: {clause} is not a clause that can catch a mutant")
        if not mutant.caught_by:
            raise ValueError(f"{mutant.name}: name the clauses that must catch it")


def ignored(event: Event) -> None:
    """Ignore the steps of a check."""


def _named(clauses: Sequence[str]) -> str:
    return " and ".join(clauses) or "what must catch it"


def _said(death: Death) -> str:
    return f"; {death.words}" if death.words else ""
