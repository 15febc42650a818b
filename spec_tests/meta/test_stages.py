"""The parts of transfer learning are stages of their own, and have a name together."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spec_tests.adapter.contract import functions
from spec_tests.adapter.implementation import BrokenAdapter, Implementation
from spec_tests.adapter.outline import broken_stages
from spec_tests.adapter.stages import PARTS, STAGES, whole
from spec_tests.clauses.catalogue import all_clauses
from spec_tests.reporting.record import Outcome, Result, unclaimed_stages
from spec_tests.reporting.template import template
from spec_tests.running.request import chosen

TRANSFER = PARTS["transfer"]
ONE_FUNCTION = {"base": "preprocess", "features": "fit_head", "convnet": "build_convnet", "training": "fit"}


def offering(**offered: Any) -> Implementation:
    return Implementation("port", SimpleNamespace(**offered))


def test_every_stage_is_in_one_whole_and_has_clauses_and_functions() -> None:
    assert [whole(stage) for stage in STAGES] == [*("environment", "data", "layers", "augmentation"), *["transfer"] * 5]
    assert list(dict.fromkeys(clause.stage for clause in all_clauses())) == list(STAGES)
    assert functions("transfer") == tuple(name for stage in TRANSFER for name in functions(stage))


def test_the_name_of_the_whole_chooses_its_parts() -> None:
    together, apart = chosen([], ["transfer"]), chosen([], TRANSFER)
    assert together == apart
    assert {clause.stage for clause in together} == {*TRANSFER}
    assert template(("transfer",)) == template(TRANSFER)


@pytest.mark.parametrize(("stage", "name"), ONE_FUNCTION.items())
def test_a_stage_is_claimed_by_one_of_its_functions(stage: str, name: str) -> None:
    for claims in ({}, {"CLAIMS": ("transfer",)}, {"CLAIMS": (stage,)}):
        port = offering(**{name: print}, **claims)
        assert [claimed for claimed in TRANSFER if port.claims(claimed)] == [stage]
    assert not offering(**{name: print}, conv2d=print, CLAIMS=("layers",)).claims(stage)


@pytest.mark.parametrize(
    ("claims", "lacks", "has"),
    [
        ("('transfer',)", "transfer", "conv2d"),
        ("('transfer', 'tuning')", "tuning", "fit"),
        ("('convnet',)", "convnet", "fit"),
    ],
)
def test_what_is_claimed_and_has_no_function_is_broken(
    claims: str, lacks: str, has: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = tmp_path / "port_of_parts.py"
    adapter.write_text(f"CLAIMS = {claims}\n{has} = print\n", encoding="utf-8")
    words = f"claims the stage {lacks} and has no function of it"
    monkeypatch.syspath_prepend(tmp_path)
    broken, _ = broken_stages("port_of_parts")
    assert {*broken} == ({*TRANSFER} if lacks == "transfer" else {lacks})
    assert all(words in why for why in broken.values())
    space: dict[str, Any] = {}
    exec(adapter.read_text(encoding="utf-8"), space)  # noqa: S102 - two lines of this test
    with pytest.raises(BrokenAdapter, match=words):
        any(offering(**space).claims(stage) for stage in reversed(STAGES))


def test_stages_that_are_not_claimed_are_told_by_the_name_of_all_of_them() -> None:
    clauses = {clause.stage: clause for clause in all_clauses()}

    def told(*claimed: str) -> list[str]:
        outcomes = {stage: Outcome.PASSED if stage in claimed else Outcome.NOT_CLAIMED for stage in clauses}
        return unclaimed_stages([Result(clauses[stage], "port", outcome) for stage, outcome in outcomes.items()])

    assert told("layers") == ["environment", "data", "augmentation", "transfer"]
    assert told(*STAGES[:5]) == ["features", "convnet", "training", "tuning"]
