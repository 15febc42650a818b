"""Runs a list of jobs: existing results are used, failed jobs are repeated, and each job is reported."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..support.texts import LONGEST, Told, one_line
from .job import Job, going_on
from .local import Local
from .results import Results

TRIES = 3  # the most tries of a job that fails, or whose process or machine is lost
LOOK = 0.1  # seconds between two checks whether the run must end
NAMED = 3  # jobs without a result that a message names


class Lost(Told):
    """Jobs have no result."""


class Pool(Protocol):
    """Runs jobs."""

    def submit(self, job: Job) -> "Future[str]":
        """Start a job; the future holds the answer of ``perform``, or an error if a process or machine was lost."""


@dataclass(frozen=True)
class Done:
    """The outcome of a job."""

    job: Job
    result: Any = None
    seconds: float = 0.0  # the time that it took on its machine
    node: str = ""  # the machine
    tries: int = 1
    kept: bool = False  # whether its result existed before
    missing: str = ""  # why there is no result


@dataclass(frozen=True)
class Runner:
    """Runs lists of jobs on this machine, or on the Ray cluster at an address."""

    folder: Path  # of the results
    workers: int  # on this machine
    address: str = ""
    resume: bool = False  # whether existing results are used

    def run(self, jobs: Sequence[Job], stop: Callable[[], str] = going_on) -> Iterator[Done]:
        """Yield each job once: first those with results, then the others as they finish, until the run must end.

        NotKept if a result cannot be written; NoCluster if the address cannot be used.
        """
        if twice := next((name for name, times in Counter(job.name for job in jobs).items() if times > 1), ""):
            raise ValueError(f"two jobs have the name {twice}")
        results, left = Results(self.folder), list[Job]()
        for job in jobs:
            if not self.resume:
                results.forget(job)
            if said := results.read(job):
                yield Done(job, **said, kept=True)
            else:
                left.append(job)
        if left and not stop():
            with self._pool() as pool:
                yield from _done(left, pool, results, stop)

    def whole(self, jobs: Sequence[Job]) -> Iterator[Done]:
        """Yield the jobs that have a result; Lost at the end if any job has none."""
        missing = []
        for done in self.run(jobs):
            if done.missing:
                missing.append(f"{done.job.name}: {done.missing}")
            else:
                yield done
        if missing:
            first, more = "; ".join(missing[:NAMED]), f"; {len(missing) - NAMED} more" if missing[NAMED:] else ""
            raise Lost(f"{len(missing)} of {len(jobs)} jobs have no result; --resume tries them again: {first}{more}")

    def _pool(self) -> AbstractContextManager[Pool]:
        if not self.address:
            return Local(self.workers)
        from .cluster import Cluster  # only needed with an address

        return Cluster(self.address)


def _done(jobs: Sequence[Job], pool: Pool, results: Results, stop: Callable[[], str]) -> Iterator[Done]:
    """Run jobs that have no result, and yield their outcomes."""
    tries, doing = Counter[str](), dict["Future[str]", Job]()

    def begin(job: Job) -> None:
        tries[job.name] += 1
        doing[pool.submit(job)] = job

    for job in jobs:
        begin(job)
    while doing:
        come, _ = wait(doing, LOOK, FIRST_COMPLETED)
        if stop():
            return
        for future in [future for future in doing if future in come]:  # in the order in which they were begun
            job = doing.pop(future)
            said = _said(future)
            count, failed = tries[job.name], said.pop("failed", "")
            if refused := said.pop("refused", ""):
                yield Done(job, **said, tries=count, missing=refused)
            elif not failed:
                results.keep(job, said | {"tries": count})
                yield Done(job, **said, tries=count)
            elif count < TRIES:
                begin(job)
            else:
                yield Done(job, **said, tries=count, missing=f"{failed} ({count} times)")


def _said(future: "Future[str]") -> dict[str, Any]:
    """The answer of a job; a job that was lost has failed."""
    try:
        said: dict[str, Any] = json.loads(future.result())
    except Exception as error:  # Ray raises many kinds
        cause = getattr(error, "cause", error)  # Ray's text may be a traceback
        return {"failed": one_line(str(cause) or type(cause).__name__, LONGEST // 2)}
    return said
