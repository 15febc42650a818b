"""A folder to publish: the page of a matrix, a badge for each of its stacks, and the results of earlier runs."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..reporting.badge import badge
from ..reporting.record import CHECKED, FAILURES, Report, json_text
from ..support.files import write_text
from ..support.texts import Told

PAGE, REPORT, TREND, TABLE = "index.html", "report.json", "trend.json", "trend.html"
TEMPLATE = "trend.html.j2"
MOST = 52  # runs that are kept: a year of weekly runs
SHOWN = 12  # newest runs that the table shows
NO_NAME = re.compile(r"[^a-z0-9.]+")


class WrongTrend(Told):
    """The file with earlier runs was not written by ``publish``."""


@dataclass(frozen=True)
class Row:
    """The history of a stack: a cell for each run that is shown, the newest last; None if the run did not have it."""

    label: str
    badge: str
    cells: list[dict[str, Any] | None]


def publish(report: Report, folder: Path) -> None:
    """Write the files and add this run to those that the folder already has.

    Raises WrongTrend if these cannot be read.
    """
    from ..reporting.page import page  # imports matplotlib

    runs = [*earlier(folder / TREND), run(report)][-MOST:]
    write_text(folder / PAGE, page(report))
    write_text(folder / REPORT, json_text(report))
    for implementation in report.implementations:
        answer = badge(report, implementation.column) | {"label": implementation.column}
        write_text(folder / badge_of(implementation.column), json.dumps(answer) + "\n")
    write_text(folder / TREND, json.dumps({"runs": runs}, indent=1, ensure_ascii=False) + "\n")
    write_text(folder / TABLE, table(runs[-SHOWN:]))


def badge_of(label: str) -> str:
    """The file name of a stack's badge."""
    return f"badges/{NO_NAME.sub('-', label.lower()).strip('-')}.json"


def run(report: Report) -> dict[str, Any]:
    """The record of a run: its time and, for each stack, its versions and the numbers of failed and of all clauses."""
    stacks = {}
    for implementation in report.implementations:
        results = report.of(implementation.column)
        stacks[implementation.column] = {
            "packages": dict(implementation.packages),
            "failed": sum(result.outcome in FAILURES for result in results),
            "checked": sum(result.outcome in CHECKED for result in results),
            "verdict": report.verdict(implementation.column).value,
        }
    return {"started": report.started, "specification": report.specification, "stacks": stacks}


def earlier(file: Path) -> list[dict[str, Any]]:
    """The runs in a file; an empty list if there is no file."""
    if not file.is_file():
        return []
    try:
        runs = json.loads(file.read_text(encoding="utf-8"))["runs"]
        for one in runs:
            datetime.fromisoformat(one["started"])
            for stack in one["stacks"].values():
                _ = int(stack["failed"]), int(stack["checked"]), str(stack["verdict"]), dict(stack["packages"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WrongTrend(f"{file} holds no earlier runs: remove it, or publish to another folder") from error
    return list(runs)


def table(runs: list[dict[str, Any]]) -> str:
    """The newest runs side by side, as an HTML page."""
    labels = list(dict.fromkeys(label for one in reversed(runs) for label in one["stacks"]))
    rows = [Row(label, badge_of(label), [one["stacks"].get(label) for one in runs]) for label in labels]
    dates = [datetime.fromisoformat(one["started"]).date().isoformat() for one in runs]
    made = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    return made.get_template(TEMPLATE).render(dates=dates, rows=rows)
