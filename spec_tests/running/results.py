"""The part of the plugin that judges: it loads and tries an implementation, and turns each test into a result.

It imports no framework. An implementation is imported when its first clause is about to run.
"""

import gc
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any

import pytest
from hypothesis.errors import Unsatisfiable

from ..adapter.contract import functions
from ..adapter.expectations import Expectations, WrongExpectations, check_names, check_tolerances
from ..adapter.implementation import BrokenAdapter, Implementation, load
from ..adapter.stages import whole
from ..adapter.targets import DEFAULT_IMPLEMENTATION, default_backend
from ..cases import evidence
from ..cases.windows import Window
from ..clauses.catalogue import all_clauses, unknown
from ..clauses.clause import Clause, Level
from ..judging import checks
from ..reporting import record
from ..reporting.record import Failure, Outcome, Result, Tolerance, outcome_of_failure
from . import sharing
from .distinct import Seen, look_further
from .explanation import explain
from .smoke import Tried, tried
from .snippets import drawn, snippet

LOADED = pytest.StashKey[dict[str, Implementation | BrokenAdapter]]()
SMOKED = pytest.StashKey[dict[tuple[str, str], Tried]]()  # results of smoke checks, by implementation and stage
EXPECTED = pytest.StashKey[Expectations]()  # the expectations in the file that the command line names
PHOTOGRAPHS = pytest.StashKey[Any]()  # the photographs that the command line names, by split, or None
TITLES = pytest.StashKey[dict[str, str]]()  # titles of implementations that other processes checked
RESULTS = pytest.StashKey[list[Result]]()
COLLECTED = pytest.StashKey[list[Clause]]()
SECONDS = pytest.StashKey[float]()
SEEN = pytest.StashKey[Seen]()  # failures of a property


def backend_of(config: pytest.Config) -> str:
    """The backend that is checked."""
    return config.option.backend or default_backend()


def targets_of(config: pytest.Config) -> list[str]:
    """The implementations that are checked."""
    return list(dict.fromkeys(config.option.implementation)) or [DEFAULT_IMPLEMENTATION]


def clause_of(item: pytest.Item) -> Clause | None:
    """The clause that a test checks; None for other tests."""
    return getattr(getattr(item, "obj", None), "clause", None)


def target_of(item: pytest.Item) -> str:
    """The name of the implementation that a test checks."""
    return str(item.callspec.params["implementation"])  # type: ignore[attr-defined]


def unknown_names(config: pytest.Config, wanted: Iterable[str]) -> str:
    """The error about names of clauses that do not exist; empty if there are none.

    Modules that were not collected are imported only if a name is missing from those that were.
    """
    clauses = config.stash[COLLECTED]
    return unknown(wanted, clauses) and unknown(wanted, [*clauses, *all_clauses()])


def loaded_by(config: pytest.Config) -> Callable[[str, str], Implementation]:
    """The function that loads an implementation of the contract, or a pipeline that is audited."""
    if not config.option.audit:
        return load
    from ..audit.loading import load_pipeline

    return lambda target, _: load_pipeline(target, config.option.audit)


def loaded(config: pytest.Config, target: str) -> Implementation:
    """The implementation of that name, imported on first use; BrokenAdapter if it cannot be used."""
    known = config.stash[LOADED]
    if target not in known:
        config.hook.pytest_convspec_loading(target=target)
        try:
            found = loaded_by(config)(target, backend_of(config))
            check_expectations(config, found.expectations, f"EXCUSED or TOLERANCES of {target}")
            known[target] = found
        except BrokenAdapter as error:
            known[target] = error
        except WrongExpectations as error:
            known[target] = BrokenAdapter(str(error))
        else:
            config.hook.pytest_convspec_loaded(target=target, implementation=found)
    usable = known[target]
    if isinstance(usable, BrokenAdapter):
        raise usable
    return usable


def title_of(config: pytest.Config, target: str) -> str:
    """The name, version and backend of an implementation, as far as they are known."""
    found = config.stash[LOADED].get(target)
    if not isinstance(found, Implementation):
        return config.stash[TITLES].get(target, target)
    backend = backend_of(config) if found.has_backends else ""
    return record.Implementation(target, target, backend, found.name, found.version).title


def check_expectations(config: pytest.Config, expectations: Expectations, where: str) -> None:
    """Raise WrongExpectations unless every named clause exists and may be expected so."""
    check_names(expectations, where, lambda names: unknown_names(config, names))
    stochastic = {clause.id for clause in config.stash[COLLECTED] if clause.level is Level.STOCHASTIC}
    check_tolerances(expectations, where, stochastic)


def expectations_of(config: pytest.Config, target: str) -> Expectations:
    """The expectations of the adapter, updated with those of the command line."""
    return loaded(config, target).expectations | config.stash[EXPECTED]


def claimed(item: pytest.Item, clause: Clause) -> bool:
    """Whether the clause applies to the implementation; BrokenAdapter if it applies but cannot be checked."""
    config, target, tried_with = item.config, target_of(item), whole(clause.stage)
    found = loaded(config, target)
    if not found.claims(clause.stage):
        return False
    if config.option.audit:
        return True
    smoked = config.stash[SMOKED]
    if (target, tried_with) not in smoked:
        config.hook.pytest_convspec_smoke(target=target, stage=tried_with)
        smoked[target, tried_with] = tried(found, tried_with)
        config.hook.pytest_convspec_smoked(target=target, stage=tried_with, tried=smoked[target, tried_with])
        gc.collect()
        gc.freeze()  # a framework has a million objects, and each later collection would examine all of them
    became = smoked[target, tried_with]
    found.take(became.unfilled, became.unusable)
    offered = [name for name in functions(tried_with) if found.offers(name)]
    if offered and not set(offered) - became.unusable.keys():
        raise BrokenAdapter(f"{target} cannot be called, stage {tried_with}: {'; '.join(became.unusable.values())}")
    return found.claims(clause.stage)


@pytest.fixture(scope="session")
def implementation(request: pytest.FixtureRequest) -> Implementation:
    """The implementation under test."""
    return loaded(request.config, request.param)


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of all random choices in clauses."""
    return int(request.config.option.seed)


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """The backend under test."""
    return backend_of(request.config)


@pytest.fixture(scope="session")
def photographs(request: pytest.FixtureRequest) -> Any:
    """The photographs that the command line names, by split; None if it names none."""
    return request.config.stash[PHOTOGRAPHS]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the clauses of a stage that is not claimed, and report a broken adapter only once."""
    clause = clause_of(item)
    if clause is None:
        return
    clause.arguments = {}
    item.stash[SEEN] = Seen(item.obj)  # type: ignore[attr-defined]
    clause.notice = item.stash[SEEN].take
    evidence.start()
    checks.start_tally()
    started = perf_counter()
    try:
        applies = claimed(item, clause)
    except BrokenAdapter as error:
        if any(result.reason == str(error) for result in item.config.stash[RESULTS]):
            pytest.skip(f"{Outcome.BROKEN}: {error}")
        raise
    item.stash[SECONDS] = started - perf_counter()  # imports do not count towards the clause's time
    if not applies:
        pytest.skip(f"{Outcome.NOT_CLAIMED}: {clause.stage}")
    if why := loaded(item.config, target_of(item)).has_own(clause.tied):
        pytest.skip(f"{Outcome.NOT_CLAIMED}: {why}")


@pytest.hookimpl(wrapper=True, trylast=True)  # inside the capture of output
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a clause that ran no check, and look for other failures of a property that failed."""
    clause = clause_of(item)
    if clause is None:
        return (yield)
    tally = checks.start_tally(expectations_of(item.config, target_of(item)).factor(clause.id))
    started = perf_counter()
    try:
        result = yield
    except Unsatisfiable:
        if not tally.discarded:
            raise
        result = None  # explicit examples of the clause may have been supported
    except Exception:
        names = item._fixtureinfo.argnames  # type: ignore[attr-defined]
        fixtures = {name: item.funcargs[name] for name in names}  # type: ignore[attr-defined]
        look_further(item.obj, clause, fixtures, perf_counter() - started)  # type: ignore[attr-defined]
        raise
    if tally.count == 0:
        checks.refuse_discarded()
        pytest.fail("the clause ran no check: the fault is the specification's", pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the report of a test into the report of a clause."""
    report = yield
    clause = clause_of(item)
    if clause is None or report.when == "teardown":
        return report
    if report.when == "setup" and report.passed:
        item.stash[SECONDS] += report.duration
        return report
    result = _result(item, clause, report, call)
    if report.failed:
        report.longrepr = result.failure.text(clause)
    if result.outcome in (Outcome.EXCUSED, Outcome.REPORTED, Outcome.NOT_DECIDED):
        report.outcome, report.wasxfail = "skipped", result.reason or f"{clause.id} is a SHOULD"
    item.config.stash[RESULTS].append(result)
    if sharing.is_worker(item.config):
        sharing.attach(report, result, title_of(item.config, result.implementation))
    item.config.hook.pytest_convspec_judged(result=result)
    return report


def _result(item: pytest.Item, clause: Clause, report: pytest.TestReport, call: pytest.CallInfo[None]) -> Result:
    target, error = target_of(item), call.excinfo.value if call.excinfo else None
    seconds = max(report.duration + item.stash.get(SECONDS, 0), 0)
    if isinstance(error, BrokenAdapter):
        failure = Failure(violated=f"{Outcome.BROKEN}: {error}")
        return Result(clause, target, Outcome.BROKEN, seconds, failure, str(error))
    if isinstance(error, checks.Undecided):
        return _undecided(clause, target, error, seconds)
    if report.skipped:
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        outcome, reason = _left_out(reason.removeprefix("Skipped: "))
        return Result(clause, target, outcome, seconds, reason=reason)
    expected = expectations_of(item.config, target)
    factor, why = expected.tolerances.get(clause.id, (1.0, ""))
    compared = error is None or isinstance(error, checks.Violation)  # other exceptions were raised before a comparison
    tolerance = Tolerance(checks.tally.used if compared else None, factor, why)
    discarded = dict(checks.tally.discarded)
    excuse, seen = expected.excused.get(clause.id, ""), _evidence(clause, error)
    if error is None:
        return Result(clause, target, Outcome.PASSED, seconds, Failure(), excuse, tolerance, seen, discarded)
    failure = _failure(item, clause, error)
    if not excuse:
        error.told_under = clause.id  # type: ignore[attr-defined]
    outcome = outcome_of_failure(clause, excuse, Outcome.FAILED)
    return Result(clause, target, outcome, seconds, failure, excuse, tolerance, seen, discarded)


def _undecided(clause: Clause, target: str, error: checks.Undecided, seconds: float) -> Result:
    """The result of a clause that could not be decided; a function that cannot be called is the adapter's fault."""
    outcome = Outcome.NOT_CLAIMED if isinstance(error, checks.NotClaimed) else Outcome.NOT_DECIDED
    failure = Failure(violated=f"{Outcome.BROKEN}: {error}") if isinstance(error, checks.Unusable) else Failure()
    return Result(clause, target, outcome, seconds, failure, str(error), discarded=dict(checks.tally.discarded))


def _left_out(reason: str) -> tuple[Outcome, str]:
    """The outcome of a skipped test, and the reason that follows it."""
    for outcome in (Outcome.NOT_CLAIMED, Outcome.BROKEN):
        if reason.startswith(f"{outcome}: "):
            return outcome, reason.removeprefix(f"{outcome}: ")
    return Outcome.NOT_RUN, reason


def _failure(item: pytest.Item, clause: Clause, error: BaseException) -> Failure:
    """Why a clause does not hold; in full only once if a fixture fails for several clauses."""
    config, test, first = item.config, item.obj, getattr(error, "told_under", None)  # type: ignore[attr-defined]
    if first:
        return Failure(raised=f"{type(error).__name__}, as under {first}")
    found = loaded(config, target_of(item))
    if config.option.audit:
        return replace(explain(error, {}, ""), **found.advice(clause.id))
    backend = backend_of(config) if found.has_backends else ""
    again = partial(snippet, clause, test, target_of(item), backend, config.option.seed)
    told = explain(error, drawn(clause.arguments, test), again())
    return replace(told, also=item.stash[SEEN].besides(told, again))


def _evidence(clause: Clause, error: BaseException | None) -> tuple[evidence.Evidence, ...]:
    """The pictures of a clause; for a counterexample that is a window, also its geometry."""
    wrong = error.wrong if isinstance(error, checks.Violation) else None
    windows = {name: value for name, value in clause.arguments.items() if error and isinstance(value, Window)}
    return (
        *(evidence.window(f"{name} of {clause.id}", case, wrong) for name, case in windows.items()),
        *evidence.kept(error is not None, clause.stage, wrong),
    )
