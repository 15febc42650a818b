"""What is said of clauses: the text of a failure, and the table at the end."""

import io
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .catalogue import order
from .checks import Violation
from .clause import Clause
from .contract import STAGES

MACHINERY = ("/hypothesis/", "/pluggy/", "/_pytest/", "spec_tests/clause.py")  # frames that nobody wants to see
OURS = "/spec_tests/"


class Outcome(StrEnum):
    """What became of a clause."""

    PASSED = "passed"
    FAILED = "failed"
    REPORTED = "reported"  # a SHOULD that fails
    EXCUSED = "excused"  # it fails, and the implementation gives a reason
    NOT_CLAIMED = "not claimed"
    NOT_RUN = "not run"
    BROKEN = "broken adapter"


STYLES = {Outcome.PASSED: "green", Outcome.FAILED: "bold red", Outcome.BROKEN: "bold red"}
WORDS = {"expected": "green", "got": "red"}
FAILURES = (Outcome.FAILED, Outcome.REPORTED)


@dataclass(frozen=True)
class Failure:
    """Why a clause does not hold, as labelled texts, and Python that shows it again."""

    parts: Sequence[tuple[str, str]] = ()
    snippet: str = ""

    def __str__(self) -> str:
        again = f"\nto see it again, in Python:\n{self.snippet}" if self.snippet else ""
        return "\n".join(f"{label}: {words}" for label, words in self.parts) + again


@dataclass(frozen=True)
class Result:
    """What became of one clause with one implementation."""

    clause: Clause
    target: str
    outcome: Outcome
    seconds: float
    failure: Failure = Failure()
    reason: str = ""  # of an excuse, of a broken adapter, or of not running


def explain(clause: Clause, error: BaseException, arguments: dict[str, object], snippet: str) -> Failure:
    """The sentence, expected and got, the smallest counterexample, what to check, and how to see it again."""
    parts = [(clause.id, clause.sentence)]
    if isinstance(error, Violation):
        parts += [("violated", error.what), ("expected", error.expected), ("got", error.got)]
    elif isinstance(error, pytest.fail.Exception):
        parts.append(("violated", str(error)))
    else:
        parts += [("raised", f"{type(error).__name__}: {error}"), ("at", _frames(error))]
    parts += [("counterexample", f"{name} = {value!r}") for name, value in arguments.items()]
    if clause.advice:
        parts.append(("advice", clause.advice))
    return Failure([*parts, ("source", clause.source)], snippet)


def _frames(error: BaseException) -> str:
    """Where the implementation was entered, and where the error was raised."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not any(part in f.filename for part in MACHINERY)]
    frames = [f for f in frames if OURS not in f.filename] or frames
    lines = [f"{'/'.join(Path(f.filename).parts[-2:])}:{f.lineno} in {f.name}: {f.line}" for f in frames]
    return "\n".join(lines if len(lines) <= 3 else (lines[0], "...", *lines[-2:]))


def failures(results: Sequence[Result], width: int, colour: bool) -> str:
    """The clauses that do not hold, one below the other; what is to be copied stands at the margin, unbroken."""
    console, text = _console(width, colour)
    for result in results:
        head = Text.assemble((result.clause.id, "bold red"), f" {result.clause.level} {result.target}")
        console.rule(head, style="dim", align="left")
        console.print(Text(result.clause.sentence, "bold"))
        parts = result.failure.parts[1:]
        console.print(_grid((Text(label, "dim"), Text(words, WORDS.get(label, ""))) for label, words in parts))
        if result.failure.snippet:
            console.print(Text("to see it again, in Python:", "dim"))
            console.print(Text(result.failure.snippet), soft_wrap=True)
        console.print()
    return _trimmed(text)


def summary(results: Sequence[Result], title: str, width: int, colour: bool) -> str:
    """The clauses of one implementation by stage and family, and those of which there is something to say."""
    console, text = _console(width, colour)
    run = sorted((result for result in results if _is_run(result)), key=lambda result: order(result.clause))
    console.print(_verdict(results, title), soft_wrap=True)
    if run:
        console.print(_table(run))
    remarks = [(result, words) for result in results if (words := _remark(result))]
    if remarks:
        console.print(_grid((_label(result), Text(words)) for result, words in remarks))
    return _trimmed(text)


def _is_run(result: Result) -> bool:
    return result.outcome not in (Outcome.NOT_CLAIMED, Outcome.BROKEN) and result.reason != Outcome.BROKEN


def _verdict(results: Sequence[Result], title: str) -> Text:
    """How many clauses hold, and what is not claimed."""
    claimed = [result for result in results if result.outcome is not Outcome.NOT_CLAIMED]
    holding, count = sum(result.outcome is Outcome.PASSED for result in claimed), len(claimed)
    if not any(map(_is_run, results)):
        counted = ("broken adapter, nothing was run", "red") if claimed else ("no clause applies", "yellow")
    elif holding == count:
        counted = (f"all {count} clauses hold", "green")
    else:
        counted = (f"{holding} of {count} clauses hold", "red")
    not_claimed = {result.clause.stage for result in results if result.outcome is Outcome.NOT_CLAIMED}
    left_out = [stage for stage in STAGES if stage in not_claimed]
    verdict = Text.assemble((title, "bold"), ": ", counted)
    return verdict.append(f"; not claimed: {', '.join(left_out)}" if left_out else "")


def _table(results: Sequence[Result]) -> Table:
    outcomes = [o for o in Outcome if o in (Outcome.PASSED, Outcome.FAILED) or any(r.outcome is o for r in results)]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("stage", "family"):
        table.add_column(name)
    for name in (*outcomes, "seconds"):
        table.add_column(name, justify="right")
    before = ""
    for family in dict.fromkeys(result.clause.family for result in results):
        members = [result for result in results if result.clause.family == family]
        stage = members[0].clause.stage
        table.add_row(stage if stage != before else "", family, *_counts(members, outcomes))
        before = stage
    table.add_row("all", "", *_counts(results, outcomes))
    return table


def _counts(results: Sequence[Result], outcomes: Sequence[Outcome]) -> list[Text]:
    counted = Counter(result.outcome for result in results)
    cells = [Text(str(counted[o]), STYLES.get(o, "yellow")) if counted[o] else Text("·", "dim") for o in outcomes]
    return [*cells, Text(f"{sum(result.seconds for result in results):.1f}")]


def _label(result: Result) -> Text:
    which = "" if result.outcome is Outcome.BROKEN else f" {result.clause.id}"
    return Text(f"{result.outcome}{which}", STYLES.get(result.outcome, "yellow"))


def _remark(result: Result) -> str:
    """What there is to say of a clause, if it did not just pass."""
    if result.outcome in FAILURES:
        return result.clause.sentence
    if result.outcome is Outcome.PASSED and result.reason:
        return f"though it is excused: {result.reason}"
    return "" if result.reason == Outcome.BROKEN or result.outcome is Outcome.NOT_CLAIMED else result.reason


def _grid(rows: Iterable[tuple[Text, Text]]) -> Table:
    """Words beside their labels, so that long ones hang."""
    grid = Table.grid(padding=(0, 2))
    for row in rows:
        grid.add_row(*row)
    return grid


def _console(width: int, colour: bool) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    system: Literal["standard"] | None = "standard" if colour else None
    return Console(file=text, width=width, force_terminal=colour, color_system=system, highlight=False), text


def _trimmed(text: io.StringIO) -> str:
    """Without the blanks that fill the cells of a table."""
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())
