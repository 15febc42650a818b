"""A report in a few words, as JSON from which shields.io makes a badge: https://shields.io/badges/endpoint-badge."""

import json
from collections.abc import Sequence
from typing import Any

from .record import FAILURES, Report, Result, Verdict, aside, claimed, counted, verdict

WORST_FIRST = (Verdict.DIFFERS, Verdict.BROKEN, Verdict.NOTHING, Verdict.CONFORMS)
COLOURS = dict(zip(WORST_FIRST, ("red", "red", "lightgrey", "brightgreen"), strict=True))


def badge(report: Report, column: str | None = None) -> dict[str, Any]:
    """The JSON of the endpoint for one implementation or for all; raises ValueError for an unknown column."""
    columns = [implementation.column for implementation in report.implementations]
    if column is not None and column not in columns:
        raise ValueError(f"{column} is not in the report: name one of {', '.join(columns)}")
    chosen = columns if column is None else [column]
    results = [result for name in chosen for result in report.of(name)]
    verdicts = [report.verdict(name) for name in chosen]
    worst = min(verdicts, key=WORST_FIRST.index, default=Verdict.NOTHING)
    if len(chosen) > 1:
        message = f"{verdicts.count(Verdict.CONFORMS)} of {len(chosen)} conform{aside(results)}"
    else:
        message = _message(results)
    qualified = worst is Verdict.CONFORMS and aside(results)
    return {
        "schemaVersion": 1,
        "label": "convspec",
        "message": message,
        "color": "green" if qualified else COLOURS[worst],
        # shields.io then ignores a colour in the badge's address
        "isError": worst in (Verdict.DIFFERS, Verdict.BROKEN),
    }


def badge_text(report: Report) -> str:
    """The same JSON as text."""
    return json.dumps(badge(report)) + "\n"


def _message(results: Sequence[Result]) -> str:
    """The message for one implementation."""
    found = verdict(results)
    if found is Verdict.BROKEN:
        return "adapter broken"
    if found is Verdict.NOTHING:
        return "nothing checked"
    if found is Verdict.DIFFERS:
        failing = sum(result.outcome in FAILURES for result in results)
        return f"{failing} of {len(claimed(results))} fail{aside(results)}"
    return counted(results) if aside(results) else f"{counted(results)} clauses"
