"""Stage 4: reading image folders."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reference.errors import PipelineError
from reference.loading import load_images

SIZE = (16, 20)  # that of the files: nothing is resized


def label_from_pixels(images: Any) -> Any:
    """Cats are reddish, dogs bluish: a label that no bookkeeping can mix up."""
    return (images[..., 2].mean((1, 2)) > images[..., 0].mean((1, 2))).astype(int)


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_have_the_stated_form_and_every_image_its_own_label(class_folders: Path, shuffle: bool) -> None:
    batches = list(load_images(class_folders, image_size=SIZE, batch_size=8, shuffle=shuffle, seed=1))
    assert [images.shape for images, _ in batches] == [(8, 16, 20, 3), (8, 16, 20, 3), (4, 16, 20, 3)]
    for images, labels in batches:
        assert images.dtype == np.float32
        assert 0 <= images.min() < images.max() <= 255
        np.testing.assert_array_equal(labels, label_from_pixels(images))


def epoch(batches: Any) -> list[bytes]:
    return [image.tobytes() for images, _ in batches for image in images]


def test_unshuffled_order_is_that_of_the_sorted_paths(class_folders: Path) -> None:
    batches = load_images(class_folders, image_size=SIZE)
    expected = [np.asarray(Image.open(path), np.float32).tobytes() for path in sorted(class_folders.glob("*/*"))]
    assert epoch(batches) == expected
    assert list(batches.paths) == sorted(class_folders.glob("*/*"))


def test_shuffled_epochs_differ_and_a_seed_repeats_them(class_folders: Path) -> None:
    first, again, other = (load_images(class_folders, image_size=SIZE, shuffle=True, seed=seed) for seed in (1, 1, 2))
    epochs = [epoch(first), epoch(first)]
    assert epochs[0] != epochs[1]
    assert sorted(epochs[0]) == sorted(epochs[1])
    assert [epoch(again), epoch(again)] == epochs
    assert epoch(other) != epochs[0]


def test_only_the_first_epoch_reads_the_files(class_folders: Path) -> None:
    batches = load_images(class_folders, image_size=SIZE)
    first = epoch(batches)
    for file in class_folders.glob("*/*"):
        file.unlink()
    assert epoch(batches) == first


def test_resizing_squashes_and_keeps_a_constant_image(class_folders: Path) -> None:
    halves = np.zeros((10, 40, 3), np.uint8)
    halves[:, 20:] = 200
    Image.fromarray(halves).save(class_folders / "cat/cat.0.png")
    Image.new("RGB", (7, 31), (12, 34, 56)).save(class_folders / "cat/cat.1.png")
    images, _ = next(iter(load_images(class_folders, image_size=(10, 10))))
    np.testing.assert_allclose(images[0, :, :4], 0)
    np.testing.assert_allclose(images[0, :, 6:], 200)
    np.testing.assert_allclose(images[1], np.broadcast_to([12, 34, 56], (10, 10, 3)), atol=1e-4)


@pytest.mark.parametrize(
    ("mode", "suffix"), [("L", "png"), ("P", "png"), ("RGBA", "png"), ("CMYK", "jpg"), ("L", "jpg")]
)
def test_other_colour_modes_come_out_as_three_channels(class_folders: Path, mode: str, suffix: str) -> None:
    grey = (102, 102, 102)  # a colour of the web palette, which mode P keeps exactly
    Image.new("RGB", (20, 16), grey).convert(mode).save(class_folders / f"cat/a.{suffix}")
    images, _ = next(iter(load_images(class_folders, image_size=SIZE)))
    np.testing.assert_allclose(images[0], 102, atol=0 if suffix == "png" else 3)  # JPEG rounds


@pytest.mark.parametrize("extra", ["bird", "bird with images"])
def test_an_extra_folder_is_an_error_that_names_it(class_folders: Path, extra: str) -> None:
    (class_folders / "bird").mkdir()
    if extra == "bird with images":
        Image.new("RGB", (20, 16)).save(class_folders / "bird/0.png")
    with pytest.raises(PipelineError, match=r"bird.*cat, dog"):
        load_images(class_folders)


def test_an_empty_class_is_an_error(class_folders: Path) -> None:
    for file in (class_folders / "dog").iterdir():
        file.unlink()
    with pytest.raises(PipelineError, match=r"dog \(empty\)"):
        load_images(class_folders)


def break_file(folder: Path, kind: str) -> Path:
    file = folder / "dog/dog.3.png"
    data = file.read_bytes()
    file.write_bytes({"empty": b"", "text": b"<html>", "truncated": data[: len(data) // 2]}[kind])
    return file


@pytest.mark.parametrize("kind", ["empty", "text", "truncated"])
def test_an_unreadable_file_is_named(class_folders: Path, kind: str) -> None:
    file = break_file(class_folders, kind)
    with pytest.raises(PipelineError, match=rf"{file.name} is not a readable image \(1 of 20.*--skip-unreadable"):
        load_images(class_folders)


@pytest.mark.parametrize("kind", ["empty", "text", "truncated"])
@pytest.mark.parametrize("shuffle", [False, True])
def test_an_unreadable_file_is_left_out_and_counted_on_request(class_folders: Path, kind: str, shuffle: bool) -> None:
    file = break_file(class_folders, kind)
    batches = load_images(class_folders, image_size=SIZE, skip_unreadable=True, shuffle=shuffle)
    assert batches.left_out == (file,)
    assert len(batches.paths) == len(epoch(batches)) == 19
    for images, labels in batches:
        np.testing.assert_array_equal(labels, label_from_pixels(images))
