"""Workers share the clauses, end with their supervisor, and keep the time of a clause apart from that of imports."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

import spec_tests
from spec_tests.clauses.catalogue import FOLDER, all_clauses
from spec_tests.clauses.clause import Clause
from spec_tests.cli import main
from spec_tests.reporting.record import Outcome, read_report
from spec_tests.running import groups as grouping
from spec_tests.running import sharing
from spec_tests.running.isolation import imports, queue
from spec_tests.running.isolation.process import End, Limits, Process
from spec_tests.running.isolation.supervisor import Refused, check
from spec_tests.running.isolation.task import Task
from spec_tests.running.smoke import Tried

ROOT = Path(spec_tests.__file__).parents[1]
PATIENCE = 60  # seconds for what takes a fraction of one

# Right but for a dense layer that never answers: GAP-1 holds, DENSE-1 goes on until somebody ends it.
STUCK = """
import time
from fixtures.implementations.numpy_port.layers import *
from fixtures.implementations.numpy_port.layers import dense as right

CLAIMS = ("layers",)
calls = 0

def dense(features, kernel, bias=None):
    global calls
    calls += 1
    if calls > 1:  # the first call is the smoke check's
        open("stuck", "w").close()
        time.sleep(3600)
    return right(features, kernel, bias)
"""

WRONG = """
from fixtures.implementations.numpy_port.layers import *
from fixtures.implementations.numpy_port.layers import conv2d as right

CLAIMS = ("layers",)

def conv2d(*arguments, **options):
    return right(*arguments, **options) + (1e-2 if options.get("padding") == "same" else 0)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an adapter, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT)
    return tmp_path


def until(happened: Callable[[], bool]) -> None:
    """Wait for what is bound to happen."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def stuck(folder: Path) -> Iterator[tuple[psutil.Popen, list[psutil.Process]]]:
    """A check that goes on for ever, GAP-1 settled, and its workers."""
    (folder / "adapter.py").write_text(STUCK, encoding="utf-8")
    words = ("check", "adapter", "--workers=1", "--json=report.json", "--clause", "GAP-1", "DENSE-1")
    command, path = [sys.executable, "-m", "spec_tests", *words], {"PYTHONPATH": str(ROOT)}
    running = psutil.Popen(command, env=os.environ | path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        until((folder / "stuck").exists)
        yield running, running.children(recursive=True)
    finally:
        with suppress(psutil.NoSuchProcess):
            for one in [*running.children(recursive=True), running]:
                one.kill()
        running.communicate()


def test_sigterm_writes_the_report_and_leaves_no_process(
    stuck: tuple[psutil.Popen, list[psutil.Process]], folder: Path
) -> None:
    running, workers = stuck
    running.send_signal(signal.SIGTERM)
    assert running.wait(PATIENCE) == 128 + signal.SIGTERM
    until(lambda: not any(worker.is_running() for worker in workers))
    found = {result.clause.id: result for result in read_report(folder / "report.json").results}
    assert {name: result.outcome for name, result in found.items()} == {
        "DENSE-1": Outcome.NOT_RUN,
        "GAP-1": Outcome.PASSED,
    }
    assert found["DENSE-1"].reason == "the check was stopped by SIGTERM"


def test_workers_end_when_their_supervisor_is_killed(stuck: tuple[psutil.Popen, list[psutil.Process]]) -> None:
    running, workers = stuck
    assert workers
    running.send_signal(signal.SIGKILL)
    running.wait(PATIENCE)
    until(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers))


def test_several_workers_make_the_report_of_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "adapter.py").write_text(WRONG, encoding="utf-8")
    reports = []
    for workers in (1, 3):
        options = (f"--workers={workers}", "--profile=quick", "--json=report.json", "--stage", "layers")
        assert main(("check", "adapter", *options)) == 1
        content = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        for measured in (content, *content["results"]):
            measured |= {"seconds": 0, "started": ""}
        reports.append(content)
    assert reports[0] == reports[1]
    assert "PAD-4" in capsys.readouterr().out


def test_clauses_that_cannot_be_collected_are_no_fault_of_the_implementation(folder: Path) -> None:
    (folder / "test_broken.py").write_text("from hypothesis import nothing_of_this_name\n", encoding="utf-8")
    task = Task("numpy_port", "numpy_port", "jax", (), places=(str(folder / "test_broken.py"),))
    with pytest.raises(Refused, match=r"test_broken\.py cannot be collected: ImportError: .*nothing_of_this_name"):
        check(task, Limits(PATIENCE, 2**33), lambda event: None)


class Clock:
    """A clock that is set, and a process that does not end."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, limits: Limits) -> None:
        self.now, self.journal = 0.0, folder / "journal"
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        log = folder / "log"
        log.touch()
        alive = SimpleNamespace(pid=2**22 + 1, returncode=None, poll=lambda: None, wait=lambda timeout=None: 0)
        self.process = Process(alive, self.journal, log, limits)

    def after(self, seconds: float, *events: dict[str, Any]) -> list[Any]:
        """What is known so many seconds later, when these events came."""
        self.now += seconds
        with self.journal.open("a", encoding="utf-8") as journal:
            journal.writelines(json.dumps(event) + "\n" for event in events)
        return list(self.process.news())


def test_imports_do_not_count_towards_the_time_of_a_clause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(tmp_path, monkeypatch, Limits(10, 2**40, importing=100))
    clock.after(50, {"event": "collected"}, {"event": "started"})  # Python and pytest may take their time too
    clock.after(6, {"event": "importing", "name": "torch"})
    assert not [event for event in clock.after(90) if isinstance(event, End)]
    clock.after(1, {"event": "imported"})
    assert not [event for event in clock.after(3) if isinstance(event, End)]
    (end,) = clock.after(2)
    assert end == End(Outcome.TIMED_OUT, "no answer within 10 seconds")


def test_an_import_has_a_limit_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(tmp_path, monkeypatch, Limits(10, 2**40, importing=100))
    clock.after(0, {"event": "started"}, {"event": "importing", "name": "torch"})
    (end,) = clock.after(101)
    assert end.outcome is Outcome.NOT_RUN
    assert end.words.startswith("slow import: torch was not imported within 100 seconds")


def test_imports_are_told_once_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "outer_module.py").write_text("import inner_module\n", encoding="utf-8")
    (tmp_path / "inner_module.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    told: list[str] = []
    for owner, name in (("builtins", "__import__"), ("importlib", "import_module")):
        monkeypatch.setattr(f"{owner}.{name}", getattr(sys.modules[owner], name))  # put back afterwards
    imports.watch(lambda event, name: told.append(f"{event} {name}"))
    for _ in range(2):
        __import__("outer_module")
    assert told == ["importing outer_module", "imported outer_module"]


CLAUSES = {clause.id: clause for clause in all_clauses()}


def names(groups: Iterable[Sequence[Clause]]) -> list[list[str]]:
    return [[clause.id for clause in group] for group in groups]


def test_clauses_that_share_a_run_of_the_implementation_are_a_group() -> None:
    found = names(grouping.groups(CLAUSES.values()))
    assert sorted(name for group in found for name in group) == sorted(CLAUSES)
    assert ["DENSE-1"] in found
    assert ["BASE-1", "HEAD-1", "FRZ-1", "TUNE-1"] in found
    accuracy, training = (next(group for group in found if name in group) for name in ("ACC-1", "TRAIN-4"))
    assert accuracy == [name for name in CLAUSES if name.startswith("ACC-")]
    assert {"FRZ-2", "TUNE-2", "AUG-8"} <= set(training)  # of other modules


def test_what_is_made_once_without_the_implementation_makes_no_group() -> None:
    assert "small" in grouping.source(FOLDER / "conftest.py").scopes
    assert names(grouping.groups([CLAUSES["FEAT-1"], CLAUSES["BASE-4"]])) == [["FEAT-1"], ["BASE-4"]]


def item(name: str) -> Any:
    return SimpleNamespace(name=name, obj=SimpleNamespace(clause=CLAUSES[name]))


ITEMS = [item(name) for name in ("DENSE-1", "GAP-1", "BASE-1", "FRZ-1")]


def test_each_group_is_taken_by_one_worker_and_by_its_successor(tmp_path: Path) -> None:
    first, second, successor = (iter(queue.Queue(tmp_path, place, ITEMS)) for place in (0, 1, 0))
    taken = [[one.name for one in next(taker)] for taker in (first, second, first)]
    assert taken == [["BASE-1", "FRZ-1"], ["GAP-1"], ["DENSE-1"]]
    assert list(first) == list(second) == []
    again = [[one.name for one in group] for group in successor]  # in the place of the first
    assert again == [["BASE-1", "FRZ-1"], ["DENSE-1"]]


def test_a_stage_that_another_worker_tries_comes_last(tmp_path: Path) -> None:
    first, second = (queue.Queue(tmp_path, place, ITEMS) for place in (0, 1))
    next(iter(first))
    first.trying("layers")
    assert first.verdict("layers") is None
    others = queue.Queue(tmp_path, 1, [item("DENSE-1"), item("GET-1"), item("BASE-1")])
    assert next(iter(others))[0].name == "GET-1"  # BASE-1 is taken, and DENSE-1 waits for the verdict
    became = Tried(("dropout",), {"dense": "dense returned None: return a NumPy array"})
    first.tried("layers", became)
    assert second.verdict("layers") == became


def test_tests_that_share_something_stay_in_one_process() -> None:
    known = {"test_base.py::test_the_base": "clauses with BASE-1"}
    assert (
        sharing.together("spec_tests/clauses/test_base.py::test_the_base[reference]", known, ROOT) == known.popitem()[1]
    )
    pipeline = "spec_tests/pipeline/test_pipeline.py"  # which has a fixture for the module
    assert sharing.together(f"{pipeline}::test_a", {}, ROOT) == pipeline
    alone = "spec_tests/meta/test_checks.py::test_a[b::c]"
    assert sharing.together(alone, {}, ROOT) == alone
