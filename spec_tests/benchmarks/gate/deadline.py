"""The allowed time, whose end also ends running work."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from threading import TIMEOUT_MAX, Timer

from .process import Lost, Worker

LAST = 0.05  # seconds after the end at which workers are ended: by then every clock agrees that it is over

Clock = Callable[[], float]  # seconds


class Late(Exception):  # noqa: N818 - no error: what is known so far counts
    """The time is over."""


class Deadline:
    """A deadline so many seconds from now by ``clock``."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock = clock
        self._end = clock() + seconds

    def left(self) -> float:
        """The remaining seconds, at least zero."""
        return max(0.0, self._end - self.clock())

    def check(self) -> None:
        """Raise Late if the time is over."""
        if not self.left():
            raise Late

    @contextmanager
    def enforced(self, workers: Mapping[str, Worker]) -> Iterator[None]:
        """End these workers when the time is over, even in the middle of their work; raises Late in place of Lost."""

        def end() -> None:
            for worker in list(workers.values()):
                worker.kill()

        self.check()
        timer = Timer(min(self.left() + LAST, TIMEOUT_MAX), end)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Lost:
            self.check()
            raise
        finally:
            timer.cancel()


FOREVER = Deadline(time.monotonic, inf)
