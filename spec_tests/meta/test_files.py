"""What the clauses of the data see: trees, damaged zips, and images that tell what they are."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from spec_tests.cases.archives import (
    Archive,
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
from spec_tests.cases.galleries import Coloured, Gallery, galleries, joined, marked, marks
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
    assert len(set(case.in_order)) == sum(case.counts)


def test_other_images_have_no_mark() -> None:
    black_and_white = np.arange(2).reshape(2, 1, 1, 1) * np.full((2, 4, 4, 3), 255.0)
    assert marks(black_and_white / 255)[1] == (-1, -1)
    assert marks(np.random.default_rng(0).uniform(0, 255, (1, 4, 4, 3))) == [(-1, -1)]


def test_paths_are_sorted_as_text() -> None:
    assert list(Gallery((11, 1)).paths)[:4] == ["cat/cat.0.png", "cat/cat.1.png", "cat/cat.10.png", "cat/cat.2.png"]


def test_an_epoch_without_batches_has_no_images() -> None:
    images, labels = joined([])
    assert len(images) == len(labels) == 0


@pytest.mark.parametrize("mode", ["grey", "palette", "RGBA", "CMYK"])
def test_pillow_reads_what_a_coloured_image_says(tmp_path: Path, mode: str) -> None:
    from PIL import Image

    case = Coloured(mode, seed=3)
    files = sorted(case.write(tmp_path).glob("*/*"))
    got = [np.asarray(Image.open(file).convert("RGB"), float) for file in files]
    assert {"grey": "L", "palette": "P"}.get(mode, mode) == Image.open(files[0]).mode
    assert np.abs(np.array(got) - np.array(case.pixels, float)).max() <= case.tolerance
