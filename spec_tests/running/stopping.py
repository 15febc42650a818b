"""SIGINT and SIGTERM end a check early; its report is still written."""

import signal
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether a signal has come. The code that must end asks for it; a second signal interrupts at once."""

    def __init__(self) -> None:
        self.code = 0  # the exit code that a shell reports for a process ended by a signal
        self._why = ""
        self._before: dict[int, Any] = {}

    def __call__(self) -> str:
        """Why the check must end; empty if it continues."""
        return self._why

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._take) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - Python calls a handler with both
        if self._why:
            raise KeyboardInterrupt
        self._why, self.code = f"the check was stopped by {signal.Signals(number).name}", 128 + number
