"""Folders of images, made with Pillow: what subsets are taken from, and what is read into batches.

Most images have one colour, which tells their class and their index whatever becomes of their
size, name and place. Formats without loss, unless a clause needs JPEG: its decoders differ.
"""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import Phase, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from .windows import SEEDS

Pair = tuple[int, int]
Mark = tuple[int, int]  # class and index
Pixels = NDArray[np.uint8]

CLASSES = (("cat", "dog"), ("Cat", "Dog"), ("hare", "lynx"))  # in alphabetical order
SUFFIXES = ("png", "bmp")
MODES = ("grey", "palette", "CMYK", "RGBA")
UNREADABLE = ("cut off", "empty", "text")
BREAKABLE = ("png", "jpg")  # suffixes


def a_share_of_the_examples() -> settings:
    """A quarter of the profile's examples, for properties that write and read many files each time."""
    phases = set(settings().phases) & {Phase.explicit, Phase.generate, Phase.shrink}
    examples = settings().max_examples
    return settings(max_examples=max(examples // 4, min(examples, 5)), phases=phases)


def noise(size: Pair, seed: int) -> Pixels:
    """An image (height, width, 3) of which no two pixels are related."""
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def save(pixels: Pixels, path: Path) -> None:
    """Write an image in the format of the path's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def save_marked(label: int, index: int, path: Path) -> None:
    """Write an image that tells its class and index."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_encoded(label, index, path.suffix))


@cache
def _encoded(label: int, index: int, suffix: str) -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(marked(label, index)).save(encoded, Image.registered_extensions()[suffix])
    if suffix == ".jpg":  # neighbouring colours can give the same bytes
        encoded.write(f"{label} {index}".encode())
    return encoded.getvalue()


def marked(label: int, index: int) -> Pixels:
    """An image of one colour, of a size of its own, that tells its class and index (below 65,536)."""
    return np.full((5 + index % 3, 4 + index % 4, 3), (255 * label, index // 256, index % 256), np.uint8)


def marks(images: NDArray[Any]) -> list[Mark]:
    """The class and index that the colours of (n, height, width, 3) tell; (-1, -1) for another image."""
    found = []
    for image in np.asarray(images, np.float64):
        red, high, low = np.rint(image[0, 0])
        even = np.abs(image - (red, high, low)).max() < 0.1 and red in (0, 255)
        found.append((int(red // 255), int(256 * high + low)) if even else (-1, -1))
    return found


@dataclass(frozen=True)
class Source:
    """Images as Kaggle has them, class.index.suffix, of these indices."""

    cats: tuple[int, ...]
    dogs: tuple[int, ...]
    suffix: str = "png"

    def write(self, folder: Path) -> Path:
        """Write the images, all of them different."""
        for label, (name, indices) in enumerate({"cat": self.cats, "dog": self.dogs}.items()):
            for index in indices:
                save_marked(label, index, folder / f"{name}.{index}.{self.suffix}")
        return folder


@dataclass(frozen=True)
class Cut:
    """A range of indices to be taken from a source."""

    source: Source
    start: int
    end: int

    @property
    def names(self) -> set[str]:
        """The files that the subset is to hold."""
        suffix = self.source.suffix
        return {f"{name}/{name}.{i}.{suffix}" for name in ("cat", "dog") for i in range(self.start, self.end)}


@dataclass(frozen=True)
class Gap:
    """A range of indices of which one is missing in one class."""

    cut: Cut
    name: str
    index: int


SMALL_INDICES = st.integers(0, 12)


@st.composite
def cuts(draw: st.DrawFn, start: st.SearchStrategy[int] = SMALL_INDICES) -> Cut:
    """Ranges within sources that hold other indices too, not the same for both classes, and not without gaps."""
    first = draw(start)
    end = first + draw(st.integers(1, 5))
    others = st.sets(st.one_of(st.integers(0, 25), st.integers(100, 1300)), max_size=5)
    cats, dogs = (tuple(sorted(draw(others) | set(range(first, end)))) for _ in range(2))
    return Cut(Source(cats, dogs, draw(st.sampled_from(("jpg", "png")))), first, end)


@st.composite
def gaps(draw: st.DrawFn) -> Gap:
    """Ranges with an image missing; indices of four digits, which no message holds by chance."""
    cut = draw(cuts(st.integers(2000, 9000)))
    name, index = draw(st.sampled_from(("cat", "dog"))), draw(st.integers(cut.start, cut.end - 1))
    indices = {"cat": cut.source.cats, "dog": cut.source.dogs}
    alike = 10 * index  # some of the class are left, one of them of a name that begins like the missing one's
    indices[name] = (*(i for i in indices[name] if i != index), alike)
    return Gap(Cut(Source(indices["cat"], indices["dog"], cut.source.suffix), cut.start, cut.end), name, index)


@dataclass(frozen=True)
class Gallery:
    """Two class folders of so many images, of one colour each, and how to read them."""

    counts: Pair
    classes: tuple[str, str] = ("cat", "dog")
    suffix: str = "png"
    image_size: Pair = (5, 4)
    batch_size: int = 4
    shuffle: bool = False
    seed: int = 0

    @cached_property
    def paths(self) -> dict[str, Mark]:
        """{path: class and index}, sorted by path: 10 before 2."""
        numbered = ((label, name, i) for label, name in enumerate(self.classes) for i in range(self.counts[label]))
        return dict(sorted((f"{name}/{name}.{i}.{self.suffix}", (label, i)) for label, name, i in numbered))

    @property
    def in_order(self) -> list[Mark]:
        """What the images tell in the order of the sorted paths."""
        return list(self.paths.values())

    def write(self, folder: Path) -> Path:
        """Write the images, the last first."""
        for path, mark in reversed(self.paths.items()):
            save_marked(*mark, folder / path)
        return folder


FEW = st.tuples(st.integers(1, 13), st.integers(1, 5))


@st.composite
def galleries(draw: st.DrawFn, counts: st.SearchStrategy[Pair] = FEW) -> Gallery:
    """Galleries read in batches that divide them or do not, that are larger than they are, or of one image."""
    return Gallery(
        draw(counts),
        draw(st.sampled_from(CLASSES)),
        draw(st.sampled_from(SUFFIXES)),
        draw(st.sampled_from(((5, 4), (3, 8), (1, 1)))),
        draw(st.sampled_from((1, 2, 3, 4, 5, 32))),
        draw(st.booleans()),
        draw(SEEDS),
    )


NOTHING = (np.zeros((0, 1, 1, 3), np.float32), np.zeros(0, np.int32))  # an epoch without a batch


def joined(batches: Iterable[tuple[NDArray[Any], NDArray[Any]]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """All images and all labels of an epoch."""
    images, labels = zip(*(list(batches) or [NOTHING]), strict=True)
    return np.concatenate(images), np.concatenate(labels)


@dataclass(frozen=True)
class Resizing:
    """Images of noise, or of one colour, of several sizes; the last one is a dog."""

    sizes: tuple[Pair, ...]
    image_size: Pair
    seed: int = 0
    constant: bool = False

    @property
    def images(self) -> list[Pixels]:
        """The images."""
        made = [noise(size, self.seed + i) for i, size in enumerate(self.sizes)]
        return [np.broadcast_to(image[:1, :1], image.shape) for image in made] if self.constant else made

    def write(self, folder: Path) -> Path:
        """Write the images under names in their order."""
        for i, image in enumerate(self.images):
            name = "dog" if i == len(self.sizes) - 1 else "cat"
            save(np.ascontiguousarray(image), folder / name / f"{name}.{i}.png")
        return folder


TARGETS: tuple[Pair, ...] = ((6, 6), (4, 9), (13, 5), (24, 32))
SIZES: tuple[Pair, ...] = (*TARGETS, (12, 12), (3, 2), (1, 7), (1, 1), (40, 9), (17, 31), (50, 45))


def resizings() -> st.SearchStrategy[Resizing]:
    """Up and down, one axis up and the other down, by whole factors and others, and not at all."""
    sizes = st.lists(st.sampled_from(SIZES), min_size=2, max_size=5).map(tuple)
    return st.builds(Resizing, sizes, st.sampled_from(TARGETS), SEEDS, st.booleans())


@dataclass(frozen=True)
class Coloured:
    """Two images of one colour mode."""

    mode: str
    seed: int = 0

    @property
    def tolerance(self) -> float:
        """In grey levels: CMYK comes as JPEG alone, whose decoders round; the images have one colour there."""
        return 6 if self.mode == "CMYK" else 0

    @property
    def pixels(self) -> list[Pixels]:
        """The images in RGB."""
        rng = np.random.default_rng(self.seed)
        images = list(rng.integers(0, 256, (2, 8, 8, 3), np.uint8))
        if self.mode == "grey":
            return [np.repeat(image[..., :1], 3, axis=-1) for image in images]
        if self.mode == "palette":
            return [image[0][rng.integers(0, 8, (8, 8))] for image in images]
        return [np.broadcast_to(image[0, 0], image.shape) for image in images] if self.mode == "CMYK" else images

    def write(self, folder: Path) -> Path:
        """Write the images in their mode."""
        convert: dict[str, Callable[[Image.Image], Image.Image]] = {
            "grey": lambda image: image.convert("L"),
            "palette": lambda image: image.quantize(256),
            "RGBA": lambda image: image.convert("RGBA"),
            "CMYK": lambda image: image.convert("CMYK"),
        }
        for name, pixels in zip(("cat", "dog"), self.pixels, strict=True):
            (folder / name).mkdir(parents=True)
            image = convert[self.mode](Image.fromarray(np.ascontiguousarray(pixels)))
            image.save(folder / name / f"{name}.0.{'jpg' if self.mode == 'CMYK' else 'png'}", quality=95)
        return folder


@dataclass(frozen=True)
class Misfit:
    """Not the two class folders, each with images, that there should be."""

    kind: str
    name: str

    def write(self, folder: Path) -> Path:
        """Write two classes, and then spoil them."""
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
            save_marked(0, 9, spoilt / f"{self.name}.0.png")
        return folder


def misfits() -> st.SearchStrategy[Misfit]:
    """A class is missing or empty, or there is one more, before, between or behind the others."""
    less = st.sampled_from(("is empty", "is missing", "has no image"))
    more = st.sampled_from(("is one more, with images", "is one more, and empty"))
    return st.one_of(
        st.builds(Misfit, less, st.sampled_from(("cat", "dog"))),
        st.builds(Misfit, more, st.sampled_from(("bird", "cow", "zebra"))),
    )


@dataclass(frozen=True)
class Broken:
    """One file of a gallery is no image, though its name says so."""

    kind: str
    name: str  # of its class
    suffix: str = "png"
    at: float = 0.5  # what is left of it, if it was cut off
    shuffle: bool = False

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.name}.1.{self.suffix}"

    def write(self, folder: Path) -> Path:
        """Write a gallery with the broken file in its middle."""
        Gallery((3, 3)).write(folder)
        (folder / self.name / f"{self.name}.1.png").unlink()
        path = folder / self.name / self.file
        save(noise((32, 32), 0), path)
        whole = path.read_bytes()
        path.write_bytes({"cut off": whole[: int(self.at * len(whole))], "empty": b"", "text": b"<html>"}[self.kind])
        return folder


EACH_BROKEN = tuple(Broken(kind, "dog", suffix) for kind in UNREADABLE for suffix in BREAKABLE)


def broken_galleries() -> st.SearchStrategy[Broken]:
    """Cut off anywhere but at the very end, where nothing of the image is lost."""
    names, suffixes, kinds = map(st.sampled_from, (("cat", "dog"), BREAKABLE, UNREADABLE))
    return st.builds(Broken, kinds, names, suffixes, st.floats(0.01, 0.9), st.booleans())
