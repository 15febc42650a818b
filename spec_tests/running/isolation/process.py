"""The process of a worker: started, watched and ended with all its children."""

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

WEIGH = 0.25  # seconds between two looks at what is used, which take longer
GRACE = 5  # seconds to go by itself, once its work is done
LOG_LIMIT = 32 * 2**20  # bytes of output that are kept
TAIL = 2000  # characters of it that are told
OURS = "convspec"  # whose own start no option limits
MOST_WORKERS = 4  # the groups of clauses that train are no more
MEMORY_OF_A_WORKER = 3 * 2**30  # bytes; the reference holds two thirds of that
PARTS = ("fixture", "made", "importing", "imported")  # events of what was begun before


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
    """What is used of ``subprocess.Popen``."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def returncode(self) -> Any:
        """How it ended; None before."""

    def poll(self) -> int | None:
        """The same, looked up now."""

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended; subprocess.TimeoutExpired after so many seconds."""


Launch = Callable[[Sequence[str], Mapping[str, str], Path], Started]  # arguments of pytest, environment, log


def spawned(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Started:
    """A new Python in a new session that runs pytest; its output goes to ``log``."""
    command = [sys.executable, "-m", "pytest", *arguments]
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )


class Process:
    """A worker that is watched."""

    def __init__(self, started: Started, journal: Path, log: Path, limits: Limits) -> None:
        self._reader, self._log, self._limits = Reader(journal), log, limits
        self._process = started
        self._since = time.monotonic()  # the last event that begins something, later by what was imported since
        self._importing: tuple[str, float] | None = (OURS, self._since)  # what, and since when
        self._weighed = 0.0
        self._finished: float | None = None  # since when its work is done
        self.over = False

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def news(self) -> Iterator[Event | End]:
        """What happened since the last look; an End, the last of all, unless it finished its work."""
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
        """Kill what is left of it, children included."""
        kill(self._process.pid)
        self._process.wait()

    def tail(self) -> str:
        """The last that it printed, as text that can be shown."""
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - 4 * TAIL))
            text = log.read().decode("utf-8", errors="replace")
        return printable(text)[-TAIL:].strip()

    def _keep_time(self, event: Event) -> None:
        """The clock of a clause stands still while something is imported."""
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
            os.truncate(self._log, 0)  # the process appends, and goes on at the new end
        return None


def kill(pid: int) -> None:
    """End a process that leads a session, and its children."""
    with suppress(psutil.NoSuchProcess):
        tree = [psutil.Process(pid)]
        tree += tree[0].children(recursive=True)
        for process in tree:
            with suppress(psutil.NoSuchProcess):
                process.kill()
    with suppress(OSError, AttributeError):  # children of one that is gone; Windows has no groups
        os.killpg(pid, signal.SIGKILL)


def memory_of(pid: int) -> int:
    """Bytes that a process and its children hold."""
    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                total += int(one.memory_info().rss)
    return total


def default_memory(workers: int = 1) -> int:
    """Four fifths of what is free now, for each of so many workers alike."""
    return int(psutil.virtual_memory().available * 0.8 / workers)


def default_workers() -> int:
    """As many as there are processors, at most four, and fewer where memory is short."""
    with_memory = int(psutil.virtual_memory().available) // MEMORY_OF_A_WORKER
    return max(1, min(processors(), MOST_WORKERS, with_memory))


def processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def exit_words(code: int) -> str:
    """How a process ended, by its exit code: that of a signal is negative."""
    if code >= 0:
        return f"the process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = "; the system may have been out of memory" if name == "SIGKILL" else ""
    return f"the process was ended by {name}{hint}"
