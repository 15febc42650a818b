"""The gate's side of a worker: starting, asking and ending it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from threading import Timer
from typing import IO, Any, Protocol

from ...support.texts import Told, one_line
from .worker import HARNESS, Order

PATIENCE = 1800  # seconds that a process may take for all its work
USUAL = {  # a value that the user has set is kept
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads would take the processors of the next turn
}
NO_CACHE = {"JAX_ENABLE_COMPILATION_CACHE": "false"}  # a cache would let one subject profit from another's compilation
TOLD_ERRORS = 300  # characters of a lost worker's last output that are shown


class Lost(Told):
    """A worker failed to answer as expected."""


class Handle(Protocol):
    """The part of ``subprocess.Popen`` that is used."""

    def kill(self) -> None:
        """End the process at once."""

    def wait(self) -> object:
        """Wait until the process has ended."""


class Worker:
    """A process that times one subject, which ``name`` identifies in messages.

    It starts to prepare at once; ``ready`` waits for it.
    """

    def __init__(
        self, name: str, order: Order, process: Handle, requests: IO[bytes], answers: IO[bytes], log: IO[bytes]
    ):
        self._name, self._process, self._requests, self._answers, self._log = name, process, requests, answers, log
        self._send(order.line())

    def ready(self) -> None:
        """Wait until the worker is warm; raises Lost if it fails."""
        self._answer()

    def turn(self, runs: int) -> list[float]:
        """The seconds of each of so many consecutive runs."""
        self._send(json.dumps({"runs": runs}).encode() + b"\n")
        seconds = self._answer()
        if len(seconds) != runs or not all(isinstance(value, float) and value > 0 for value in seconds):
            raise Lost(f"{self._name}: {runs} durations were asked for, and the answer was {seconds!r}")
        return seconds

    def kill(self) -> None:
        """End the process, even in the middle of its work. A caller that waits for an answer gets none."""
        self._process.kill()

    def end(self) -> None:
        """End the process and remove everything that it left."""
        self.kill()
        self._process.wait()
        for file in (self._requests, self._answers, self._log):
            with suppress(OSError):  # unsent data for a dead process
                file.close()

    def _send(self, line: bytes) -> None:
        with suppress(BrokenPipeError):  # reported when the answer is missing
            self._requests.write(line)
            self._requests.flush()

    def _answer(self) -> list[Any]:
        line = self._answers.readline()
        if not line:
            raise Lost(f"{self._name}: the process ended, or was ended after {PATIENCE} seconds{self._last_words()}")
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if isinstance(answer, dict) and isinstance(answer.get("seconds"), list):
            return list(answer["seconds"])
        if isinstance(answer, dict) and isinstance(answer.get("error"), str):
            raise Lost(f"{self._name}: {answer['error']}")
        raise Lost(f"{self._name}: the answer cannot be understood: {one_line(line.decode(errors='replace'), 80)}")

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return f": {one_line(lines[-1], TOLD_ERRORS)}" if lines else ""


Start = Callable[[str, Order], Worker]  # takes a subject's name and its order


def spawned(name: str, order: Order) -> Worker:
    """A worker in a new Python process."""
    return started(name, order, [sys.executable, "-m", f"{__package__}.worker"])


def started(name: str, order: Order, command: list[str]) -> Worker:
    """A worker that this command starts, with a separate folder for temporary files.

    Its output is kept, and shown if the worker is lost.
    """
    scratch = tempfile.TemporaryDirectory(prefix="convspec-gate-")
    log = tempfile.TemporaryFile()  # noqa: SIM115 - the worker's, which closes it
    environment = USUAL | os.environ | NO_CACHE | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), scratch.name)
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment, cwd=HARNESS,
        start_new_session=True,
    )  # fmt: skip
    if process.stdin is None or process.stdout is None:
        raise AssertionError("they are pipes")
    return Worker(name, order, _Spawned(process, scratch), process.stdin, process.stdout, log)


class _Spawned:
    """A process that is ended if it takes too long, and its temporary files with it.

    Its children are ended too, since they may hold the pipe for its answers.
    """

    def __init__(self, process: subprocess.Popen[bytes], scratch: tempfile.TemporaryDirectory[str]) -> None:
        self._process, self._scratch, self._watchdog = process, scratch, Timer(PATIENCE, self.kill)
        self._watchdog.daemon = True
        self._watchdog.start()

    def kill(self) -> None:
        """End the process at once."""
        self._watchdog.cancel()
        if self._process.returncode is None:  # otherwise the number may belong to another process
            with suppress(OSError, AttributeError):  # Windows has no groups
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()

    def wait(self) -> None:
        """Wait until the process has ended, and remove everything that it left."""
        self._process.wait()
        self._scratch.cleanup()
