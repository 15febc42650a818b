"""Bad input made from good input: bytes, archives, images and JSON, damaged at random or on purpose.

Each kind of damage is a small function. A case says which one was applied where, so its ``repr`` is enough to reproduce
a failure. Nothing here depends on what reads the result.
"""

# ruff: noqa: ARG001 - functions that are called alike share a signature

import io
import json
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import currently_in_test_context, event
from hypothesis import strategies as st
from PIL import Image

from ..cases.galleries import noise

END_OF_DIRECTORY, DIRECTORY_ENTRY = b"PK\x05\x06", b"PK\x01\x02"
FORMATS = {"jpg": "JPEG", "png": "PNG", "gif": "GIF", "bmp": "BMP"}
PNG_HEADER = 16  # the offset of width and height, big-endian, in the first chunk
SIDES = (0, 1, 2, 7, 255, 256, 65_535, 65_536, 2**31 - 1)  # of an image, to be written to its header


# Bytes: each function cuts, copies or changes what lies between two positions, ``start`` and ``end``.


def flipped(data: bytearray, start: int, end: int) -> None:
    """Flip one bit."""
    if data:
        data[min(start, len(data) - 1)] ^= 1 << end % 8


def cut(data: bytearray, start: int, end: int) -> None:
    """Remove everything from ``start`` on."""
    del data[start:]


def gap(data: bytearray, start: int, end: int) -> None:
    """Remove a part."""
    del data[start:end]


def repeated(data: bytearray, start: int, end: int) -> None:
    """Repeat a part."""
    data[end:end] = data[start:end]


def spliced(data: bytearray, start: int, end: int) -> None:
    """Replace a part with the bytes that follow it; the length stays the same."""
    part = data[end : end + end - start]
    data[start : start + len(part)] = part


def zeroed(data: bytearray, start: int, end: int) -> None:
    """Fill a part with zeros, as happens when a disk is full."""
    data[start:end] = bytes(end - start)


def inserted(data: bytearray, start: int, end: int) -> None:
    """Insert a few bytes, including a line break and a byte that is not UTF-8."""
    data[start:start] = b"\xff\x00\r\nPK"[: 1 + end % 6]


def length_changed(data: bytearray, start: int, end: int) -> None:
    """Set four bytes, which may be a length, to one of the largest or smallest numbers."""
    data[start : start + 4] = (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x01", bytes(4))[end % 4]


BYTES: dict[str, Callable[[bytearray, int, int], None]] = {
    change.__name__: change
    for change in (flipped, cut, gap, repeated, spliced, zeroed, inserted, length_changed)
}  # fmt: skip


@dataclass(frozen=True)
class Damage:
    """One change of bytes; positions are shares of the length."""

    kind: str
    start: float
    length: float

    def of(self, data: bytes, within: range | None = None) -> bytes:
        """The damaged bytes; all damage lies at positions in ``within``."""
        within = within or range(len(data))
        part = bytearray(data[within.start : within.stop])
        start = int(self.start * len(part))
        BYTES[self.kind](part, start, start + int(self.length * (len(part) - start)))
        return data[: within.start] + bytes(part) + data[within.stop :]


SHARES = st.floats(0, 1, width=32)


def damages(kinds: Iterable[str] = BYTES) -> st.SearchStrategy[tuple[Damage, ...]]:
    """One change, or several in sequence."""
    one = st.builds(Damage, st.sampled_from(list(kinds)), SHARES, SHARES)
    return st.lists(one, min_size=1, max_size=3).map(tuple)


def damaged(data: bytes, changes: Iterable[Damage], within: range | None = None) -> bytes:
    """The bytes after all of these changes; only the first one is limited to ``within``."""
    for change in changes:
        data = change.of(data, within)
        within = None
    return data


# Archives: the headers of members, both their own and their entries in the directory.


def zipped(members: Iterable[tuple[str, bytes]], deflated: bool = True) -> bytes:
    """A zip of these members; any name is allowed."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo()
            info.filename = name  # set here, because the constructor may change slashes
            info.compress_type = archive.compression
            archive.writestr(info, data)
    return written.getvalue()


@dataclass(frozen=True)
class Header:
    """A field of a member's header: its offsets in the directory entry and in the member's own header."""

    place: int
    own: int | None
    layout: str

    def write(self, data: bytearray, entry: int, value: int) -> None:
        """Write the value to both."""
        (header,) = struct.unpack_from("<I", data, entry + OFFSET.place)
        struct.pack_into(self.layout, data, entry + self.place, value)
        if self.own is not None and header + 30 <= len(data):
            struct.pack_into(self.layout, data, header + self.own, value)


FLAGS, METHOD, CHECKSUM = Header(8, 6, "<H"), Header(10, 8, "<H"), Header(16, 14, "<I")
PACKED, SIZE, ATTRIBUTES, OFFSET = (
    Header(20, 18, "<I"),
    Header(24, 22, "<I"),
    Header(38, None, "<I"),
    Header(42, None, "<I"),
)
ENCRYPTED, LINK = 1, 0o120777 << 16
METHODS = (1, 9, 12, 14, 93, 97, 98, 65_535)
HEADERS: dict[str, tuple[Header, Sequence[int]]] = {
    "encrypted": (FLAGS, (ENCRYPTED, 0x41, 0x2001)),
    "named in another code": (FLAGS, (0x800,)),
    "packed otherwise": (METHOD, METHODS),
    "another checksum": (CHECKSUM, (0, 1, 0xFFFFFFFF)),
    "another packed size": (PACKED, (0, 1, 5, 0xFFFFFFFE, 0xFFFFFFFF)),
    "another size": (SIZE, (0, 1, 5, 2**20, 0xFFFFFFFE, 0xFFFFFFFF)),
    "a link": (ATTRIBUTES, (LINK,)),
    "elsewhere": (OFFSET, (0, 1, 30, 0xFFFFFFFF)),
}  # fmt: skip


@dataclass(frozen=True)
class Forged:
    """An archive in which the header of one member has a wrong field."""

    kind: str
    member: int
    value: int

    def of(self, data: bytes) -> bytes:
        """The forged archive."""
        header, values = HEADERS[self.kind]
        forged, entries = bytearray(data), directory_entries(data)
        header.write(forged, entries[self.member % len(entries)], values[self.value % len(values)])
        return bytes(forged)


def forgeries() -> st.SearchStrategy[Forged]:
    """A forgery of any field of any member."""
    return st.builds(Forged, st.sampled_from(list(HEADERS)), st.integers(0, 5), st.integers(0, 7))


def swapped(data: bytes) -> bytes:
    """The zip with the positions of its first and last members exchanged in the directory."""
    entries, swapped = directory_entries(data), bytearray(data)
    first, last = (slice(entry + OFFSET.place, entry + OFFSET.place + 4) for entry in (entries[0], entries[-1]))
    swapped[first], swapped[last] = swapped[last], swapped[first]
    return bytes(swapped)


def directory_entries(data: bytes) -> list[int]:
    """The positions at which the entries of a zip's directory begin."""
    entries, place = [], directory(data).start
    while data[place : place + 4] == DIRECTORY_ENTRY:
        entries.append(place)
        place += 46 + sum(struct.unpack_from("<3H", data, place + 28))
    return entries


def directory(data: bytes) -> range:
    """The range of a zip's directory, including the end record."""
    (start,) = struct.unpack_from("<I", data, data.rindex(END_OF_DIRECTORY) + 16)
    return range(start, len(data))


# Names of members: some lead outside, some cannot be files, some are only odd.
NAMES = (
    "", ".", "./", "/", "//", "..", "../", "a/..", "a/../b", "./a.jpg", "a//b.jpg", "a/./b.jpg", "a/", "a", "a/b",
    "train", "train/", "train/cat.0.jpg/", "train/cat.0.jpg/x.jpg", "~", "~root/x", "$HOME/x", "-rf", "*", "nul.jpg",
    "/etc/passwd", "//host/share/x", "C:/x", "C:x", "\\x", "..\\x", "a\\..\\..\\x", "a:b", "a\x00b.jpg", "\x00", "a\nb",
    "a\r\x1b[31mb.jpg", "\u202egpj.exe", "\ufeffa", "a" * 300, "a/" * 300 + "a", "a/" * 3000 + "a", " ", "a ", "a.",
    ".hidden", "\u00e9", "e\u0301", "犬/猫.jpg",
)  # fmt: skip


def change_member(archive: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Rewrite the zip with ``change`` applied to the content of one member; checksums are correct."""
    with zipfile.ZipFile(archive) as opened:
        members = {member: opened.read(member) for member in opened.namelist()}
    archive.write_bytes(zipped((members | {name: change(members.get(name, b""))}).items(), deflated=False))


def change_json(archive: Path, name: str, change: Callable[[Any], None]) -> None:
    """Rewrite the zip with ``change`` applied, in place, to the JSON in one member."""

    def changed(data: bytes) -> bytes:
        content = json.loads(data)
        change(content)
        return json.dumps(content).encode()

    change_member(archive, name, changed)


# Images.


@cache
def picture(suffix: str, seed: int = 0) -> bytes:
    """A small image of noise in the format of this suffix."""
    encoded = io.BytesIO()
    Image.fromarray(noise((9, 7), seed)).save(encoded, FORMATS[suffix])
    return encoded.getvalue()


def resized_header(data: bytes, suffix: str, height: int, width: int) -> bytes:
    """The image with another size in its header and the same pixels."""
    changed = bytearray(data)
    if suffix == "png":
        struct.pack_into(">2I", changed, PNG_HEADER, width, height)
        struct.pack_into(">I", changed, PNG_HEADER + 13, zlib.crc32(changed[PNG_HEADER - 4 : PNG_HEADER + 13]))
    elif suffix == "bmp":
        struct.pack_into("<2i", changed, 18, width, height)
    elif suffix == "gif":
        struct.pack_into("<2H", changed, 6, width % 65_536, height % 65_536)
    else:
        frame = next(place for place in range(len(data)) if data[place : place + 2] in (b"\xff\xc0", b"\xff\xc2"))
        struct.pack_into(">2H", changed, frame + 5, height % 65_536, width % 65_536)
    return bytes(changed)


# JSON.

WRONG: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 1.0, 0.5, -0.0, 2**31, 2**63, 10**30, 1e300, math.nan, math.inf, -math.inf,
    "", "x", "a\nb", "\x00", "\x1b[31m", "\udc80", "[/x]", "$x$ $\\foo$", "%s {0} {x}", "../../x", "PAD-4", "9" * 30,
    [], [[]], [None], {}, {"": None}, {"x": {"y": 1}}, ["x"] * 3, [[1, 2], [3]],
)  # fmt: skip
DEPTHS = (50, 900, 5_000)
DEEP = "nested to a depth of "

Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutation:
    """A change of one value of JSON; ``which`` is its number in the order of the document."""

    kind: str
    which: int
    value: int
    depth: int = 50

    def of(self, document: Any) -> Any:
        """The changed document; the original is left as it is."""
        places = list(paths(document))
        path = places[self.which % len(places)]
        return self._changed(document, path)

    def _changed(self, value: Any, path: Keys) -> Any:
        if not path:
            return WRONG[self.value % len(WRONG)]
        key, *below = path
        kept: Any = dict(value) if isinstance(value, dict) else list(value)
        if below:
            kept[key] = self._changed(kept[key], tuple(below))
        else:
            self._change(kept, key)
        return kept

    def _change(self, kept: Any, key: str | int) -> None:
        """Change one member of an object or a list, in place."""
        if self.kind == "replaced":
            kept[key] = WRONG[self.value % len(WRONG)]
        elif self.kind == "dropped":
            del kept[key]
        elif self.kind == "nested":
            kept[key] = f"{DEEP}{self.depth}"
        elif self.kind == "added" and isinstance(kept, dict):
            kept[str(WRONG[self.value % len(WRONG)])] = kept[key]
        elif self.kind == "added":
            kept.append(kept[key])
        else:  # "swapped" with another member
            other = list(kept)[self.value % len(kept)] if isinstance(kept, dict) else self.value % len(kept)
            kept[key], kept[other] = kept[other], kept[key]


def paths(value: Any, above: Keys = ()) -> Iterable[Keys]:
    """The path of every value in a document: the keys that lead to it."""
    yield above
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield from paths(below, (*above, key))


def mutations() -> st.SearchStrategy[tuple[Mutation, ...]]:
    """One change, or several in sequence."""
    kinds = st.sampled_from(("replaced", "replaced", "replaced", "dropped", "nested", "added", "swapped"))
    one = st.builds(Mutation, kinds, st.integers(0, 9_999), st.integers(0, 9_999), st.sampled_from(DEPTHS))
    return st.lists(one, min_size=1, max_size=3).map(tuple)


def mutated(document: Any, changes: Iterable[Mutation]) -> Any:
    """The document after all of these changes."""
    for change in changes:
        document = change.of(document)
    return document


def json_bytes(document: Any) -> bytes:
    """The document as JSON; values nested too deep for Python to write are inserted afterwards."""
    text = re.sub(f'"{DEEP}([0-9]+)"', lambda found: "[" * int(found[1]) + "]" * int(found[1]), json.dumps(document))
    return text.encode()


def count(what: str) -> None:
    """Count what bad input led to, for --hypothesis-show-statistics, if the test is a property."""
    if currently_in_test_context():
        event(what)
