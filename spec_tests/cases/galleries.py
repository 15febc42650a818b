"""Class folders of images, made with Pillow, that are read into batches.

Most images have one colour that encodes their class and their index. It can be read whatever happens to size, name and
place, and after JPEG compression. Images are JPEG, as real ones are, unless a clause is about another format or needs
one without loss.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from .windows import SEEDS

Pair = tuple[int, int]
Mark = tuple[int, int]  # class and index
Pixels = NDArray[np.uint8]

CLASSES = (("cat", "dog"), ("Cat", "Dog"), ("hare", "lynx"), ("강아지", "고양이"))  # in alphabetical order
SUFFIXES = ("jpg", "jpeg", "png", "bmp", "gif", "JPG", "JPEG", "PNG", "Jpg", "BMP")
# Names of the files of a class, without suffixes; they are used in turn.
NAMES: tuple[tuple[str, ...], ...] = (
    ("{name}.{i}",),
    ("{i}",),  # the same in both classes
    ("{name} [{i}] (copy)", "{name}.{i}"),
    ("사진 {i}",),
    ("cat.{i}", "cat/{i}", "dat.{i}"),  # sorted as text, the folder is between files
)
PER_FILE, NESTED = NAMES[0], NAMES[-1]
STEP, BASE = 6, 40  # of marks: grey levels from one digit to the next, and the number of digits
MODES = ("grey", "palette", "palette with transparency", "palette BMP", "CMYK", "RGBA", "grey with alpha",
         "one bit", "16 bits")  # fmt: skip
UNREADABLE = ("cut off", "empty", "text")
BREAKABLE = ("JPEG", "PNG")  # formats


def noise(size: Pair, seed: int) -> Pixels:
    """Random pixels (height, width, 3), all independent."""
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def save(pixels: Pixels, path: Path) -> None:
    """Write an image in the format of the path's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def save_marked(label: int, index: int, path: Path) -> None:
    """Write an image that encodes its class and index, in the format of the path's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(label, index, path.suffix.lower()))


@cache
def encoded(label: int, index: int, suffix: str) -> bytes:
    """The bytes of a marked image; JPEG has a quality that changes its colour by about one level."""
    buffer, kind = io.BytesIO(), Image.registered_extensions()[suffix]
    Image.fromarray(marked(label, index)).save(buffer, kind, quality=95, subsampling=0, lossless=True)
    return buffer.getvalue()


def marked(label: int, index: int) -> Pixels:
    """An image of one colour that encodes its class and its index modulo 1,600; the size depends on the index."""
    high, low = (STEP * digit + STEP // 2 for digit in divmod(index % BASE**2, BASE))
    return np.full((5 + index % 3, 4 + index % 4, 3), (255 * label, high, low), np.uint8)


def marks(images: NDArray[Any]) -> list[Mark]:
    """The class and index that each image of (n, height, width, 3) encodes; (-1, -1) for an image without a mark."""
    found = []
    for image in np.asarray(images, np.float64):
        label, *digits = np.rint((image[0, 0] - (0, STEP / 2, STEP / 2)) / (255, STEP, STEP))
        colour = (255 * label, *(STEP * digit + STEP / 2 for digit in digits))
        even = np.abs(image - image[0, 0]).max() < 0.1 and np.abs(image[0, 0] - colour).max() < 2
        good = even and label in (0, 1) and min(digits) >= 0 and max(digits) < BASE
        found.append((int(label), int(BASE * digits[0] + digits[1])) if good else (-1, -1))
    return found


def suffix_lists() -> st.SearchStrategy[tuple[str, ...]]:
    """A few suffixes that differ by more than their case, which some file systems do not distinguish."""
    return st.lists(st.sampled_from(SUFFIXES), min_size=1, max_size=4, unique_by=str.lower).map(tuple)


@dataclass(frozen=True)
class Gallery:
    """Two class folders with ``counts`` images, of one colour each, and the options to read them with."""

    counts: Pair
    classes: tuple[str, str] = ("cat", "dog")
    names: tuple[str, ...] = PER_FILE
    suffixes: tuple[str, ...] = ("jpg",)
    twins: bool = False  # the first two files of a class have the same bytes
    image_size: Pair = (5, 4)
    batch_size: int = 4
    shuffle: bool = False
    seed: int = 0

    @cached_property
    def paths(self) -> dict[str, Mark]:
        """{path: class and index}, sorted as text: 10 comes before 2."""
        return dict(sorted(self._path(label, i) for label, count in enumerate(self.counts) for i in range(count)))

    def _path(self, label: int, i: int) -> tuple[str, Mark]:
        name, many = self.classes[label], len(self.suffixes)
        stem = self.names[i % len(self.names)].format(name=name, i=i, stem=i // many)
        return f"{name}/{stem}.{self.suffixes[i % many]}", (label, 0 if self.twins and i == 1 else i)

    @property
    def in_order(self) -> list[Mark]:
        """The marks of the images, in the order of the sorted paths."""
        return list(self.paths.values())

    def write(self, folder: Path) -> Path:
        """Write the images, in reverse order."""
        for path, mark in reversed(self.paths.items()):
            save_marked(*mark, folder / path)
        return folder


FEW = st.tuples(st.integers(1, 13), st.integers(1, 5))
MANY = Gallery((190, 110), batch_size=64, shuffle=True)
WITH_A_FOLDER_BETWEEN = Gallery((11, 5), names=NESTED)
EACH_NAMED = tuple(Gallery((4, 3), names=names, twins=True) for names in NAMES)


@st.composite
def galleries(draw: st.DrawFn, counts: st.SearchStrategy[Pair] = FEW) -> Gallery:
    """Galleries whose batch size divides the number of images or does not, exceeds it, or is one."""
    return Gallery(
        draw(counts),
        draw(st.sampled_from(CLASSES)),
        draw(st.sampled_from(NAMES)),
        twins=draw(st.booleans()),
        image_size=draw(st.sampled_from(((5, 4), (3, 8), (1, 1)))),
        batch_size=draw(st.sampled_from((1, 2, 3, 4, 5, 32))),
        shuffle=draw(st.booleans()),
        seed=draw(SEEDS),
    )


def suffixed_galleries() -> st.SearchStrategy[Gallery]:
    """Galleries with several suffixes, including files that differ in nothing else."""
    return st.builds(Gallery, FEW, names=st.just(("{stem}",)), suffixes=suffix_lists(), shuffle=st.booleans())


EACH_SUFFIX = (
    *(Gallery((4, 2), names=("{stem}",), suffixes=(suffix, "jpg")) for suffix in ("jpeg", "png", "bmp", "gif")),
    *(Gallery((4, 2), suffixes=("png" if "J" in suffix else "jpg", suffix)) for suffix in SUFFIXES[5:]),
)


NOTHING = (np.zeros((0, 1, 1, 3), np.float32), np.zeros(0, np.int32))  # an epoch without a batch


def joined(batches: Iterable[tuple[NDArray[Any], NDArray[Any]]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """All images and all labels of an epoch, each as one array."""
    images, labels = zip(*(list(batches) or [NOTHING]), strict=True)
    return np.concatenate(images), np.concatenate(labels)


@dataclass(frozen=True)
class Resizing:
    """Images of noise, or of one colour each, in several sizes; the last one is a dog."""

    sizes: tuple[Pair, ...]
    image_size: Pair
    seed: int = 0
    constant: bool = False

    @property
    def images(self) -> list[Pixels]:
        """The images, uint8 (height, width, 3)."""
        made = [noise(size, self.seed + i) for i, size in enumerate(self.sizes)]
        return [np.broadcast_to(image[:1, :1], image.shape) for image in made] if self.constant else made

    def tolerance(self, size: Pair) -> float:
        """The tolerance in grey levels for an image of this size.

        Positions are float32 at best, so it grows with the side.
        """
        return 0 if size == self.image_size else 0.01 * max(1, *(side / 50 for side in size))

    def write(self, folder: Path) -> Path:
        """Write the images under names that keep their order."""
        for i, image in enumerate(self.images):
            name = "dog" if i == len(self.sizes) - 1 else "cat"
            save(np.ascontiguousarray(image), folder / name / f"{name}.{i}.png")
        return folder


TARGETS: tuple[Pair, ...] = ((6, 6), (4, 9), (13, 5), (24, 32))
SIZES: tuple[Pair, ...] = (
    *TARGETS,
    (12, 12),
    (3, 2),
    (1, 7),
    (1, 1),
    (40, 9),
    (17, 31),
    (50, 45),
    (300, 70),
    (70, 300),
)


def resizings() -> st.SearchStrategy[Resizing]:
    """Resizings up and down, also one axis up and the other down, by whole and other factors, and to the same size."""
    sizes = st.lists(st.sampled_from(SIZES), min_size=2, max_size=5).map(tuple)
    return st.builds(Resizing, sizes, st.sampled_from(TARGETS), SEEDS, st.booleans())


LARGE = (Resizing(((300, 70), (70, 300)), (24, 32)), Resizing(((64, 400), (5, 5)), (160, 20)))


@dataclass(frozen=True)
class Coloured:
    """Two images of one colour mode."""

    mode: str
    seed: int = 0

    @property
    def tolerance(self) -> float:
        """The tolerance in grey levels.

        CMYK is stored as JPEG, whose decoders round; its images have one colour. Decoders cut off or round the lower
        eight of 16 bits.
        """
        return {"CMYK": 6, "16 bits": 1}.get(self.mode, 0)

    @property
    def pixels(self) -> list[Pixels]:
        """The images in RGB."""
        rng = np.random.default_rng(self.seed)
        images = list(rng.integers(0, 256, (2, 8, 8, 3), np.uint8))
        if self.mode in ("grey", "grey with alpha", "16 bits"):
            return [np.repeat(image[..., :1], 3, axis=-1) for image in images]
        if self.mode == "one bit":
            return [np.repeat(image[..., :1] // 128 * np.uint8(255), 3, axis=-1) for image in images]
        if "palette" in self.mode:
            return [image[0][rng.integers(0, 8, (8, 8))] for image in images]
        return [np.broadcast_to(image[0, 0], image.shape) for image in images] if self.mode == "CMYK" else images

    def write(self, folder: Path) -> Path:
        """Write the images in their mode."""
        suffix = {"CMYK": "jpg", "palette BMP": "bmp"}.get(self.mode, "png")
        options = {"transparency": 0} if self.mode == "palette with transparency" else {}
        for name, pixels in zip(("cat", "dog"), self.pixels, strict=True):
            (folder / name).mkdir(parents=True)
            image = self._converted(Image.fromarray(np.ascontiguousarray(pixels)))
            image.save(folder / name / f"{name}.0.{suffix}", quality=95, **options)
        return folder

    def _converted(self, image: Any) -> Any:
        if "palette" in self.mode:
            return image.quantize(256)
        if self.mode == "16 bits":
            lower = np.random.default_rng(self.seed).integers(0, 256, (8, 8), np.uint16)
            return Image.fromarray(np.asarray(image.convert("L"), np.uint16) * 256 + lower)
        return image.convert({"grey": "L", "grey with alpha": "LA", "one bit": "1"}.get(self.mode, self.mode))


@dataclass(frozen=True)
class Misfit:
    """A folder without the expected structure of two class folders, each with images."""

    kind: str
    name: str

    def write(self, folder: Path) -> Path:
        """Write two class folders, then spoil them."""
        Gallery((2, 2)).write(folder)
        spoilt = folder / self.name
        if self.kind in ("is empty", "is missing", "has no image"):
            for file in spoilt.iterdir():
                file.unlink()
            if self.kind == "is missing":
                spoilt.rmdir()
        else:
            spoilt.mkdir()
        if self.kind == "has no image":
            (spoilt / "readme.txt").write_text("no images yet")
        if self.kind == "is one more, with images":
            save_marked(0, 9, spoilt / f"{self.name}.0.jpg")
        return folder


def misfits() -> st.SearchStrategy[Misfit]:
    """Folders in which a class is missing or empty, or a third one sorts before, between or after the others."""
    less = st.sampled_from(("is empty", "is missing", "has no image"))
    more = st.sampled_from(("is one more, with images", "is one more, and empty"))
    return st.one_of(
        st.builds(Misfit, less, st.sampled_from(("cat", "dog"))),
        st.builds(Misfit, more, st.sampled_from(("bird", "cow", "zebra"))),
    )


@dataclass(frozen=True)
class Broken:
    """A gallery in which one file is not an image, although its name says so."""

    kind: str
    name: str  # of its class
    format: str = "JPEG"
    at: float = 0.5  # the share of it that is left, if it was cut off
    shuffle: bool = False

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.name}.1.jpg"

    def write(self, folder: Path) -> Path:
        """Write a gallery with the broken file in the middle of its class."""
        Gallery((3, 3)).write(folder)
        buffer = io.BytesIO()
        Image.fromarray(noise((32, 32), 0)).save(buffer, self.format)
        whole = buffer.getvalue()
        content = {"cut off": whole[: int(self.at * len(whole))], "empty": b"", "text": b"<html>"}[self.kind]
        (folder / self.name / self.file).write_bytes(content)
        return folder


EACH_BROKEN = tuple(Broken(kind, "dog", name) for kind in UNREADABLE for name in BREAKABLE)


def broken_galleries() -> st.SearchStrategy[Broken]:
    """Galleries with a broken file; none is cut off at the very end, where nothing of the image is lost."""
    names, formats, kinds = map(st.sampled_from, (("cat", "dog"), BREAKABLE, UNREADABLE))
    return st.builds(Broken, kinds, names, formats, st.floats(0.01, 0.9), st.booleans())
