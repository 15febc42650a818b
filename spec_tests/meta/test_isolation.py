"""Implementations that hang, die, grow or shout cost their own clauses; the report is whole each time."""

import json
from pathlib import Path

import pytest

import spec_tests
from spec_tests.cli import main
from spec_tests.reporting.record import Outcome, Report, read_report

ROOT = Path(spec_tests.__file__).parents[1]

# The layers in NumPy, but for what a dense layer does; of the clauses checked here GAP-1 alone does without it.
ADAPTER = """
import os, sys, time
import numpy as np
from fixtures.implementations.numpy_port.layers import *
from fixtures.implementations.numpy_port.layers import dense as right

CLAIMS = ("layers",)
{more}

def dense(features, kernel, bias=None):
    {does}
    return right(features, kernel, bias)
"""
DENSE = ["DENSE-1", "DENSE-3"]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Check":
    """Check an adapter in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT)
    return Check(tmp_path)


class Check:
    """Writes an adapter, checks a few clauses, and reads the report."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.code = folder, -1

    def __call__(self, does: str = "pass", more: str = "", *options: str) -> Report:
        """The report on an adapter whose dense layer does this first."""
        (self.folder / "adapter.py").write_text(ADAPTER.format(does=does, more=more), encoding="utf-8")
        limits = options or ("--time-limit=60", "--memory-limit=4")
        words = ("check", "adapter", "--workers=1", "--profile=quick", "--json=report.json", *limits)
        self.code = main((*words, "--clause", *DENSE, "GAP-1"))
        return read_report(self.folder / "report.json")


def outcomes(report: Report) -> dict[str, Outcome]:
    """{clause: outcome} of its only implementation."""
    return {result.clause.id: result.outcome for result in report.results}


def test_what_behaves_is_checked(check: Check) -> None:
    report = check()
    assert outcomes(report) == dict.fromkeys([*DENSE, "GAP-1"], Outcome.PASSED)
    assert check.code == 0
    assert report.implementations[0].packages["numpy"]


@pytest.mark.parametrize(
    ("does", "outcome", "words"),
    [
        ("os._exit(0)", Outcome.CRASHED, "exit code 0"),
        ("os.abort()", Outcome.CRASHED, "SIGABRT"),
        ("os.closerange(0, 100); os._exit(3)", Outcome.CRASHED, "exit code 3"),
    ],
)
def test_one_that_ends_the_process_costs_its_own_clauses(check: Check, does: str, outcome: Outcome, words: str) -> None:
    report = check(does)
    assert outcomes(report) == dict.fromkeys(DENSE, outcome) | {"GAP-1": Outcome.PASSED}
    assert all(words in result.failure.violated for result in report.results if result.outcome is outcome)
    assert check.code == 1


def test_what_the_command_line_excuses_is_excused_when_it_is_lost(check: Check) -> None:
    (check.folder / "known.toml").write_text('[excused]\nDENSE-1 = "it ends the process"\n', encoding="utf-8")
    report = check("os._exit(3)", "", "--expectations=known.toml")
    assert outcomes(report) == {"DENSE-1": Outcome.EXCUSED, "DENSE-3": Outcome.CRASHED, "GAP-1": Outcome.PASSED}


def test_one_that_never_answers_costs_its_own_clauses(check: Check) -> None:
    report = check("time.sleep(3600)", "", "--time-limit=6")
    assert outcomes(report) == dict.fromkeys(DENSE, Outcome.TIMED_OUT) | {"GAP-1": Outcome.PASSED}


def test_one_that_allocates_without_end_costs_its_own_clauses(check: Check) -> None:
    hoard = "hoard = []\n    while True: hoard.append(np.ones(2**24))"
    report = check(hoard, "", "--memory-limit=1", "--time-limit=60")
    assert outcomes(report) == dict.fromkeys(DENSE, Outcome.OUT_OF_MEMORY) | {"GAP-1": Outcome.PASSED}


def test_output_is_no_matter(check: Check) -> None:
    shout = "os.write(1, bytes(range(256)) * 4096); os.write(2, b'\\x1b[31m' * 999); print('\\x00\\xff')"
    assert set(outcomes(check(shout)).values()) == {Outcome.PASSED}


def test_the_last_words_of_a_lost_process_are_told(check: Check) -> None:
    report = check("os.write(2, b'out of \\x00 cheese'); os._exit(1)")
    assert all("cheese" in result.failure.output for result in report.results if result.outcome is Outcome.CRASHED)
    assert "\x00" not in json.dumps(report.to_json(), ensure_ascii=False)


def test_exits_that_python_knows_are_errors_like_others(check: Check) -> None:
    report = check("sys.exit(0)")
    found = {result.clause.id: result for result in report.results}
    assert found["DENSE-1"].outcome is Outcome.NOT_DECIDED  # the smoke check calls it
    assert "dense raised SystemExit" in found["DENSE-1"].reason
    assert check.code == 3


def test_one_that_cannot_be_imported_is_broken(check: Check) -> None:
    report = check("pass", "os._exit(5)")
    assert set(outcomes(report).values()) == {Outcome.BROKEN}
    assert "adapter cannot be imported" in report.results[0].reason
    assert check.code == 3


def test_an_import_that_takes_too_long_is_told_as_a_slow_import(check: Check) -> None:
    report = check("pass", "time.sleep(3600)", "--import-limit=6")
    assert set(outcomes(report).values()) == {Outcome.NOT_RUN}
    assert {result.reason for result in report.results} == {
        "slow import: adapter was not imported within 6 seconds: raise --import-limit"
    }
    assert check.code == 3


def test_a_fixture_that_hangs_is_tried_once(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    (check.folder / "adapter.py").write_text(HANGING_FIT, encoding="utf-8")
    limits = ("--time-limit=8", "--profile=quick", "--json=report.json")
    assert main(("check", "adapter", "--workers=1", *limits, "--clause", "TRAIN-4", "TRAIN-6", "TRAIN-7", "PRE-1")) == 1
    report = read_report(check.folder / "report.json")
    found = {result.clause.id: result for result in report.results}
    assert found["PRE-1"].outcome is Outcome.PASSED
    assert found["TRAIN-4"].outcome is Outcome.TIMED_OUT
    assert "while fits was made" in found["TRAIN-4"].failure.at
    assert {found[name].outcome for name in ("TRAIN-6", "TRAIN-7")} == {Outcome.NOT_RUN}
    assert "as under TRAIN-4" in found["TRAIN-6"].reason
    assert "TRAIN-6" in capsys.readouterr().out


# What the fixture of training runs needs, and no more; it hangs in its second call of fit, after the smoke check.
HANGING_FIT = """
import time
from types import SimpleNamespace
import numpy as np
from spec_tests.adapter.contract import functions
from spec_tests.oracles.images import preprocess as scaled

calls = 0

def preprocess(images, *, image_size):
    return scaled(images, image_size).astype(np.float32)

def fit(model, train, validation, *, epochs, learning_rate, checkpoint, seed, augment):
    global calls
    calls += 1
    if calls > 1:
        time.sleep(3600)
    return model, {name: [0.0] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}

def fit_head(model, train, validation, *, epochs, learning_rate, checkpoint, seed):
    return model, {name: [0.0] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}

def same(*arguments, **options):
    return "a model"

build_classifier = build_convnet = freeze_base = unfreeze_top = save = load = same

def variables(model):
    value = np.zeros(1, np.float32)
    return [SimpleNamespace(path="a", layer="b", layer_type="c", part="head", trainable=True, value=value)]

def extract_features(model, images):
    return np.zeros((len(images), 1), np.float32)

def predict(model, images):
    return np.zeros(len(images), np.float32)

def evaluate(model, batches):
    return {"loss": 0.0, "accuracy": 0.0}

def train_step(model, images, labels, *, learning_rate):
    return model, {"loss": 0.0, "accuracy": 0.0}
"""
