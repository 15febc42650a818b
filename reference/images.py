"""Which files are images, and how one is read: shared by stages 3 and 4.

A file is an image by its name's suffix; of what kind it is its content says, since a PNG may be
named ``.jpg``. Nothing is overlooked: an image that Pillow cannot read is an error that names it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from .errors import PipelineError

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp", ".tif", ".tiff", ".jfif", ".jpe", ".avif", ".heic")
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP", "TIFF", "AVIF")  # Pillow's others run programs, or are no photographs
SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N")  # Pillow's modes of grey images

Pixels = NDArray[np.uint8]


def image_files(folder: Path) -> list[Path]:
    """The images in and below a folder, in the order of their paths as text.

    Links are followed. What begins with a dot is hidden, and is no image: Jupyter keeps copies in
    ``.ipynb_checkpoints``. Raises PipelineError for a link to a folder around it or to nothing.
    """
    return sorted(_walk(folder, ()), key=Path.as_posix)


def _walk(folder: Path, around: tuple[Path, ...]) -> Iterator[Path]:
    here = folder.resolve()
    if here in around:
        raise PipelineError(f"{folder} is a link to a folder that it is in: remove it")
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _walk(Path(entry.path), (*around, here))
            elif entry.name.lower().endswith(SUFFIXES):
                if not entry.is_file():
                    raise PipelineError(f"{entry.path} is no file, but a link to nothing or a device: remove it")
                yield Path(entry.path)


def class_folders(folder: Path) -> list[Path]:
    """The folders in a folder, hidden ones apart, in alphabetical order."""
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))


def read_image(file: Path) -> Pixels:
    """The red, green and blue of the stored pixels, (height, width, 3).

    Transparency and the orientation of a camera are left aside, of an animation the first picture
    is taken, and of 16 bits the upper eight. Raises OSError, ValueError or another of Pillow's
    errors for what is no image.
    """
    try:
        opened = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:  # whose text is the file's name
        raise ValueError("it is of no kind that is known") from None
    with opened as image:
        if image.mode in SIXTEEN_BITS:
            grey = (np.asarray(image) >> 8).astype(np.uint8)
            return np.repeat(grey[..., None], 3, axis=-1)
        if image.mode in ("I", "F"):
            raise ValueError(f"its pixels are numbers of mode {image.mode}, not grey levels")
        return np.asarray(image.convert("RGB"))
