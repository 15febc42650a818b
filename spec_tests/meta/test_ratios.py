"""The command that puts steps of the reference beside the floor."""

import json
from pathlib import Path

import pytest

from spec_tests.adapter.implementation import load
from spec_tests.benchmarks import ratios
from spec_tests.benchmarks.gate.process import Lost, Worker
from spec_tests.benchmarks.gate.worker import Order
from spec_tests.benchmarks.work import NEEDS
from spec_tests.meta.made_up import Machine


def machine(**slowdowns: float) -> Machine:
    made = Machine(1, process=0.0, run=0.0)
    made.slowdowns = {"floor": 0.0, **slowdowns}
    return made


def test_ratios_are_those_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    made = machine(reference=1.0, reference_fast=0.1)
    words = ["--backend", "torch", "tensorflow", "--step", "train_frozen", "--rounds", "2", "--json"]
    assert ratios.main([*words, str(tmp_path / "ratios.json")], made) == 0
    torch, tensorflow = (" ".join(line.split()) for line in capsys.readouterr().out.splitlines()[1:])
    assert torch == "torch train frozen 10.0 2.00 (2.00 to 2.00) 1.10 (1.10 to 1.10)"
    assert tensorflow == "tensorflow train frozen 10.0 2.00 (2.00 to 2.00) the same"
    assert made.started.count("floor") == 4
    assert made.alive == 0
    kept = json.loads((tmp_path / "ratios.json").read_text())
    assert set(kept["torch"]["train_frozen"][1]) == {"floor", "reference", "reference_fast"}


def test_subjects_offer_what_is_timed() -> None:
    for step in ratios.STEPS:
        subjects = ratios.orders("tensorflow", step, Path("base.keras"), 180, 32)
        assert set(subjects) == {"reference", "floor"}
        for order in subjects.values():
            assert all(load(order.implementation).offers(name) for name in NEEDS[step])


def test_a_subject_that_is_lost_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    def start(name: str, _: Order) -> Worker:
        raise Lost(f"{name}: it is gone")

    assert ratios.main(["--backend", "jax"], start) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(": it is gone")
