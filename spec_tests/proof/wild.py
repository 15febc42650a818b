"""The wild set, each pipeline audited in a separate process: the fault's clause must fail, a correct pipeline pass."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fixtures.pipelines.wild import Wild

from ..clauses.catalogue import all_clauses
from ..jobs.job import Job, stopped
from ..jobs.runner import Runner
from ..reporting.record import FAILURES, Outcome, Result
from ..running.groups import of_pipelines
from ..running.isolation.nursery import nursery
from ..running.isolation.process import MEMORY_OF_A_WORKER, Limits
from ..running.isolation.supervisor import check
from ..running.isolation.task import Task
from ..running.profiles import IMAGES
from ..running.request import places_of
from .mutants import ignored

FRAMEWORKS = ("torch", "tensorflow", "keras-hub")
LIMITS = Limits(seconds=300, memory=4 * 2**30)


@dataclass(frozen=True)
class Found:
    """The results of the audit of one pipeline."""

    wild: Wild
    results: tuple[Result, ...]
    seconds: float

    @property
    def failed(self) -> list[str]:
        """The clauses that do not hold."""
        return [result.clause.id for result in self.results if result.outcome in FAILURES]

    @property
    def fault(self) -> str:
        """What is wrong with the audit's answer; empty if it is right."""
        if broken := next((r.reason for r in self.results if r.outcome is Outcome.BROKEN), ""):
            return broken
        if not self.wild.clause:
            return f"a right pipeline fails {', '.join(self.failed)}" if self.failed else ""
        return "" if self.wild.clause in self.failed else f"{self.wild.clause} did not find it"

    def said(self, clause: str) -> str:
        """The message of a clause."""
        return next((r.failure.violated or r.failure.raised for r in self.results if r.clause.id == clause), "")


def audit(
    pipelines: Sequence[Wild], *, seeds: Iterable[int], runner: Runner, told: Callable[[Found], None]
) -> list[Found]:
    """Audit each pipeline with each seed, and yield the results as they come."""
    clauses, found = {clause.id: clause for clause in all_clauses()}, []
    by_name = {f"{one.name}-{seed}": (one, seed) for seed in seeds for one in pipelines}
    jobs = [
        Job(name, f"{__name__}:audited", {"name": one.name, "target": one.target, "seed": seed},
            memory=MEMORY_OF_A_WORKER)
        for name, (one, seed) in by_name.items()
    ]  # fmt: skip
    for done in runner.whole(jobs):
        results = tuple(Result.from_json(result, clauses) for result in done.result)
        found.append(Found(by_name[done.job.name][0], results, done.seconds))
        told(found[-1])
    return found


def audited(name: str, target: str, seed: int) -> list[dict[str, Any]]:
    """The results of one audit as JSON."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    clauses = tuple(of_pipelines(all_clauses()))
    options = (f"--seed={seed}", f"--audit={IMAGES}", "--clause", *(clause.id for clause in clauses))
    task = Task(name, target, "tensorflow", options, clauses, places=places_of(clauses))
    state = check(task, LIMITS, ignored, nursery(FRAMEWORKS), stopped)
    return [result.to_json() for result in state.ordered()]
