"""The printed form of a report, and the files that it is written to."""

from pathlib import Path

from ..support.files import write_text
from .forms import FORMS
from .naming.shown import likely
from .record import TOLD, Report
from .terminal import failures, matrix, summary


def write(report: Report, form: str, file: Path) -> None:
    """Write a report in one of ``FORMS``."""
    write_text(file, FORMS[form].make(report))


def terminal(report: Report, width: int, colour: bool) -> str:
    """The printed report: the clauses that do not hold, then a table of one implementation or a matrix of several."""
    told = [result for result in report.results if result.outcome in TOLD]
    parts = [failures(told, width, colour), likely(report.results, width, colour)] if told else []
    columns = report.implementations
    if len(columns) == 1:
        parts.append(summary(report.of(columns[0].column), columns[0].title, width, colour))
    else:
        parts.append(matrix(report, width, colour))
    return "\n".join(filter(None, parts))
