"""The command line: a whole run, an interrupted one, and user errors."""

import contextlib
import io
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reference import pipeline
from reference.__main__ import main, parse_arguments
from reference.pipeline import STAGES
from spec_tests.pipeline.conftest import MakeImages, Terminal

SCALE = "0.004"  # 4, 2 and 4 images a class
IMAGES = 10  # of each class


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, make_images: MakeImages) -> Path:
    return make_images(tmp_path_factory.mktemp("source"), range(IMAGES))


@pytest.fixture
def command(source: Path, small_preset: Path, tmp_path: Path) -> list[str]:
    return words(source, small_preset, tmp_path)


def words(source: Path, base: Path, folder: Path) -> list[str]:
    return [
        *("--data", str(source), "--base", str(base), "--backend", os.environ["KERAS_BACKEND"]),
        *("--scale", SCALE, "--epochs", "2", "--output", str(folder / "run"), "--cache", str(folder / "cache")),
    ]


@dataclass(frozen=True)
class Run:
    """A run of every stage, with its output and its progress bars."""

    folder: Path
    output: str
    bars: str


@pytest.fixture(scope="module")
def whole(source: Path, small_preset: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder, output, terminal = tmp_path_factory.mktemp("whole"), io.StringIO(), Terminal()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(terminal):
        assert main(words(source, small_preset, folder)) == 0
    return Run(folder / "run", output.getvalue(), terminal.getvalue())


def results(folder: Path) -> dict[str, Any]:
    return {file.stem: json.loads(file.read_text()) for file in (folder / "results").iterdir()}


def test_a_whole_run_leaves_a_report_with_every_stage(whole: Run) -> None:
    run, output = whole.folder, whole.output
    assert set(results(run)) == set(STAGES)
    assert "8 training, 4 validation, 8 test images" in output
    for stage in STAGES:
        assert stage in output
        if stage != "data":
            result = results(run)[stage]
            assert len(result["history"]["val_loss"]) == 2
            assert sum(map(sum, result["evaluation"]["confusion"])) == 8
            assert (run / "checkpoints" / f"{stage}.keras").is_file()
            for picture in ("curves", "confusion", "mistakes"):
                Image.open(run / "pictures" / f"{picture}-{stage}.png").verify()
    for picture in ("samples", "augmented"):
        pixels = np.asarray(Image.open(run / "pictures" / f"{picture}.png").convert("RGB"))
        assert (pixels.min(axis=2) < 200).mean() > 0.3  # the page is not empty
    config = json.loads((run / "config.json").read_text())
    assert config["options"]["seed"] == 0
    assert config["versions"]["keras"]
    linked = (run / "report.md").read_text()
    assert all(f"](pictures/{file.name})" in linked for file in (run / "pictures").iterdir())
    page = (run / "report.html").read_text()
    assert all(f'<section id="{stage}">' in page for stage in STAGES)
    assert str(run / "report.html") in output
    assert not list(run.rglob(".partial*"))


def test_on_a_terminal_a_bar_counts_whatever_takes_time(whole: Run) -> None:
    for bar in (
        r"copying train \w+: .*0/4 .* images/s", r"decoding (train|test): .*0/8 .* images/s",
        r"running the base: .*0/1 .* batches/s", r"training: .*1/2 epoch", r"training: .*1/1 batch.* loss=",
        r"testing: .*0/1 .* batches/s", r"drawing the report: .*0/17 .* pictures/s",
    ):  # fmt: skip
        assert re.search(bar, whole.bars), bar


def test_an_interrupted_run_goes_on_and_ends_as_a_run_in_one(
    command: list[str],
    whole: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command += ["--stages", "augmented", "tune"]
    with monkeypatch.context() as interrupted:

        def interrupt(_: Any) -> Any:
            raise KeyboardInterrupt

        interrupted.setitem(pipeline.STAGES, "tune", interrupt)
        assert main(command) == 130
    assert set(results(tmp_path / "run")) == {"data", "augmented"}
    said = capsys.readouterr().err
    assert "run the same command again" in said
    assert said.count("\n") == 1  # and no bars, since this is not a terminal
    assert main(command) == 0
    assert "augmented finished before" in capsys.readouterr().out
    for stage in ("augmented", "tune"):
        assert results(tmp_path / "run")[stage]["history"] == results(whole.folder)[stage]["history"]


def test_a_stage_does_not_depend_on_those_before_it(command: list[str], tmp_path: Path, whole: Run) -> None:
    assert main([*command, "--stages", "convnet"]) == 0
    after, first = (results(folder)["convnet"]["history"] for folder in (whole.folder, tmp_path / "run"))
    assert after == first


@pytest.mark.any_backend
def test_a_run_with_other_options_is_not_continued(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--stages", "data"]) == 0
    before = (tmp_path / "run/config.json").read_text()
    assert main([*command, "--stages", "data", "--seed", "4"]) == 2
    assert "seed 0, now 4" in capsys.readouterr().err
    assert (tmp_path / "run/config.json").read_text() == before


@pytest.mark.any_backend
def test_a_run_that_finished_no_stage_leaves_no_images_and_may_be_started_with_other_options(
    command: list[str], tmp_path: Path, make_images: MakeImages, capsys: pytest.CaptureFixture[str]
) -> None:
    images = make_images(tmp_path / "images", range(IMAGES + 1))
    (images / "dog.9.png").unlink()  # the last test image; the others remain
    command += ["--data", str(images)]
    assert main([*command, "--stages", "data"]) == 2
    assert "dog image 9 is missing" in capsys.readouterr().err
    assert (tmp_path / "run/config.json").is_file()
    assert not (tmp_path / "run/images").exists()
    assert main([*command, "--stages", "data", "--scale", "0.002"]) == 0


@pytest.mark.any_backend
def test_tuning_without_a_checkpoint_names_the_stages_before_it(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--stages", "tune"]) == 2
    assert "run the stage features or augmented before it" in capsys.readouterr().err


@pytest.mark.any_backend
def test_a_random_base_is_another_than_the_pretrained_one(command: list[str], tmp_path: Path, whole: Run) -> None:
    assert main([*command, "--random-base", "--stages", "features"]) == 0
    random, pretrained = (results(folder)["features"]["history"] for folder in (tmp_path / "run", whole.folder))
    assert random != pretrained


@pytest.mark.any_backend
def test_unreadable_images_are_counted_in_the_report(
    command: list[str], source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in source.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    (broken / "cat.3.png").write_bytes(b"")
    command = [str(broken) if word == str(source) else word for word in command] + ["--stages", "data"]
    assert main(command) == 2
    assert "cat.3.png is not a readable image" in capsys.readouterr().err
    assert main([*command, "--skip-unreadable", "--output", str(tmp_path / "skipping")]) == 0
    assert "7 training, 4 validation, 8 test images, 1 unreadable left out" in capsys.readouterr().out


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--backend", "mxnet"], "unknown backend 'mxnet'"),
        (["--data", "/no/such/folder"], "does not exist"),
        (["--scale", "5"], "--scale"),
        (["--base", "nothing.keras", "--stages", "features"], "--base"),
    ],
)
def test_every_mistake_is_one_line_and_exit_code_2(
    command: list[str], capsys: pytest.CaptureFixture[str], change: list[str], message: str
) -> None:
    assert main([*command, *change]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.any_backend
@pytest.mark.parametrize("change", [["--epochs", "0"], ["--epochs", "x"], ["--scale", "-1"], ["--stages", "bake"]])
def test_bad_words_are_refused_by_the_command_line(change: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse_arguments(change)
    assert caught.value.code == 2
    assert change[0] in capsys.readouterr().err


@pytest.mark.any_backend
def test_help_names_every_stage_and_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--help"])
    text = capsys.readouterr().out
    assert all(stage in text for stage in STAGES)
    assert all(
        f"--{name}" in text for name in ("data", "base", "backend", "epochs", "scale", "stages", "seed", "output")
    )
