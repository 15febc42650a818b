"""The process that calls an implementation. If it crashes or hangs, the search continues in a new process."""

import multiprocessing
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..adapter.implementation import BrokenAdapter, load
from ..judging.checks import Undecided
from ..running.isolation.process import exit_words, kill
from ..running.isolation.reaper import Reaper
from ..running.profiles import IMPORTING
from ..support.texts import one_line
from . import FUNCTIONS
from .cases import Case

LOOK = 0.1  # seconds between two checks whether the search must end
SECONDS = 30.0  # seconds that a call may take
LONGEST = 120  # characters of a message


@dataclass(frozen=True)
class Ready:
    """The implementation is imported."""

    name: str
    version: str
    offered: tuple[str, ...]


@dataclass(frozen=True)
class Broken:
    """The implementation cannot be imported: one line that says why."""

    why: str


@dataclass(frozen=True)
class Refused:
    """A call raised an error: its message, with N instead of numbers."""

    why: str


@dataclass(frozen=True)
class Lost:
    """The process was lost: the kind is "crash" or "hang", and the words say how it ended."""

    kind: str
    words: str


Answer = NDArray[Any] | Refused | Lost


class Over(KeyboardInterrupt):
    """The search must end. This is a KeyboardInterrupt, so that Hypothesis does not catch it."""


class Worker:
    """Starts a process when there is something to call, and ends it. ``stopped`` says whether to give up."""

    def __init__(self, target: str, backend: str, stopped: Callable[[], object], seconds: float = SECONDS) -> None:
        self._target, self._backend, self._stopped, self._seconds = target, backend, stopped, seconds
        self._process: multiprocessing.process.BaseProcess | None = None
        self._fresh = True  # the first call may import a framework, and compile

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="convspec-")
        self._log = Path(self._folder.name, "output")
        self._reaper = Reaper().__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        self._reaper.__exit__(kind, error, trace)
        self._folder.cleanup()

    def ready(self) -> Ready:
        """The name, version and functions of the implementation; BrokenAdapter if it cannot be imported."""
        if self._process is None:
            self._start()
        if isinstance(self._said, Broken):
            raise BrokenAdapter(self._said.why)
        if isinstance(self._said, Lost):
            raise BrokenAdapter(f"{self._target} cannot be imported: {self._said.words}")
        said: Ready = self._said
        return said

    def call(self, case: Case) -> Answer:
        """The result of a call; Over if the search must end first."""
        if self._process is None:
            self._start()
        if not isinstance(self._said, Ready):
            return Lost("crash", f"it cannot be imported again: {self._said}")
        self._connection.send(case)
        limit, self._fresh = (IMPORTING if self._fresh else self._seconds), False
        answer: Answer = self._received(min(limit, 4 * self._seconds))
        return answer

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=serve, args=(other, self._target, self._backend, self._log))
        self._process.start()
        other.close()
        self._reaper.watch(self._process.pid or 0)
        self._fresh = True
        self._said = self._received(IMPORTING)

    def _received(self, seconds: float) -> Any:
        """The next message; Lost if the process ends, or sends none within ``seconds``."""
        assert self._process is not None
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._stopped():
                raise Over
            ready = wait([self._connection, self._process.sentinel], LOOK)
            if self._connection in ready:
                try:
                    return self._connection.recv()
                except (EOFError, OSError):
                    self._process.join(LOOK)
            if self._process.exitcode is not None:
                return self._lost("crash", exit_words(self._process.exitcode))
        return self._lost("hang", f"no answer within {seconds:g} seconds")

    def _lost(self, kind: str, words: str) -> Lost:
        printed = self._log.read_text(encoding="utf-8", errors="replace").split("\n") if self._log.is_file() else []
        last = next((line for line in reversed(printed) if line.strip()), "")
        self._end()
        return Lost(kind, one_line(f"{words}{'; its last line: ' if last else ''}{last}", 4 * LONGEST))

    def _end(self) -> None:
        if self._process is not None:
            kill(self._process.pid or 0)
            self._process.join()
            self._reaper.forget(self._process.pid or 0)
            self._connection.close()
            self._process = None


def serve(connection: Connection, target: str, backend: str, log: Path) -> None:
    """Import the implementation, and answer calls until the other end of the connection is closed."""
    if hasattr(os, "setsid"):
        os.setsid()  # so that Ctrl-C does not reach this process
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as in the processes of checks
    try:
        implementation = load(target, backend)
        offered = tuple(name for name in FUNCTIONS if implementation.offers(name))
    except BrokenAdapter as error:
        return connection.send(Broken(str(error)))
    connection.send(Ready(implementation.name, implementation.version, offered))
    while True:
        try:
            case: Case = connection.recv()
        except EOFError:
            return None
        connection.send(_answer(implementation, case))


def _answer(implementation: Any, case: Case) -> Answer:
    arrays = case.arrays
    try:
        result = getattr(implementation, case.function)(*arrays.values(), **case.options)
    except Undecided as unsupported:
        return Refused(_message(str(unsupported)))
    except Exception as error:
        return Refused(_message(f"{type(error).__name__}: {error}"))
    outputs = result[0] if isinstance(result, tuple) else result
    if not isinstance(outputs, np.ndarray) or outputs.dtype.hasobject:
        return np.array(str(type(outputs)))  # not a number, so the comparison reports it
    return np.array(outputs)


def _message(text: str) -> str:
    return one_line(re.sub(r"\d+", "N", text), LONGEST)
