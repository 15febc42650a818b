"""A small process that ends the workers when their supervisor is gone, for whatever reason.

A supervisor that is killed cannot end anything. The reaper reads a pipe that only the supervisor writes to: the process
IDs of workers as they start and end. When the pipe closes, the supervisor has ended, and the reaper ends the workers
that are left, with their sessions of processes. It runs this file alone, and imports nothing of this project.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from types import TracebackType
from typing import Self


class Reaper:
    """The supervisor's end of the pipe, and the process that reads it."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-I", "-S", __file__]
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )
        return self

    def watch(self, pid: int) -> None:
        """End this worker, the leader of its session, if it outlives the supervisor."""
        self._tell(f"+{pid}")

    def forget(self, pid: int) -> None:
        """Stop watching a worker that has ended."""
        self._tell(f"-{pid}")

    def _tell(self, line: str) -> None:
        if self._process.stdin:
            with suppress(BrokenPipeError):  # the reaper was ended; checks continue without it
                self._process.stdin.write(f"{line}\n".encode())
                self._process.stdin.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(BrokenPipeError):
            self._process.communicate()


def reap() -> None:
    """Read until the pipe closes, then kill the workers that are left."""
    alive: set[int] = set()
    for line in sys.stdin.buffer:
        pid = int(line[1:])
        if line.startswith(b"+"):
            alive.add(pid)
        else:
            alive.discard(pid)
    for pid in alive:
        with suppress(OSError):  # the worker has ended
            if hasattr(os, "killpg"):
                os.killpg(pid, signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGTERM)


if __name__ == "__main__":
    reap()
