"""The count of false alarms: what is kept, what is told, and the bound that follows."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from spec_tests.clauses.clause import Clause
from spec_tests.meta.reports import clause
from spec_tests.proof import alarms
from spec_tests.proof.__main__ import main
from spec_tests.proof.alarms import Run, upper_bound
from spec_tests.proof.terminal import alarm_sums
from spec_tests.reporting.record import Failure, Implementation, Outcome, Result
from spec_tests.running.isolation.state import State
from spec_tests.running.isolation.task import Task

RUN = Run("torch_port", 3, "0.2.0", "2026-01-01", {"torch": "2"}, 106, 60.0, [])
PAD = clause("PAD-4", "layers")


@pytest.mark.parametrize("trials", [1, 30, 1000])
def test_the_bound_is_exact(trials: int) -> None:
    """Without an event it solves (1 - p)^n = 5 %; with one, so does the sum of two terms."""
    p = upper_bound(0, trials)
    assert (1 - p) ** trials == pytest.approx(0.05)
    if trials > 1:
        p = upper_bound(1, trials)
        assert (1 - p) ** trials + trials * p * (1 - p) ** (trials - 1) == pytest.approx(0.05)
    assert upper_bound(trials, trials) == 1


def test_sums_name_runs_clauses_and_bounds() -> None:
    runs = [RUN, replace(RUN, seed=4, alarms=["PAD-4: size"])]
    assert alarm_sums(runs).startswith("2 runs, 1 condemned: below 0.97 of runs; 212 clauses checked, 1 alarms: below")


class Checks:
    """Stands in for the supervisor: what it is asked, and results that are the same each time."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome, self.tasks = outcome, list[Task]()

    def __call__(self, task: Task, *rest: object) -> State:
        """Give the one result."""
        self.tasks.append(task)
        failure = Failure(violated="size", expected="1", got="2") if self.outcome is Outcome.FAILED else Failure()
        result = Result(PAD, task.column, self.outcome, 1.5, failure)
        return State(Implementation(task.column, task.target), clauses(PAD), {PAD.id: result})


def clauses(*some: Clause) -> dict[str, Clause]:
    return {one.id: one for one in some}


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # where results are kept
    monkeypatch.setattr(alarms, "RECORDED", tmp_path / "alarms.json")
    return tmp_path / "alarms.json"


def told(monkeypatch: pytest.MonkeyPatch, outcome: Outcome, *arguments: str) -> tuple[int, Checks]:
    checks = Checks(outcome)
    monkeypatch.setattr(alarms, "check", checks)
    return main(["alarms", *arguments]), checks


def test_each_is_checked_with_each_seed_and_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("reference@torch", "other_draws", "--seeds", "2", "--first-seed", "5")
    code, checks = told(monkeypatch, Outcome.PASSED, *arguments)
    assert code == 0
    assert {(task.target, task.options[0]) for task in checks.tasks} == {
        (target, f"--seed={seed}") for target in ("reference", "fixtures.variants:other_draws") for seed in (5, 6)
    }
    assert {task.backend for task in checks.tasks if task.target == "reference"} == {"torch"}
    runs = [Run(**run) for run in json.loads(kept.read_text())["runs"]]
    assert [run.key for run in runs] == [
        ("other_draws", 5),
        ("other_draws", 6),
        ("reference@torch", 5),
        ("reference@torch", 6),
    ]
    assert {(run.clauses, run.seconds, len(run.alarms)) for run in runs} == {(1, 1.5, 0)}


def test_an_alarm_is_told_and_kept_until_the_run_is_made_again(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, Outcome.FAILED, "torch_port")[0] == 1
    assert "torch_port, seed 0: PAD-4: size; expected 1, got 2" in capsys.readouterr().out
    assert len(alarms.read(kept)[0].alarms) == 1
    assert told(monkeypatch, Outcome.PASSED, "torch_port")[0] == 0
    assert [run.alarms for run in alarms.read(kept)] == [[]]


def test_a_run_over_a_few_clauses_is_not_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, checks = told(monkeypatch, Outcome.PASSED, "torch_port", "--clause", "PAD-4", "--stage", "layers")
    assert code == 0
    assert checks.tasks[0].options == ("--seed=0", "--stage=layers", "--clause", "PAD-4")
    assert not kept.exists()


def test_an_implementation_that_there_is_not_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alarms", "torch_prot"]) == 2
    assert capsys.readouterr().err.startswith("error: there is no right implementation torch_prot: there are ")


def test_no_right_implementation_was_condemned() -> None:
    """Of what is recorded: every variant and every implementation, on the clauses of today."""
    runs = alarms.read()
    assert [(run.key, run.alarms) for run in runs if run.alarms] == []
    assert {run.implementation for run in runs} == set(alarms.known())
