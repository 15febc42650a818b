"""The report of a run, as Markdown and as a page: its contents and their order, and that names are escaped."""

import base64
import html
import io
import re
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.colors import to_rgba
from PIL import Image

from reference.lettering import PLAIN
from reference.pictures import FRAME, LETTERS, Gallery, draw_gallery
from reference.report import TITLES, write_report
from reference.run import Result, Run
from spec_tests.pipeline.conftest import MakeImages

pytestmark = pytest.mark.any_backend

CLASS = "<b>cat"
LONG = f"long{'-name' * 12}.png"  # of a file
IMAGES = 12  # of each class in each subset


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, make_images: MakeImages) -> Run:
    """A run with a report on two stages. Its images have names with characters that are special in HTML."""
    folder = tmp_path_factory.mktemp("reported") / "run"
    for subset in ("train", "validation", "test"):
        images = make_images(folder / "images" / subset, range(IMAGES))
        for name, kind in (("cat", CLASS), ("dog", "dog")):
            (images / kind).mkdir()
            for file in images.glob(f"{name}.*.png"):
                file.rename(images / kind / file.name)
    (folder / "images/test/dog/dog.11.png").rename(folder / "images/test/dog" / LONG)
    run = Run(Namespace(
        data="<i>data</i>", base="base", backend="jax", seed=0, random_base=True, skip_unreadable=False, output=folder,
        cache=folder / "cache",
    ))  # fmt: skip
    data = {"summary": "24 training images", "seconds": 1.0, "peak_memory_mb": 1000}
    right = trained(24, [])
    wrong = trained(22, [(f"{CLASS}/cat.3.png", 0, 0.93), (f"dog/{LONG}", 1, 0.2)])
    write_report(run, {"data": data, "features": wrong, "convnet": right})
    return run


def trained(correct: int, mistakes: list[tuple[str, int, float]]) -> Result:
    """The result of a stage."""
    return {
        "summary": f"{correct} of 24", "seconds": 2.0, "peak_memory_mb": None, "best_epoch": 2,
        "history": {name: [0.7, 0.5, 0.6] for name in ("loss", "accuracy", "val_loss", "val_accuracy")},
        "evaluation": {
            "accuracy": correct / 24, "low": 0.5, "high": 1.0, "confusion": [[12, 0], [24 - correct, correct - 12]],
            "mistakes": [
                {"path": f"/gone/images/test/{path}", "label": label, "probability": probability}
                for path, label, probability in mistakes
            ],
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def page(run: Run) -> str:
    return Path(run.folder, "report.html").read_text(encoding="utf-8")


def texts(page: str, tag: str) -> list[str]:
    """The visible text of each element with this tag."""
    found = re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", page, re.DOTALL)
    return [" ".join(html.unescape(re.sub("<[^>]*>", "", text)).split()) for text in found]


def test_a_page_has_every_stage_its_figures_and_the_table(page: str) -> None:
    assert texts(page, "h2")[1:] == [f"{TITLES[stage]} {stage}" for stage in ("data", "features", "convnet")]
    assert texts(page, "tr")[2] == "features0.9170.500–1.0002 of 32 sunknown"
    for section in page.split("<section ")[2:]:
        captions = texts(section, "figcaption")
        assert captions[:2] == ["Loss and accuracy by epoch.", "Test images by their class and the one predicted."]
        assert len(captions) == 3 + section.count("<li>")
    assert texts(page, "figcaption")[-1] == "No test image is wrong."


def test_names_are_escaped(page: str) -> None:
    assert "<b>" not in page
    assert "<i>data" not in page
    assert dict(zip(texts(page, "dt"), texts(page, "dd"), strict=True)) == {
        "data": "<i>data</i>", "base": "base with random weights", "backend": "jax", "seed": "0",
    }  # fmt: skip


def test_a_page_needs_no_other_file_and_markdown_those_that_there_are(run: Run, page: str) -> None:
    assert not re.findall(r"url\(|@import|<script|<link|href=", page)
    for source in re.findall(r'src="([^"]*)"', page):
        kind, content = re.fullmatch(r"data:image/(png|jpeg);base64,(.+)", source).groups()  # type: ignore[union-attr]
        assert Image.open(io.BytesIO(base64.b64decode(content))).format == kind.upper()
    links = re.findall(r"^!\[[^]]+\]\((.*)\)$", (run.folder / "report.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {run.folder / link for link in links} == set((run.folder / "pictures").iterdir())


def test_samples_are_numbered_in_the_order_of_their_names(page: str) -> None:
    samples, *_ = page.split("Loss and accuracy")
    expected = [f"{kind} {number} {name}.{number - 1}.png" for name, kind in (("cat", CLASS), ("dog", "dog"))
                for number in range(1, 7)]  # fmt: skip
    assert texts(samples, "figcaption")[1:13] == expected


def test_the_original_comes_first_and_is_marked(run: Run, page: str) -> None:
    captions = texts(page.split("Loss and accuracy")[0], "figcaption")[14:]
    assert captions == ["original cat.0.png", *(f"augmented {number}" for number in range(1, 10))]
    _, marked = page.split('<li class="original">')  # one alone
    content = re.search(r'base64,([^"]+)"', marked)[1]  # type: ignore[index]
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))), float)
    assert np.abs(shown - run.images["train"].images.read([0])[0]).mean() < 15  # JPEG


def test_mistakes_say_what_they_were_taken_for(page: str) -> None:
    assert texts(page.split("and what it took them for")[1], "figcaption")[:2] == [
        "1: dog 93% cat.3.png", f"2: {CLASS} 80% {LONG}",
    ]  # fmt: skip


def test_a_figure_marks_the_original_and_its_texts_do_not_meet() -> None:
    names = [("original", LONG), ("augmented", LONG), ("augmented", LONG)]
    with rc_context({"font.family": [PLAIN]}):
        figure = draw_gallery("title", Gallery([np.zeros((8, 8, 3), np.uint8)] * 3, names, columns=3, original=True))
        figure.canvas.draw()
    first, second, third = figure.axes
    assert {spine.get_edgecolor() for spine in first.spines.values()} == {to_rgba(FRAME)}
    assert first.spines["top"].get_visible()
    assert not second.spines["top"].get_visible()
    boxes = [axis.title.get_window_extent() for axis in (first, second, third)]
    assert not boxes[0].overlaps(boxes[1])
    assert not boxes[1].overlaps(boxes[2])
    assert len(second.get_title().splitlines()[1]) == LETTERS
