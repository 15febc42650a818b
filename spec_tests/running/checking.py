"""Check several implementations, one after the other, and make one report."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from .. import __version__
from ..clauses.clause import Clause
from ..reporting.record import Implementation, Report, Result
from .isolation.journal import Event
from .isolation.process import Launch, Limits, spawned
from .isolation.supervisor import check
from .isolation.task import Task


class Progress:
    """Shows the progress of checks: a bar for each implementation on a terminal, a line elsewhere."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[at]}"),
        )
        self._console, self._bar = console, Bar(*columns, console=console, disable=not console.is_terminal)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, column: str, clauses: int) -> None:
        """Start the bar of the next implementation."""
        if not self._console.is_terminal:
            self._console.print(f"checking {column} …", highlight=False)
        self._task = self._bar.add_task(column, total=clauses, at="importing")

    def watch(self, event: Event) -> None:
        """Update the bar with an event."""
        kind = event["event"]
        if kind == "started":
            self._bar.update(self._task, at=event["clause"])
        elif kind == "smoke":
            self._bar.update(self._task, at=f"trying {event['stage']}")
        elif kind == "judged":
            self._bar.update(self._task, advance=1)

    def end(self) -> None:
        """Mark the current implementation as done."""
        self._bar.update(self._task, at="done")


def run(
    tasks: Sequence[Task],
    workers: int,
    limits: Limits,
    seed: int,
    profile: str,
    progress: Progress,
    stopped: Callable[[], str],
    launch: Launch = spawned,
) -> Report:
    """Check each task with ``workers`` workers; the limits hold for each clause.

    Clauses that are open when the check is stopped are not run. ``launch`` starts the workers.
    """
    started, begun = datetime.now(UTC), time.monotonic()
    clauses: dict[str, Clause] = {}
    implementations: list[Implementation] = []
    results: list[Result] = []
    for task in tasks:
        progress.begin(task.column, len(task.clauses))
        state = check(task, limits, progress.watch, launch, stopped, workers)
        progress.end()
        clauses |= state.clauses
        implementations.append(state.implementation)
        results += state.ordered()
    return Report(
        specification=__version__,
        seed=seed,
        profile=profile,
        started=started.isoformat(timespec="seconds"),
        seconds=time.monotonic() - begun,
        clauses=tuple(clauses.values()),
        implementations=tuple(implementations),
        results=tuple(results),
    )
