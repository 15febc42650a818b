"""Check each stack in its environment, and put the results side by side, a column for each stack.

Each result is written to a file as soon as it exists, so an interrupted run continues where it stopped.
"""

import hashlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import PARENT, __version__
from ..jobs.job import Failed, Job, stopped
from ..jobs.runner import Runner
from ..reporting.merging import merged
from ..reporting.record import Implementation, Outcome, Report, Result, aside, holding, read_report
from ..running.isolation.process import MEMORY_OF_A_WORKER
from ..running.request import chosen
from ..support.texts import one_line
from .environments import Environments, NotInstalled, source
from .plan import Plan, Stack

FINISHED = (0, 1, 3)  # exit codes of a check that finished
ENDING = 20  # seconds that a check has to end after it is asked to
Stop = Callable[[], str]


@dataclass(frozen=True)
class Done:
    """The result of a stack, or the reason why there is none."""

    stack: Stack
    report: Report
    seconds: float  # in this run
    kept: bool = False  # whether an earlier run had the result
    missing: str = ""  # the reason why there is no result


@dataclass(frozen=True)
class Matrix:
    """A run over the stacks of a plan: a job for each."""

    plan: Plan
    folder: Path
    seed: int
    told: Callable[[Done], None]
    stop: Stop

    def run(self, workers: int, address: str = "") -> Report | None:
        """The report on all stacks that were checked; None if the first of them was interrupted."""
        runner, found = Runner(self.results, workers, address, resume=True), dict[str, Report]()
        stacks = {stack.label: stack for stack in self.plan.stacks}
        for done in runner.run([self.job(stack) for stack in self.plan.stacks], self.stop):
            stack = stacks[done.job.name]
            report = not_run(stack, done.missing, self.seed) if done.missing else Report.from_json(done.result)
            found[stack.label] = report
            self.told(Done(stack, report, done.seconds, done.kept, done.missing))
        return merged([found[label] for label in stacks if label in found]) if found else None

    @property
    def results(self) -> Path:
        """The folder of the results."""
        return self.folder / "results"

    def job(self, stack: Stack) -> Job:
        """The job of a stack. Its key covers the stack, the seed and the version of the specification."""
        excuses = (self.plan.file.parent / stack.expectations).resolve() if stack.expectations else None
        given = {
            "stack": asdict(stack), "expectations": str(excuses or ""), "seed": self.seed,
            "folder": str(self.folder.resolve()),
        }  # fmt: skip
        depends = excuses.read_text(encoding="utf-8") if excuses else ""
        return Job(stack.label, f"{__name__}:checked", given, memory=MEMORY_OF_A_WORKER, depends=depends)


def checked(stack: dict[str, Any], expectations: str, seed: int, folder: str) -> dict[str, Any]:
    """The report on a stack as JSON, checked in its environment; raises NotInstalled or Failed if there is none."""
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in stack.items()}
    of = Stack(**fields)
    try:
        python = Environments(Path(folder, "environments")).python(of)
    except NotInstalled as error:
        raise NotInstalled(f"it cannot be installed: {error}") from error
    log = Path(folder, "logs", f"{hashlib.sha256(json.dumps([stack, seed]).encode()).hexdigest()[:16]}.log")
    with tempfile.TemporaryDirectory(prefix="convspec-") as scratch:
        file = Path(scratch, "report.json")
        code = _run(_command(of, python, file, expectations, seed), of, log, Path(folder))
        if code not in FINISHED or not file.is_file():
            raise Failed(f"the check ended with exit code {code}: {_last(log)}")
        return named(read_report(file), of.label).to_json()


def _command(stack: Stack, python: Path, file: Path, expectations: str, seed: int) -> list[str]:
    backend = f"@{stack.backend}" if stack.backend else ""
    command = [str(python), "-m", f"{PARENT}spec_tests", "check", f"{stack.implementation}{backend}"]
    command += ["--json", str(file), "--profile", stack.profile, "--seed", str(seed), "--workers", "1"]
    command += ["--stage", *stack.stages] if stack.stages else []
    return [*command, "--expectations", expectations] if expectations else command


def _run(command: Sequence[str], stack: Stack, log: Path, folder: Path) -> int:
    """The exit code of a command. When the run is asked to end, the command is too."""
    log.parent.mkdir(parents=True, exist_ok=True)
    places = [str(source(folder)), str(Path.cwd())]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
    if stack.backend:
        environment["KERAS_BACKEND"] = stack.backend
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)  # noqa: S603
        while process.poll() is None:
            if stopped():
                process.terminate()
                process.wait(ENDING)
            time.sleep(0.1)
    return process.returncode


def named(report: Report, label: str) -> Report:
    """The report with its one column named by the label of the stack."""
    (implementation,) = report.implementations
    results = tuple(replace(result, implementation=label) for result in report.results)
    return replace(report, implementations=(replace(implementation, column=label),), results=results)


def not_run(stack: Stack, why: str, seed: int) -> Report:
    """The column of a stack without a result."""
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
    """The result of a stack in one line."""
    (column,) = done.report.implementations
    results = done.report.of(column.column)
    words = done.missing or f"{holding(results)} clauses hold{aside(results)}"
    return f"{done.stack.label}: {words} ({'kept' if done.kept else f'{done.seconds:.0f} s'})"
