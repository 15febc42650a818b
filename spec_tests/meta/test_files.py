"""What the clauses of the data see: trees, damaged zips, and images that tell what they are."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from PIL import Image

from spec_tests.cases.archives import (
    DIRECTORY,
    END,
    LENGTH,
    THREE,
    Archive,
    ByteChanged,
    Damaged,
    Interrupted,
    Member,
    age,
    archives,
    damaged_archives,
    expect_tree,
    folder,
    interrupted_archives,
    times,
    tree,
)
from spec_tests.cases.galleries import (
    CLASSES,
    MODES,
    NESTED,
    SUFFIXES,
    Coloured,
    Gallery,
    encoded,
    galleries,
    joined,
    marked,
    marks,
)
from spec_tests.cases.photographs import EACH_JPEG, EACH_STORED, STORED, Photograph, Stored
from spec_tests.judging.checks import Violation
from spec_tests.oracles.images import resize_bilinear


@given(case=archives())
def test_an_archive_holds_what_its_content_says(case: Archive) -> None:
    with folder() as here, zipfile.ZipFile(case.write(here / "a.zip")) as opened:
        opened.extractall(here / "out")
        assert tree(here / "out") == case.content


@given(case=damaged_archives())
def test_a_damaged_archive_cannot_be_unpacked(case: Damaged) -> None:
    with folder() as here, pytest.raises(zipfile.BadZipFile), zipfile.ZipFile(case.write(here / "a.zip")) as opened:
        opened.extractall(here)


@given(case=interrupted_archives())
def test_an_interrupted_tree_holds_nothing_foreign(case: Interrupted) -> None:
    with folder() as here:
        case.write(here)
        for name, data in tree(here).items():
            whole = case.archive.content[name]
            assert isinstance(whole, bytes)
            assert isinstance(data, bytes)
            assert whole.startswith(data)


def test_a_tree_tells_files_links_and_empty_folders(tmp_path: Path) -> None:
    (tmp_path / "deep/empty").mkdir(parents=True)
    (tmp_path / "deep/file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("deep")
    assert tree(tmp_path) == {"deep/empty/": None, "deep/file": b"x", "link": "link to deep"}


def test_differences_of_trees_are_told_by_name() -> None:
    expect_tree({"a": b"1"}, {"a": b"1"}, "a tree")
    with pytest.raises(Violation, match=r"missing: b; not expected: c; changed: a"):
        expect_tree({"a": b"1", "c": None}, {"a": b"2", "b": b""}, "a tree")


def test_rewriting_a_file_shows_in_its_time(tmp_path: Path) -> None:
    Archive((Member("a", b"x"),)).write(tmp_path / "a.zip")
    age(tmp_path)
    before = times(tmp_path)
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes())
    assert times(tmp_path) != before


@given(case=galleries())
def test_marks_outlive_resizing(case: Gallery) -> None:
    images = np.stack([resize_bilinear(marked(*mark), case.image_size) for mark in case.in_order])
    assert marks(images) == case.in_order
    twins = sum(case.twins and count > 1 for count in case.counts)
    assert len(set(case.in_order)) == sum(case.counts) - twins


@pytest.mark.parametrize("suffix", sorted({f".{suffix.lower()}" for suffix in SUFFIXES} | {".webp", ".tif"}))
def test_marks_outlive_every_format(suffix: str) -> None:
    expected = [(label, index) for label in (0, 1) for index in (*range(0, 1600, 97), 1599)]
    images = [np.asarray(Image.open(io.BytesIO(encoded(*mark, suffix))).convert("RGB")) for mark in expected]
    assert [marks(image[None])[0] for image in images] == expected
    assert len({encoded(0, index, suffix) for index in range(200)}) == 200


def test_other_images_have_no_mark() -> None:
    black_and_white = np.arange(2).reshape(2, 1, 1, 1) * np.full((2, 4, 4, 3), 255.0)
    assert marks(black_and_white / 255)[1] == (-1, -1)
    assert marks(np.random.default_rng(0).uniform(0, 255, (1, 4, 4, 3))) == [(-1, -1)]


def test_paths_are_sorted_as_text() -> None:
    assert list(Gallery((11, 1)).paths)[:4] == ["cat/cat.0.jpg", "cat/cat.1.jpg", "cat/cat.10.jpg", "cat/cat.2.jpg"]
    assert list(Gallery((3, 1), names=NESTED).paths)[:3] == ["cat/cat.0.jpg", "cat/cat/1.jpg", "cat/dat.2.jpg"]
    assert all(names == tuple(sorted(names)) for names in CLASSES)


def test_an_epoch_without_batches_has_no_images() -> None:
    images, labels = joined([])
    assert len(images) == len(labels) == 0


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "16 bits"])
def test_pillow_reads_what_a_coloured_image_says(tmp_path: Path, mode: str) -> None:
    case = Coloured(mode, seed=3)
    files = sorted(case.write(tmp_path).glob("*/*"))
    got = [np.asarray(Image.open(file).convert("RGB"), float) for file in files]
    modes = {"grey": "L", "grey with alpha": "LA", "one bit": "1"} | {m: "P" for m in MODES if "palette" in m}
    assert modes.get(mode, mode) == Image.open(files[0]).mode
    assert np.abs(np.array(got) - np.array(case.pixels, float)).max() <= case.tolerance


def test_the_upper_half_of_16_bits_is_what_an_image_says(tmp_path: Path) -> None:
    case = Coloured("16 bits", seed=3)
    files = sorted(case.write(tmp_path).glob("*/*"))
    assert Image.open(files[0]).mode == "I;16"
    got = [np.asarray(Image.open(file)) // 256 for file in files]
    np.testing.assert_array_equal(np.array(got), np.array(case.pixels)[..., 0])


@pytest.mark.parametrize("case", EACH_STORED, ids=STORED)
def test_what_is_stored_in_a_file_can_be_told(case: Stored, tmp_path: Path) -> None:
    files = [Image.open(file) for file in sorted(case.write(tmp_path).glob("*/*"))]
    got = np.stack([np.asarray(file.convert("RGB"), float) for file in files])
    assert np.abs(got - np.stack(case.pixels)).max() <= case.tolerance
    assert bool(files[0].info.get("interlace")) == (case.kind == "interlaced")
    assert files[0].getexif().get(0x112, 1) == (6 if "EXIF" in case.kind else 1)
    assert (files[0].getbands()[-1] == "A") == ("transparent" in case.kind)


def test_no_orientation_looks_like_another() -> None:
    image = Stored("turned by its EXIF").pixels[0].astype(float)
    turned = [np.rot90(side, turns) for side in (image, image[:, ::-1]) for turns in range(4)]
    for other in (other for other in turned[1:] if other.shape == image.shape):
        assert np.abs(image - other).max() > 60


@pytest.mark.parametrize("case", EACH_JPEG)
def test_a_jpeg_is_of_its_kind(case: Photograph, tmp_path: Path) -> None:
    files = [Image.open(file) for file in sorted(case.write(tmp_path).glob("*/*"))]
    assert {file.mode for file in files} == {"L" if case.grey else "RGB"}
    assert {"progressive" in file.info for file in files} == {case.progressive}
    got = np.stack([np.asarray(file.convert("RGB"), float) for file in files])
    assert np.abs(got - np.stack(case.images)).max() < 16
    if case.fine:
        small = np.stack([np.asarray(image.resize((8, 10), Image.Resampling.BOX).convert("L")) for image in files])
        assert np.abs(small - np.stack([resize_bilinear(i, (10, 8))[..., 0] for i in case.images])).max() > 24


def test_places_in_the_zip_of_three_files(tmp_path: Path) -> None:
    data = THREE.write(tmp_path / "a.zip").read_bytes()
    assert len(data) == LENGTH
    assert data[LENGTH - END :][:4] == b"PK\5\6"
    assert data[DIRECTORY:][:4] == b"PK\1\2"
    changed = ByteChanged(7, inverted=True).write(tmp_path / "b.zip").read_bytes()
    assert [i for i in range(LENGTH) if changed[i] != data[i]] == [7]
