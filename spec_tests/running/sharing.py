"""Tests under pytest-xdist: tests that share a run stay together, and results of clauses are sent back.

``pytest -n 2 --dist loadgroup`` runs each group of clauses in one process, and likewise the tests of a module that has
a fixture of module scope. Results are kept where a clause ran. They travel with pytest's reports to the process that
prints the table. Without pytest-xdist nothing of this is used.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from ..clauses.catalogue import FOLDER, all_clauses
from ..clauses.clause import Clause, Level
from ..reporting.record import Result
from .groups import groups, source

ATTACHED = "convspec"  # the attribute of a report that holds a result


def is_worker(config: pytest.Config) -> bool:
    """Whether another process prints the results of this one."""
    return hasattr(config, "workerinput")


def scheduler(config: pytest.Config, log: Any) -> Any:
    """A scheduler for pytest-xdist that keeps tests together as ``together`` says."""
    from xdist.scheduler import LoadScopeScheduling  # only needed when tests run in several processes

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
    """The name that tests in one process share: a group of clauses, a module with a module fixture, or the test."""
    path, _, test = nodeid.partition("::")
    file = root / path
    clause = f"{file.name}::{test.partition('[')[0]}"
    if file.parent.name == FOLDER.name and clause in names:
        return names[clause]
    is_module = file.suffix == ".py" and file.is_file() and "module" in source(file).scopes.values()
    return path if is_module else nodeid


def attach(report: pytest.TestReport, result: Result, title: str) -> None:
    """Attach a result to the report of its test."""
    content = {"clause": result.clause.to_json(), "result": result.to_json(), "title": title}
    setattr(report, ATTACHED, json.dumps(content))  # as text, because reports can carry only built-in types


def attached(report: pytest.TestReport) -> tuple[Result, str] | None:
    """The result that came with a report and the title of its implementation; None if it has none."""
    text: str | None = getattr(report, ATTACHED, None)
    if text is None:
        return None
    content = json.loads(text)
    clause = Clause(**content["clause"] | {"level": Level(content["clause"]["level"])})
    return Result.from_json(content["result"], {clause.id: clause}), content["title"]
