"""An adapter with a base, a head and an optimizer of its own: what does not hold of these alone is checked."""

from pathlib import Path

import pytest

import spec_tests
from spec_tests.cli import main
from spec_tests.reporting.record import Outcome, Result, read_report

pytest.importorskip("torch", reason="the adapter is written with it")
ROOT = Path(spec_tests.__file__).parents[1]
OWN = "fixtures.adapters.own_classifier"
LEAKY = f"""
from {OWN} import *
import {OWN} as own

def features(model, images):
    model.base.train()  # what model.train() does to a base whose parameters are frozen
    inputs = own.torch.tensor(own.np.ascontiguousarray(images)).permute(0, 3, 1, 2) / 127.5 - 1
    return model.base(inputs).mean((2, 3))

own.features = features
"""


def checked(target: str, folder: Path, *options: str) -> dict[str, Result]:
    main(("check", target, "--workers=1", f"--json={folder / 'report.json'}", "--stage=transfer", *options))
    return {result.clause.id: result for result in read_report(folder / "report.json").results}


def test_what_holds_for_any_model_is_checked(tmp_path: Path) -> None:
    found = checked(OWN, tmp_path)
    failed = {clause: result.failure for clause, result in found.items() if result.outcome is Outcome.FAILED}
    assert failed == {}
    held = {clause for clause, result in found.items() if result.outcome is Outcome.PASSED}
    assert held >= {"FRZ-2", "FRZ-4", "TUNE-3", "TUNE-4", "TUNE-8", "HEAD-2", "HEAD-3", "FEAT-2", "FEAT-3", "PURE-3"}
    assert held >= {"TRAIN-1", "TRAIN-7", "TRAIN-8"}
    assert found["TUNE-1"].outcome is Outcome.NOT_CLAIMED
    assert found["TUNE-1"].reason == "it has its own base: a residual network of two blocks"
    assert "own optimizer: SGD" in found["TRAIN-15"].reason


def test_a_frozen_base_in_training_mode_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT)
    (tmp_path / "leaky.py").write_text(LEAKY, encoding="utf-8")
    found = checked("leaky", tmp_path, "--clause", "FRZ-2", "TUNE-3", "HEAD-3", "FEAT-2")
    assert {clause for clause, result in found.items() if result.outcome is Outcome.FAILED} == {*found}
    assert "base/0.1/running_mean" in found["FRZ-2"].failure.got


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("OWN = ['base']", "OWN of wrong must be a dict of base, head, optimizer"),
        ("OWN = {'loss': 'focal'}", "OWN of wrong must be a dict of base, head, optimizer"),
        ("OWN = {'base': ''}", "say what the base is"),
        ("IMAGE_SIZE = 224", "IMAGE_SIZE of wrong must be (height, width)"),
        ("CLASSES = 1", "CLASSES of wrong must be a whole number from 2 on"),
    ],
)
def test_a_wrong_declaration_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declared: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.py").write_text(f"{declared}\nfit = print\n", encoding="utf-8")
    found = checked("wrong", tmp_path, "--clause", "TRAIN-8")
    assert found["TRAIN-8"].outcome is Outcome.BROKEN
    assert words in found["TRAIN-8"].reason
    assert "\n" not in found["TRAIN-8"].reason
