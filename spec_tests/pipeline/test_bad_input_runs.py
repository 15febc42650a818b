"""Bad run folders, caches and command lines: exit code 2 and one line, or a correct run."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from safetensors.numpy import load_file, save_file

from reference.features import cached_features
from reference.presets import EMBEDDED_PRESET
from reference.report import write_report
from reference.run import Run
from spec_tests.cases.archives import folder, tree
from spec_tests.damage.bytes import Damage, Mutation, damaged, damages, json_bytes, mutated, mutations, picture, zipped
from spec_tests.pipeline.conftest import MakeImages
from spec_tests.pipeline.outcomes import REFUSED, nothing_written, outcome, told

pytestmark = pytest.mark.any_backend

slowly = settings(
    max_examples=max(settings().max_examples // 2, 5),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
HISTORY = {name: [0.5, 0.25] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}


def result_of(image: str) -> dict[str, Any]:
    """The result file of a stage."""
    mistake = {"path": image, "label": 0, "probability": 0.75}
    evaluation = {"accuracy": 0.5, "low": 0.25, "high": 0.75, "confusion": [[1, 1], [0, 2]], "mistakes": [mistake]}
    return {"summary": "test accuracy 0.500, best epoch 2 of 2", "evaluation": evaluation, "history": HISTORY,
            "best_epoch": 2, "seconds": 1.0, "peak_memory_mb": 100}  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, make_images: MakeImages) -> Path:
    """A finished run with its images."""
    run = tmp_path_factory.mktemp("finished") / "run"
    for number, name in enumerate(("train", "validation", "test")):
        images = make_images(run / "images" / name, range(number, number + 1))
        for kind in ("cat", "dog"):
            (images / kind).mkdir()
            (images / f"{kind}.{number}.png").rename(images / kind / f"{kind}.{number}.png")
    return run


class Options:
    """The options of a run that the report reads."""

    def __init__(self, output: Path) -> None:
        self.data, self.backend, self.base, self.seed = "a\nb $x$ \udc80", "jax", "base\n", 0
        self.random_base, self.skip_unreadable = False, False
        self.output, self.cache = output, output / "cache"


def begun(options: Options) -> Run:
    """A run with these options, whose folder was written."""
    run = Run(options)  # type: ignore[arg-type]
    run.begin()
    return run


def report_of(run: Path, content: bytes) -> Any:
    """The report of a run with a replaced result of one stage, or REFUSED."""
    (run / "results").mkdir(exist_ok=True)
    (run / "results" / "features.json").write_bytes(content)
    for name in ("data.json", "config.json"):
        (run / "results" / name).unlink(missing_ok=True)

    def tell() -> str:
        opened = begun(Options(run))
        before = opened.finished("features")
        assert before is not None
        write_report(opened, {"features": before})
        return (run / "report.md").read_text(encoding="utf-8")

    return outcome(tell)


@slowly
@given(mutations())
def test_results_that_somebody_edited(finished: Path, monkeypatch: pytest.MonkeyPatch, changes: Any) -> None:
    monkeypatch.setattr("reference.report.of_data", lambda *_: {})
    result = mutated(result_of(str(finished / "images/test/cat/cat.2.png")), changes)
    report_of(finished, json_bytes(result))


def test_a_result_that_nobody_edited(finished: Path) -> None:
    text = report_of(finished, json_bytes(result_of("/elsewhere/images/test/cat/cat.2.png")))
    assert "| features | 0.500 | 0.250–0.750 | 2 of 2 | 1 s | 100 MB |" in text
    assert text.isprintable() or all(line.isprintable() for line in text.splitlines())


@slowly
@given(damages())
def test_results_whose_bytes_are_damaged(finished: Path, monkeypatch: pytest.MonkeyPatch, changes: Any) -> None:
    monkeypatch.setattr("reference.report.list_sections", lambda *_: [])
    report_of(finished, damaged(json_bytes(result_of("cat/cat.2.png")), changes))


@slowly
@given(mutations(), damages())
def test_options_that_somebody_edited(changes: tuple[Mutation, ...], bytes_too: tuple[Damage, ...]) -> None:
    """A run continues only if its options are those of the command line."""
    with folder() as here:
        run = here / "run"
        options = Options(run)
        options.data, options.base = "data", "base"
        opened = begun(options)
        (run / "results").mkdir()
        (run / "results" / "data.json").write_text("{}")
        whole = json.loads((run / "config.json").read_text())
        content = json_bytes(mutated(whole, changes))
        if len(bytes_too) == 1:
            content = damaged(content, bytes_too)
        (run / "config.json").write_bytes(content)
        before = tree(here)
        if outcome(lambda: begun(options)) is REFUSED:
            assert tree(here) == before
        else:
            assert json.loads(content)["options"].items() >= whole["options"].items()
        assert opened.folder == run


@pytest.mark.parametrize("damage", ["no features", "other rows", "no numbers", "other labels", "a folder"])
def test_a_cache_of_features_that_are_not_those_of_the_images_is_made_again(
    damage: str, classifier: Any, batch: tuple[Any, Any], tmp_path: Path
) -> None:
    batches = [batch]
    first, labels = cached_features(classifier, batches, tmp_path)
    [file] = tmp_path.iterdir()
    stored = load_file(file)
    if damage == "a folder":
        file.unlink()
        file.mkdir()
    else:
        changed = {
            "no features": {"labels": labels},
            "other rows": stored | {"features": first[:-1].copy()},
            "no numbers": stored | {"features": np.full_like(first, np.nan)},
            "other labels": stored | {"labels": 1 - labels},
        }
        save_file(changed[damage], file)
    again, again_labels = cached_features(classifier, batches, tmp_path)
    np.testing.assert_array_equal(again, first)
    np.testing.assert_array_equal(again_labels, labels)


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    return [
        *("--base", str(EMBEDDED_PRESET), "--backend", os.environ["KERAS_BACKEND"], "--stages", "data"),
        *("--scale", "0.002", "--output", str(tmp_path / "run"), "--cache", str(tmp_path / "cache")),
    ]


NAMES = [f"{name}.{index}.png" for name in ("cat", "dog") for index in range(5)]
GOOD = [(f"train/{name}", picture("png", number)) for number, name in enumerate(NAMES)]
BAD = {
    "no zip": b"<html>",
    "empty": zipped([]),
    "one class": zipped(member for member in GOOD if "cat" in member[0]),
    "cut": zipped(GOOD)[:-400],
    "outside": zipped([*GOOD, ("../../outside", b"x")]),
    "a folder for an image": zipped([*GOOD[:1], ("train/cat.1.png/", b""), *GOOD[2:]]),
    "a bad image": zipped([*GOOD[:-1], (GOOD[-1][0], picture("png")[:100])]),
    "a class that breaks the line": zipped([(f"a\n\x1b[31m/{number}.png", picture("png")) for number in range(9)]),
}  # fmt: skip


@pytest.mark.parametrize("wrong", BAD)
@pytest.mark.parametrize("within", ["", "folder"])
def test_data_of_the_command_line(
    wrong: str, within: str, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / within).mkdir(exist_ok=True)
    data = tmp_path / within / "train.zip"
    data.write_bytes(BAD[wrong])
    line = told([*command, "--data", str(data.parent if within else data)], capsys)
    assert line
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "run" / "results").exists()
    assert not list((tmp_path / "run").rglob(".*"))


JPEGS = {f"{name}.{i}.jpg": picture("jpg", 2 * i + k) for k, name in enumerate(("cat", "dog")) for i in range(5)}
OF_THE_USER: dict[str, tuple[dict[str, bytes], list[str]]] = {
    "a corrupt JPEG": (JPEGS | {"dog.3.jpg": picture("jpg")[:100]}, ["dog.3.jpg is not a readable image"]),
    "a missing image": (
        {name.replace("dog.2", "dog.7"): data for name, data in JPEGS.items()}, ["dog image 2 is missing in"]
    ),
    "a third class": (
        JPEGS | {"bird.0.jpg": picture("jpg")}, ["does not hold images of two classes (found: bird, cat, dog)"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("within", ["", "train/", "photos/train/"])
@pytest.mark.parametrize("zip_it", [True, False], ids=["zip", "folder"])
@pytest.mark.parametrize("wrong", OF_THE_USER)
def test_errors_name_the_users_files(
    wrong: str, zip_it: bool, within: str, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, says = OF_THE_USER[wrong]
    data = tmp_path / "mine"
    if zip_it:
        data = tmp_path / "mine.zip"
        data.write_bytes(zipped((within + name, content) for name, content in files.items()))
    else:
        (data / within).mkdir(parents=True)
        for name, content in files.items():
            (data / within / name).write_bytes(content)
    line = told([*command, "--data", str(data)], capsys)
    assert [words for words in (*says, str(data)) if words not in line] == [], line
    assert not any(f"{tmp_path}/{place}" in line for place in ("run", "cache"))


def test_names_that_mean_something_to_others(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dollars start a formula in a picture's caption, and brackets are mark-up on the terminal."""
    for name in ("$\\frac$ [red] [x", "b\n\x1b[31m"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(5):
            (tmp_path / "data" / name / f"$x_{number}$ ${{.png").write_bytes(picture("png", number))
    assert told([*command, "--data", str(tmp_path / "data")], capsys) == ""
    assert (tmp_path / "run" / "pictures" / "samples.png").is_file()


@pytest.mark.parametrize(
    "words",
    [("--output", "file"), ("--output", "file/run"), ("--cache", "file/cache"), ("--data", "~nobody-at-all/x")],
)
def test_places_that_cannot_be(
    words: tuple[str, str], command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with nothing_written(tmp_path):
        assert words[0] in told([*command, "--data", str(tmp_path), *words], capsys)
