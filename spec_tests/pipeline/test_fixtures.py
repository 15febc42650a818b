"""The embedded data set, and the base pretrained for it."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.animals import PRETRAINING, TASK
from fixtures.dataset import drawn_images, drawn_jpeg
from reference.__main__ import main
from spec_tests.pipeline.conftest import BACKEND
from spec_tests.pipeline.test_pipeline import results

pytestmark = pytest.mark.any_backend


def test_a_picture_depends_on_class_index_and_seed_alone() -> None:
    first = drawn_jpeg("cat", 5)
    assert drawn_jpeg("cat", 5) == first
    assert len({first, drawn_jpeg("cat", 6), drawn_jpeg("dog", 5), drawn_jpeg("cat", 5, seed=1)}) == 4


def test_pictures_are_real_jpeg_files_of_many_sizes_and_shapes() -> None:
    images = [Image.open(io.BytesIO(drawn_jpeg("dog", index))) for index in range(20)]
    assert {(image.format, image.mode) for image in images} == {("JPEG", "RGB")}
    assert len({image.size for image in images}) == 20
    aspects = [image.width / image.height for image in images]
    assert min(aspects) < 0.8
    assert max(aspects) > 1.25


def test_no_class_of_the_task_is_among_those_of_pretraining() -> None:
    assert set(TASK) == {"cat", "dog"}
    assert not set(TASK) & set(PRETRAINING)
    assert len(set(PRETRAINING.values()) | set(TASK.values())) == len(PRETRAINING) + 2


def test_colour_alone_tells_the_classes_apart_no_better_than_chance() -> None:
    means = {
        name: np.array([np.asarray(Image.open(io.BytesIO(drawn_jpeg(name, i)))).mean((0, 1)) for i in range(60)])
        for name in TASK
    }
    spread = np.sqrt((means["cat"].var(0) + means["dog"].var(0)) / 60)
    assert (np.abs(means["cat"].mean(0) - means["dog"].mean(0)) < 5 * spread).all()


def test_the_set_is_drawn_once_in_kaggles_layout(tmp_path: Path) -> None:
    drawn: list[None] = []

    def watched(pictures: Iterable[None]) -> Iterator[None]:
        for picture in pictures:
            drawn.append(picture)
            yield picture

    folder = drawn_images(tmp_path, images_a_class=3, watched=watched)
    assert len(drawn) == 6
    assert sorted(file.name for file in folder.iterdir()) == [f"{n}.{i}.jpg" for n in ("cat", "dog") for i in range(3)]
    assert (folder / "dog.2.jpg").read_bytes() == drawn_jpeg("dog", 2)
    before = folder.stat().st_mtime_ns
    assert drawn_images(tmp_path, images_a_class=3) == folder
    assert folder.stat().st_mtime_ns == before
    assert [entry.name for entry in tmp_path.iterdir()] == [folder.name]


@pytest.fixture
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with the drawn set, kept between test runs. Its name contains a digest of the drawing program."""
    if hasattr(request.config, "cache"):  # none with -p no:cacheprovider
        drawn = drawn_images(request.config.cache.mkdir("drawn"))
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache" / drawn.name).symlink_to(drawn)
    return tmp_path / "cache"


def test_pretrained_features_beat_random_ones_on_the_embedded_set(cache: Path, tmp_path: Path) -> None:
    """With 100 / 50 / 100 images a class the accuracies are lower than in a full run, but far from chance."""
    command = ["--backend", BACKEND, "--scale", "0.1", "--stages", "features", "--cache", str(cache)]
    assert main([*command, "--output", str(tmp_path / "run")]) == 0
    assert main([*command, "--output", str(tmp_path / "random"), "--random-base"]) == 0
    accuracy = {name: results(tmp_path / name)["features"]["evaluation"]["accuracy"] for name in ("run", "random")}
    assert accuracy["run"] > 0.9
    assert accuracy["random"] < 0.75


@pytest.mark.parametrize("name", [*TASK, *PRETRAINING])
def test_every_animal_can_be_drawn(name: str) -> None:
    assert Image.open(io.BytesIO(drawn_jpeg(name, 0))).size > (0, 0)
