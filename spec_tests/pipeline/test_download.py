"""Stage 2: getting the archive, beyond the clauses GET."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from fixtures import dataset
from reference.download import extract_archive, obtain
from reference.errors import PipelineError
from spec_tests.cases.archives import Archive, Member, tree
from spec_tests.pipeline.conftest import Terminal

pytestmark = pytest.mark.any_backend

ARCHIVE = Archive((Member("train/cat.0.jpg", b"cat"), Member("train/dog.0.jpg", b"dog"), Member("train/deep/er/x.txt")))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return ARCHIVE.write(tmp_path / "train.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    twice = Archive((*ARCHIVE.members, Member("train/cat.0.jpg", b"another")))
    with pytest.raises(PipelineError, match=r"holds 'train/cat\.0\.jpg' twice"):
        extract_archive(twice.write(tmp_path / "train.zip"), tmp_path / "out")


def test_files_of_others_are_never_replaced(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    with pytest.raises(PipelineError, match=r"thesis\.txt"):
        extract_archive(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == {"thesis.txt": b"mine"}


def test_a_local_zip_is_unpacked_once_and_a_folder_is_used_in_place(archive: Path, tmp_path: Path) -> None:
    unpacked = obtain(str(archive), tmp_path / "cache")
    assert tree(unpacked) == ARCHIVE.content
    assert obtain(str(tmp_path), tmp_path / "cache") == unpacked  # a folder that holds train.zip
    assert obtain(str(unpacked), tmp_path / "cache") == unpacked


def test_missing_data_says_what_data_takes(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"does not exist.*--data takes"):
        obtain(str(tmp_path / "nothing"), tmp_path)


@pytest.mark.parametrize("failure", [ConnectionError("no route"), PermissionError("403\nlong story"), RuntimeError()])
def test_a_failed_download_says_what_to_do_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, failure: Exception
) -> None:
    def fail(_: str) -> str:
        raise failure

    monkeypatch.setattr("kagglehub.competition_download", fail)
    with pytest.raises(PipelineError, match=r"KAGGLE_API_TOKEN.*rules.*--data") as caught:
        obtain("kaggle", tmp_path)
    assert "\n" not in str(caught.value)


def test_a_download_is_unpacked(monkeypatch: pytest.MonkeyPatch, archive: Path, tmp_path: Path) -> None:
    monkeypatch.setattr(
        "kagglehub.competition_download", lambda handle: str(archive.parent) if "cats" in handle else ""
    )
    assert tree(obtain("kaggle", tmp_path / "cache")) == ARCHIVE.content


def test_bars_count_what_is_drawn_and_what_is_unpacked(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn_images(cache: Path, count: int, watched: Callable[[Iterable[None]], Iterable[None]]) -> Path:
        assert len(list(watched(iter([None] * 2 * count)))) == 2 * count
        return cache

    monkeypatch.setattr(dataset, "drawn_images", drawn_images)
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    obtain("embedded", tmp_path / "cache")
    extract_archive(archive, tmp_path / "out")
    shown = terminal.getvalue()
    for bar in (r"drawing: .*0/2000 .* images/s", r"unpacking: .*0/3 .* files/s"):
        assert re.search(bar, shown), shown
