"""What is said of clauses: the text of a failure, and the table at the end."""

import io
import traceback
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from spec_tests.checks import Violation
from spec_tests.clause import Clause
from spec_tests.implementation import BrokenAdapter
from spec_tests.reproduce import arguments_of, snippet

FRAMES_SHOWN = 3  # of a traceback, the innermost
MACHINERY = ("/hypothesis/", "/pluggy/", "/_pytest/", "spec_tests/clause.py")  # frames that nobody wants to see


class Outcome(StrEnum):
    """What became of a clause."""

    PASSED = "passed"
    FAILED = "failed"
    EXCUSED = "excused"  # it fails, and the implementation gives a reason
    REPORTED = "reported"  # a SHOULD that fails
    NOT_CLAIMED = "not claimed"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Result:
    """What became of one clause with one implementation."""

    clause: Clause
    implementation: str
    outcome: Outcome
    seconds: float
    text: str
    excuse: str | None


def failure_text(clause: Clause, error: BaseException, target: str, backend: str, seed: int, item: Any) -> str:
    """The sentence, the smallest counterexample, expected and got, and how to see it again."""
    if isinstance(error, BrokenAdapter):
        return f"broken adapter: {error}"
    lines = [f"{clause.id} ({clause.level}) {clause.sentence}", f"  source: {clause.source}"]
    for name, value in arguments_of(clause, item.obj).items():
        lines.append(f"  counterexample: {name} = {value!r}")
    if isinstance(error, Violation):
        lines += [f"  violated: {error.what}", f"  expected: {_indented(error.expected)}", f"  got:      {_indented(error.got)}"]
    else:
        lines += [f"  raised: {type(error).__name__}: {_indented(error)}", *_frames(error)]
    if clause.advice:
        lines.append(f"  {clause.advice}")
    return "\n".join([*lines, "  to see it again, in Python:", *(f"    {line}" for line in snippet(clause, item.obj, target, backend, seed))])


def summary(results: list[Result], backend: str, width: int, colour: bool) -> str:
    """A table for each implementation: its clauses by family, grouped by stage."""
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=colour, highlight=False)
    for target in dict.fromkeys(result.implementation for result in results):
        of_target = [result for result in results if result.implementation == target]
        console.print(_table(of_target, f"{target} {installed_version(target)} on {backend}"))
        for result in of_target:
            if result.outcome in (Outcome.FAILED, Outcome.REPORTED):
                console.print(f"[red]{result.outcome}[/] [bold]{result.clause.id}[/] {result.clause.sentence}")
            elif result.excuse:
                verb = "excused" if result.outcome is Outcome.EXCUSED else "excused, but it passes:"
                console.print(f"[yellow]{verb}[/] [bold]{result.clause.id}[/] {result.excuse}", markup=True)
            elif result.outcome is Outcome.NOT_RUN:
                console.print(f"[yellow]not run[/] [bold]{result.clause.id}[/] {result.text}")
    return text.getvalue()


def _table(results: list[Result], title: str) -> Table:
    outcomes = [o for o in Outcome if o in (Outcome.PASSED, Outcome.FAILED) or any(r.outcome is o for r in results)]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("stage", "clauses"):
        table.add_column(name)
    for name in (*outcomes, "seconds"):
        table.add_column(name, justify="right")
    before = ""
    for family in dict.fromkeys(result.clause.family for result in results):
        members = [result for result in results if result.clause.family == family]
        stage = members[0].clause.stage
        table.add_row(stage if stage != before else "", family, *_counts(members, outcomes))
        before = stage
    table.add_section()
    table.add_row("all", str(len(results)), *_counts(results, outcomes))
    return table


def _counts(results: list[Result], outcomes: list[Outcome]) -> list[str]:
    counted = Counter(result.outcome for result in results)
    colours = {Outcome.PASSED: "green", Outcome.FAILED: "bold red"}
    cells = [f"[{colours.get(o, 'yellow')}]{counted[o]}[/]" if counted[o] else "·" for o in outcomes]
    return [*cells, f"{sum(result.seconds for result in results):.1f}"]


def installed_version(target: str) -> str:
    """The version of the distribution that a module belongs to; nothing is imported."""
    top = target.partition(":")[0].partition(".")[0]
    try:
        return version(packages_distributions().get(top, [top])[0])
    except PackageNotFoundError:
        return "(not installed)"


def _frames(error: BaseException) -> list[str]:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not any(part in f.filename for part in MACHINERY)]
    return [f"    at {Path(f.filename).name}:{f.lineno} in {f.name}: {f.line}" for f in frames[-FRAMES_SHOWN:]]


def _indented(value: object) -> str:
    return str(value).replace("\n", "\n            ")
