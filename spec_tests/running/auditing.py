"""An audit: a pipeline is checked in place of an implementation, by the clauses that apply to pipelines."""

import inspect
import json
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from ..clauses.catalogue import all_clauses
from ..reporting.record import FAILURES, Report
from ..support.texts import Told
from .checking import Progress, run
from .groups import of_pipelines
from .isolation.journal import Event
from .isolation.process import Limits, default_memory
from .isolation.supervisor import never
from .isolation.task import Task
from .profiles import SECONDS
from .request import check_expectations, chosen, places_of

FUNCTION = "make"


class NoPipeline(Told):
    """The pipeline or the clauses that are named cannot be audited."""


def asked(options: Namespace) -> Task:
    """The task of ``convspec audit``; an error of one line if the request is invalid."""
    able = of_pipelines(all_clauses())
    wanted = {clause.id for clause in chosen(options.clause, [])}
    clauses = [clause for clause in able if clause.id in wanted]
    if not clauses:
        raise NoPipeline(
            f"{', '.join(options.clause)} cannot be checked on pipelines: see docs/auditing.md for clauses that can"
        )
    passed = [f"--seed={options.seed}", f"--audit={options.images}"]
    if options.expectations:
        check_expectations(options.expectations)
        passed.append(f"--expectations={options.expectations.resolve()}")
    target = target_of(options.pipeline)
    passed += ["--clause", *(clause.id for clause in clauses)]
    return Task(target, target, "", tuple(passed), tuple(clauses), places=places_of(clauses))


def target_of(given: str) -> str:
    """``module:function`` for the pipeline that the command line names; NoPipeline if its file cannot be imported.

    The folder of a file is added to the import path.
    """
    place, _, function = given.rpartition(":") if ":" in given and not given.endswith(".py") else (given, "", "")
    function = function or FUNCTION
    if not place.endswith(".py"):
        return f"{place}:{function}"
    file = Path(place).resolve()
    if not file.is_file():
        raise NoPipeline(f"{place} does not exist: name the file that makes your pipeline, as in my_audit.py:make")
    if not file.stem.isidentifier():
        raise NoPipeline(f"{file.name} cannot be imported: give it a name of letters, digits and underscores")
    sys.path.insert(0, str(file.parent))
    return f"{file.stem}:{function}"


def audit(make: Callable[[], Any], *, excused: Mapping[str, str], images: int) -> Report:
    """The report on the pipeline that ``make`` returns, as from ``convspec audit``.

    NoPipeline if ``make`` is not at the top level of a module.
    """
    file = inspect.getsourcefile(make)
    if file is None or make.__qualname__ != make.__name__:
        raise NoPipeline(f"{make.__qualname__} is defined inside another function: move it to the top of a module")
    with tempfile.TemporaryDirectory(prefix="convspec-") as folder:
        expectations = Path(folder) / "excused.toml"
        lines = (f"{json.dumps(name)} = {json.dumps(reason)}" for name, reason in excused.items())
        expectations.write_text("\n".join(["[excused]", *lines]), encoding="utf-8")
        options = Namespace(
            pipeline=f"{file}:{make.__name__}", clause=[], seed=0, images=images, expectations=expectations
        )
        limits = Limits(SECONDS, default_memory(1))
        with Findings(Console(stderr=True)) as progress:
            return run([asked(options)], 1, limits, options.seed, "default", progress, never)


class Findings(Progress):
    """Prints each finding in one line as soon as it is known."""

    def watch(self, event: Event) -> None:
        """Update the bar, and print a finding."""
        super().watch(event)
        if event["event"] == "judged" and event["result"]["outcome"] in FAILURES:
            result = event["result"]
            failure = result["failure"]
            words = failure["violated"] or failure["raised"]
            self._console.print(f"{result['clause']}: {words}", highlight=False, markup=False)
