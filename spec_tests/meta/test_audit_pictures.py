"""Pictures of what audits find: what is kept for them, and what they show."""

import base64
import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from spec_tests.audit import Expects
from spec_tests.audit.common import OneArray
from spec_tests.audit.passes import SIDE, two_passes
from spec_tests.audit.probe import Line
from spec_tests.cases import evidence
from spec_tests.cli import main
from spec_tests.reporting.figures import exhibit
from spec_tests.reporting.preprocessing_figure import card, lines
from spec_tests.reporting.record import Outcome, read_report

from .reports import MOVEMENT, PREPROCESSING, images, png

LINE, LAYER = PREPROCESSING["got"], MOVEMENT["layers"][0]
RAW = Expects((1.0,) * 3, (0.0,) * 3)

# Two passes


class DataSet:
    """Images by number; of each, what it is the first time and the second."""

    def __init__(self, *passes: list[Any]) -> None:
        self._passes, self._asked = passes, 0

    def __len__(self) -> int:
        return len(self._passes[0])

    def __getitem__(self, place: int) -> tuple[Any, int]:
        self._asked += 1
        return self._passes[(self._asked - 1) // len(self)][place], 0


class Loader:
    """Of a data set."""

    def __init__(self, dataset: DataSet) -> None:
        self.dataset = dataset


class Batches:
    """The batches of one pass, then those of the next."""

    def __init__(self, *passes: NDArray[Any]) -> None:
        self._passes = iter(passes)

    def __iter__(self) -> Any:
        return iter([(next(self._passes), np.zeros(5))])


def noise(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(-2, 3, shape).astype(np.float32)


def test_the_first_image_of_a_data_set_that_differs_is_kept() -> None:
    before = noise(4, 3, 8, 6)
    after = before.copy()
    after[2:] = after[2:, :, ::-1]
    found = two_passes(Loader(DataSet([*before], [*after])), 4, "validation")
    assert (found.first != found.second).tolist() == [False, False, True, True]
    assert found.pair is not None
    low, high = before[2].min(), before[2].max()
    for image, array in zip(found.pair, (before[2], after[2]), strict=True):
        np.testing.assert_allclose(image, (array.transpose(1, 2, 0) - low) / (high - low) * 255, rtol=1e-4, atol=1e-3)


def test_a_shuffled_image_is_found_again() -> None:
    before = noise(5, 8, 6, 3) + np.arange(5, dtype=np.float32)[:, None, None, None] / 20
    after = before.copy()
    after[[1, 3, 4]] = after[[1, 3, 4], :, ::-1]
    found = two_passes(Batches(before, after[[4, 2, 0, 3, 1]]), 5, "validation")
    assert (found.first != found.second).any()
    assert found.pair is not None
    np.testing.assert_array_equal(found.pair[0], found.pair[1][:, ::-1])
    shown = found.pair[0] * np.ptp(before[1]) / 255 + before[1].min()
    np.testing.assert_allclose(shown, before[1], rtol=1e-4, atol=1e-4)


def test_a_large_image_is_kept_small() -> None:
    before = np.zeros((1, 500, 251), np.uint8)
    before[:, :250] = 200
    found = two_passes(Loader(DataSet([*before], [*(255 - before)])), 1, "validation")
    assert found.pair is not None
    assert found.pair[0].shape == (SIDE // 5 * 4 + 4, 50, 3)
    assert np.unique(found.pair[0]).tolist() == [0, 200]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (noise(3, 4, 4), noise(3, 4, 4)),  # the same
        (noise(7), noise(7) + 1),  # no image
        (noise(3, 4, 4), noise(3, 5, 4)),
        (noise(8, 4, 4), -noise(8, 4, 4)),  # eight channels
    ],
)
def test_what_cannot_be_shown_is_not_kept(before: NDArray[Any], after: NDArray[Any]) -> None:
    assert two_passes(Loader(DataSet([before], [after])), 1, "validation").pair is None


def test_no_number_in_an_image_does_no_harm() -> None:
    before = noise(3, 4, 4)
    after = before.copy()
    after[0, 0] = (np.nan, np.inf, -np.inf, 0)
    pair = two_passes(Loader(DataSet([before], [after])), 1, "validation").pair
    assert pair is not None
    assert np.isfinite(pair).all()


# What is kept


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """What another test left is not this one's."""
    evidence.start()


def made(failed: bool = True) -> tuple[dict[str, Any], ...]:
    try:
        return evidence.kept(failed)
    finally:
        evidence.start()


def layers(changes: dict[str, float], norms: str = "") -> list[OneArray]:
    kinds = {name: "BatchNormalization" if name == norms else "Dense" for name in changes}
    return [
        OneArray(f"{name}.{array}", name, kinds[name], "head" if name == "fc" else "base", True, np.array([value, 0]))
        for name, value in changes.items()
        for array in ("scale", "shift")
    ]


def test_layers_that_moved_farthest_are_kept_in_their_order() -> None:
    names = [f"layer{number}" for number in range(45)]
    before = layers(dict.fromkeys([*names, "still", "fc"], 1.0), "layer44")
    moves = {name: 1.0 + (7 * number % 45 + 1) / 8 for number, name in enumerate(names)}
    after = layers(moves | {"still": 1.0, "fc": 99.0}, "layer44")
    evidence.keep_movement("movement", before, after, "base")
    (kept,) = made()
    expected = {name: value - 1 for name, value in moves.items() if value - 1 > 5 / 8}
    assert [(layer["name"], layer["largest"]) for layer in kept["layers"]] == list(expected.items())
    assert [layer["name"] for layer in kept["layers"] if layer["normalization"]] == ["layer44"]
    assert (kept["moved"], kept["count"]) == (45, 46)


def test_a_layer_that_is_no_number_moved_farthest() -> None:
    evidence.keep_movement("movement", layers({"a": 1, "b": 1}), layers({"a": np.nan, "b": 2}), "base")
    (kept,) = made()
    assert [layer["largest"] for layer in kept["layers"]] == [None, 1]
    assert exhibit(kept).caption == "2 of 2 layers moved. Farthest moved a, by NaN."


def test_nothing_is_kept_of_a_clause_that_holds() -> None:
    line = Line((1.0,) * 3, (0.0,) * 3, "rgb")
    evidence.keep_movement("movement", layers({"a": 1}), layers({"a": 1}), "base")
    evidence.keep_preprocessing("preprocessing", "validation", line, RAW)
    assert made(failed=False) == ()


# What is drawn


def text_of(shown: dict[str, Any]) -> str:
    return base64.b64decode(exhibit(shown).pictures[0].source.partition(",")[2]).decode()


def pixels_of(source: str) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))


def test_movement_in_words_and_bars() -> None:
    assert exhibit(MOVEMENT).caption == (
        "3 of 7 layers moved, 2 of them batch normalisations. Farthest moved stem.norm, by 12."
    )
    for words in ("stem.conv", "0.25", "…xxxx", "batch normalisation", "other layers", "largest absolute change"):
        assert words in text_of(MOVEMENT)
    assert "the 3 that moved farthest are shown" in exhibit(MOVEMENT | {"moved": 5}).caption


def test_preprocessing_in_words_and_lines() -> None:
    assert exhibit(PREPROCESSING).caption.startswith(
        "In training pixels from 0 to 255 become -100 to 155, -110 to 145 and 0 to 128; expected: -100 to 155, "
        "-110 to 145 and -120 to 135. The channels are red, green, blue; expected: blue, green, red. "
    )
    for words in ("red, not blue", ">green<", "blue, not red", ">got<", ">expected<", ">255<"):
        assert words in text_of(PREPROCESSING)
    same = exhibit(PREPROCESSING | {"got": PREPROCESSING["expected"]})
    assert "become -100 to 155, -110 to 145 and -120 to 135, as they should. " in same.caption
    assert [picture.label for picture in same.pictures] == ["", "as expected", "as received"]
    assert same.pictures[1].source == same.pictures[2].source


def test_colour_bars_are_as_the_base_takes_them() -> None:
    expected, swapped = lines(PREPROCESSING | {"got": PREPROCESSING["expected"] | {"order": "rgb"}})
    right, wrong = card(expected, expected), card(expected, swapped)
    assert {tuple(pixel) for pixel in right[0]} == {(r, g, b) for r in (0, 255) for g in (0, 255) for b in (0, 255)}
    np.testing.assert_array_equal(wrong, right[..., ::-1])
    signed = {"scale": [1 / 127.5] * 3, "offset": [-1] * 3, "order": "rgb"}
    expected, halved = lines({"expected": signed, "got": {"scale": [1 / 255] * 3, "offset": [0] * 3, "order": "rgb"}})
    assert np.unique(card(expected, halved)[0]).tolist() == [128, 255]


def test_images_have_the_names_that_they_are_given() -> None:
    shown = exhibit(images(png(), png(level=90)) | {"names": ["pass one", "pass two"]})
    assert [picture.label for picture in shown.pictures] == ["pass one", "pass two", "difference"]
    assert exhibit(images(png(), png(5, 5)) | {"names": ["pass one", "pass two"]}).caption == (
        "The two have different sizes: 4 × 6 (pass one) and 5 × 5 (pass two)."
    )


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(PREPROCESSING | {"got": LINE | {"order": "rgg"}}, id="no such order"),
        pytest.param(PREPROCESSING | {"got": LINE | {"scale": [1, 1]}}, id="two channels"),
        pytest.param(PREPROCESSING | {"got": LINE | {"offset": [0, None, 0]}}, id="no offset"),
        pytest.param(PREPROCESSING | {"expected": LINE | {"scale": [1, 0, 1]}}, id="a flat line"),
        pytest.param(PREPROCESSING | {"got": LINE | {"scale": [1, 10**400, 1]}}, id="a steep line"),
        pytest.param(MOVEMENT | {"layers": []}, id="no layers"),
        pytest.param(MOVEMENT | {"layers": [LAYER | {"largest": 10**400}]}, id="a far layer"),
    ],
)
def test_what_cannot_be_drawn_is_said(wrong: dict[str, Any]) -> None:
    shown = exhibit(wrong)
    assert not shown.pictures
    assert shown.caption.startswith("This cannot be drawn: ")


@pytest.mark.parametrize(
    "unusual",
    [
        pytest.param(MOVEMENT | {"layers": [LAYER | {"largest": None}]}, id="no finite change"),
        pytest.param(MOVEMENT | {"layers": [LAYER | {"largest": 0, "name": ""}]}, id="no change and no name"),
    ],
)
def test_what_is_unusual_is_drawn(unusual: dict[str, Any]) -> None:
    ElementTree.fromstring(text_of(unusual))  # noqa: S314 - our own


# In a report


@pytest.mark.parametrize(
    ("pipeline", "clause", "kind", "labels"),
    [
        ("SplitOfAugmented", "AUG-13", "images", ["pass one", "pass two", "difference"]),
        ("BlueFirst", "PRE-3", "preprocessing", ["", "as expected", "as received"]),
        ("TrainsInTrainingMode", "FRZ-2", "movement", [""]),
    ],
)
def test_a_finding_has_its_picture(pipeline: str, clause: str, kind: str, labels: list[str], tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the pipelines are written with it")
    forms = [f"--json={tmp_path / 'report.json'}", f"--html={tmp_path / 'audit.html'}"]
    assert main(("audit", f"fixtures.pipelines.wild:torch_{pipeline}", "--clause", clause, *forms)) == 1
    (result,) = read_report(tmp_path / "report.json").results
    assert result.outcome is Outcome.FAILED
    (kept,) = result.evidence
    shown = exhibit(kept)
    assert shown.kind == kind
    assert [picture.label for picture in shown.pictures] == labels
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert all(picture.source in page for picture in shown.pictures)
    if kind == "images":
        first, second, _ = (pixels_of(picture.source) for picture in shown.pictures)
        assert sorted(first.ravel()) == sorted(second.ravel())  # flipped or shifted, and one image
