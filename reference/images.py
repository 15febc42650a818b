"""The rule which files are images, shared by stages 3 and 4.

The suffix of its name makes a file an image. No image is skipped silently: an unreadable one is an error
that names it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from .errors import PipelineError

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp", ".tif", ".tiff", ".jfif", ".jpe", ".avif", ".heic")


def image_files(folder: Path) -> list[Path]:
    """The images in and below a folder, in the order of their paths as text.

    Links are followed. A name that begins with a dot is hidden and not an image: Jupyter keeps copies in
    ``.ipynb_checkpoints``. Raises PipelineError for a link to a parent folder or to nothing.
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
    """The folders in a folder without hidden ones, in alphabetical order."""
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
