"""Lines that say how far a session is, for whoever waits for it."""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

EVERY = 10  # seconds between two lines of the same phase


@dataclass
class Progress:
    """Lines on the output of errors, each with the seconds since ``begun``, written at once wherever they go."""

    clock: Callable[[], float] = time.monotonic
    begun: float = 0.0
    subject: str = ""  # that the lines are about
    silent: bool = False
    last: float = -math.inf  # when there was a line

    def about(self, subject: str) -> "Progress":
        """The same for lines about another subject."""
        return replace(self, subject=subject)

    def phase(self, text: str) -> None:
        """Say what begins now."""
        self.last = self.clock()
        if not self.silent:
            subject = f"{self.subject}: " if self.subject else ""
            print(f"{self.last - self.begun:6.0f} s  {subject}{text}", file=sys.stderr, flush=True)

    def step(self, text: str) -> None:
        """Say how far it is, unless the last line is fresh."""
        if self.clock() - self.last >= EVERY:
            self.phase(text)


SILENT = Progress(silent=True)
