"""Tests under pytest-xdist: what shares a run stays together, and results of clauses come back.

``pytest -n 2 --dist loadgroup`` runs each group of clauses in one process, and so the tests of a module that makes
something once for all of them. Results are kept where a clause ran; they travel to the process that prints the table
with the reports of pytest. Without pytest-xdist nothing of this is used.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from ..clauses.catalogue import FOLDER, all_clauses
from ..clauses.clause import Clause, Level
from ..reporting.record import Result
from .groups import groups, source

ATTACHED = "convspec"  # the attribute of a report


def is_worker(config: pytest.Config) -> bool:
    """Whether another process prints what this one finds."""
    return hasattr(config, "workerinput")


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Hands out the tests by ``together``."""
    from xdist.scheduler import LoadScopeScheduling  # not needed to check anything

    names = {
        f"{clause.module.rpartition('.')[2]}.py::{clause.test}": f"clauses with {group[0].id}"
        for group in groups(all_clauses())
        for clause in group
        if len(group) > 1
    }

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid, names, config.rootpath)

    return Scheduling(config, log)


def together(nodeid: str, names: dict[str, str], root: Path) -> str:
    """What a test shares with others: the runs of its clause, or the module that makes something once; or itself."""
    path, _, test = nodeid.partition("::")
    file = root / path
    clause = f"{file.name}::{test.partition('[')[0]}"
    if file.parent.name == FOLDER.name and clause in names:
        return names[clause]
    is_module = file.suffix == ".py" and file.is_file() and "module" in source(file).scopes.values()
    return path if is_module else nodeid


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
