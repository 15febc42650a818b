"""Stage 3: making the subsets, beyond the clauses SUB."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.download import obtain
from reference.errors import PipelineError
from reference.subset import SPLIT, index_images, make_subset, scaled_split
from spec_tests.cases.archives import Archive, Member, tree
from spec_tests.pipeline.conftest import MakeImages

pytestmark = pytest.mark.any_backend


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, make_images: MakeImages) -> Path:
    return make_images(tmp_path_factory.mktemp("source") / "train", range(12)).parent


def test_the_standard_split_can_be_scaled() -> None:
    assert scaled_split(1) == SPLIT
    assert scaled_split(0.4) == {"train": (0, 400), "validation": (400, 600), "test": (600, 1000)}


@given(scale=st.floats(0.004, 20))
def test_scaled_ranges_never_overlap_and_leave_no_gap(scale: float) -> None:
    (start, a), (b, c), (d, _) = scaled_split(scale).values()
    assert (start, a, c) == (0, b, d)


def test_a_split_without_images_is_refused() -> None:
    with pytest.raises(PipelineError, match="no images"):
        scaled_split(0.0001)


def test_a_missing_image_comes_with_advice(source: Path, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"cat image 12 is missing.*--scale"):
        make_subset(source, tmp_path, "test", 8, 20)


def test_three_layouts_are_understood(
    source: Path, class_folders: Path, tmp_path: Path, make_images: MakeImages
) -> None:
    pets = make_images(tmp_path / "loose", range(3))
    for file in sorted(pets.iterdir()):
        name, index, _ = file.name.split(".")
        target = tmp_path / "download" / "PetImages" / name.title() / f"{index}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        file.rename(target)
    (tmp_path / "download/readme.txt").write_text("not a class")
    (tmp_path / "download/PetImages/Cat/Thumbs.db").write_bytes(b"")
    assert [(name, sorted(files)) for name, files in index_images(source).items()] == [
        (name, list(range(12))) for name in ("cat", "dog")
    ]
    found = index_images(tmp_path / "download")
    assert [(name, [file.name for file in files.values()]) for name, files in found.items()] == [
        (name, ["0.png", "1.png", "2.png"]) for name in ("Cat", "Dog")
    ]
    assert [len(files) for files in index_images(class_folders).values()] == [10, 10]


def test_another_number_of_classes_is_refused_by_name(class_folders: Path) -> None:
    (class_folders / "bird").mkdir()
    (class_folders / "bird/0.png").write_bytes((class_folders / "cat/cat.0.png").read_bytes())
    with pytest.raises(PipelineError, match="found: bird, cat, dog"):
        index_images(class_folders)


def test_an_empty_folder_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="found: none"):
        index_images(tmp_path)
    with pytest.raises(PipelineError, match="not a folder"):
        index_images(tmp_path / "nothing")


@pytest.mark.parametrize(
    "layout", ["{c}/{c}.{i}.jpg", "train/{c}.{i}.jpg", "PetImages/{c}/{i}.JPG", "{c}/a/{i} [1].jpeg"]
)
def test_a_zip_of_one_folder_that_holds_all(layout: str, tmp_path: Path) -> None:
    names = [layout.format(c=kind, i=i) for kind in ("cat", "dog") for i in range(3)]
    archive = Archive(tuple(Member(f"photos/{name}", name.encode()) for name in names)).write(tmp_path / "a.zip")
    subset = make_subset(obtain(str(archive), tmp_path / "cache"), tmp_path / "run", "train", 0, 2)
    copies = tree(subset)
    assert sorted(map(str, copies.values())) == sorted(str(name.encode()) for name in names if "2" not in name)
    assert {name.partition("/")[0] for name in copies} == {"cat", "dog"}
