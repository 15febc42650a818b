"""Bad archives: unpacking raises a one-line error and leaves nothing, or writes exactly the archive's content."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fixtures.implementations import numpy_port
from reference.download import extract_archive, obtain
from reference.errors import PipelineError
from reference.subset import make_subset
from spec_tests.cases.archives import LENGTH, THREE, ByteChanged, Tree, folder, tree
from spec_tests.damage.bytes import (
    FLAGS,
    METHOD,
    NAMES,
    OFFSET,
    PACKED,
    SIZE,
    Damage,
    Forged,
    damaged,
    damages,
    directory,
    directory_entries,
    forgeries,
    picture,
    swapped,
    zipped,
)
from spec_tests.pipeline.outcomes import REFUSED, nothing_written, outcome

pytestmark = pytest.mark.any_backend

CONTENT = {
    "train/cat.0.jpg": picture("jpg"),
    "train/dog.0.jpg": picture("jpg", 1),
    "train/empty": b"",
    "train/text": b"text " * 50,
    "é/犬.txt": b"x",
}
UTF_8 = 0x800


def content(data: bytes) -> Tree:
    """The content of a zip by its directory, read without zipfile."""
    found: Tree = {}
    for entry in directory_entries(data):
        flags, method = (struct.unpack_from("<H", data, entry + field.place)[0] for field in (FLAGS, METHOD))
        packed, header = (struct.unpack_from("<I", data, entry + field.place)[0] for field in (PACKED, OFFSET))
        length = struct.unpack_from("<H", data, entry + 28)[0]
        name = data[entry + 46 : entry + 46 + length].decode("utf-8" if flags & UTF_8 else "cp437")
        start = header + 30 + sum(struct.unpack_from("<2H", data, header + 26))
        part = data[start : start + packed]
        path = str(PurePosixPath(name.partition("\0")[0]))
        whole = zlib.decompressobj(-zlib.MAX_WBITS).decompress(part) if method else part
        found[path] = whole[: struct.unpack_from("<I", data, entry + SIZE.place)[0]]
    return found


def unpacked(data: bytes) -> object:
    """The unpacked tree of an archive, or REFUSED. Asserts that nothing else is written."""
    with folder() as here:
        archive, destination = here / "outer" / "photos.zip", here / "outer" / "inner" / "images"
        archive.parent.mkdir()
        archive.write_bytes(data)
        got = outcome(lambda: extract_archive(archive, destination))
        made = tree(destination)
        assert made or not destination.exists()
        around = {name: found for name, found in tree(here).items() if not name.startswith("outer/inner/images/")}
        assert around == {"outer/photos.zip": data}
        return REFUSED if got is REFUSED else made


@given(st.booleans(), damages(), st.booleans())
@example(False, (Damage("zeroed", 0.9921875, 1.0),), False)
def test_damaged_bytes(deflated: bool, changes: tuple[Damage, ...], in_directory: bool) -> None:
    whole = zipped(CONTENT.items(), deflated)
    data = damaged(whole, changes, directory(whole) if in_directory else None)
    got = unpacked(data)
    assert got in (REFUSED, CONTENT) or got == content(data)


@given(st.booleans(), st.lists(forgeries(), min_size=1, max_size=2))
@example(True, [Forged("another size", 0, 4)])
def test_headers_that_say_something_else(deflated: bool, forged: list[Forged]) -> None:
    data = zipped(CONTENT.items(), deflated)
    for change in forged:
        data = change.of(data)
    got = unpacked(data)
    assert got in (REFUSED, CONTENT) or got == content(data)


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3), st.integers(0, 2))
@example(["train/cat.0.jpg"], 2)
def test_names(names: list[str], place: int) -> None:
    members = [*CONTENT.items()]
    members[place:place] = [(name, b"" if name.endswith("/") else b"bad") for name in names]
    data = zipped(members)
    got = unpacked(data)
    if got is not REFUSED:
        files = {name: found for name, found in content(data).items() if found or name in CONTENT}
        assert {name: found for name, found in got.items() if found is not None} == files  # type: ignore[attr-defined]


def test_a_member_that_is_shorter_than_its_header_says_is_refused() -> None:
    """The checksum is right, so zipfile accepts the member."""
    assert unpacked(Forged("another size", 0, 3).of(zipped(CONTENT.items()))) is REFUSED


def test_members_that_are_swapped_in_the_directory_are_refused() -> None:
    assert unpacked(swapped(zipped(CONTENT.items()))) is REFUSED


@given(st.booleans(), damages())
def test_an_archive_in_an_archives_tail_or_behind_other_bytes(deflated: bool, changes: tuple[Damage, ...]) -> None:
    """Self-extracting archives, and two archives in one file."""
    inner, outer = zipped(CONTENT.items(), deflated), zipped([("other.txt", b"other")], deflated)
    got = unpacked(damaged(outer, changes) + inner)
    assert got in (REFUSED, CONTENT)


@pytest.mark.parametrize("data", ["~nobody-of-that-name/train.zip", "x" * 300, "a/" * 3000, "\udc80", "a\nb", ""])
def test_names_of_data_that_cannot_be_read(data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if data:
        with nothing_written(tmp_path), pytest.raises(PipelineError, match="--data takes") as caught:
            obtain(data, tmp_path / "cache")
        assert str(caught.value).isprintable()


STRANGE = ("cat.0.jpg", "cat.1.jpg", "cat.0001.jpg", "cat.٣.jpg", "dog.0.png", "dog.1.jpg", "a\nb.0.jpg", "bird.0.jpg",
           "Cat.0.jpg", "cat.-1.jpg", "cat.1e3.jpg", "cat..jpg", ".jpg", "cat.99999999999999999999.jpg")  # fmt: skip


@given(st.dictionaries(st.sampled_from(STRANGE), st.sampled_from(("file", "folder", "link")), min_size=1))
def test_folders_in_which_names_and_kinds_are_strange(kinds: dict[str, str]) -> None:
    with folder() as here:
        source, run = here / "source", here / "run"
        source.mkdir()
        for number, (name, kind) in enumerate(kinds.items()):
            if kind == "file":
                (source / name).write_bytes(b"%d" % number)
            elif kind == "folder":
                (source / name).mkdir()
            else:
                (source / name).symlink_to(source / "nothing")
        before = tree(here)
        got = outcome(lambda: make_subset(source, run, "train", 0, 1))
        made = {name: data for name, data in tree(here).items() if name not in before}
        if got is REFUSED:
            assert not made
        else:
            assert len(made) == 2
            assert all(data == before[f"source/{Path(name).name}"] for name, data in made.items())


@pytest.mark.parametrize("unpack", [extract_archive, numpy_port.extract_archive], ids=["reference", "numpy_port"])
def test_every_byte_of_an_archive_that_can_be_another(unpack: Callable[[Path, Path], Path]) -> None:
    """GET-5 tries only some bytes."""
    for case in (ByteChanged(place, inverted) for place in range(LENGTH) for inverted in (False, True)):
        with folder() as here:
            archive = case.write(here / "photos.zip")
            try:
                unpack(archive, here / "images")
            except (PipelineError, ValueError):
                assert list(tree(here)) == ["photos.zip"], case
            else:
                assert tree(here / "images") == THREE.content, case
