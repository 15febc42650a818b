"""The process of a worker: started, watched and ended with all its children."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

from ...reporting.record import Outcome
from ...support.texts import printable
from .journal import Event, Reader

LOOK = 0.1  # seconds between two looks at what happened
WEIGH = 0.25  # seconds between two looks at what is used, which take longer
GRACE = 5  # seconds to go by itself, once its work is done
LOG_LIMIT = 32 * 2**20  # bytes of output that are kept
TAIL = 2000  # characters of it that are told


@dataclass(frozen=True)
class Limits:
    """What a clause may use."""

    seconds: float
    memory: int  # bytes, of the process and its children together


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
    """A new Python that runs pytest; its output goes to ``log``, and it has a session of its own."""
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
        self._since = time.monotonic()  # the last event that begins something
        self._weighed = 0.0

    def events(self) -> Iterable[Event | End]:
        """What happens until the process ends or is ended; the last one is an End, unless it finished its work."""
        finished = False
        while True:
            running = self._process.poll() is None
            for event in self._reader.events():
                if event["event"] not in ("fixture", "made"):  # parts of what was begun before
                    self._since = time.monotonic()
                finished = finished or event["event"] == "finished"
                yield event
            if finished or not running:
                break
            if end := self._beyond_limits():
                self.end()
                yield from self._reader.events()
                yield end
                return
            time.sleep(LOOK)
        if not finished:
            yield End(Outcome.CRASHED, _exit_words(self._process.returncode))
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        self.end()

    def end(self) -> None:
        """Kill what is left of it, children included."""
        with suppress(psutil.NoSuchProcess):
            tree = [psutil.Process(self._process.pid)]
            tree += tree[0].children(recursive=True)
            for process in tree:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        with suppress(OSError, AttributeError):  # children of one that is gone; Windows has no groups
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def tail(self) -> str:
        """The last that it printed, as text that can be shown."""
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - 4 * TAIL))
            text = log.read().decode("utf-8", errors="replace")
        return printable(text)[-TAIL:].strip()

    def _beyond_limits(self) -> End | None:
        seconds, memory = self._limits.seconds, self._limits.memory
        if time.monotonic() - self._weighed < WEIGH:
            return None
        self._weighed = time.monotonic()
        if time.monotonic() - self._since > seconds:
            return End(Outcome.TIMED_OUT, f"no answer within {seconds:g} seconds")
        if memory_of(self._process.pid) > memory:
            return End(Outcome.OUT_OF_MEMORY, f"the process held more than {memory / 2**30:.1f} GiB of memory")
        if self._log.stat().st_size > LOG_LIMIT:
            os.truncate(self._log, 0)  # the process appends, and goes on at the new end
        return None


def memory_of(pid: int) -> int:
    """Bytes that a process and its children hold."""
    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                total += int(one.memory_info().rss)
    return total


def default_memory() -> int:
    """Four fifths of what is free now."""
    return int(psutil.virtual_memory().available * 0.8)


def _exit_words(code: int) -> str:
    if code >= 0:
        return f"the process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = "; the system may have been out of memory" if name == "SIGKILL" else ""
    return f"the process was ended by {name}{hint}"
