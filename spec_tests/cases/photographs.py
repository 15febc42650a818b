"""Image files as cameras, browsers and editors write them, and the places where people keep them."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image, features

from .galleries import Gallery, Mark, Pair, Pixels, noise, save_marked
from .windows import SEEDS

QUALITY = 95  # of JPEG
SIZE = (80, 64)
WAVE = 150  # the period of a smooth image, in pixels


@dataclass(frozen=True)
class Photograph:
    """Two JPEG files: smooth images of any colour, or fine ones, whose pixels are dark or light without a pattern."""

    fine: bool
    grey: bool = False  # one channel; a fine image is grey with three channels too
    progressive: bool = False
    subsampling: int = 0  # of colour: 0 none, 1 by half along rows, 2 along both axes
    image_size: Pair = SIZE
    seed: int = 0

    @property
    def images(self) -> list[Pixels]:
        """The images in RGB, before JPEG compression."""
        return [self._pixels(np.random.default_rng((self.seed, number))) for number in range(2)]

    def _pixels(self, rng: np.random.Generator) -> Pixels:
        if self.fine:
            return np.repeat(rng.choice(np.array([64, 192], np.uint8), (*SIZE, 1)), 3, axis=-1)
        rows, columns = np.mgrid[: SIZE[0], : SIZE[1], :1][:2]
        angle, phase = rng.uniform(0, 2 * np.pi, (2, 1 if self.grey else 3))
        wave = np.sin(phase + 2 * np.pi / WAVE * (np.cos(angle) * rows + np.sin(angle) * columns))
        return np.broadcast_to(np.rint(127 + 100 * wave), (*SIZE, 3)).astype(np.uint8)

    def write(self, folder: Path) -> Path:
        """Write the files."""
        for name, pixels in zip(("cat", "dog"), self.images, strict=True):
            (folder / name).mkdir(parents=True)
            image = Image.fromarray(pixels).convert("L" if self.grey else "RGB")
            options = {"quality": QUALITY, "progressive": self.progressive, "subsampling": self.subsampling}
            image.save(folder / name / f"{name}.0.jpg", **options)
        return folder


SIZES = (SIZE, (10, 8), (20, 32), (100, 33))
EACH_JPEG = tuple(
    Photograph(fine, grey, progressive, subsampling, size)
    for fine, grey, progressive, (subsampling, size) in product(
        (False, True), (False, True), (False, True), ((0, SIZE), (2, (10, 8)))
    )
)


def photographs() -> st.SearchStrategy[Photograph]:
    """JPEG files of all kinds, read at their own size, reduced or enlarged."""
    flags = st.booleans()
    return st.builds(Photograph, flags, flags, flags, st.integers(0, 2), st.sampled_from(SIZES), SEEDS)


STORED = (
    "a PNG named .jpg",
    "a JPEG named .png",
    "turned by its EXIF",
    "transparent",
    "grey and transparent",
    "interlaced",
)


@dataclass(frozen=True)
class Stored:
    """Two files that some decoders do not decode to the pixels that are stored."""

    kind: str
    seed: int = 0
    turned: int = 6  # EXIF orientation: 1 is upright

    SIZE = (16, 32)

    @property
    def _jpeg(self) -> bool:
        return self.kind in ("a JPEG named .png", "turned by its EXIF")

    @property
    def tolerance(self) -> float:
        """The tolerance in grey levels: JPEG decoders round. Each block of a JPEG has one colour here."""
        return 6 if self._jpeg else 0

    @property
    def pixels(self) -> list[Pixels]:
        """The images in RGB."""
        images = [noise(self.SIZE, self.seed + number) for number in range(2)]
        if self._jpeg:  # quarters of four grey levels: no two orientations look the same
            levels = np.random.default_rng(self.seed).permutation(np.array([[20, 90, 160, 230]] * 2, np.uint8), axis=1)
            return [np.kron(four.reshape(2, 2, 1), np.ones((8, 16, 3), np.uint8)) for four in levels]
        return [np.repeat(image[..., :1], 3, axis=-1) for image in images] if "grey" in self.kind else images

    def write(self, folder: Path) -> Path:
        """Write the files."""
        suffix = "jpg" if self.kind in ("a PNG named .jpg", "turned by its EXIF") else "png"
        for name, pixels in zip(("cat", "dog"), self.pixels, strict=True):
            (folder / name).mkdir(parents=True)
            (folder / name / f"{name}.0.{suffix}").write_bytes(self._encoded(pixels))
        return folder

    def _encoded(self, pixels: Pixels) -> bytes:
        if self.kind == "interlaced":
            return interlaced(pixels)
        image, buffer, exif = Image.fromarray(pixels), io.BytesIO(), Image.Exif()
        if "transparent" in self.kind:
            image = image.convert("LA" if "grey" in self.kind else "RGBA")
            image.putalpha(Image.fromarray(noise(self.SIZE, self.seed)[..., 0] // 86 * np.uint8(127)))  # 0, 127 or 254
        if self.kind == "turned by its EXIF":
            exif[0x112] = self.turned
        image.save(buffer, "JPEG" if self._jpeg else "PNG", quality=QUALITY, exif=exif)
        return buffer.getvalue()


EACH_STORED = tuple(map(Stored, STORED))


def stored() -> st.SearchStrategy[Stored]:
    """Files of each kind, with each EXIF orientation except upright."""
    return st.builds(Stored, st.sampled_from(STORED), SEEDS, st.integers(2, 8))


# First row and column of each pass of Adam7, and its steps down and across.
PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def interlaced(pixels: Pixels) -> bytes:
    """A PNG that is stored in seven passes, which browsers once showed one by one; Pillow writes none."""
    height, width, _ = pixels.shape
    parts = [pixels[row::down, column::across] for row, column, down, across in PASSES]
    lines = b"".join(b"\0" + line.tobytes() for part in parts if part.size for line in part)
    chunks = {b"IHDR": struct.pack(">2I5B", width, height, 8, 2, 0, 0, 1), b"IDAT": zlib.compress(lines), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunks(chunks))


def _chunks(chunks: dict[bytes, bytes]) -> Iterator[bytes]:
    for kind, data in chunks.items():
        yield struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PLAIN = Gallery((3, 3))


@dataclass(frozen=True)
class Extra:
    """A gallery with one more image, of a kind or in a place that is easily overlooked."""

    kind: str  # a suffix, "linked folder" or "linked file"
    name: str = "cat"  # of its class
    gallery: Gallery = PLAIN

    @property
    def marks(self) -> list[Mark]:
        """The marks of all images; that of the extra one is last."""
        return [*self.gallery.in_order, (self.gallery.classes.index(self.name), 9)]

    def write(self, folder: Path) -> Path:
        """Write the gallery to ``folder / "images"`` and return that; the extra image is named "extra".

        The targets of links are written beside it.
        """
        images, label = self.gallery.write(folder / "images"), self.gallery.classes.index(self.name)
        if self.kind.startswith("."):
            save_marked(label, 9, images / self.name / f"extra{self.kind}")
        else:
            save_marked(label, 9, folder / "elsewhere" / "extra.jpg")
            name, file = ("extra", "") if self.kind == "linked folder" else ("extra.jpg", "extra.jpg")
            (images / self.name / name).symlink_to(folder / "elsewhere" / file)
        return images


EXTRA = (".tif", ".tiff", "linked folder", "linked file", *([".webp"] if features.check("webp") else []))
EACH_EXTRA = tuple(Extra(kind, name) for kind in EXTRA for name in ("cat", "dog"))

# Paths below a gallery that notebooks, macOS, desktops and people create.
HIDDEN = (
    "cat/.ipynb_checkpoints/cat.0-checkpoint.jpg",
    "dog/.ipynb_checkpoints/dog.0-checkpoint.jpg",
    "cat/.hidden.jpg",
    "dog/._dog.0.jpg",
    "cat/.thumbnails/deep/er/0.jpg",
    ".ipynb_checkpoints/cat.0-checkpoint.jpg",
    ".Trash-1000/files/cat.0.jpg",
)
