"""How a list of jobs is run: what is there already, what is done again, and what is told of each job."""

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

TRIES = 3  # of a job that fails, or whose process or machine is lost
LOOK = 0.1  # seconds between two looks at whether the run is to end
NAMED = 3  # jobs without a result


class Lost(Told):
    """Jobs have no result."""


class Pool(Protocol):
    """What does jobs."""

    def submit(self, job: Job) -> "Future[str]":
        """What ``perform`` says of a job; an error where its process or its machine was lost."""


@dataclass(frozen=True)
class Done:
    """What became of a job."""

    job: Job
    result: Any = None
    seconds: float = 0.0  # that it took where it was done
    node: str = ""  # the machine
    tries: int = 1
    kept: bool = False  # whether its result was there before
    missing: str = ""  # why there is none


@dataclass(frozen=True)
class Runner:
    """Runs lists of jobs on this machine, or on the Ray cluster at an address."""

    folder: Path  # of the results
    workers: int  # on this machine
    address: str = ""
    resume: bool = False  # whether results that are there are used

    def run(self, jobs: Sequence[Job], stop: Callable[[], str] = going_on) -> Iterator[Done]:
        """Each job once: first those that are there, then the others as they come, until the run is to end.

        NotKept where a result cannot be written; NoCluster where the address is of no use.
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
        """The same without those that have no result; Lost at the end if there are any."""
        missing = []
        for done in self.run(jobs):
            if done.missing:
                missing.append(f"{done.job.name}: {done.missing}")
            else:
                yield done
        if missing:
            first, more = "; ".join(missing[:NAMED]), f"; {len(missing) - NAMED} more" if missing[NAMED:] else ""
            raise Lost(f"{len(missing)} of {len(jobs)} have no result, which --resume tries again: {first}{more}")

    def _pool(self) -> AbstractContextManager[Pool]:
        if not self.address:
            return Local(self.workers)
        from .cluster import Cluster  # and with it Ray

        return Cluster(self.address)


def _done(jobs: Sequence[Job], pool: Pool, results: Results, stop: Callable[[], str]) -> Iterator[Done]:
    """What becomes of jobs of which there is no result."""
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
    """What was said of a job; a job that was lost failed."""
    try:
        said: dict[str, Any] = json.loads(future.result())
    except Exception as error:  # Ray has many kinds
        cause = getattr(error, "cause", error)  # Ray's text is a traceback where there is one
        return {"failed": one_line(str(cause) or type(cause).__name__, LONGEST // 2)}
    return said
