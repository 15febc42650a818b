"""The pytest plugin: which implementation is checked, against which clauses, and what is said of it.

Loaded by the top-level conftest.py. It imports no framework; an implementation is imported when
the first clause is about to run.
"""

import os
from collections.abc import Generator, Iterable
from pathlib import Path
from time import perf_counter
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings

from . import checks
from .catalogue import all_clauses, selected, unknown
from .clause import Clause, Level
from .contract import STAGES
from .implementation import BrokenAdapter, Implementation, installed_version, load
from .report import FAILURES, Failure, Outcome, Result, explain, failures, summary
from .reproduce import drawn, snippet

DEFAULT_IMPLEMENTATION = "reference"
DEFAULT_BACKEND = "jax"
ENVIRONMENT = {  # for speed; what the user has set stays
    "jax": {  # keep what was compiled, however small
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    },
    "torch": {"OMP_WAIT_POLICY": "PASSIVE"},  # threads that spin between small operations slow down a busy machine
}
PROFILES = {"quick": 10, "default": 60, "thorough": 1000}  # examples of a property

LOADED = pytest.StashKey[dict[str, Implementation | BrokenAdapter]]()
RESULTS = pytest.StashKey[list[Result]]()
COLLECTED = pytest.StashKey[list[Clause]]()
SECONDS = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the specification."""
    add = parser.getgroup("convspec", "the specification").addoption
    add("--implementation", action="append", default=[], metavar="MODULE[:OBJECT]",
        help=f"what to check, once for each (default: {DEFAULT_IMPLEMENTATION})")  # fmt: skip
    add("--backend", metavar="NAME", help=f"backend to run on (default: $KERAS_BACKEND, or {DEFAULT_BACKEND})")
    add("--stage", action="append", default=[], choices=list(STAGES), help="check the clauses of this stage alone")
    add("--clause", nargs="+", action="extend", default=[], metavar="ID",
        help="check these clauses alone: PAD-3, or PAD for all of its family")  # fmt: skip
    add(
        "--profile", choices=list(PROFILES), default="default", help="10, 60 (the default) or 1,000 examples a property"
    )
    add("--seed", type=int, default=0, help="of every random choice of the specification (default: 0)")
    add("--data", type=Path, metavar="PATH",
        help="zip or folder of photographs for the clauses of accuracy (default: the embedded drawings)")  # fmt: skip
    add("--preset", type=Path, metavar="PATH", help="the pretrained base to go with --data")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and the profiles, and take the backend from the command line."""
    config.addinivalue_line("markers", "clause: a clause of the specification")
    for name, examples in PROFILES.items():
        settings.register_profile(
            f"convspec-{name}",
            max_examples=examples,
            deadline=None,  # the first call of a shape compiles
            database=None,  # the same seed gives the same verdict
            derandomize=True,  # where no seed is set, that is in tests that are no clauses
            phases=set(Phase) - {Phase.explain},  # a failure shows its smallest counterexample; no more runs to vary it
            report_multiple_bugs=False,
            print_blob=False,
            suppress_health_check=[HealthCheck.too_slow],
        )
    settings.load_profile(f"convspec-{config.option.profile}")
    if config.option.backend:
        os.environ["KERAS_BACKEND"] = config.option.backend
    _make_fast(config)
    config.stash[LOADED], config.stash[RESULTS], config.stash[COLLECTED] = {}, [], []


def _make_fast(config: pytest.Config) -> None:
    """Settings that a backend reads when it is imported; JAX keeps what it compiles in pytest's cache."""
    backend = backend_of(config)
    if backend == "jax" and hasattr(config, "cache"):  # none with -p no:cacheprovider
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.cache.mkdir("jax")))
    for name, value in ENVIRONMENT.get(backend, {}).items():
        os.environ.setdefault(name, value)


def backend_of(config: pytest.Config) -> str:
    """The backend that is checked."""
    return config.option.backend or os.environ.get("KERAS_BACKEND") or DEFAULT_BACKEND


def targets_of(config: pytest.Config) -> list[str]:
    """The implementations that are checked."""
    return list(dict.fromkeys(config.option.implementation)) or [DEFAULT_IMPLEMENTATION]


def pytest_report_header(config: pytest.Config) -> str:
    """Say what is checked, on which backend, with which seed."""
    names = ", ".join(f"{target} {installed_version(target)}".strip() for target in targets_of(config))
    option = config.option
    return f"convspec: {names}; backend {backend_of(config)}; seed {option.seed}; profile {option.profile}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each clause once for each implementation."""
    if "implementation" in metafunc.fixturenames:
        metafunc.parametrize("implementation", targets_of(metafunc.config), indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the clauses asked for, and seed every property."""
    option = config.option
    config.stash[COLLECTED] = [clause for item in items if (clause := clause_of(item))]
    if wrong := _unknown(config, option.clause):
        paths = [name for name in option.clause if Path(name).exists()]
        raise pytest.UsageError(f"--clause {wrong}" if not paths else f"give {paths[0]} before --clause, not after it")
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        clause = clause_of(item)
        if clause:
            item.user_properties.append(("clause", clause.id))  # in JUnit's XML too
        if clause and hasattr(item.obj, "hypothesis"):  # type: ignore[attr-defined]
            hypothesis.seed(option.seed)(item.obj)  # type: ignore[attr-defined]
        narrowed = option.clause or option.stage
        wanted = selected(clause, option.clause, option.stage) if clause else not narrowed
        (kept if wanted else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


def clause_of(item: pytest.Item) -> Clause | None:
    """The clause that a test is, if it is one."""
    return getattr(getattr(item, "obj", None), "clause", None)


def target_of(item: pytest.Item) -> str:
    """The name of the implementation that a test checks."""
    return str(item.callspec.params["implementation"])  # type: ignore[attr-defined]


def loaded(config: pytest.Config, target: str) -> Implementation:
    """The implementation of that name, imported when it is first asked for; BrokenAdapter if it cannot be used."""
    known = config.stash[LOADED]
    if target not in known:
        try:
            found = load(target, backend_of(config))
            _check_excuses(config, found)
            known[target] = found
        except BrokenAdapter as error:
            known[target] = error
    usable = known[target]
    if isinstance(usable, BrokenAdapter):
        raise usable
    return usable


def _check_excuses(config: pytest.Config, found: Implementation) -> None:
    if wrong := _unknown(config, found.excused):
        raise BrokenAdapter(f"EXCUSED of {found.target}: {wrong}")
    if bare := [name for name, reason in found.excused.items() if not str(reason).strip()]:
        raise BrokenAdapter(f"EXCUSED of {found.target}: no reason for {', '.join(bare)}")


def _unknown(config: pytest.Config, wanted: Iterable[str]) -> str:
    """What is wrong with the names of clauses; all modules of clauses are imported only if those collected lack one."""
    clauses = config.stash[COLLECTED]
    return unknown(wanted, clauses) and unknown(wanted, [*clauses, *all_clauses()])


@pytest.fixture(scope="session")
def implementation(request: pytest.FixtureRequest) -> Implementation:
    """The implementation under test."""
    return loaded(request.config, request.param)


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """What every random choice of a clause starts from."""
    return int(request.config.option.seed)


def claimed(item: pytest.Item, clause: Clause) -> bool:
    """Whether the clause applies to the implementation; BrokenAdapter if it does and cannot be checked."""
    found = loaded(item.config, target_of(item))
    applies = found.claims(clause.stage)
    if applies:
        found.require(clause.stage)
    return applies


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out the clauses of a stage that is not claimed, and say once that an adapter is broken."""
    clause = clause_of(item)
    if clause is None:
        return
    clause.arguments = {}
    started = perf_counter()
    try:
        applies = claimed(item, clause)
    except BrokenAdapter as error:
        if any(result.reason == str(error) for result in item.config.stash[RESULTS]):
            pytest.skip(Outcome.BROKEN)
        raise
    item.stash[SECONDS] = started - perf_counter()  # the time of imports is not the clause's
    if not applies:
        pytest.skip(f"{Outcome.NOT_CLAIMED}: {clause.stage}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """A clause that checks nothing has not passed."""
    before = checks.count
    result = yield
    if clause_of(item) and checks.count == before:
        pytest.fail("the clause ran no check: the fault is the specification's", pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the report of a test into that of a clause."""
    report = yield
    clause = clause_of(item)
    if clause is None or report.when == "teardown":
        return report
    if report.when == "setup" and report.passed:
        item.stash[SECONDS] += report.duration
        return report
    result = _result(item, clause, report, call)
    if report.failed:
        report.longrepr = str(result.failure)
    if result.outcome in (Outcome.EXCUSED, Outcome.REPORTED):
        report.outcome, report.wasxfail = "skipped", result.reason or f"{clause.id} is a SHOULD"
    item.config.stash[RESULTS].append(result)
    return report


def _result(item: pytest.Item, clause: Clause, report: pytest.TestReport, call: pytest.CallInfo[None]) -> Result:
    target, error = target_of(item), call.excinfo.value if call.excinfo else None
    seconds = max(report.duration + item.stash.get(SECONDS, 0), 0)
    if isinstance(error, BrokenAdapter):
        return Result(clause, target, Outcome.BROKEN, seconds, Failure([(str(Outcome.BROKEN), str(error))]), str(error))
    if report.skipped:
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        outcome = Outcome.NOT_CLAIMED if reason.startswith(Outcome.NOT_CLAIMED) else Outcome.NOT_RUN
        return Result(clause, target, outcome, seconds, reason=reason)
    excuse = loaded(item.config, target).excused.get(clause.id, "")
    if error is None:
        return Result(clause, target, Outcome.PASSED, seconds, reason=excuse)
    should = Outcome.REPORTED if clause.level is Level.SHOULD else Outcome.FAILED
    failure = _failure(item, clause, error)
    if not excuse:
        error.told_under = clause.id  # type: ignore[attr-defined]
    return Result(clause, target, Outcome.EXCUSED if excuse else should, seconds, failure, excuse)


def _failure(item: pytest.Item, clause: Clause, error: BaseException) -> Failure:
    """Why a clause does not hold; at length only once where a fixture fails for many."""
    config, test, first = item.config, item.obj, getattr(error, "told_under", None)  # type: ignore[attr-defined]
    if first:
        return Failure([(clause.id, clause.sentence), ("raised", f"{type(error).__name__}, as under {first}")])
    code = snippet(clause, test, target_of(item), backend_of(config), config.option.seed)
    return explain(clause, error, drawn(clause, test), code)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> Generator[None, None, None]:
    """Tell of clauses by failures and a table, the last thing on the terminal; pytest tells of other tests."""
    results = config.stash[RESULTS]
    writer, colour = config.get_terminal_writer(), terminalreporter.hasmarkup
    reports = dict(terminalreporter.stats)
    for category in reports:
        others = [report for report in reports[category] if not _is_of_clause(report)]
        terminalreporter.stats[category] = others
    told = [result for result in results if result.outcome in FAILURES]
    if told and config.option.tbstyle != "no":
        terminalreporter.section("clauses that do not hold")
        terminalreporter.write(failures(told, writer.fullwidth, colour))
    try:
        yield
    finally:
        terminalreporter.stats.update(reports)
        if results:
            terminalreporter.section("specification")
        targets = dict.fromkeys(result.target for result in results)
        tables = (
            summary([r for r in results if r.target == target], _title(config, target), writer.fullwidth, colour)
            for target in targets
        )
        terminalreporter.write("\n".join(tables))


def _is_of_clause(report: object) -> bool:
    if not isinstance(report, pytest.TestReport) or report.when == "teardown":
        return False
    return "clause" in dict(report.user_properties)


def _title(config: pytest.Config, target: str) -> str:
    """Name, version and backend, as far as there are any."""
    found = config.stash[LOADED].get(target)
    if not isinstance(found, Implementation):
        return target
    backend = f"on {backend_of(config)}" if found.has_backends else ""
    return " ".join(filter(None, (found.name, found.version, backend)))
