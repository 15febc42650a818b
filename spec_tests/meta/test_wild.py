"""The wild set: some of it is audited here, all of it by ``python -m spec_tests.proof wild``."""

import importlib
import re
from pathlib import Path

import pytest

from fixtures.pipelines.wild import FRAMEWORKS, recipes, wild
from spec_tests import FIXTURES
from spec_tests.clauses.catalogue import all_clauses
from spec_tests.jobs.runner import Runner
from spec_tests.proof.wild import Found, audit
from spec_tests.running.groups import of_pipelines

SAMPLE = {  # of each framework right ones and faults of several kinds
    "torch": ("Recipe", "DepthwiseBase", "TransformerBase", "WholeTraining", "TrainsInTrainingMode", "SigmoidTwice",
              "HalfOfALogit", "BlueFirst", "KeptWithoutACopy"),
    "lightning": ("Plateau", "FrozenByTheCallback"),
    "keras": ("Recipe",),  # the notes' cells are audited for the story of the README
}  # fmt: skip

PACKAGES = {"torch": ("torch",), "lightning": ("lightning",), "keras": ("tensorflow", "keras_hub")}
README = FIXTURES.parent / "README.md"
FAULTS = {"torch": 32, "lightning": 5, "keras": 29}  # of each framework, since not every environment has all
CLAUSE = re.compile(r'clause\b.*?= "([A-Z]+-\d+)"')

each_framework = pytest.mark.parametrize("framework", FRAMEWORKS)


def needed(framework: str) -> None:
    for package in PACKAGES[framework]:
        pytest.importorskip(package, reason="the pipelines are written with it")


@each_framework
def test_a_fault_is_found_by_its_clause_and_a_right_one_holds(framework: str, tmp_path: Path) -> None:
    needed(framework)
    chosen = [one for one in wild(framework) if one.name.partition("_")[2] in SAMPLE[framework]]
    assert len(chosen) == len(SAMPLE[framework])
    told: list[Found] = []
    found = audit(chosen, seeds=[0], runner=Runner(tmp_path, workers=2), told=told.append)
    assert {one.wild.name: one.fault for one in found if one.fault} == {}
    assert {one.wild.name for one in told} == {one.name for one in chosen}


def test_the_story_of_the_readme_is_what_an_audit_says(tmp_path: Path) -> None:
    needed("keras")
    cells = next(one for one in wild("keras") if one.name == "keras_Cells")
    (found,) = audit([cells], seeds=[0], runner=Runner(tmp_path, workers=1), told=lambda _: None)
    assert not found.fault
    (result,) = (one for one in found.results if one.clause.id == cells.clause)
    said = " ".join(README.read_text(encoding="utf-8").split())
    assert result.failure
    names = result.failure.got.partition(", …")[0].split(", ")[:3]
    assert f"{result.clause.id} {result.clause.level} {result.clause.sentence}" in said
    assert f"violated {result.failure.violated} got {', '.join(names)}, …" in said


def test_the_readme_counts_the_faults() -> None:
    assert f"{sum(FAULTS.values())} small pipelines" in README.read_text(encoding="utf-8")


@each_framework
def test_the_faults_are_counted(framework: str) -> None:
    needed(framework)
    assert sum(bool(one.clause) for one in wild(framework)) == FAULTS[framework]


@each_framework
def test_each_fault_names_a_clause_that_pipelines_are_asked(framework: str) -> None:
    needed(framework)
    asked = {clause.id for clause in of_pipelines(all_clauses())}
    for name, kind in recipes(framework).items():
        assert not kind.clause or kind.clause in asked, name
        assert (kind.__doc__ or "").strip(), f"{name} says in a sentence what it is"


def test_every_clause_of_pipelines_has_a_fault_in_each_framework() -> None:
    """Read from the sources, since no environment has both. In Keras ``fit`` sets the phase itself."""
    alone = {clause.id for clause in all_clauses() if "pipeline" in clause.tied}
    folder = FIXTURES / "pipelines"
    named = {
        file: set(CLAUSE.findall((folder / f"{file}.py").read_text(encoding="utf-8")))
        for file in ("on_torch", "on_keras")
    }
    assert alone - named["on_torch"] == set()
    assert alone - named["on_keras"] == {"TRAIN-18", "TRAIN-19"}


def test_a_name_that_there_is_not_is_told() -> None:
    module = importlib.import_module("fixtures.pipelines.wild")
    with pytest.raises(AttributeError, match="there is no pipeline fastai_Recipe"):
        module.__getattr__("fastai_Recipe")
