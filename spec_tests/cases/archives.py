"""Zip archives for the clauses of unpacking, and the contents of folders before and after.

A case is a few names and bytes; its ``repr`` is enough to reproduce a failure.
"""

import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import strategies as st

from ..judging.checks import expect

Tree = dict[str, object]

LONG_AGO = 1_000_000_000  # seconds since 1970; far enough from now for the coarsest clock of a file system


@contextmanager
def folder() -> Iterator[Path]:
    """A new folder that is removed afterwards; each example of a property gets its own."""
    with tempfile.TemporaryDirectory(prefix="convspec-") as name:
        yield Path(name)


def tree(top: Path) -> Tree:
    """{path: bytes} of all files below ``top``; a link's value names its target, an empty folder's is None."""
    found: Tree = {}
    for path in sorted(top.rglob("*")):
        name = path.relative_to(top).as_posix()
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file():
            found[name] = path.read_bytes()
        elif not any(path.iterdir()):
            found[f"{name}/"] = None
    return found


def age(top: Path) -> None:
    """Set the time of the last change of every file to ``LONG_AGO``."""
    for path in top.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))


def times(top: Path) -> Tree:
    """{path: time of the last change, in nanoseconds} of all files below ``top``."""
    return {path.relative_to(top).as_posix(): path.stat().st_mtime_ns for path in top.rglob("*") if path.is_file()}


def expect_tree(got: Mapping[str, object], expected: Mapping[str, object], what: str) -> None:
    """Expect the same files with the same bytes."""
    differences = {
        "missing": expected.keys() - got.keys(),
        "not expected": got.keys() - expected.keys(),
        "changed": {name for name in got.keys() & expected.keys() if got[name] != expected[name]},
    }
    found = "; ".join(f"{word}: {', '.join(sorted(names))}" for word, names in differences.items() if names)
    expect(not found, what, expected=f"{', '.join(sorted(expected)) or 'nothing'}, byte for byte", got=found)


@dataclass(frozen=True)
class Member:
    """A file of an archive, or a folder if its name ends in a slash; {here} is replaced by the archive's own folder."""

    name: str
    data: bytes = b""
    link: bool = False  # a symbolic link whose target is ``data``


@dataclass(frozen=True)
class Archive:
    """A zip archive."""

    members: tuple[Member, ...]
    deflated: bool = True

    @property
    def files(self) -> tuple[Member, ...]:
        """The members that are not folders."""
        return tuple(member for member in self.members if not member.name.endswith("/"))

    @property
    def content(self) -> Tree:
        """The tree that unpacking must yield."""
        names = [member.name for member in self.members]
        lone = [name for name in names if name.endswith("/") and sum(other.startswith(name) for other in names) == 1]
        return {member.name: member.data for member in self.files} | dict.fromkeys(lone)

    def write(self, path: Path) -> Path:
        """Write the zip."""
        here = path.parent.as_posix()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if self.deflated else zipfile.ZIP_STORED) as archive:
            for member in self.members:
                info = zipfile.ZipInfo()
                info.filename = member.name.replace("{here}", here)  # the constructor may change slashes
                info.compress_type = archive.compression
                kind = stat.S_IFLNK if member.link else stat.S_IFDIR if member.name.endswith("/") else stat.S_IFREG
                info.external_attr = (kind | 0o755) << 16
                archive.writestr(info, member.data.replace(b"{here}", here.encode()) if member.link else member.data)
        return path


@dataclass(frozen=True)
class Damaged:
    """An archive that is cut off, has a wrong byte in a member, or is another kind of file altogether."""

    archive: Archive
    kind: str  # "cut", "wrong byte" or "a page"
    at: float = 0.5  # the position, as a share of all bytes

    def write(self, path: Path) -> Path:
        """Write the damaged zip."""
        replace(self.archive, deflated=False).write(path)  # stored, so that every byte counts
        data = bytearray(path.read_bytes())
        if self.kind == "cut":
            del data[int(self.at * len(data)) :]
        elif self.kind == "wrong byte":
            with zipfile.ZipFile(path) as opened:
                places = [place for info in opened.infolist() for place in _data_of(info)]
            data[places[int(self.at * len(places))]] ^= 0xFF
        else:
            data = bytearray(b"<html><title>Please log in</title></html>")
        path.write_bytes(data)
        return path


@dataclass(frozen=True)
class ByteChanged:
    """A stored zip of three files in which one byte is increased by one, or has all its bits inverted."""

    place: int
    inverted: bool = False

    def write(self, path: Path) -> Path:
        """Write the zip."""
        THREE.write(path)
        data = bytearray(path.read_bytes())
        data[self.place] = data[self.place] ^ 0xFF if self.inverted else (data[self.place] + 1) % 256
        path.write_bytes(data)
        return path


def _data_of(info: zipfile.ZipInfo) -> range:
    start = info.header_offset + 30 + len(info.filename.encode())  # 30 bytes of header
    return range(start, start + info.file_size)


@dataclass(frozen=True)
class Interrupted:
    """A partly unpacked archive: of each file all, a share or nothing was written."""

    archive: Archive
    shares: tuple[float | None, ...]

    def write(self, destination: Path) -> None:
        """Write the unfinished tree."""
        for member, share in zip(self.archive.files, self.shares, strict=True):
            if share is not None:
                path = destination / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(member.data[: int(share * len(member.data))])


THREE = Archive(
    (Member("train/cat.0.jpg", b"a cat"), Member("train/dog.0.jpg", b"a dog"), Member("train/cat.1.jpg", b"another")),
    deflated=False,
)
# Lengths in bytes: of a member's header and of its directory entry, both without the name, of the end record, and of a
# name. The last number is the position of the index in a name.
HEADER, ENTRY, END, NAME, NUMBER = 30, 46, 22, 15, 10
LENGTH = 3 * (HEADER + NAME + ENTRY + NAME) + sum(len(member.data) for member in THREE.members) + END
# Offsets of the numbers that a reader depends on. End record: the numbers of members on this disk and in all, size and
# position of the directory, length of the comment. Entry: the size packed and unpacked, lengths of name, extra field
# and comment, position of the header. Header: the checksum, both sizes, lengths of name and extra field.
IN_END, IN_ENTRY, IN_HEADER = (8, 10, 12, 16, 20), (20, 24, 28, 30, 32, 42), (14, 18, 22, 26, 28)
DIRECTORY = LENGTH - END - 3 * (ENTRY + NAME)
TELLING = (
    *(LENGTH - END + field for field in IN_END),
    *(DIRECTORY + (ENTRY + NAME) * member + field for member in range(3) for field in IN_ENTRY),
    *IN_HEADER,
    *(DIRECTORY + (ENTRY + NAME) * member + ENTRY + NUMBER for member in range(3)),
)
EACH_TELLING = tuple(ByteChanged(place, inverted) for place in TELLING for inverted in (False, True))


def changed_bytes() -> st.SearchStrategy[ByteChanged]:
    """A change of any byte of the zip."""
    return st.builds(ByteChanged, st.integers(0, LENGTH - 1), st.booleans())


LARGE = Archive((Member("large.jpg", bytes(range(256)) * 1000 + b"its end"), Member("small.jpg", b"x")))
CASES = Archive(
    (Member("train/cat.0.jpg", b"small"), Member("train/CAT.0.jpg", b"capital"), Member("Train/cat.0.jpg", b"T"))
)


def folds_case(here: Path) -> bool:
    """Whether the file system treats a name in capitals as the same name in small letters."""
    (here / "case").touch()
    return (here / "CASE").exists()


# Without capitals and without letters that Unicode writes in two ways: some file systems do not distinguish these.
WORDS = st.text("abcxyz0189_- ß고양이犬", min_size=1, max_size=8).filter(lambda word: word == word.strip())
FOLDERS = ("", "train/", "train/deep/er/")


@st.composite
def archives(draw: st.DrawFn) -> Archive:
    """Archives of one to six files, some of them empty, with and without members for the folders."""
    words = draw(st.lists(WORDS, min_size=1, max_size=6, unique=True))
    first = draw(st.binary(min_size=1, max_size=200))
    contents = [first, *(draw(st.binary(max_size=200)) for _ in words[1:])]
    files = [
        Member(f"{draw(st.sampled_from(FOLDERS))}{word}.jpg", data) for word, data in zip(words, contents, strict=True)
    ]
    folders = draw(st.sampled_from(((), (Member("train/"),), (Member("train/"), Member("empty/")))))
    return Archive((*folders, *files), draw(st.booleans()))


# Each would put a file outside the destination, on this system or on another.
OUTSIDE: tuple[tuple[Member, ...], ...] = (
    (Member("../outside.jpg", b"x"),),
    (Member("../images.jpg", b"x"),),  # beside the destination, with a name that begins like its own
    (Member("train/../../outside.jpg", b"x"),),
    (Member("train/deep/../../../../outside.jpg", b"x"),),
    (Member("../outside/"),),
    (Member("{here}/outside.jpg", b"x"),),
    (Member("..\\outside.jpg", b"x"),),
    (Member("train\\..\\..\\outside.jpg", b"x"),),
    (Member("C:/outside.jpg", b"x"),),
    (Member("C:\\outside.jpg", b"x"),),
    (Member("link.jpg", b"{here}/outside.jpg", link=True),),
    (Member("train/link.jpg", b"../../outside.jpg", link=True),),
    (Member("way", b"..", link=True), Member("way/outside.jpg", b"x")),
)

UNSAFE = tuple(Archive((Member("train/good.jpg", b"x"), *members)) for members in OUTSIDE)


@st.composite
def unsafe_archives(draw: st.DrawFn) -> Archive:
    """Valid archives to which members that lead outside are added."""
    good = draw(archives())
    place = draw(st.integers(0, len(good.members)))
    return replace(good, members=(*good.members[:place], *draw(st.sampled_from(OUTSIDE)), *good.members[place:]))


@st.composite
def damaged_archives(draw: st.DrawFn) -> Damaged:
    """Archives that are damaged at any position."""
    kind = draw(st.sampled_from(("cut", "wrong byte", "a page")))
    return Damaged(draw(archives()), kind, draw(st.floats(0, 1, exclude_max=True, width=32)))


@st.composite
def interrupted_archives(draw: st.DrawFn) -> Interrupted:
    """Archives, and the files that an interrupted run left of them."""
    archive = draw(archives())
    shares = st.sampled_from((None, 0.0, 0.5, 1.0))
    return Interrupted(archive, tuple(draw(shares) for _ in archive.files))
