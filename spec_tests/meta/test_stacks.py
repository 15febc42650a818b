"""Stacks of packages: what a file may list, environments that are kept, and a run that goes on where it was."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spec_tests.reporting.record import Outcome, Report, Verdict
from spec_tests.stacks import environments, matrix
from spec_tests.stacks.environments import READY, Environments, NotInstalled
from spec_tests.stacks.matrix import Done, Matrix
from spec_tests.stacks.plan import SHIPPED, Plan, Stack, WrongPlan, read_plan

CONFORMS = Stack("NumPy", implementation="numpy_port", stages=("layers",), profile="glance")
MUTANT = "fixtures.mutants:symmetric_same_padding"
DIFFERS = Stack("wrong padding", implementation=MUTANT, stages=("layers",), profile="glance")
IMPOSSIBLE = Stack("impossible", ("keras==99.0",), stages=("layers",))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of every stack is this one, but for the one that cannot be installed."""

    def python(_: Environments, stack: Stack) -> Path:
        if stack == IMPOSSIBLE:
            raise NotInstalled("there is no version of keras==99.0")
        return Path(sys.executable)

    monkeypatch.setattr(Environments, "python", python)


def run(folder: Path, *stacks: Stack, stop_after: int | None = None) -> tuple[Report | None, list[Done]]:
    told: list[Done] = []

    def stop() -> str:
        return "stopped" if stop_after is not None and len(told) >= stop_after else ""

    return Matrix(Plan(Path("a.toml"), stacks), folder, 0, told.append, stop).run(workers=1), told


@pytest.mark.usefixtures("here")
def test_each_stack_is_a_column_whatever_becomes_of_it(tmp_path: Path) -> None:
    report, told = run(tmp_path, IMPOSSIBLE, CONFORMS, DIFFERS)
    assert report is not None
    columns = [implementation.column for implementation in report.implementations]
    assert columns == ["impossible", "NumPy", "wrong padding"]
    assert [report.verdict(column) for column in columns] == [Verdict.NOTHING, Verdict.CONFORMS, Verdict.DIFFERS]
    assert "PAD-4" in {result.clause.id for result in report.of("wrong padding") if result.outcome is Outcome.FAILED}
    assert {result.reason for result in report.of("impossible")} == {
        "it cannot be installed: there is no version of keras==99.0"
    }
    assert matrix.told(told[0]).startswith("impossible: it cannot be installed")


@pytest.mark.usefixtures("here")
def test_a_run_that_was_interrupted_goes_on_and_checks_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, told = run(tmp_path, CONFORMS, DIFFERS, stop_after=1)
    assert first is not None
    assert [done.stack for done in told] == [CONFORMS]
    assert [implementation.column for implementation in first.implementations] == ["NumPy"]
    started: list[list[str]] = []

    def popen(command: list[str], **options: Any) -> Any:
        started.append(command)
        return original(command, **options)

    original = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", popen)
    whole, told = run(tmp_path, CONFORMS, DIFFERS)
    assert whole is not None
    assert [done.kept for done in told] == [True, False]
    assert len([command for command in started if "--profile" in command]) == 1
    assert whole.of("NumPy") == first.of("NumPy")


@pytest.mark.usefixtures("here")
def test_a_check_that_is_lost_is_made_twice_more_and_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = tmp_path / "tries"
    lost = f"import os; open({str(counter)!r}, 'a').write('x'); print('out of luck', flush=True); os._exit(9)"
    monkeypatch.setattr(matrix, "_command", lambda *_: [sys.executable, "-c", lost])
    report, (done,) = run(tmp_path / "runs", CONFORMS)
    assert report is not None
    assert counter.read_text() == "xxx"
    assert done.missing == "the check ended with exit code 9: out of luck (3 times)"
    assert not list((tmp_path / "runs/results").glob("*.json"))  # it is tried again in the next run


@pytest.mark.usefixtures("here")
def test_a_result_is_of_its_stack_and_seed(tmp_path: Path) -> None:
    of_seed_0, of_seed_1 = (Matrix(Plan(Path(), ()), tmp_path, seed, print, str) for seed in (0, 1))
    files = {one.job(stack).file for one, stack in ((of_seed_0, CONFORMS), (of_seed_1, CONFORMS), (of_seed_0, DIFFERS))}
    assert len(files) == 3
    run(tmp_path, CONFORMS)
    assert [file.name for file in of_seed_0.results.iterdir()] == [of_seed_0.job(CONFORMS).file]


def test_one_that_was_not_finished_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[list[str]] = []

    def make(folder: Path, python: Path, wanted: list[str]) -> None:
        assert not folder.exists()
        python.parent.mkdir(parents=True)
        made.append(wanted)

    monkeypatch.setattr(environments, "_make", make)
    stack = Stack("some", ("keras==3.15.1",))
    python = Environments(tmp_path).python(stack)
    assert Environments(tmp_path).python(stack) == python
    assert len(made) == 1
    assert made[0][0] == "keras==3.15.1"  # what is named first is resolved to its newest version
    assert any(text.startswith("hypothesis") for text in made[0])
    (python.parents[1] / READY).unlink()
    Environments(tmp_path).python(stack)
    assert len(made) == 2


def test_why_it_cannot_be_installed_is_one_line() -> None:
    failing = "import sys; sys.exit('warning: old\\nERROR: many versions\\nERROR: No matching one')"
    with pytest.raises(NotInstalled, match=r"^ERROR: No matching one$"):
        environments._run([sys.executable, "-c", failing])


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.toml")))
def test_files_that_are_shipped_can_be_read(name: str) -> None:
    plan = read_plan(name)
    assert len(plan.stacks) > 1
    assert all(stack.packages for stack in plan.stacks)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[stack]\n", "is not TOML"),
        ("", "lists no stack"),
        ("[stacks]\n", "stacks is neither"),
        ("[[stack]]\npackages = []\n", "stack 1 has no label"),
        ('[[stack]]\nlabel = "a"\npython = "3.12"\n', "python is none of label"),
        ('[[stack]]\nlabel = "a"\npackages = "keras"\n', "packages must be a list of texts"),
        ('[[stack]]\nlabel = "a"\npackages = ["keras=3"]\n', "keras=3 is not a requirement"),
        ('[[stack]]\nlabel = "a"\nstages = ["layer"]\n', "there is no stage layer"),
        ('[[stack]]\nlabel = "a"\nprofile = "slow"\n', "there is no profile slow"),
        ('[[stack]]\nlabel = "a"\nexpectations = "none.toml"\n', "none.toml, which is not in the folder"),
        ('[[stack]]\nlabel = "a"\n[[stack]]\nlabel = "a"\n', "two stacks have the label a"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "stacks.toml"
    file.write_text(text)
    with pytest.raises(WrongPlan, match=says) as raised:
        read_plan(str(file))
    assert "\n" not in str(raised.value)


def test_a_file_that_does_not_exist_names_those_that_are_shipped() -> None:
    with pytest.raises(WrongPlan, match=r"nothing does not exist: .* one of frameworks, keras, libraries"):
        read_plan("nothing")
