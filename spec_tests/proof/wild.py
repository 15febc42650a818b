"""The wild set, each pipeline audited in a process of its own: the clause of a fault finds it, a right one holds."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fixtures.pipelines.wild import Wild

from ..clauses.catalogue import all_clauses
from ..reporting.record import FAILURES, Outcome, Result
from ..running.groups import of_pipelines
from ..running.isolation.nursery import Nursery
from ..running.isolation.process import Limits
from ..running.isolation.supervisor import check
from ..running.isolation.task import Task
from ..running.profiles import IMAGES
from ..running.request import places_of
from .mutants import ignored

LIMITS = Limits(seconds=300, memory=4 * 2**30)


@dataclass(frozen=True)
class Found:
    """What an audit found of one pipeline."""

    wild: Wild
    results: tuple[Result, ...]
    seconds: float

    @property
    def failed(self) -> list[str]:
        """The clauses that do not hold."""
        return [result.clause.id for result in self.results if result.outcome in FAILURES]

    @property
    def fault(self) -> str:
        """What is wrong with the answer; nothing where it is right."""
        if broken := next((r.reason for r in self.results if r.outcome is Outcome.BROKEN), ""):
            return broken
        if not self.wild.clause:
            return f"a right pipeline fails {', '.join(self.failed)}" if self.failed else ""
        return "" if self.wild.clause in self.failed else f"{self.wild.clause} did not find it"

    def said(self, clause: str) -> str:
        """What a clause said."""
        return next((r.failure.violated or r.failure.raised for r in self.results if r.clause.id == clause), "")


def audit(pipelines: Sequence[Wild], *, seed: int, workers: int, told: Callable[[Found], None]) -> list[Found]:
    """Of each, in their order."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    clauses, nursery = tuple(of_pipelines(all_clauses())), Nursery(("torch", "tensorflow", "keras-hub"))
    options = (f"--seed={seed}", f"--audit={IMAGES}", "--clause", *(clause.id for clause in clauses))

    def one(wild: Wild) -> Found:
        started = time.monotonic()
        task = Task(wild.name, wild.target, "tensorflow", options, clauses, places=places_of(clauses))
        results = check(task, LIMITS, ignored, nursery).ordered()
        found = Found(wild, tuple(results), time.monotonic() - started)
        told(found)
        return found

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(one, pipelines))
