"""The process of a worker: it is started, watched, and ended with all its children."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

from ...reporting.record import Outcome
from ...support.texts import printable
from ..profiles import IMPORTING
from .journal import Event, Reader

WEIGH = 0.25  # seconds between two measurements of memory, which take longer than other looks
GRACE = 5  # seconds that a worker has to exit once its work is done
LOG_LIMIT = 32 * 2**20  # bytes of output that are kept
TAIL = 2000  # characters of the output that are reported
OURS = "convspec"  # the name for a worker's own start, which no option limits
MOST_WORKERS = 4  # there are no more groups of clauses that train
MEMORY_OF_A_WORKER = 3 * 2**30  # bytes; the reference needs two thirds of that
PARTS = ("fixture", "made", "importing", "imported")  # events within a step that began before


@dataclass(frozen=True)
class Limits:
    """What a clause may use."""

    seconds: float
    memory: int  # bytes, of a worker and its children together
    importing: float = IMPORTING  # seconds of an import, which do not count towards those of a clause


@dataclass(frozen=True)
class End:
    """How a process ended before its work was done."""

    outcome: Outcome
    words: str


class Started(Protocol):
    """The part of ``subprocess.Popen`` that is used."""

    @property
    def pid(self) -> int:
        """The process ID."""

    @property
    def returncode(self) -> Any:
        """The exit code; None while the process runs."""

    def poll(self) -> int | None:
        """The exit code, looked up now; None while the process runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code; subprocess.TimeoutExpired after ``timeout`` seconds."""


Launch = Callable[[Sequence[str], Mapping[str, str], Path], Started]  # of pytest's arguments, environment and log


def spawned(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Started:
    """Start pytest in a new Python process and a new session; its output goes to ``log``."""
    command = [sys.executable, "-m", "pytest", *arguments]
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )


class Process:
    """A worker process that is watched."""

    def __init__(self, started: Started, journal: Path, log: Path, limits: Limits) -> None:
        self._reader, self._log, self._limits = Reader(journal), log, limits
        self._process = started
        self._since = time.monotonic()  # when the last step began, plus the time of imports since
        self._importing: tuple[str, float] | None = (OURS, self._since)  # what is imported, and since when
        self._weighed = 0.0
        self._finished: float | None = None  # when its work was done
        self.over = False

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._process.pid

    def news(self) -> Iterator[Event | End]:
        """The events since the last look, and then an End if the process ended or must end before its work was done."""
        gone = self._process.poll() is not None
        for event in self._reader.events():
            self._keep_time(event)
            yield event
        if self._finished is not None:
            self.over = gone or time.monotonic() - self._finished > GRACE
        elif gone:
            self.over = True
            yield End(Outcome.CRASHED, exit_words(self._process.returncode))
        elif end := self._beyond_limits():
            self.over = True
            self.end()
            yield from self._reader.events()
            yield end

    def end(self) -> None:
        """Kill the process and its children."""
        kill(self._process.pid)
        self._process.wait()

    def tail(self) -> str:
        """The last part of its output, as printable text."""
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - 4 * TAIL))
            text = log.read().decode("utf-8", errors="replace")
        return printable(text)[-TAIL:].strip()

    def _keep_time(self, event: Event) -> None:
        """Update the time of the current step, which does not include imports."""
        now, kind = time.monotonic(), event["event"]
        if kind == "importing":
            self._importing = (event["name"], now)
        elif kind == "imported" and self._importing:
            self._since += now - self._importing[1]
            self._importing = None
        elif kind not in PARTS:
            self._since, self._importing = now, None
        if kind == "finished":
            self._finished = now

    def _beyond_limits(self) -> End | None:
        now, limits = time.monotonic(), self._limits
        if now - self._weighed < WEIGH:
            return None
        self._weighed = now
        if self._importing:
            name, since = self._importing
            limit, advice = (IMPORTING, "") if name == OURS else (limits.importing, ": raise --import-limit")
            if now - since > limit:
                words = f"slow import: {name} was not imported within {limit:g} seconds"
                return End(Outcome.NOT_RUN, f"{words}{advice}")
        elif now - self._since > limits.seconds:
            return End(Outcome.TIMED_OUT, f"no answer within {limits.seconds:g} seconds")
        if memory_of(self._process.pid) > limits.memory:
            return End(Outcome.OUT_OF_MEMORY, f"the process held more than {limits.memory / 2**30:.1f} GiB of memory")
        if self._log.stat().st_size > LOG_LIMIT:
            os.truncate(self._log, 0)  # the process appends, so it continues at the new end
        return None


def kill(pid: int) -> None:
    """Kill a process that leads a session, and its children."""
    with suppress(psutil.NoSuchProcess):
        tree = [psutil.Process(pid)]
        tree += tree[0].children(recursive=True)
        for process in tree:
            with suppress(psutil.NoSuchProcess):
                process.kill()
    with suppress(OSError, AttributeError):  # kills children if the leader is gone; Windows has no groups
        os.killpg(pid, signal.SIGKILL)


def memory_of(pid: int) -> int:
    """The memory of a process and its children, in bytes."""
    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                total += int(one.memory_info().rss)
    return total


def default_memory(workers: int = 1) -> int:
    """Four fifths of the memory that is free now, divided equally among the workers, in bytes."""
    return int(psutil.virtual_memory().available * 0.8 / workers)


def default_workers() -> int:
    """The number of processors, but at most four, and fewer if memory is short."""
    with_memory = int(psutil.virtual_memory().available) // MEMORY_OF_A_WORKER
    return max(1, min(processors(), MOST_WORKERS, with_memory))


def processors() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def exit_words(code: int) -> str:
    """How a process ended, in words; an exit code is negative if a signal ended it."""
    if code >= 0:
        return f"the process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = "; the system may have been out of memory" if name == "SIGKILL" else ""
    return f"the process was ended by {name}{hint}"
