"""Audits of pipelines in PyTorch: what is found, what is told of it, and what cannot be asked."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spec_tests
from spec_tests.adapter.implementation import BrokenAdapter
from spec_tests.audit import Pipeline
from spec_tests.audit.loading import Audited
from spec_tests.audit.scoring import scores_of
from spec_tests.audit.taken import counted_classes
from spec_tests.cli import main
from spec_tests.judging.checks import Undecided
from spec_tests.reporting.record import FAILURES, Outcome, Report, read_report

torch = pytest.importorskip("torch", reason="the pipelines are written with it")
from torch import nn  # noqa: E402 - after it is known to be there

from fixtures.pipelines import on_torch  # noqa: E402

ROOT = Path(spec_tests.__file__).parents[1]
SCRIPT = """
import torch
from fixtures.pipelines import on_torch

RECIPE = on_torch.{recipe}()

def train_one_epoch(model, batches, criterion, optimizer):
    return RECIPE.train_epoch(model, batches, criterion, optimizer)

def validate(model, batches, criterion):
    return RECIPE.validate(model, batches, criterion)
"""
WIRING = """
import torch
import script as mine
from spec_tests.audit import Pipeline

def make():
    model = mine.RECIPE.build()
    optimizer, criterion = mine.RECIPE.optimizer(model), torch.nn.CrossEntropyLoss()
    train, validation = mine.RECIPE.loaders()
    return Pipeline(
        model=model, train=train, validation=validation, optimizer=optimizer, criterion=criterion,
        train_epoch=lambda batches: mine.train_one_epoch(model, batches, criterion, optimizer),
        validate=lambda batches: mine.validate(model, batches, criterion),
    )

KEPT = None

def changed():
    global KEPT
    made = KEPT = KEPT or make() if {keeps} else make()
    {change}
    return made
"""


@pytest.fixture
def wired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a script and its wiring, and audit it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT)

    def audited(recipe: str, change: str = "pass", keeps: bool = False, *options: str) -> tuple[int, Report]:
        (tmp_path / "script.py").write_text(SCRIPT.format(recipe=recipe), encoding="utf-8")
        (tmp_path / "wiring.py").write_text(WIRING.format(change=change, keeps=keeps), encoding="utf-8")
        code = main(("audit", "wiring.py:changed", "--json=report.json", *options))
        return code, read_report(tmp_path / "report.json")

    return audited


def outcomes(report: Report) -> dict[str, Outcome]:
    return {result.clause.id: result.outcome for result in report.results}


def reasons(report: Report) -> dict[str, str]:
    return {result.clause.id: result.reason for result in report.results}


def failed(report: Report) -> list[str]:
    return [result.clause.id for result in report.results if result.outcome in FAILURES]


def test_a_finding_says_what_where_and_how_to_fix_it(wired: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = wired("TrainsInTrainingMode")
    assert code == 1
    assert failed(report) == ["FRZ-2", "FRZ-3"]
    failure = next(result.failure for result in report.results if result.clause.id == "FRZ-2")
    assert failure.got.startswith("{'bn1.running_mean'")
    assert failure.where == "script.py:7, train_one_epoch"
    assert "module.eval()" in failure.fix
    assert failure.snippet == ""
    printed = capsys.readouterr()
    assert "FRZ-2: variables of the base that moved" in printed.err
    assert "likely faults" not in printed.out


def test_a_right_pipeline_has_no_finding(wired: Any) -> None:
    """What was not given is told, and the rest is checked."""
    code, report = wired("Recipe")
    assert (code, failed(report)) == (0, [])
    assert reasons(report)["TUNE-2"] == "give unfreeze=, your function that begins fine-tuning"
    assert reasons(report)["PRE-3"].startswith("give expects=")
    held = [clause for clause, outcome in outcomes(report).items() if outcome is Outcome.PASSED]
    assert {"FRZ-2", "FRZ-3", "FRZ-4", "HEAD-3", "HEAD-4", "TRAIN-1", "TRAIN-7", "TRAIN-9", "TRAIN-18"} <= {*held}


def test_a_finding_is_excused_by_the_author(wired: Any) -> None:
    reason = "statistics adapt on purpose"
    code, report = wired("TrainsInTrainingMode", f"made.excused = {{'FRZ-2': '{reason}', 'FRZ-3': '{reason}'}}")
    assert code == 0
    assert outcomes(report)["FRZ-2"] is Outcome.EXCUSED


# What cannot be asked, in this process


def unchanged(made: Pipeline) -> None:
    """A right pipeline."""


def audited(change: Callable[[Pipeline], Any] = unchanged) -> Audited:
    def make() -> Any:
        made = on_torch.Recipe().make()
        return change(made) or made

    return Audited("wiring:make", make, 16)


def given(**parts: Any) -> Callable[[Pipeline], None]:
    """Other parts in a right pipeline."""

    def change(made: Pipeline) -> None:
        for name, value in parts.items():
            setattr(made, name, value(made) if callable(value) and name != "validate" else value)

    return change


def reason(ask: Callable[[], Any]) -> str:
    with pytest.raises(Undecided) as raised:
        ask()
    return str(raised.value)


@pytest.mark.parametrize(
    ("change", "asked", "words"),
    [
        (given(train=lambda made: []), "frozen_runs", "train has no batch: give some images of each class"),
        (
            given(validate=lambda batches: list(batches).clear()),
            "scores",
            "validate returns nothing: have it return loss, accuracy",
        ),
        (
            given(validate=lambda batches: "good" if list(batches) else ""),
            "scores",
            "validate returns str: have it return loss, accuracy",
        ),
        (given(validate=lambda batches: (0.5, 0.5)), "scores", "validate does not take the batches that it is called"),
        (given(train_epoch=lambda made: lambda batches: list(batches).clear()), "frozen_runs", "no step was taken"),
        (given(train_epoch=None), "frozen_runs", "give train_epoch="),
        (given(train_epoch=lambda made: lambda batches: 1 / 0), "frozen_runs", "the pipeline raised ZeroDivisionError"),
        (given(criterion=None), "outputs", "give criterion="),
        (given(criterion=lambda made: nn.SmoothL1Loss()), "outputs", "it is not known what outputs SmoothL1Loss takes"),
        (
            given(validation=lambda made: [x for x, _ in made.validation]),
            "predictor",
            "give batches of (images, labels)",
        ),
        (
            given(validation=lambda made: [(x, ["cat"] * len(x)) for x, _ in made.validation]),
            "paired",
            "give predictions=",
        ),
        (given(expects=None), "prepared", "give expects=, what the base was pretrained with"),
        (given(unfreeze=None), "tuned_runs", "give unfreeze="),
        (given(best=None), "kept", "give best="),
        (given(augments=None), "training_passes", "give augments=True"),
        (given(head=None, model=lambda made: nn.Sequential(nn.Flatten())), "frozen_runs", "give head= or base="),
    ],
)
def test_what_is_missing_is_one_line(change: Callable[[Pipeline], None], asked: str, words: str) -> None:
    said = reason(getattr(audited(change).probe, asked))
    assert words in said
    assert "\n" not in said


def test_labels_that_are_words_or_one_hot() -> None:
    assert "labels are words" in reason(lambda: counted_classes(np.array(["cat", "dog"])))
    assert counted_classes(np.array([[0, 1.0], [1, 0]])).tolist() == [1, 0]
    assert counted_classes(np.array([[1.0], [0]])).tolist() == [1, 0]


def test_an_endless_loader_ends() -> None:
    class Endless:
        def __iter__(self) -> Any:
            while True:
                yield torch.zeros(8, 3, 32, 32), torch.zeros(8, dtype=torch.long)

    probe = audited(given(train=lambda made: Endless())).probe
    assert "more than 2,000 images in a pass" in reason(probe.training_passes)
    assert len(probe.frozen_runs()) == 1


def test_one_model_twice_is_told() -> None:
    made = on_torch.Recipe().make()
    probe = Audited("wiring:make", lambda: made, 16).probe
    assert reason(probe.two_makes) == "make returns the same model twice: build a new one in each call"
    assert len(probe.subsets().validation) == 22


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda made: 1 / 0, "raised ZeroDivisionError"),
        (lambda made: 3, "returned int: have make return convspec.audit.Pipeline"),
        (lambda made: Pipeline(), "gives no model"),
        (lambda made: Pipeline(model=len), "is not a model of PyTorch, Keras or Lightning"),
    ],
)
def test_a_make_that_cannot_be_used_is_one_line(made: Callable[[Any], Any], words: str) -> None:
    with pytest.raises(BrokenAdapter, match=re.escape(words)) as raised:
        audited(made)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("returned", "scores"),
    [
        ((0.5, 0.75), {"loss": 0.5, "accuracy": 0.75}),
        ({"val_loss": 0.5, "val_acc": 75.0}, {"loss": 0.5, "accuracy": 0.75}),
        (torch.tensor(0.5), {"loss": 0.5}),
        ({"accuracy": 1.0}, {"accuracy": 1.0}),
    ],
)
def test_scores_come_in_the_forms_that_people_return(returned: Any, scores: dict[str, float]) -> None:
    assert scores_of(returned) == pytest.approx(scores)


# The command line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("missing.py:make",), "missing.py does not exist"),
        (("my-audit.py",), "cannot be imported: give it a name"),
        (("wiring.py", "--clause", "PAD-4"), "PAD-4 cannot be checked on pipelines"),
        (("wiring.py", "--clause", "PAD-99"), "--clause"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-audit.py").write_text("", encoding="utf-8")
    assert main(("audit", *arguments)) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_clauses_of_pipelines_are_not_asked_of_implementations(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("check", "numpy_port", "--clause", "TRAIN-18")) == 2
    assert "can be checked only on pipelines" in capsys.readouterr().err


AS_A_TEST = """
from wiring import make, changed

def test_mine(convspec_audit):
    convspec_audit({function})

def test_excused(convspec_audit):
    convspec_audit(make, excused={{"FRZ-2": "statistics adapt", "FRZ-3": "on purpose"}}, images=16)
"""


def test_an_audit_is_a_test_of_the_author_s_own(wired: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wired("TrainsInTrainingMode")
    (tmp_path / "test_mine.py").write_text(AS_A_TEST.format(function="make"), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "spec_tests.plugin", "-p", "no:cacheprovider", "--rootdir=."]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    done = subprocess.run([*command, "test_mine.py"], capture_output=True, text=True, env=environment, check=False)  # noqa: S603
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "variables of the base that moved" in done.stdout
    assert "module.eval()" in done.stdout


def test_the_report_follows_the_schema(wired: Any, tmp_path: Path) -> None:
    wired("SoftmaxTwice")
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    found = next(result for result in content["results"] if result["clause"] == "HEAD-4")
    assert found["failure"]["violated"] == "what the model returns to CrossEntropyLoss"
    assert "CrossEntropyLoss" in found["failure"]["fix"]
