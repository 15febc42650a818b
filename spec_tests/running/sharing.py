"""Clauses under pytest-xdist: what shares a run of the implementation stays together, and results come back.

``pytest -n 2 --dist loadgroup`` runs each group in one process. Results are kept where a clause ran; they travel to
the process that prints the table with the reports of pytest. Nothing here needs pytest-xdist.
"""

import json
from collections.abc import Sequence

import pytest

from ..clauses.clause import Clause, Level
from ..reporting.record import Result
from .groups import groups

ATTACHED = "convspec"  # the attribute of a report


def is_worker(config: pytest.Config) -> bool:
    """Whether another process prints what this one finds."""
    return hasattr(config, "workerinput")


def keep_together(items: Sequence[pytest.Item]) -> None:
    """Mark the clauses of a group."""
    for group in groups(items):
        if len(group) > 1:
            for item in group:
                item.add_marker(pytest.mark.xdist_group(f"with {group[0].name}"))


def attach(report: pytest.TestReport, result: Result, title: str) -> None:
    """Give a result to the report of its test."""
    content = {"clause": result.clause.to_json(), "result": result.to_json(), "title": title}
    setattr(report, ATTACHED, json.dumps(content))  # as text: what travels may hold no types of ours


def attached(report: pytest.TestReport) -> tuple[Result, str] | None:
    """The result that came with a report, and the title of its implementation."""
    text: str | None = getattr(report, ATTACHED, None)
    if text is None:
        return None
    content = json.loads(text)
    clause = Clause(**content["clause"] | {"level": Level(content["clause"]["level"])})
    return Result.from_json(content["result"], {clause.id: clause}), content["title"]
