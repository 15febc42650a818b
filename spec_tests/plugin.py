"""The pytest plugin: which implementation is checked, against which clauses, and what is said of it.

Loaded by the top-level conftest.py. It imports no framework; an implementation is imported when
the first test asks for it.
"""

import os
from collections.abc import Generator
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, settings

from spec_tests import checks
from spec_tests.catalogue import select
from spec_tests.clause import Clause, Level
from spec_tests.contract import STAGES
from spec_tests.implementation import Implementation, load
from spec_tests.report import Outcome, Result, failure_text, installed_version, summary

DEFAULT_IMPLEMENTATION = "reference"
DEFAULT_BACKEND = "jax"
PROFILES = {"quick": 10, "default": 60, "thorough": 1000}  # examples of a property

LOADED = pytest.StashKey[dict[str, Implementation]]()
RESULTS = pytest.StashKey[list[Result]]()
SELECTED = pytest.StashKey[set[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the specification."""
    add = parser.getgroup("convspec", "the specification").addoption
    add("--implementation", action="append", default=[], metavar="MODULE[:OBJECT]",
        help=f"what to check, once for each (default: {DEFAULT_IMPLEMENTATION})")  # fmt: skip
    add("--backend", metavar="NAME", help=f"backend to run on (default: $KERAS_BACKEND, or {DEFAULT_BACKEND})")
    add("--stage", action="append", default=[], choices=list(STAGES), help="check the clauses of this stage alone")
    add("--clause", nargs="+", action="extend", default=[], metavar="ID",
        help="check these clauses alone: PAD-3, or PAD for all of its family")  # fmt: skip
    add("--profile", choices=list(PROFILES), default="default", help="10, 60 (the default) or 1,000 examples a property")
    add("--seed", type=int, default=0, help="of every random choice of the specification (default: 0)")
    add("--data", metavar="PATH", help="zip or folder of photographs for the clauses of accuracy (default: drawn ones)")
    add("--preset", metavar="PATH", help="pretrained base for the clauses of accuracy (default: the embedded one)")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and the profiles, and take the backend from the command line."""
    config.addinivalue_line("markers", "clause: a clause of the specification")
    for name, examples in PROFILES.items():
        settings.register_profile(
            f"convspec-{name}",
            max_examples=examples,
            deadline=None,  # the first call of a shape compiles
            database=None,  # the same seed gives the same verdict
            derandomize=bool(os.environ.get("CI")),
            report_multiple_bugs=False,
            print_blob=False,
            suppress_health_check=[HealthCheck.too_slow],
        )
    settings.load_profile(f"convspec-{config.option.profile}")
    if config.option.backend:
        os.environ["KERAS_BACKEND"] = config.option.backend
    config.stash[LOADED], config.stash[RESULTS] = {}, []
    config.stash[SELECTED] = {clause.id for clause in select(config.option.clause, config.option.stage)}


def backend_of(config: pytest.Config) -> str:
    """The backend that is checked."""
    return config.option.backend or os.environ.get("KERAS_BACKEND") or DEFAULT_BACKEND


def targets_of(config: pytest.Config) -> list[str]:
    """The implementations that are checked."""
    return config.option.implementation or [DEFAULT_IMPLEMENTATION]


def pytest_report_header(config: pytest.Config) -> str:
    """Say what is checked, on which backend, with which seed."""
    names = ", ".join(f"{target} {installed_version(target)}" for target in targets_of(config))
    option = config.option
    return f"convspec: {names}; backend {backend_of(config)}; seed {option.seed}; profile {option.profile}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each clause once for each implementation."""
    if "implementation" in metafunc.fixturenames:
        metafunc.parametrize("implementation", targets_of(metafunc.config), indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the clauses asked for, and seed every property."""
    narrowed = bool(config.option.clause or config.option.stage)
    kept, left = [], []
    for item in items:
        clause = clause_of(item)
        if clause and hasattr(item.obj, "hypothesis"):  # type: ignore[attr-defined]
            hypothesis.seed(config.option.seed)(item.obj)  # type: ignore[attr-defined]
        wanted = clause.id in config.stash[SELECTED] if clause else not narrowed
        (kept if wanted else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


def clause_of(item: pytest.Item) -> Clause | None:
    """The clause that a test is, if it is one."""
    return getattr(getattr(item, "obj", None), "clause", None)


def implementation_of(item: pytest.Item) -> Implementation:
    """The implementation that a test checks, imported when it is first asked for."""
    target: str = item.callspec.params["implementation"]  # type: ignore[attr-defined]
    loaded = item.config.stash[LOADED]
    if target not in loaded:
        loaded[target] = load(target, backend_of(item.config))
    return loaded[target]


@pytest.fixture(scope="session")
def implementation(request: pytest.FixtureRequest) -> Implementation:
    """The implementation under test."""
    return request.config.stash[LOADED][request.param]


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """What every random choice of a clause starts from."""
    return int(request.config.option.seed)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out the clauses of a stage that is not claimed."""
    clause = clause_of(item)
    if clause and not implementation_of(item).claims(clause.stage):
        pytest.skip(f"not claimed: {clause.stage}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """A clause that checks nothing has not passed."""
    before = checks.count
    result = yield
    if clause_of(item) and checks.count == before:
        pytest.fail("the clause ran no check", pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the report of a test into that of a clause."""
    report = yield
    clause = clause_of(item)
    if clause is None or (report.when != "call" and report.passed):
        return report
    target = item.callspec.params["implementation"]  # type: ignore[attr-defined]
    checked = item.config.stash[LOADED].get(target)
    reason = checked.excused.get(clause.id) if checked else None
    outcome = _outcome(report, clause, reason)
    text = ""
    if report.failed and call.excinfo:
        text = failure_text(clause, call.excinfo.value, target, backend_of(item.config), item.config.option.seed, item)
        report.longrepr = text
    if outcome in (Outcome.EXCUSED, Outcome.REPORTED):
        report.outcome, report.wasxfail = "skipped", reason or f"{clause.id} is a SHOULD"
    elif report.skipped:
        text = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    item.config.stash[RESULTS].append(Result(clause, target, outcome, report.duration, text, reason))
    return report


def _outcome(report: pytest.TestReport, clause: Clause, reason: str | None) -> Outcome:
    if report.skipped:
        return Outcome.NOT_CLAIMED if "not claimed" in str(report.longrepr) else Outcome.NOT_RUN
    if report.passed:
        return Outcome.PASSED
    if reason:
        return Outcome.EXCUSED
    return Outcome.REPORTED if clause.level is Level.SHOULD else Outcome.FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table of clauses."""
    results = config.stash[RESULTS]
    if results:
        terminalreporter.section("specification")
        width = terminalreporter._tw.fullwidth
        terminalreporter.write(summary(results, backend_of(config), width, terminalreporter.hasmarkup))


