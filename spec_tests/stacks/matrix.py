"""Check each stack in its environment, and put the results side by side: a column each, whatever becomes of it.

A result is kept in a file as soon as it is there: a run that was interrupted goes on, and counts nothing twice.
"""

import hashlib
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from .. import PARENT, __version__
from ..reporting.merging import merged
from ..reporting.output import write
from ..reporting.record import Implementation, Outcome, Report, Result, UnreadableReport, aside, holding, read_report
from ..running.request import chosen
from ..support.texts import one_line
from .environments import Environments, NotInstalled, source
from .plan import Plan, Stack

FINISHED = (0, 1, 3)  # exit codes of a check that came to its end
TRIES = 2
ENDING = 20  # seconds that a check has to end when it is asked to
Stop = Callable[[], str]


@dataclass(frozen=True)
class Done:
    """What became of a stack."""

    stack: Stack
    report: Report
    seconds: float  # of this run
    kept: bool = False  # whether its result was there before
    missing: str = ""  # why there is none


@dataclass(frozen=True)
class Matrix:
    """A run over the stacks of a plan."""

    plan: Plan
    folder: Path
    seed: int
    told: Callable[[Done], None]
    stop: Stop

    def run(self, workers: int) -> Report | None:
        """The report on all that were checked; nothing if the first of them was interrupted."""
        environments = Environments(self.folder / "environments")
        with ThreadPoolExecutor(workers) as pool:
            done = pool.map(lambda stack: self._check(stack, environments), self.plan.stacks)
            found = [one.report for one in done if one]
        return merged(found) if found else None

    def _check(self, stack: Stack, environments: Environments) -> Done | None:
        """One of them; nothing once the run is to end."""
        file, started = self.result_of(stack), time.monotonic()
        if self.stop():
            return None
        try:
            done = Done(stack, read_report(file), 0, kept=True)
        except UnreadableReport:
            done = None
        if done is None:
            try:
                report, missing = self._tried(stack, environments.python(stack), file)
            except NotInstalled as error:
                report, missing = None, f"it cannot be installed: {error}"
            if self.stop():
                return None
            made = report or not_run(stack, missing, self.seed)
            done = Done(stack, made, time.monotonic() - started, missing="" if report else missing)
        self.told(done)
        return done

    def result_of(self, stack: Stack) -> Path:
        """Where its result is kept: another stack, seed or version of the specification has another file."""
        said = f"{asdict(stack)} {self.seed} {__version__}"
        words = "".join(c if c.isalnum() or c in ".-" else "-" for c in stack.label)
        return self.folder / "results" / f"{words}-{hashlib.sha256(said.encode()).hexdigest()[:8]}.json"

    def _tried(self, stack: Stack, python: Path, file: Path) -> tuple[Report | None, str]:
        """The result, tried once more where it was lost; or why there is none."""
        why = ""
        for _ in range(TRIES):
            partial = file.with_suffix(".partial")
            partial.unlink(missing_ok=True)
            code = self._run(self._command(stack, python, partial), stack, file.with_suffix(".log"))
            if self.stop():
                return None, ""
            if code in FINISHED and partial.is_file():
                report = named(read_report(partial), stack.label)
                write(report, "json", file)
                partial.unlink()
                return report, ""
            why = f"the check ended with exit code {code}: {_last(file.with_suffix('.log'))}"
        return None, why

    def _command(self, stack: Stack, python: Path, file: Path) -> list[str]:
        backend = f"@{stack.backend}" if stack.backend else ""
        command = [str(python), "-m", f"{PARENT}spec_tests", "check", f"{stack.implementation}{backend}"]
        command += ["--json", str(file), "--profile", stack.profile, "--seed", str(self.seed), "--workers", "1"]
        command += ["--stage", *stack.stages] if stack.stages else []
        if stack.expectations:
            command += ["--expectations", str((self.plan.file.parent / stack.expectations).resolve())]
        return command

    def _run(self, command: Sequence[str], stack: Stack, log: Path) -> int:
        log.parent.mkdir(parents=True, exist_ok=True)
        places = [str(source(self.folder)), str(Path.cwd())]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
        if stack.backend:
            environment["KERAS_BACKEND"] = stack.backend
        with log.open("w") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)  # noqa: S603
            while process.poll() is None:
                if self.stop():
                    process.terminate()
                    process.wait(ENDING)
                time.sleep(0.1)
        return process.returncode


def named(report: Report, label: str) -> Report:
    """The report with the label of its stack as the name of its one column."""
    (implementation,) = report.implementations
    results = tuple(replace(result, implementation=label) for result in report.results)
    return replace(report, implementations=(replace(implementation, column=label),), results=results)


def not_run(stack: Stack, why: str, seed: int) -> Report:
    """The column of a stack of which there is no result."""
    clauses = tuple(chosen([], stack.stages))
    results = tuple(Result(clause, stack.label, Outcome.NOT_RUN, reason=why) for clause in clauses)
    column = Implementation(stack.label, stack.implementation, stack.backend, name=stack.label)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Report(__version__, seed, stack.profile, now, 0.0, clauses, (column,), results)


def _last(log: Path) -> str:
    """The last line that a check printed."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["it printed nothing"]
    return one_line(lines[-1], 200)


def told(done: Done) -> str:
    """What became of a stack, in a line."""
    (column,) = done.report.implementations
    results = done.report.of(column.column)
    words = done.missing or f"{holding(results)} clauses hold{aside(results)}"
    return f"{done.stack.label}: {words} ({'kept' if done.kept else f'{done.seconds:.0f} s'})"
