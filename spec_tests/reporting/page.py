"""A report as one HTML file: a matrix of implementations and clauses, and the details of each failure.

The page loads nothing and runs only its own script. The policy in its head names its one style sheet and its one
script by their hashes, and all text from an implementation is escaped.
"""

import base64
import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..clauses.catalogue import FAMILIES, order
from ..clauses.clause import Clause
from .causes import Cause, causes
from .figures import Exhibit, exhibit
from .naming.names import named
from .record import FAILURES, TOLD, Implementation, Outcome, Report, Result, Tolerance, Verdict, unclaimed_stages

FOLDER = Path(__file__).parent
TEMPLATE, STYLE, SCRIPT = "page.html.j2", "page.css", "page.js"
AT_LENGTH = (*TOLD, Outcome.EXCUSED)
UNCHECKED = (Outcome.NOT_DECIDED, Outcome.NOT_CLAIMED, Outcome.NOT_RUN, Outcome.BROKEN)
GLYPHS = {  # next to a word or a title, so that colour is never the only sign of an outcome
    Outcome.PASSED: "✓",
    **dict.fromkeys(FAILURES, "✗"),
    Outcome.REPORTED: "!",
    Outcome.EXCUSED: "≈",
    Outcome.NOT_DECIDED: "?",
    Outcome.NOT_CLAIMED: "–",
    Outcome.NOT_RUN: "·",
    Outcome.BROKEN: "⊘",
}
VERDICTS = {  # {verdict: the outcome whose glyph and colour it has}
    Verdict.CONFORMS: Outcome.PASSED,
    Verdict.DIFFERS: Outcome.FAILED,
    Verdict.BROKEN: Outcome.BROKEN,
    Verdict.NOTHING: Outcome.NOT_RUN,
}


@dataclass(frozen=True)
class Column:
    """An implementation, and its results in the order of the clauses."""

    number: int
    title: str  # unique
    implementation: Implementation
    verdict: Verdict
    results: tuple[Result, ...]

    @cached_property
    def counts(self) -> dict[Outcome, int]:
        """{outcome: how often it occurs}, in the order of outcomes."""
        return counted(self.results)

    @property
    def remarkable(self) -> dict[Outcome, int]:
        """The same counts without outcomes that need no attention or are shown elsewhere."""
        usual = (Outcome.PASSED, Outcome.NOT_CLAIMED, Outcome.BROKEN)
        return {outcome: count for outcome, count in self.counts.items() if outcome not in usual}

    @property
    def claimed(self) -> int:
        """The number of clauses that apply to what the implementation offers."""
        return len(self.results) - self.counts.get(Outcome.NOT_CLAIMED, 0)

    @property
    def not_claimed(self) -> list[str]:
        """The stages that the implementation does not offer."""
        return unclaimed_stages(self.results)

    @property
    def broken(self) -> dict[str, int]:
        """{fault of the adapter: number of clauses that it made impossible to check}."""
        return Counter(result.reason for result in self.results if result.outcome is Outcome.BROKEN)

    @property
    def unneeded(self) -> list[Result]:
        """Results that pass although they are excused."""
        return [result for result in self.results if result.outcome is Outcome.PASSED and result.reason]

    @property
    def widened(self) -> list[Result]:
        """Results whose tolerance is wider than the clause states."""
        return [result for result in self.results if result.tolerance.factor != 1]


@dataclass(frozen=True)
class Cell:
    """The result of a clause with an implementation."""

    column: Column
    result: Result
    cause: Cause | None = None  # shared with other clauses

    @property
    def follows(self) -> bool:
        """Whether the details are shown under another clause."""
        return self.cause is not None and self.cause.told is not self.result

    @property
    def outcome(self) -> Outcome:
        """The outcome of the clause."""
        return self.result.outcome

    @property
    def anchor(self) -> str:
        """The anchor of the details on the page."""
        return f"{self.result.clause.id}.{self.column.number}"

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The reasons for the failure, each text with its label, without the general texts of the clause."""
        return self.result.failure.facts()

    @cached_property
    def exhibits(self) -> list[Exhibit]:
        """The pictures of the evidence."""
        return [exhibit(evidence) for evidence in self.result.evidence]


@dataclass(frozen=True)
class Row:
    """A clause, and its results with each implementation."""

    clause: Clause
    cells: tuple[Cell, ...]

    @property
    def at_length(self) -> list[Cell]:
        """The cells whose outcomes are described at length."""
        return [cell for cell in self.cells if cell.outcome in AT_LENGTH]

    @property
    def leads(self) -> bool:
        """Whether a failure is shown in full here, and not under another clause."""
        return any(not cell.follows for cell in self.at_length)

    @property
    def others(self) -> list[Cell]:
        """The remaining cells, with shorter descriptions."""
        return [cell for cell in self.cells if cell.outcome not in AT_LENGTH]

    @property
    def counts(self) -> dict[Outcome, int]:
        """{outcome: how often it occurs}, in the order of outcomes."""
        return counted([cell.result for cell in self.cells])


@dataclass(frozen=True)
class Family:
    """The rows of a family of clauses."""

    name: str
    title: str
    stage: str
    first: bool  # whether it is the first of its stage
    rows: tuple[Row, ...]

    @property
    def size(self) -> int:
        """The number of clauses."""
        return len(self.rows)

    @property
    def claimed(self) -> bool:
        """Whether any implementation claims a clause of the family."""
        return any(cell.outcome is not Outcome.NOT_CLAIMED for row in self.rows for cell in row.cells)

    def holding(self, number: int) -> str:
        """How many clauses of the family hold, of those that apply to an implementation, as in "5 of 6"."""
        results = [row.cells[number].result for row in self.rows]
        claimed = sum(result.outcome is not Outcome.NOT_CLAIMED for result in results)
        return f"{sum(result.outcome is Outcome.PASSED for result in results)} of {claimed}" if claimed else "–"


def page(report: Report) -> str:
    """The whole page."""
    style, script = ((FOLDER / name).read_text(encoding="utf-8") for name in (STYLE, SCRIPT))
    columns = _columns(report)
    common = [_common(column) for column in columns]
    rows = [
        Row(clause, tuple(Cell(c, c.results[place], common[c.number].get(clause.id)) for c in columns))
        for place, clause in enumerate(_clauses(report))
    ]
    families = list(_families(rows))
    offered = {family.stage for family in families if family.claimed or not columns}
    text = (
        _environment()
        .get_template(TEMPLATE)
        .render(
            report=report,
            columns=columns,
            families=[family for family in families if family.stage in offered],
            left_out=_by_stage([family for family in families if family.stage not in offered]),
            failing=[row for row in rows if row.at_length],
            holding=[row for row in rows if not row.at_length and row.clause.stage in offered],
            likely=named(report.results),
            outcomes=counted([result for column in columns for result in column.results]),
            stages=list(dict.fromkeys(row.clause.stage for row in rows)),
            levels=list(dict.fromkeys(row.clause.level for row in rows)),
            policy=policy(style, script),
            style=Markup(style),  # noqa: S704 - our own files
            script=Markup(script),  # noqa: S704
        )
    )
    return text.lstrip()  # the macros leave empty lines before it


def _clauses(report: Report) -> list[Clause]:
    return sorted(report.clauses, key=order)


def _columns(report: Report) -> list[Column]:
    """The implementations; those with equal titles are distinguished by their columns."""
    titles = Counter(implementation.title for implementation in report.implementations)
    columns = []
    for number, implementation in enumerate(report.implementations):
        name, title = implementation.column, implementation.title
        results = {result.clause.id: result for result in report.of(name)}
        every = (results.get(c.id, Result(c, name, Outcome.NOT_RUN)) for c in _clauses(report))
        unique = title if titles[title] == 1 else f"{title} ({name})"
        columns.append(Column(number, unique, implementation, report.verdict(name), tuple(every)))
    return columns


def _common(column: Column) -> dict[str, Cause]:
    """{clause ID: the cause that the clause shares with others}."""
    several = [cause for cause in causes(column.results) if len(cause.results) > 1]
    return {clause.id: cause for cause in several for clause in cause.clauses}


def _by_stage(families: Sequence[Family]) -> list[tuple[str, list[Family]]]:
    return [(stage, list(members)) for stage, members in groupby(families, key=lambda family: family.stage)]


def _families(rows: Sequence[Row]) -> Iterator[Family]:
    before = ""
    for (stage, name), members in groupby(rows, key=lambda row: (row.clause.stage, row.clause.family)):
        yield Family(name, FAMILIES.get(name, ""), stage, stage != before, tuple(members))
        before = stage


def counted(results: Sequence[Result]) -> dict[Outcome, int]:
    """{outcome: how often it occurs}, in the order of outcomes."""
    counts = Counter(result.outcome for result in results)
    return {outcome: counts[outcome] for outcome in Outcome if counts[outcome]}


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        GLYPHS=GLYPHS, VERDICTS=VERDICTS, UNCHECKED=UNCHECKED, FAILURES=FAILURES, AT_LENGTH=AT_LENGTH
    )
    environment.filters.update(slug=slug, code=code, used=used, duration=duration, moment=moment)
    return environment


def policy(style: str, script: str) -> str:
    """A policy that allows no loading, and only this style sheet and this script."""
    allowed = {"style-src": style, "script-src": script}
    hashes = {name: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for name, text in allowed.items()}
    sources = [f"{name} 'sha256-{digest}'" for name, digest in hashes.items()]
    return "; ".join(["default-src 'none'", "img-src data:", *sources, "base-uri 'none'", "form-action 'none'"])


def slug(words: str) -> str:
    """An outcome as one word."""
    return words.replace(" ", "-")


def code(text: str) -> Markup:
    """Text of the specification, with code for text in backticks."""
    pieces = re.split(r"``(.+?)``|`(.+?)`", text)
    return Markup().join(
        Markup("<code>{}</code>").format(piece) if place % 3 else piece for place, piece in enumerate(pieces) if piece
    )


def used(tolerance: Tolerance) -> str:
    """The share of its tolerance that a clause used; empty if nothing was compared with a tolerance."""
    share = tolerance.used
    if share is None:
        return ""
    if math.isnan(share):
        return "not a number"
    if share > 1:
        return f"{share:,.2f} times" if share < 10 else f"{share:,.0f} times"
    return f"{100 * share:.2g} %"


def duration(seconds: float) -> str:
    """The duration in seconds, or in minutes and seconds."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds // 60:,.0f} min {seconds % 60:.0f} s"


def moment(text: str) -> str:
    """A time of ISO 8601 to the minute; other text is returned unchanged."""
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M %Z}".strip()
    except ValueError:
        return text
