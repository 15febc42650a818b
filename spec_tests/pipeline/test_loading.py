"""Stage 4: reading image folders, beyond the clauses LOAD."""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from reference.errors import PipelineError
from reference.loading import UnreadableImageError, load_images, read_image
from spec_tests.cases.galleries import Coloured

SIZE = (16, 20)  # the size of the files, so that nothing is resized
KINDS = ["empty", "text", "truncated"]


def epoch(batches: Any) -> list[bytes]:
    return [image.tobytes() for images, _ in batches for image in images]


def break_file(folder: Path, kind: str) -> Path:
    file = folder / "dog/dog.3.png"
    data = file.read_bytes()
    file.write_bytes({"empty": b"", "text": b"<html>", "truncated": data[: len(data) // 2]}[kind])
    return file


def test_only_the_first_epoch_reads_the_files(class_folders: Path) -> None:
    batches = load_images(class_folders, image_size=SIZE)
    assert list(batches.paths) == sorted(class_folders.glob("*/*"))
    first = epoch(batches)
    for file in class_folders.glob("*/*"):
        file.unlink()
    assert epoch(batches) == first


def test_wrong_class_folders_are_named(class_folders: Path) -> None:
    (class_folders / "bird").mkdir()
    with pytest.raises(PipelineError, match=r"bird \(empty\), cat, dog"):
        load_images(class_folders)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unreadable_file_comes_with_advice(class_folders: Path, kind: str) -> None:
    file = break_file(class_folders, kind)
    message = rf"{file.name} is not a readable image \(.*of 20 files 1 cannot be read.*--skip-unreadable"
    with pytest.raises(PipelineError, match=message):
        load_images(class_folders)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shuffle", [False, True])
def test_an_unreadable_file_is_left_out_and_counted_on_request(class_folders: Path, kind: str, shuffle: bool) -> None:
    file = break_file(class_folders, kind)
    batches = load_images(class_folders, image_size=SIZE, skip_unreadable=True, shuffle=shuffle)
    assert batches.left_out == (file,)
    assert len(batches.paths) == len(epoch(batches)) == 19
    for images, labels in batches:
        bluish = images[..., 2].mean((1, 2)) > images[..., 0].mean((1, 2))  # the dogs
        np.testing.assert_array_equal(labels, bluish)


def test_an_image_that_is_not_kept_is_no_image(class_folders: Path) -> None:
    images = load_images(class_folders, image_size=SIZE).images
    assert images.read([19]).shape == (1, *SIZE, 3)
    with pytest.raises(IndexError, match="no image 20"):
        images.read([0, 20])


def test_paths_are_in_the_order_of_their_text(tmp_path: Path, class_folders: Path) -> None:
    for name in ("cat/dat.png", "cat/cat/b.png", "cat/cat.0.png", "dog/0.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((class_folders / "cat/cat.0.png").read_bytes())
    for file in class_folders.rglob("*.png"):
        file.unlink()
    (class_folders / "cat").rmdir()
    (class_folders / "dog").rmdir()
    class_folders.rmdir()
    paths = load_images(tmp_path, image_size=SIZE).paths
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "cat/cat.0.png", "cat/cat/b.png", "cat/dat.png", "dog/0.png"
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", ["tif", "tiff", "TIF", *(["webp"] if features.check("webp") else [])])
def test_what_keras_overlooks_is_read(class_folders: Path, suffix: str) -> None:
    pixels = np.asarray(Image.open(class_folders / "cat/cat.0.png"))
    Image.fromarray(pixels).save(class_folders / f"cat/a.{suffix}", lossless=True)
    batches = load_images(class_folders, image_size=SIZE)
    assert len(batches.paths) == 21
    np.testing.assert_array_equal(next(iter(batches))[0][0], pixels)


@pytest.mark.parametrize("name", ["a.heic", "a.HEIC", pytest.param(os.fsdecode(b"\xff.jpg"), id="not UTF-8")])
def test_an_image_that_cannot_be_read_is_named(class_folders: Path, name: str) -> None:
    if name.isascii() or sys.platform == "linux":  # other systems do not allow such names
        (class_folders / "dog" / name).write_bytes(b"\0\0\0\x18ftypheic")
        said = name if name.isascii() else r"\udcff.jpg"
        with pytest.raises(UnreadableImageError) as caught:
            load_images(class_folders, image_size=SIZE)
        assert f"{said} is not a readable image (it is of no kind that is known" in str(caught.value)
        assert str(caught.value).isprintable()


def test_a_link_to_a_folder_around_it_is_named(class_folders: Path) -> None:
    (class_folders / "cat/again").symlink_to(class_folders)
    with pytest.raises(PipelineError, match=r"cat/again.* is a link to a folder that it is in: remove it"):
        load_images(class_folders)


def test_a_link_to_nothing_is_named(class_folders: Path) -> None:
    (class_folders / "cat/gone.jpg").symlink_to(class_folders / "nothing.jpg")
    with pytest.raises(PipelineError, match=r"gone\.jpg is no file, but a link to nothing"):
        load_images(class_folders)


def test_an_image_beside_the_classes_is_named(class_folders: Path) -> None:
    (class_folders / "cat/cat.0.png").rename(class_folders / "stray.png")
    with pytest.raises(PipelineError, match=r"stray\.png is in no class folder"):
        load_images(class_folders)


def test_copies_that_jupyter_keeps_are_no_images_and_no_class(class_folders: Path) -> None:
    whole = load_images(class_folders, image_size=SIZE).paths
    for folder in (class_folders, class_folders / "cat"):
        (folder / ".ipynb_checkpoints").mkdir()
        copy = folder / ".ipynb_checkpoints" / "cat.0-checkpoint.png"
        copy.write_bytes((class_folders / "cat/cat.0.png").read_bytes())
    assert load_images(class_folders, image_size=SIZE).paths == whole


def test_colours_of_a_palette_are_looked_up_in_a_bmp(tmp_path: Path) -> None:
    case = Coloured("palette BMP")
    (got, _), *_ = load_images(case.write(tmp_path), image_size=(8, 8))
    np.testing.assert_array_equal(got, case.pixels)


def test_the_upper_eight_of_sixteen_bits_are_taken(tmp_path: Path) -> None:
    Image.fromarray(np.array([[40_000, 255, 256, 65_535]], np.uint16)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png")[0].tolist() == [[level] * 3 for level in (156, 0, 1, 255)]
