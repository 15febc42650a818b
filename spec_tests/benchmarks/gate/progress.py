"""Lines that report the progress of a session."""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

EVERY = 10  # seconds between two lines of the same phase


@dataclass
class Progress:
    """Progress lines on the standard error stream, each with the seconds since ``begun``, flushed at once."""

    clock: Callable[[], float] = time.monotonic
    begun: float = 0.0
    subject: str = ""  # the subject of the lines
    silent: bool = False
    last: float = -math.inf  # time of the last line

    def about(self, subject: str) -> "Progress":
        """The same reporter for another subject."""
        return replace(self, subject=subject)

    def phase(self, text: str) -> None:
        """Report the phase that begins now."""
        self.last = self.clock()
        if not self.silent:
            subject = f"{self.subject}: " if self.subject else ""
            print(f"{self.last - self.begun:6.0f} s  {subject}{text}", file=sys.stderr, flush=True)

    def step(self, text: str) -> None:
        """Report the progress, unless the last line is recent."""
        if self.clock() - self.last >= EVERY:
            self.phase(text)


SILENT = Progress(silent=True)
