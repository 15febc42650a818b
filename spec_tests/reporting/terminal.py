"""The terminal's form of a report: the failures, and a table at the end."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..adapter.stages import names_stage
from ..clauses.catalogue import order
from ..support.texts import one_line, printable
from .causes import causes, names
from .record import FAILURES, TOLD, Outcome, Report, Result, claimed, unclaimed_stages

STYLES = {Outcome.PASSED: "green", Outcome.BROKEN: "bold red", **dict.fromkeys(FAILURES, "bold red")}
WORDS = {"expected": "green", "got": "red"}


def failures(results: Sequence[Result], width: int, colour: bool) -> str:
    """The failures, a block for each cause. Text to copy starts at the margin and is not wrapped."""
    console, text = open_console(width, colour)
    for cause in causes(results):
        told = cause.told
        who = one_line(told.implementation)
        several = len(cause.results) > 1
        level = "" if several else f" {told.clause.level}"
        head = Text.assemble((names(cause.clauses), "bold red"), f"{level} {who}")
        console.rule(head, style="dim", align="left")
        if several:
            console.print(Text(f"{cause.words}:", "bold"))
            console.print(labelled(map(_broken, cause.results)))
        else:
            console.print(Text(one_line(told.clause.sentence), "bold"))
        parts = [(label, printable(words)) for label, words in cause.parts()]
        console.print(labelled((Text(label, "dim"), Text(words, WORDS.get(label, ""))) for label, words in parts))
        if told.failure.snippet:
            console.print(Text("to see it again, in Python:", "dim"))
            console.print(Text(printable(told.failure.snippet)), soft_wrap=True)
        console.print()
    return trimmed(text)


def _broken(result: Result) -> tuple[Text, Text]:
    """Label and text of one of several clauses that a cause breaks."""
    clause = result.clause
    return Text(f"{clause.id} {clause.level}", "bold red"), Text(one_line(clause.sentence))


def summary(results: Sequence[Result], title: str, width: int, colour: bool) -> str:
    """The clauses of one implementation by stage and family, and remarks on results other than a pass."""
    console, text = open_console(width, colour)
    results = sorted(results, key=lambda result: order(result.clause))
    run = [result for result in results if _is_run(result)]
    console.print(_verdict(results, one_line(title)), soft_wrap=True)
    if run:
        console.print(_table(run))
    if remarks := list(_remarks(results)):
        console.print(labelled(remarks))
    return trimmed(text)


def matrix(report: Report, width: int, colour: bool) -> str:
    """Several implementations side by side, by family, and remarks on each."""
    console, text = open_console(width, colour)
    columns = [implementation.column for implementation in report.implementations]
    results = {column: sorted(report.of(column), key=lambda result: order(result.clause)) for column in columns}
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 0, 0, 1))
    table.add_column("family", no_wrap=True)
    for column in results:
        table.add_column(Text(one_line(column).replace("@", "\n@")), justify="right", overflow="fold")
    families = dict.fromkeys((clause.stage, clause.family) for clause in sorted(report.clauses, key=order))
    for stage, of_stage in groupby(families, key=lambda place: place[0]):
        everyone = [result for of_column in results.values() for result in of_column if result.clause.stage == stage]
        if everyone and not claimed(everyone):
            table.add_row(Text(f"{stage}, not claimed", "dim"), *([Text("–", "dim")] * len(columns)))
            continue
        table.add_row(Text(stage, "dim"))
        for place in of_stage:
            members = [[r for r in rs if (r.clause.stage, r.clause.family) == place] for rs in results.values()]
            table.add_row(f"  {place[1]}", *map(_cell, members))
    table.add_row("all", *map(_cell, results.values()))
    console.print(table)
    titles = Counter(implementation.title for implementation in report.implementations)
    for implementation, of_column in zip(report.implementations, results.values(), strict=True):
        title = implementation.title if titles[implementation.title] == 1 else implementation.column
        console.print()
        console.print(_verdict(of_column, one_line(title)), soft_wrap=True)
        if remarks := list(_remarks(of_column)):
            console.print(labelled(remarks))
    return trimmed(text)


def _cell(results: Sequence[Result]) -> Text:
    """How many of the claimed clauses hold, and how many are excused."""
    applying = claimed(results)
    holding = sum(result.outcome is Outcome.PASSED for result in applying)
    if not applying:
        return Text("–", "dim")
    if holding == len(applying):
        return Text(str(holding), "green")
    wrong = any(result.outcome in (*FAILURES, Outcome.BROKEN) for result in applying)
    return Text(f"{holding} of {len(applying)}", "bold red" if wrong else "yellow")


def _why_nothing(results: Sequence[Result]) -> str:
    """The reason why no clause ran, if all share one; empty otherwise."""
    applying = claimed(results)
    reasons = {result.reason for result in applying if result.outcome is Outcome.NOT_RUN}
    everything = all(result.outcome is Outcome.NOT_RUN for result in applying)
    return reasons.pop() if everything and len(reasons) == 1 else ""


def _is_run(result: Result) -> bool:
    return result.outcome not in (Outcome.NOT_CLAIMED, Outcome.BROKEN)


def _verdict(results: Sequence[Result], title: str) -> Text:
    """How many clauses hold, and which stages are not claimed."""
    applying = claimed(results)
    holding, count = sum(result.outcome is Outcome.PASSED for result in applying), len(applying)
    broken = sum(result.outcome is Outcome.BROKEN for result in applying)
    if _why_nothing(results):
        counted = ("nothing was run, since " + one_line(_why_nothing(results)), "yellow")
    elif not any(map(_is_run, results)):
        counted = ("broken adapter, nothing was run", "red") if applying else ("no clause applies", "yellow")
    elif holding + broken == count and broken:
        counted = (f"{holding} of {count} clauses hold, of the others the adapter is broken", "red")
    elif holding == count:
        counted = (f"all {count} clauses hold", "green")
    else:
        counted = (f"{holding} of {count} clauses hold", "red")
    left_out = unclaimed_stages(results)
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
    for place in dict.fromkeys((result.clause.stage, result.clause.family) for result in results):
        members = [result for result in results if (result.clause.stage, result.clause.family) == place]
        stage, family = place
        table.add_row(stage if stage != before else "", family, *_counts(members, outcomes))
        before = stage
    table.add_row("all", "", *_counts(results, outcomes))
    return table


def _counts(results: Sequence[Result], outcomes: Sequence[Outcome]) -> list[Text]:
    counted = Counter(result.outcome for result in results)
    cells = [Text(str(counted[o]), STYLES.get(o, "yellow")) if counted[o] else Text("·", "dim") for o in outcomes]
    return [*cells, Text(f"{sum(result.seconds for result in results):.1f}")]


def _remarks(results: Sequence[Result]) -> Iterator[tuple[Text, Text]]:
    """Labels and texts for results other than a pass. A reason that clauses share is shown once, with their names."""
    left_out, told = unclaimed_stages(results), _why_nothing(results)
    alike: dict[tuple[Outcome, str], list[Result]] = {}
    for result in results:
        if not names_stage(left_out, result.clause.stage) and (words := _remark(result)) != told:
            alike.setdefault((result.outcome, words), []).append(result)
    for (outcome, words), members in alike.items():
        names = [result.clause.id for result in members]
        which = "" if outcome is Outcome.BROKEN or len(names) > 1 else f" {names[0]}"
        of = f" ({', '.join(names)})" if len(names) > 1 and outcome is not Outcome.BROKEN else ""
        yield Text(f"{outcome}{which}", STYLES.get(outcome, "yellow")), Text(printable(f"{words}{of}"))
    for words in _discarded(results):
        yield Text("discarded", "yellow"), Text(printable(words))


def _discarded(results: Sequence[Result]) -> Iterator[str]:
    """The reasons why examples were left out, with their numbers and clauses."""
    reasons = dict.fromkeys(reason for result in results for reason in result.discarded)
    for reason in reasons:
        of = [result for result in results if reason in result.discarded]
        count = sum(result.discarded[reason] for result in of)
        yield f"{reason}: {count} examples of {', '.join(result.clause.id for result in of)}"


def _remark(result: Result) -> str:
    """A remark on a result other than a pass; empty if there is none."""
    if result.outcome in TOLD:
        return result.clause.sentence
    if result.outcome is Outcome.PASSED and result.reason:
        return f"though it is excused: {result.reason}"
    if result.outcome is Outcome.PASSED and result.tolerance.factor > 1:
        return result.tolerance.need
    return result.reason


def labelled(rows: Iterable[tuple[Text, Text]]) -> Table:
    """A table of texts beside their labels, so that long texts wrap with a hanging indent."""
    grid = Table.grid(padding=(0, 2))
    for row in rows:
        grid.add_row(*row)
    return grid


def open_console(width: int, colour: bool) -> tuple[Console, io.StringIO]:
    """A console that writes to a text instead of the terminal, and that text."""
    text = io.StringIO()
    system: Literal["standard"] | None = "standard" if colour else None
    return Console(file=text, width=width, force_terminal=colour, color_system=system, highlight=False), text


def trimmed(text: io.StringIO) -> str:
    """The text without the blanks that fill the cells of a table."""
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())
