"""Stage 3: small training, validation and test sets out of the large one (notes, code 3).

Three layouts are understood: Kaggle's (``train/cat.0.jpg``), Microsoft's (``PetImages/Cat/0.jpg``)
and any folder a class. In the first two an image's index is the number in its name, in the
third its place in the sorted folder.
"""

import re
import shutil
import tempfile
from pathlib import Path

from .errors import PipelineError

SPLIT = {"train": (0, 1000), "validation": (1000, 1500), "test": (1500, 2500)}  # indices a class: start, end
IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
KAGGLE_NAME = re.compile(r"([A-Za-z]+)\.(\d+)\.\w+")

ImageIndex = dict[str, dict[int, Path]]  # {class: {index: file}}


def scaled_split(scale: float) -> dict[str, tuple[int, int]]:
    """The notes' index ranges, shrunk or stretched: 0.4 gives 400 / 200 / 400 images a class."""
    split = {name: (round(scale * start), round(scale * end)) for name, (start, end) in SPLIT.items()}
    if any(start >= end for start, end in split.values()):
        raise PipelineError(f"a split of scale {scale:g} has no images: choose at least 0.002")
    return split


def index_images(source: Path | str) -> ImageIndex:
    """The images of two classes below ``source``, by class and index.

    Raises PipelineError where there is no folder, no image, or another number of classes.
    """
    source = Path(source)
    if not source.is_dir():
        raise PipelineError(f"{source} is not a folder: name a folder of images")
    for folder, read in (
        (source, _kaggle_layout),
        (source / "train", _kaggle_layout),
        (source / "PetImages", _class_folders),
        (source / "train", _class_folders),
        (source, _class_folders),
    ):
        classes = read(folder) if folder.is_dir() else {}
        if len(classes) == 2:
            return classes
    found = ", ".join(classes) or "none"
    raise PipelineError(
        f"{source} does not hold images of two classes (found: {found}): "
        f"expected train/cat.0.jpg, PetImages/Cat/0.jpg or one folder for each class"
    )


def make_subset(
    source: Path | str, destination: Path | str, subset_name: str, start_index: int, end_index: int
) -> Path:
    """Copy the images start_index..end_index-1 of each class to destination/subset_name/class.

    Raises PipelineError, with nothing left behind, for an empty, reversed or negative range, a
    missing image, or a subset that already exists.
    """
    if not 0 <= start_index < end_index:
        raise PipelineError(f"{subset_name}: the range {start_index}..{end_index} is negative, reversed or empty")
    folder = Path(destination) / subset_name
    if folder.exists():
        raise PipelineError(f"{folder} already exists: remove it, or choose another folder")
    chosen = {
        name: _choose(source, name, files, start_index, end_index) for name, files in index_images(source).items()
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{subset_name}-") as partial:
        for name, files in chosen.items():
            copies = Path(partial, "subset", name)
            copies.mkdir(parents=True)
            for file in files:
                shutil.copyfile(file, copies / file.name)
        Path(partial, "subset").rename(folder)
    return folder


def _choose(source: Path | str, name: str, files: dict[int, Path], start: int, end: int) -> list[Path]:
    for index in range(start, end):
        if index not in files:
            some = next(iter(files.values())).name
            raise PipelineError(
                f"{name} image {index} is missing in {source}, which holds {len(files):,} of {name} (such as {some}): "
                f"add it, or take a smaller split with --scale"
            )
    return [files[index] for index in range(start, end)]


def _kaggle_layout(folder: Path) -> ImageIndex:
    classes: ImageIndex = {}
    for file in sorted(folder.iterdir()):
        match = KAGGLE_NAME.fullmatch(file.name)
        if match and file.suffix.lower() in IMAGE_SUFFIXES:
            classes.setdefault(match[1], {})[int(match[2])] = file
    return classes


def _class_folders(folder: Path) -> ImageIndex:
    classes: ImageIndex = {}
    for child in sorted(folder.iterdir()):
        if child.is_dir() and not child.name.startswith("."):
            files = sorted(file for file in child.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
            if files:
                numbered = all(file.stem.isdecimal() for file in files)
                classes[child.name] = {int(f.stem) if numbered else i: f for i, f in enumerate(files)}
    return classes
