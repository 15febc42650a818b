"""The table of stacks on the first page, made of the outcomes of reports that ``convspec matrix --json`` wrote."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..clauses.catalogue import FAMILIES, all_clauses
from ..reporting.markdown import words
from ..reporting.record import FAILURES, Outcome, Report
from ..support.files import write_text

FOLDER = Path("docs/results")  # of a checkout

MARKS = {  # of clauses that do not hold, and of families of which nothing is known
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
    "recommendation that is not followed; ? not decided; · not run; – the library does not offer it. Stacks with the "
    "same outcomes share a row."
)


def keep(report: Report, file: Path) -> None:
    """Write which clause had which outcome on which stack, and nothing else."""
    stacks = []
    for implementation in report.implementations:
        results, outcomes = report.of(implementation.column), dict[str, list[str]]()
        for result in results:
            if result.outcome is not Outcome.NOT_CLAIMED:
                outcomes.setdefault(result.outcome, []).append(result.clause.id)
        stacks.append(
            {
                "label": implementation.column,
                "packages": implementation.packages,
                "outcomes": {outcome: " ".join(clauses) for outcome, clauses in outcomes.items()},
            }
        )
    kept = {"specification": report.specification, "date": report.started[:10], "profile": report.profile}
    text = json.dumps(kept | {"stacks": stacks}, ensure_ascii=False, indent=1)
    write_text(file, f"{text}\n")


def table(files: Iterable[Path]) -> str:
    """One table for each file that ``keep`` wrote; nothing where there is none."""
    parts = [part for file in files for part in _table(file.stem, json.loads(file.read_text(encoding="utf-8")))]
    return "\n\n".join([*parts, LEGEND]) + "\n" if parts else ""


def _table(name: str, kept: Mapping[str, Any]) -> Iterator[str]:
    """A table for each set of stages, with a row for each set of outcomes."""
    yield f"**{words(name)}**, checked with convspec {words(kept['specification'])} on {words(kept['date'])}:"
    groups: dict[frozenset[str], dict[str, dict[str, Outcome]]] = {}
    for stack in kept["stacks"]:
        outcomes = {
            clause: Outcome(outcome) for outcome, clauses in stack["outcomes"].items() for clause in clauses.split()
        }
        stages = frozenset(stage for clause, stage in _stages().items() if clause in outcomes)
        groups.setdefault(stages, {})[stack["label"]] = outcomes
    for stacks in groups.values():
        families = [family for family in FAMILIES if any(_of(family, outcomes) for outcomes in stacks.values())]
        rows: dict[tuple[str, ...], list[str]] = {}
        for label, outcomes in stacks.items():
            cells = tuple(_cell(_of(family, outcomes)) for family in families)
            rows.setdefault(cells, []).append(_breaking(label))
        head = ["stack", *(f"[{family}](clauses/{family}.md)" for family in families)]
        lines = [head, ["---"] * len(head), *(["<br>".join(labels), *cells] for cells, labels in rows.items())]
        yield "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _breaking(label: str) -> str:
    """A label that a narrow column breaks only within dotted names."""
    return re.sub(r"(?<=[._])(?=[A-Za-z])", "<wbr>", words(label)).replace(" ", "&nbsp;")


def _of(family: str, outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
    return {clause: outcome for clause, outcome in outcomes.items() if clause.rpartition("-")[0] == family}


def _cell(outcomes: Mapping[str, Outcome]) -> str:
    """✓, or the numbers of the clauses that do not hold, each with its mark and a link."""
    if not outcomes:
        return NOTHING
    if {*outcomes.values()} == {Outcome.NOT_RUN}:
        return MARKS[Outcome.NOT_RUN]
    others = [_named(clause, outcome) for clause, outcome in outcomes.items() if outcome is not Outcome.PASSED]
    return " ".join(others) or "✓"


def _named(clause: str, outcome: Outcome) -> str:
    """A link, unless the clause has been withdrawn since."""
    shown = words(f"{MARKS[outcome]}{clause.rpartition('-')[2]}")
    return f"[{shown}](clauses/{clause}.md)" if clause in _stages() else shown


@cache
def _stages() -> dict[str, str]:
    """{clause: its stage} of today's specification."""
    return {clause.id: clause.stage for clause in all_clauses()}
