"""Mistakes on the command line are refused before anything is imported, written or computed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from reference.__main__ import STAGES, parse_arguments
from reference.checks import check
from reference.errors import PipelineError
from reference.pipeline import STAGES as FUNCTIONS
from reference.presets import EMBEDDED_PRESET
from reference.run import Run
from spec_tests.pipeline.mistakes import NOT_INSTALLED, Outcome
from spec_tests.pipeline.outcomes import assert_one_line, nothing_written, told

pytestmark = pytest.mark.any_backend

ROOT = Path(__file__).parents[2]
BACKEND = os.environ["KERAS_BACKEND"]
IMAGES = 30  # of each class
GOOD = ("--backend", "tensorflow", "--data", "images", "--scale", "0.01")
MISTAKES = {  # {wrong words: what the error line must contain}
    "--data missing": "missing does not exist: --data takes",
    "--data missing/train.zip": "does not exist: --data takes",
    "--data ~nobody-at-all/images": "cannot be looked for",
    "--data text": "text is neither a folder nor a whole zip: --data takes",
    "--data cut.zip": "cut.zip is neither a folder nor a whole zip",
    "--data one": "one does not hold images of two classes (found: cat)",
    "--base ./missing": "'./missing' cannot be loaded (there is no such file or folder)",
    "--base missing/preset": "(there is no such file or folder)",
    "--base missing.keras": "(there is no such file or folder)",
    "--base missing.keras --stages data": "(there is no such file or folder)",
    "--base ~nobody-at-all/preset": "--base",
    "--base ~/missing": "(there is no such file or folder)",
    "--base text": "(it is neither a preset folder nor a whole .keras file)",
    "--base text.keras": "(it is neither a preset folder nor a whole .keras file)",
    "--base kagle://keras/xception/keras/xception_41_imagenet": "(a handle starts with kaggle://",
    "--backend mxnet": "unknown backend 'mxnet': choose one of jax, tensorflow, torch",
    f"--backend {NOT_INSTALLED}": f"pip install {NOT_INSTALLED}",
    "--stages bake": "--stages",
    "--stages": "--stages",
    "--stages tune": "run the stage features or augmented before it",
    "--stages data convnet tune": "run the stage features or augmented before it",
    "--scale x": "--scale",
    "--scale 0": "--scale",
    "--scale nan": "--scale",
    "--scale inf": "there is no split of scale inf",
    "--scale 1e307": "there is no split of scale 1e+307",
    "--scale 0.0001": "choose at least 0.002",
    "--scale 1": "images holds 30 images of cat, and a split of scale 1 takes 2,500",
    "--data embedded --scale 1": "embedded holds 1,000 images of each class, and a split of scale 1 takes 2,500",
    "--epochs 0": "--epochs",
    "--epochs 1.5": "--epochs",
    "--seed x": "--seed",
    "--seed -1": "--seed",
    "--seed 2147483648": "--seed takes a number from 0 to 2,147,483,647",
    "--output text": "text cannot be a run folder (text is a file): name another folder with --output",
    "--output text/run": "text/run cannot be a run folder (text is a file)",
    "--output finished --seed 3": "finished holds a run with other options (seed 0, now 3)",
    "--output finished --stages tune": "run the stage features or augmented before it",
    "--cache text": "text cannot be a cache (text is a file): name another folder with --cache",
    "--sead 3": "unrecognized arguments",
}  # fmt: skip
NO_MISTAKE = "--stages convnet features --random-base --output new"


def lay_out(here: Path) -> None:
    """Write the files that the command lines above name."""
    (here / "images").mkdir()
    (here / "one").mkdir()
    for index in range(IMAGES):
        (here / "one" / f"cat.{index}.png").touch()
        for name in ("cat", "dog"):
            (here / "images" / f"{name}.{index}.png").touch()
    shutil.make_archive(str(here / "cut"), "zip", here / "images")
    (here / "cut.zip").write_bytes((here / "cut.zip").read_bytes()[:-30])
    (here / "text").write_text("text")
    (here / "text.keras").write_text("text")
    finish([*GOOD, "--output", str(here / "finished")], "data")


def finish(command: list[str], *stages: str) -> None:
    """Write the run folder of a command line as if these stages were finished."""
    run = Run(parse_arguments(command))
    run.begin()
    (run.folder / "results").mkdir()
    for stage in stages:
        (run.folder / "results" / f"{stage}.json").write_text("{}")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of all mistakes, which is also the home folder."""
    folder = tmp_path_factory.mktemp("mistakes")
    lay_out(folder)
    return folder


def python(here: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The completed process of a new Python in the folder."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(here)}
    command = [sys.executable, *arguments]
    return subprocess.run(  # noqa: S603
        command, cwd=here, env=environment, input=stdin, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def outcomes(here: Path) -> tuple[list[str], dict[str, Outcome]]:
    """The files that existed before, and the outcome of each command line, all from one new Python process."""
    before = sorted(str(path.relative_to(here)) for path in here.rglob("*"))
    tried = (*MISTAKES, NO_MISTAKE)
    lines = json.dumps([[*GOOD, *words.split()] for words in tried])
    done = python(here, "-m", "spec_tests.pipeline.mistakes", stdin=lines)
    assert done.returncode == 0, done.stderr
    return before, {words: Outcome(**found) for words, found in zip(tried, json.loads(done.stdout), strict=True)}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_is_one_line_for_which_nothing_is_imported_or_written(
    words: str, outcomes: tuple[list[str], dict[str, Outcome]]
) -> None:
    before, found = outcomes[0], outcomes[1][words]
    assert found.code == 2
    [line] = found.said.splitlines()
    assert line.startswith("error: ")
    assert MISTAKES[words] in line
    assert_one_line(line)
    assert not any(word in line for word in ("network", "credentials"))
    assert found.printed == ""
    assert found.imported == []
    assert found.files == before


def test_a_first_line_says_what_will_be_done_before_anything_is_imported(
    outcomes: tuple[list[str], dict[str, Outcome]],
) -> None:
    found = outcomes[1][NO_MISTAKE]
    first, *_ = found.printed.splitlines()
    assert found.imported == []
    for fact in (
        "data images,", "xception_41_imagenet with random weights", "backend tensorflow", "seed 0",
        "stages data, features, convnet;", "folder new",
    ):  # fmt: skip
        assert fact in first


@pytest.mark.parametrize("words", ["--data missing", "--epochs 0"])
def test_the_program_ends_with_the_line_and_the_code(words: str, here: Path) -> None:
    with nothing_written(here):
        done = python(here, "-m", "reference", *GOOD, *words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command line without a mistake, in a new folder."""
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path)
    return [*GOOD, "--backend", BACKEND, "--base", str(EMBEDDED_PRESET), "--output", "run", "--cache", "cache"]


BASES = {
    "no_such_preset_name": "keras-hub has no preset of this name",
    "empty": "cannot be loaded",
    "damaged.keras": "cannot be loaded",
    "other.keras": "not a feature map",
    "no-converter": "cannot be loaded",
    "kaggle://too/short": "cannot be loaded",
}


@pytest.mark.parametrize("base", BASES)
def test_a_base_that_only_keras_can_judge_is_refused_before_the_data_are_made(
    base: str, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty").mkdir()
    keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()]).save("other.keras")
    content = Path("other.keras").read_bytes()
    Path("damaged.keras").write_bytes(content.replace(b'"class_name"', b'"class_mane"'))
    shutil.copytree(EMBEDDED_PRESET, "no-converter", ignore=shutil.ignore_patterns("image_converter.json"))
    with nothing_written(tmp_path):
        line = told([*options, "--base", base], capsys)
    assert BASES[base] in line
    assert ("check the network" in line) == ("://" in base)


def test_a_name_that_is_no_preset_is_refused_also_where_no_stage_needs_the_base(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with nothing_written(tmp_path):
        line = told([*options, "--base", "no_such_preset_name", "--stages", "data", "convnet"], capsys)
    assert "keras-hub has no preset of this name" in line


@pytest.mark.parametrize(
    ("finished", "words"),
    [
        ((), "--base xception_41_imagenet"),
        ((), "--base kaggle://keras/xception/keras/xception_41_imagenet"),
        ((), "--base hf://keras/xception_41_imagenet"),
        ((), "--base local"),
        ((), "--base ~/local"),
        ((), "--data kaggle --scale 5"),
        ((), "--data whole.zip --scale 5"),
        ((), "--stages tune features"),
        ((), "--stages tune augmented"),
        (("data", "features"), "--stages tune"),
        (("data", "augmented"), "--stages tune"),
        (("data",), "--stages convnet"),
        (STAGES, "--stages features tune"),
    ],
)
def test_what_is_no_mistake_passes(
    finished: tuple[str, ...], words: str, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the cases is a finished stage whose data and base are gone."""
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copytree(EMBEDDED_PRESET, "local")
    shutil.make_archive("whole", "zip", "images")
    command = [*options, "--base", "./local", *words.split()]
    if finished:
        finish(command, *finished)
        shutil.rmtree("images")
        shutil.rmtree("local")
    with nothing_written(tmp_path):
        check(Run(parse_arguments(command)))


@pytest.mark.parametrize("stage", ["features", "augmented"])
def test_a_base_that_a_stage_still_needs_is_looked_for_in_a_run_that_goes_on(stage: str, options: list[str]) -> None:
    command = [*options, "--base", "./local", "--stages", stage]
    finish(command, "data")
    with pytest.raises(PipelineError, match="there is no such file or folder"):
        check(Run(parse_arguments(command)))


def test_the_stages_of_the_command_line_are_those_that_there_are() -> None:
    assert tuple(FUNCTIONS) == STAGES
