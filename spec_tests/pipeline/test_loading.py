"""Stage 4: reading image folders, beyond the clauses LOAD."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference.errors import PipelineError
from reference.loading import load_images

SIZE = (16, 20)  # that of the files: nothing is resized
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
        bluish = images[..., 2].mean((1, 2)) > images[..., 0].mean((1, 2))  # dogs are
        np.testing.assert_array_equal(labels, bluish)


def test_an_image_that_is_not_kept_is_no_image(class_folders: Path) -> None:
    images = load_images(class_folders, image_size=SIZE).images
    assert images.read([19]).shape == (1, *SIZE, 3)
    with pytest.raises(IndexError, match="no image 20"):
        images.read([0, 20])
