"""The pytest plugin: which implementation is checked, against which clauses, and what is said of it.

Loaded by the top-level conftest.py of a checkout, and by entry point where convspec is installed. What
happens to a clause is in ``running.results``. No framework is imported here.
"""

import importlib
import os
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings

from .adapter.expectations import Expectations, read
from .adapter.stages import NAMES
from .adapter.targets import DEFAULT_BACKEND, DEFAULT_IMPLEMENTATION, installed_version
from .clauses.catalogue import selected
from .reporting.record import TOLD
from .running import hooks, results, sharing
from .running.profiles import EXPLAINED, IMAGES, PROFILES
from .running.results import (
    COLLECTED,
    EXPECTED,
    LOADED,
    PHOTOGRAPHS,
    RESULTS,
    SMOKED,
    TITLES,
    backend_of,
    clause_of,
    targets_of,
    title_of,
    unknown_names,
)
from .support.texts import Told

ENVIRONMENT = {  # for speed; what the user has set stays
    # JAX keeps what it compiled, however small. Set on every backend: an implementation may use JAX by itself.
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin between small operations slow down a busy machine
}


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks that others may listen to."""
    pluginmanager.add_hookspecs(hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the specification."""
    add = parser.getgroup("convspec", "the specification").addoption
    add("--implementation", action="append", default=[], metavar="MODULE[:OBJECT]",
        help="an implementation to check (repeatable): package.module, package.module:object or a registered name "
        f"(default: {DEFAULT_IMPLEMENTATION})")  # fmt: skip
    add("--backend", metavar="NAME", help=f"backend to run on (default: $KERAS_BACKEND, or {DEFAULT_BACKEND})")
    add("--stage", action="append", default=[], choices=NAMES, help="check only the clauses of this stage (repeatable)")
    add("--clause", nargs="+", action="extend", default=[], metavar="ID",
        help="check only these clauses: PAD-3, or PAD for its family")  # fmt: skip
    add("--profile", choices=list(PROFILES), default="default", help=EXPLAINED)
    add("--seed", type=int, default=0, help="the seed of every random choice of the specification (default: 0)")
    add("--expectations", type=Path, metavar="FILE", help="a TOML file with excused clauses and wider tolerances")
    add("--data", type=Path, metavar="PATH",
        help="zip file or folder of photographs for clauses of accuracy (default: the embedded drawings)")  # fmt: skip
    add("--audit", type=int, default=0, metavar="IMAGES",
        help="check a pipeline (see convspec audit), with so many images of each subset")  # fmt: skip
    add("--preset", type=Path, metavar="PATH", help="the pretrained base for --data")


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
            # An implementation may support few of the examples: that is its own affair, and told.
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        )
    settings.load_profile(f"convspec-{config.option.profile}")
    if config.option.backend:
        os.environ["KERAS_BACKEND"] = config.option.backend
    _make_fast(config)
    config.stash[LOADED], config.stash[RESULTS], config.stash[COLLECTED] = {}, [], []
    config.stash[SMOKED], config.stash[TITLES] = {}, {}
    config.pluginmanager.register(results, "convspec-judging")


def _make_fast(config: pytest.Config) -> None:
    """Settings that a backend reads when it is imported; JAX keeps what it compiles in pytest's cache."""
    if hasattr(config, "cache"):  # none with -p no:cacheprovider
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.cache.mkdir("jax")))
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def pytest_report_header(config: pytest.Config) -> str:
    """Say what is checked, on which backend, with which seed."""
    names = ", ".join(f"{target} {installed_version(target)}".strip() for target in targets_of(config))
    option = config.option
    return f"convspec: {names}; backend {backend_of(config)}; seed {option.seed}; profile {option.profile}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each clause once for each implementation."""
    if "implementation" in metafunc.fixturenames:
        metafunc.parametrize("implementation", targets_of(metafunc.config), indirect=True, scope="session")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the clauses, for ``-m clause``."""
    if clause_of(item):
        item.add_marker("clause")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the clauses asked for, and seed every property."""
    option = config.option
    config.stash[COLLECTED] = [clause for item in items if (clause := clause_of(item))]
    _read_files(config)
    if wrong := unknown_names(config, option.clause):
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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Under ``--dist loadgroup``, by what tests share; pytest-xdist 3.8 sees no groups under pytest 9."""
    return sharing.scheduler(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Take the results that other processes sent."""
    node = getattr(report, "node", None)  # of pytest-xdist
    if node and (came := sharing.attached(report)):
        result, title = came
        node.config.stash[RESULTS].append(result)
        node.config.stash[TITLES][result.implementation] = title


def _read_files(config: pytest.Config) -> None:
    """Those of the command line: an unreadable file is not a fault of the implementation."""
    file, data, preset = config.option.expectations, config.option.data, config.option.preset
    try:
        config.stash[EXPECTED] = read(file) if file else Expectations()
        results.check_expectations(config, config.stash[EXPECTED], str(file))
        config.stash[PHOTOGRAPHS] = _accuracy().photographs(data) if data else None
        if preset:
            _accuracy().read_xception(preset)
    except Told as error:
        raise pytest.UsageError(str(error)) from error


def _accuracy() -> ModuleType:
    """Imported when it is needed: with it come libraries of files and images, and every run loads this plugin."""
    return importlib.import_module(f"{__package__}.cases.trials")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> Generator[None, None, None]:
    """Report clauses by failures and a table at the end of the output; pytest reports other tests."""
    from .reporting.naming.shown import likely
    from .reporting.terminal import failures, summary  # and with it rich, which only a terminal needs

    results = config.stash[RESULTS]
    writer, colour = config.get_terminal_writer(), terminalreporter.hasmarkup
    reports = dict(terminalreporter.stats)
    for category in reports:
        others = [report for report in reports[category] if not _is_of_clause(report)]
        terminalreporter.stats[category] = others
    told = [result for result in results if result.outcome in TOLD]
    if told and config.option.tbstyle != "no":
        terminalreporter.section("clauses that do not hold")
        terminalreporter.write(failures(told, writer.fullwidth, colour))
        terminalreporter.write(likely(results, writer.fullwidth, colour))
    try:
        yield
    finally:
        terminalreporter.stats.update(reports)
        if results:
            terminalreporter.section("specification")
        targets = dict.fromkeys(result.implementation for result in results)
        tables = (
            summary(
                [r for r in results if r.implementation == target], title_of(config, target), writer.fullwidth, colour
            )
            for target in targets
        )
        terminalreporter.write("\n".join(tables))


@pytest.fixture
def convspec_audit() -> Callable[..., None]:
    """Audit what a function of a module makes: ``convspec_audit(make, excused={"FRZ-2": "why"}, images=48)``.

    The test fails with the findings; the pipeline runs in a separate process.
    """

    def audited(
        make: Callable[[], Any], *, excused: Mapping[str, str] = MappingProxyType({}), images: int = IMAGES
    ) -> None:
        from .reporting.output import terminal
        from .reporting.record import Verdict
        from .running.auditing import audit

        report = audit(make, excused=excused, images=images)
        if report.verdict(report.implementations[0].column) is not Verdict.CONFORMS:
            pytest.fail(terminal(report, 100, False), pytrace=False)

    return audited


def _is_of_clause(report: object) -> bool:
    if not isinstance(report, pytest.TestReport) or report.when == "teardown":
        return False
    return "clause" in dict(report.user_properties)
