"""The table of stacks on the first page, made from the reports of ``convspec matrix --json``."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..clauses.catalogue import FAMILIES, all_clauses
from ..reporting.markdown import words
from ..reporting.record import FAILURES, Outcome, Report, Result, read_report

MARKS = {  # of clauses that do not hold, and of families without results
    **dict.fromkeys(FAILURES, "✗"),
    Outcome.BROKEN: "✗",
    Outcome.REPORTED: "!",
    Outcome.EXCUSED: "≈",
    Outcome.NOT_DECIDED: "?",
    Outcome.NOT_RUN: "·",
}
NOTHING = "–"
LEGEND = (
    "✓ every clause of the family holds; ✗ this one does not; ≈ it does not, and the library documents that; ! a "
    "recommendation that is not followed; ? not decided; · not run; – the library does not offer it."
)


def table(files: Iterable[Path]) -> str:
    """One table for each report; empty without reports."""
    parts = [part for file in files for part in _report(file.stem, read_report(file))]
    return "\n\n".join([*parts, LEGEND]) + "\n" if parts else ""


def _report(name: str, report: Report) -> Iterator[str]:
    families = [family for family in FAMILIES if any(clause.family == family for clause in report.clauses)]
    head = ["stack", *(f"[{family}](clauses/{family}.md)" for family in families)]
    rows = [_row(implementation.column, report, families) for implementation in report.implementations]
    yield f"**{words(name)}**, checked with convspec {words(report.specification)} on {words(report.started[:10])}:"
    yield "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def _row(column: str, report: Report, families: Sequence[str]) -> list[str]:
    results = report.of(column)
    cells = [_cell([result for result in results if result.clause.family == family]) for family in families]
    return [words(column), *cells]


def _cell(results: Sequence[Result]) -> str:
    """✓, or the numbers of the clauses that do not hold, each with its mark and a link."""
    claimed = [result for result in results if result.outcome is not Outcome.NOT_CLAIMED]
    if not claimed:
        return NOTHING
    if {result.outcome for result in claimed} == {Outcome.NOT_RUN}:
        return MARKS[Outcome.NOT_RUN]
    others = [result for result in claimed if result.outcome is not Outcome.PASSED]
    return " ".join(map(_named, others)) or "✓"


def _named(result: Result) -> str:
    """The number of a clause, with a link unless the clause was withdrawn."""
    name = result.clause.id
    shown = words(f"{MARKS[result.outcome]}{name.rpartition('-')[2]}")
    return f"[{shown}](clauses/{name}.md)" if name in {clause.id for clause in all_clauses()} else shown
