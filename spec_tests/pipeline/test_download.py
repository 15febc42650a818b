"""Stage 2: getting and unpacking the archive."""

import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.download import extract_archive, obtain
from reference.errors import PipelineError

CONTENT = {"train/cat.0.jpg": b"cat", "train/dog.0.jpg": b"dog", "train/deep/er/x.txt": b""}
NAMES = st.text("abcdefgh0123456789", min_size=1, max_size=8).map(lambda name: f"train/{name}.jpg")


def write_zip(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "train.zip", CONTENT)


@given(content=st.dictionaries(NAMES, st.binary(max_size=200), min_size=1, max_size=6))
def test_unpacking_yields_exactly_the_members(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("get")
    assert tree(extract_archive(write_zip(folder / "a.zip", content), folder / "out")) == content


@pytest.mark.parametrize(
    "name", ["../outside.jpg", "/outside.jpg", "train/../../outside.jpg", "C:/outside.jpg", "a\\..\\b"]
)
def test_a_member_outside_refuses_the_whole_archive(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        bad.writestr("train/cat.0.jpg", b"cat")
        bad.writestr(zipfile.ZipInfo(name), b"outside")
    with pytest.raises(PipelineError, match="outside"):
        extract_archive(tmp_path / "bad.zip", tmp_path / "sub" / "out")
    assert [file.name for file in tmp_path.iterdir()] == ["bad.zip"]


def test_a_link_refuses_the_whole_archive(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("train/link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        bad.writestr(link, "/etc/passwd")
    with pytest.raises(PipelineError, match=r"link\.jpg"):
        extract_archive(tmp_path / "bad.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("damage", ["truncated", "corrupt member", "not a zip", "empty"])
def test_a_damaged_archive_is_named_and_leaves_nothing(archive: Path, tmp_path: Path, damage: str) -> None:
    data = archive.read_bytes()
    spoilt = data.replace(zipfile_data(b"cat"), zipfile_data(b"cow"))
    archive.write_bytes(
        {"truncated": data[: len(data) // 2], "corrupt member": spoilt, "not a zip": b"x" * 99, "empty": b""}[damage]
    )
    with pytest.raises(PipelineError, match=r"train\.zip is damaged"):
        extract_archive(archive, tmp_path / "out")
    assert [file.name for file in tmp_path.iterdir()] == ["train.zip"]


def zipfile_data(data: bytes) -> bytes:
    """The deflated bytes of a member."""
    import zlib

    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def test_a_second_run_writes_nothing(archive: Path, tmp_path: Path) -> None:
    out = extract_archive(archive, tmp_path / "out")
    before = {file: file.stat().st_mtime_ns for file in out.rglob("*")}
    extract_archive(archive, tmp_path / "out")
    assert {file: file.stat().st_mtime_ns for file in out.rglob("*")} == before


def test_an_interrupted_tree_is_completed(archive: Path, tmp_path: Path) -> None:
    out = extract_archive(archive, tmp_path / "out")
    (out / "train/dog.0.jpg").unlink()
    (out / "train/cat.0.jpg").write_bytes(b"c")
    assert tree(extract_archive(archive, out)) == CONTENT


def test_files_of_others_are_never_replaced(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    with pytest.raises(PipelineError, match=r"thesis\.txt"):
        extract_archive(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == {"thesis.txt": b"mine"}


def test_a_local_zip_is_unpacked_once_and_a_folder_is_used_in_place(archive: Path, tmp_path: Path) -> None:
    unpacked = obtain(str(archive), tmp_path / "cache")
    assert tree(unpacked) == CONTENT
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
    assert tree(obtain("kaggle", tmp_path / "cache")) == CONTENT
