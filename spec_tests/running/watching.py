"""``check --watch``: after a file is saved, clauses are checked again, those that did not hold first.

The first check shows which frameworks the implementation imports. A process that has imported them, but nothing of the
implementation, is kept. Each later check is a fork of it, so a failing clause is judged again in about a second.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..adapter.targets import resolved, source_of
from ..clauses.clause import Clause
from ..reporting.record import Outcome, Report, Result
from .checking import Progress, run
from .isolation.nursery import Nursery
from .isolation.process import Limits
from .isolation.task import Task
from .request import narrowed

LOOK = 0.2  # seconds between two looks at the files
SAVED = "a file was saved"
HOLDING = (Outcome.PASSED, Outcome.EXCUSED, Outcome.NOT_CLAIMED)
IGNORED = {"site-packages", "node_modules", "__pycache__", "build", "dist"}

Tell = Callable[[Report, bool], object]  # takes a report, and whether it covers all clauses


class Sources:
    """The Python files of the implementation and of the current folder, as last seen."""

    def __init__(self, target: str) -> None:
        self._folders = {Path.cwd()}
        module = resolved(target).partition(":")[0]
        if file := source_of(module):
            self._folders.add(file.parents[min(module.count("."), len(file.parents) - 1)])
        self._asked = 0.0
        self._known = dict(self._saved())

    def changed(self) -> bool:
        """Whether a file was saved, created or removed since the last look."""
        return dict(self._saved()) != self._known

    def changed_lately(self) -> bool:
        """The same as ``changed``, for frequent callers: it walks the folders only a few times a second."""
        now = time.monotonic()
        if now - self._asked < LOOK:
            return False
        self._asked = now
        return self.changed()

    def look(self) -> None:
        """Remember the files as they are now."""
        self._known = dict(self._saved())

    def _saved(self) -> Iterator[tuple[str, int]]:
        """Each file, and the time when it was saved."""
        for top in self._folders:
            for folder, below, names in os.walk(top):
                below[:] = [name for name in below if not name.startswith(".") and name not in IGNORED]
                for path in (Path(folder, name) for name in names if name.endswith(".py")):
                    try:
                        yield str(path), path.stat().st_mtime_ns
                    except OSError:  # it was removed meanwhile
                        continue


def watch(
    task: Task,
    report: Report,
    sources: Sources,
    workers: int,
    limits: Limits,
    progress: Progress,
    stopped: Callable[[], str],
    tell: Tell,
) -> Report:
    """Check again after each saved file until stopped, and return the last report; ``tell`` gets each report.

    ``sources`` were read before the first check, so files that were saved during that check count.
    """
    launch = Nursery(report.implementations[0].packages)

    def again(clauses: Sequence[Clause], count: int) -> Report:
        """The report with these clauses judged again, unless another file is saved first."""
        new = run(
            [narrowed(task, clauses)], count, limits, report.seed, report.profile, progress,
            lambda: stopped() or (SAVED if sources.changed_lately() else ""), launch,
        )  # fmt: skip
        return renewed(report, new)

    while not stopped():
        if not sources.changed():
            time.sleep(LOOK)
            continue
        sources.look()
        failing = [result.clause for result in report.results if result.outcome not in HOLDING]
        rest = [clause for clause in report.clauses if clause not in failing]
        if failing:
            report = again(failing, 1)
        if failing and rest:
            tell(replace(report, results=tuple(r for r in report.results if r.clause in failing)), False)
        if rest and not sources.changed():
            report = again(rest, workers)
        if not sources.changed():
            tell(report, True)
    return report


def renewed(report: Report, new: Report) -> Report:
    """The report with the results of a later one, except for clauses that a saved file kept from being run."""
    judged = {r.clause.id: r for r in new.results if not (r.outcome is Outcome.NOT_RUN and r.reason == SAVED)}

    def latest(result: Result) -> Result:
        return judged.get(result.clause.id, result)

    return replace(
        report,
        started=new.started,
        seconds=new.seconds,
        implementations=new.implementations if judged else report.implementations,
        results=tuple(map(latest, report.results)),
    )
