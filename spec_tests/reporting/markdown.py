"""A report as Markdown for the summary of a CI job: GitHub flavoured, and within GitHub's size limit.

Text from an implementation is placed in code fences that it cannot close. Elsewhere every character with a
meaning in Markdown is written as a character reference, which Markdown and HTML both show as text.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from ..clauses.catalogue import order
from ..clauses.clause import Clause
from ..support.texts import cut, one_line, printable
from .causes import Cause, causes, names
from .naming.names import named
from .record import CHECKED, FAILURES, Outcome, Report, Result, Verdict, claimed, counted

LIMIT = 1_000_000  # bytes: GitHub takes 1 MiB a step, and shows nothing of a larger summary
LONGEST_NAME, LONGEST_PART, LONGEST_FAILURE = 80, 2_000, 16_000  # characters
MEANINGFUL = re.compile(
    r"[&<>\\`*\[\]|~#$@]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # at the edge of a word: inside a word it is an ordinary character
    r"|:(?=//)|(?<=www)\."  # in addresses, which would become links
)
MARKS = {Verdict.CONFORMS: "✓", Verdict.DIFFERS: "✗", Verdict.BROKEN: "✗", Verdict.NOTHING: "–"}

Section = tuple[str, list[str]]  # a heading, and the blocks below it, which may be left out


def markdown(report: Report) -> str:
    """GitHub flavoured Markdown of at most 1 MiB; what does not fit is counted."""
    return "\n\n".join(_fitting(_sections(report))) + "\n"


def _fitting(sections: Iterator[Section]) -> Iterator[str]:
    """Headings, with as many of their blocks as fit."""
    room = LIMIT
    for heading, blocks in sections:
        left_out = 0
        if blocks:
            yield heading
        for block in blocks:
            size = len(block.encode()) + 2
            if size <= room:
                room -= size
                yield block
            else:
                left_out += 1
        if left_out:
            yield f"*{left_out:,} more are left out: a summary has at most 1 MiB. The report in JSON has all of them.*"


def _sections(report: Report) -> Iterator[Section]:
    columns = [implementation.column for implementation in report.implementations]
    results = [r for column in columns for r in sorted(report.of(column), key=lambda result: order(result.clause))]
    run = f"seed {report.seed}, profile {report.profile}, {report.started}, {report.seconds:.0f} s"
    yield f"## Conformance to convspec {words(report.specification)}", [words(run), _verdicts(report)]
    by_family = "### By family", [_matrix(report)] if report.clauses and columns else []
    if len(columns) > 1:
        yield by_family
    broken = dict.fromkeys((r.implementation, r.reason) for r in results if r.outcome is Outcome.BROKEN)
    yield "### Broken adapters", [f"- {words(column)}: {words(reason, LONGEST_PART)}" for column, reason in broken]
    yield "### Clauses that do not hold", [_details(cause) for cause in causes(results)]
    likely = [f"- {words(each.implementation)}: {words(each.text, LONGEST_PART)}" for each in named(results)]
    yield "### Likely faults", likely
    yield "### Excused", [_item(r, r.reason) for r in results if r.outcome is Outcome.EXCUSED]
    needless = [r for r in results if r.outcome is Outcome.PASSED and r.reason]
    yield "### Excuses that are not needed", [_item(r, f"holds, though it is excused: {r.reason}") for r in needless]
    wider = [r for r in results if r.tolerance.factor > 1 and r.outcome in CHECKED]
    yield "### Tolerances made wider", [_item(r, r.tolerance.need) for r in wider]
    yield "### Not decided", [_item(r, r.reason) for r in results if r.outcome is Outcome.NOT_DECIDED]
    yield "### Not run", [_item(r, r.reason) for r in results if r.outcome is Outcome.NOT_RUN]
    if len(columns) == 1:  # the report on one implementation begins with its failures
        yield by_family


def _verdicts(report: Report) -> str:
    rows = [["implementation", "name", "verdict", "clauses that hold"]]
    for implementation in report.implementations:
        verdict, results = report.verdict(implementation.column), report.of(implementation.column)
        holding = counted(results) if claimed(results) else "–"
        rows.append([words(implementation.column), words(implementation.title), f"{MARKS[verdict]} {verdict}", holding])
    return _table(rows)


def _matrix(report: Report) -> str:
    """How many clauses of each family hold, with a column for each implementation."""
    columns = [implementation.column for implementation in report.implementations]
    found: defaultdict[tuple[str, tuple[str, str]], list[Result]] = defaultdict(list)
    for result in report.results:
        found[result.implementation, _family(result.clause)].append(result)
    rows = [["stage", "family", *map(words, columns)]]
    before = ""
    left_out = _left_out(report)
    for stage, family in dict.fromkeys(_family(clause) for clause in sorted(report.clauses, key=order)):
        if stage in left_out:
            if stage != before:
                rows.append([stage, "not claimed", *["–"] * len(columns)])
            before = stage
            continue
        cells = [_cell(found[column, (stage, family)]) for column in columns]
        rows.append([stage if stage != before else "", words(family), *cells])
        before = stage
    return _table(rows)


def _left_out(report: Report) -> set[str]:
    """The stages that no implementation claims, a line for each."""
    results = [result for result in report.results if result.outcome is Outcome.NOT_CLAIMED]
    return {result.clause.stage for result in results} - {result.clause.stage for result in claimed(report.results)}


def _family(clause: Clause) -> tuple[str, str]:
    """Stage and family of a clause, since some families have clauses of two stages."""
    return clause.stage, clause.family


def _cell(results: Sequence[Result]) -> str:
    """The text of a cell: 6 if all hold, otherwise 5 of 6, with ✗ if this is a failure; – if none applies."""
    outcomes = [result.outcome for result in claimed(results)]
    if not outcomes:
        return "–"
    if set(outcomes) == {Outcome.PASSED}:
        return str(len(outcomes))
    wrong = any(outcome in (*FAILURES, Outcome.BROKEN) for outcome in outcomes)
    return counted(results) + (" ✗" if wrong else "")


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, f"|{' --- |' * len(rows[0])}", *body])


def _item(result: Result, said: str) -> str:
    return f"- **{words(result.clause.id)}** {words(result.implementation)}: {words(said, LONGEST_PART)}"


def _details(cause: Cause) -> str:
    """The failures of one cause, folded."""
    failure = cause.told.failure
    parts = (f"{label}: {cut(text, LONGEST_PART)}" for label, text in cause.parts())
    blocks = [
        f"<details>\n<summary>{_head(cause)}</summary>",
        *(["\n".join(map(_broken, cause.results))] if len(cause.results) > 1 else []),
        fenced(cut("\n".join(parts), LONGEST_FAILURE), "text"),
        *(["To see it again, in Python:", fenced(failure.snippet, "python")] if failure.snippet else []),
        "</details>",
    ]
    return "\n\n".join(blocks)


def _head(cause: Cause) -> str:
    """The clauses of a cause and what they state. A sentence is never cut."""
    told, several = cause.told, len(cause.results) > 1
    head = f"<b>{words(names(cause.clauses), None)}</b> {words(told.implementation)}"
    if several:
        return f"{head}: {words(cause.words)}"
    return f"{head}, {told.clause.level} {told.outcome}: {words(told.clause.sentence, None)}"


def _broken(result: Result) -> str:
    """One of several clauses that a cause breaks."""
    clause = result.clause
    return f"- **{words(clause.id)}** {clause.level} {result.outcome}: {words(clause.sentence, None)}"


def words(text: str, most: int | None = LONGEST_NAME) -> str:
    """One line that Markdown and HTML show literally; it must not begin a line."""
    return MEANINGFUL.sub(lambda found: f"&#{ord(found[0])};", one_line(text, most))


def fenced(text: str, language: str) -> str:
    """Lines of code in a fence that nothing in them can close."""
    shown = printable(cut(text, LONGEST_FAILURE))
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", shown)), default=0))
    return f"{fence}{language}\n{shown}\n{fence}"
