"""The forms of a report: what is printed, and the files that can be asked for."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..support.files import write_text
from .badge import badge
from .junit import junit
from .markdown import markdown
from .page import page
from .record import TOLD, Report, json_text
from .terminal import failures, matrix, summary


@dataclass(frozen=True)
class Form:
    """A file that a report can be written to."""

    help: str
    make: Callable[[Report], str]


FORMS = {
    "json": Form("write the report as JSON, to be rendered or compared later", json_text),
    "html": Form("write one page with the matrix, every failure and pictures", page),
    "junit": Form("write JUnit XML", junit),
    "markdown": Form("write Markdown for the summary of a CI job", markdown),
    "badge": Form("write JSON for a badge of shields.io", lambda report: json.dumps(badge(report)) + "\n"),
}


def write(report: Report, form: str, file: Path) -> None:
    """Write a report in one of ``FORMS``."""
    write_text(file, FORMS[form].make(report))


def terminal(report: Report, width: int, colour: bool) -> str:
    """What is printed: the clauses that do not hold, then a table of one implementation or a matrix of several."""
    told = [result for result in report.results if result.outcome in TOLD]
    parts = [failures(told, width, colour)] if told else []
    columns = report.implementations
    if len(columns) == 1:
        parts.append(summary(report.of(columns[0].column), columns[0].title, width, colour))
    else:
        parts.append(matrix(report, width, colour))
    return "\n".join(parts)
