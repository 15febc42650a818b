"""The plugin of a worker: it writes a journal, and skips what is already settled."""

import json
import platform
import sys
from collections.abc import Generator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

from ...adapter.implementation import Implementation
from ...adapter.stages import whole
from ...reporting.record import Result
from ..groups import needs_of
from ..results import SMOKED, clause_of, expectations_of, target_of
from ..smoke import Tried
from . import imports
from .journal import write
from .queue import Queue

FRAMEWORKS = {  # {module: distribution}; a report names them if they were imported
    "numpy": "numpy",
    "scipy": "scipy",
    "jax": "jax",
    "flax": "flax",
    "optax": "optax",
    "tensorflow": "tensorflow",
    "torch": "torch",
    "keras": "keras",
    "keras_hub": "keras-hub",
    "onnx": "onnx",
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "PIL": "pillow",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that a supervisor gives."""
    add = parser.getgroup("convspec").addoption
    add("--journal", type=Path, required=True, help="file to write events to")
    add("--settled", type=Path, required=True, help="file that says what earlier workers settled")
    add("--queue", type=Path, required=True, help="folder from which workers take groups of clauses")
    add("--first-failure", action="store_true", help="report the first counterexample without shrinking it")


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin that writes the journal."""
    if config.option.first_failure:
        settings.register_profile("convspec-first", phases=set(settings().phases) - {Phase.shrink})
        settings.load_profile("convspec-first")
    settled = json.loads(config.option.settled.read_text(encoding="utf-8"))
    config.pluginmanager.register(Worker(config, settled), "convspec-worker-journal")


class Worker:
    """Reports each step before it starts, so that the place where a process is lost is known."""

    def __init__(self, config: pytest.Config, settled: dict[str, Any]) -> None:
        self.config, self.journal = config, config.option.journal
        self.place: int = settled["place"]
        self.clauses = set(settled["clauses"])  # those that need not be checked again
        self.fixtures: dict[str, str] = settled["fixtures"]  # {fixture: why it must not be tried again}
        self.stages: list[str] = settled["stages"]  # stages whose smoke check must not be tried again
        self.queue: Queue | None = None

    def tell(self, event: str, **content: Any) -> None:
        """Write an event to the journal."""
        write(self.journal, event, **content)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Remove pytest's reporter, so that the log holds only what the implementation prints."""
        self.config.pluginmanager.unregister(name="terminalreporter")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Refuse the check if a module of clauses cannot be imported: that is a fault of the installation."""
        if report.failed:
            last = str(report.longrepr).strip().splitlines()[-1].removeprefix("E").strip()
            self.tell("refused", why=f"{report.nodeid or 'the clauses'} cannot be collected: {last}")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Report all clauses."""
        items[:] = [item for item in items if clause_of(item)]
        self.tell("collected", clauses=[clause.to_json() for item in items if (clause := clause_of(item))])
        self.queue = Queue(self.config.option.queue, self.place, items)
        for stage in self.stages:
            self.queue.tried(stage, Tried())
        imports.watch(self.tell)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Check one group after the other until none is left; settled clauses are skipped."""
        queue = self.queue
        for group in queue or ():
            for item in group:
                if queue and (clause := clause_of(item)) and clause.id not in self.clauses:
                    if tried := queue.verdict(whole(clause.stage)):  # another worker may have tried the stage
                        self.config.stash[SMOKED][target_of(item), whole(clause.stage)] = tried
                    # The next item is not known yet: with the session in its place, pytest keeps only session fixtures.
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=session)
                    if session.shouldstop:
                        raise session.Interrupted(session.shouldstop)
        return True

    def pytest_convspec_loading(self) -> None:
        """Report an import, which may hang or end the process."""
        self.tell("loading")

    def pytest_convspec_loaded(self, target: str, implementation: Implementation) -> None:
        """Report the implementation, and which clauses it or the command line excuses."""
        self.tell(
            "loaded",
            name=implementation.name,
            version=implementation.version,
            has_backends=implementation.has_backends,
            excused=dict(expectations_of(self.config, target).excused),
        )

    def pytest_convspec_smoke(self, stage: str) -> None:
        """Report the first calls of a stage, which may hang or end the process."""
        if self.queue:
            self.queue.trying(stage)
        self.tell("smoke", stage=stage)

    def pytest_convspec_smoked(self, stage: str, tried: Tried) -> None:
        """Share the result, so that other workers need not try the stage."""
        if self.queue:
            self.queue.tried(stage, tried)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip a clause that needs a fixture with which a worker was lost."""
        clause = clause_of(item)
        self.tell("started", clause=clause.id if clause else "")
        needs = {*getattr(item, "fixturenames", ())} | (needs_of(clause) if clause else set())
        for name in needs & self.fixtures.keys():
            pytest.skip(self.fixtures[name])

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """Report which fixture is being made."""
        shared = fixturedef.scope != "function"
        if shared:
            self.tell("fixture", name=fixturedef.argname)
        try:
            return (yield)
        finally:
            if shared:
                self.tell("made", name=fixturedef.argname)

    def pytest_convspec_judged(self, result: Result) -> None:
        """Report the result, and the versions of what was imported."""
        self.tell("judged", result=result.to_json(), packages=imported())

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Report that the work is done, whatever happens to the process now."""
        self.tell(
            "finished", exit_status=int(exitstatus), python=platform.python_version(), platform=platform.platform()
        )


def imported() -> dict[str, str]:
    """{distribution: version} of the frameworks that were imported."""
    return {name: _version(name) for module, name in FRAMEWORKS.items() if module in sys.modules and _version(name)}


@cache
def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
