"""Stage 3: small training, validation and test sets out of the large one (notes, code 3).

Three layouts are understood: Kaggle's (``train/cat.0.jpg``), Microsoft's (``PetImages/Cat/0.jpg``)
and any folder a class. In the first two an image's index is the number in its name, in the
third its place in the sorted folder.
"""

import re
import shutil
from pathlib import Path

from .errors import PipelineError, explained
from .files import whole

SPLIT = {"train": (0, 1000), "validation": (1000, 1500), "test": (1500, 2500)}  # indices a class: start, end
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
KAGGLE_STEM = re.compile(r"([A-Za-z]+)\.(\d+)")

ImageIndex = dict[str, dict[int, Path]]  # {class: {index: file}}


def scaled_split(scale: float) -> dict[str, tuple[int, int]]:
    """The notes' index ranges, shrunk or stretched: 0.4 gives 400 / 200 / 400 images a class."""
    with explained(f"there is no split of scale {scale:g}", "choose a smaller number"):  # infinity has none
        split = {name: (round(scale * start), round(scale * end)) for name, (start, end) in SPLIT.items()}
    if any(start >= end for start, end in split.values()):
        raise PipelineError(f"a split of scale {scale:g} has no images: choose at least 0.002")
    return split


def make_subset(source: Path, destination: Path, subset_name: str, start_index: int, end_index: int) -> Path:
    """Copy the images start_index..end_index-1 of each class to destination/subset_name/class.

    Raises PipelineError, with nothing left behind, for an empty, reversed or negative range, a
    missing image, or a subset that already exists.
    """
    if not 0 <= start_index < end_index:
        raise PipelineError(f"{subset_name}: the range {start_index}..{end_index} is negative, reversed or empty")
    folder, indices = destination / subset_name, range(start_index, end_index)
    if folder.exists():
        raise PipelineError(f"{folder} already exists: remove it, or choose another folder")
    classes = index_images(source)
    for name, files in classes.items():
        if missing := [index for index in indices if index not in files]:
            raise PipelineError(
                f"{name} image {missing[0]} is missing in {source}, which holds {len(files):,} of {name}: "
                f"add it, or take a smaller split with --scale"
            )
    with whole(folder) as partial:
        for name, files in classes.items():
            (partial / name).mkdir(parents=True)
            for index in indices:
                shutil.copyfile(files[index], partial / name / files[index].name)
    return folder


def index_images(source: Path) -> ImageIndex:
    """The images of two classes below ``source``, by class and index.

    Raises PipelineError where there is no folder, no image, or another number of classes.
    """
    if not source.is_dir():
        raise PipelineError(f"{source} is not a folder: name a folder of images")
    for folder in (source / "train", source / "PetImages", source):
        classes = (_kaggle_layout(folder) or _class_folders(folder)) if folder.is_dir() else {}
        if len(classes) == 2:
            return classes
    raise PipelineError(
        f"{source} does not hold images of two classes (found: {', '.join(classes) or 'none'}): "
        f"expected train/cat.0.jpg, PetImages/Cat/0.jpg or one folder for each class"
    )


def _kaggle_layout(folder: Path) -> ImageIndex:
    classes: ImageIndex = {}
    for file in _images(folder):
        if match := KAGGLE_STEM.fullmatch(file.stem):
            classes.setdefault(match[1], {})[int(match[2])] = file
    return classes


def _class_folders(folder: Path) -> ImageIndex:
    classes: ImageIndex = {}
    for child in sorted(folder.iterdir()):
        if child.is_dir() and not child.name.startswith(".") and (files := _images(child)):
            numbered = all(file.stem.isdecimal() for file in files)
            classes[child.name] = {int(file.stem) if numbered else i: file for i, file in enumerate(files)}
    return classes


def _images(folder: Path) -> list[Path]:
    files = (file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
    return sorted(files, key=lambda file: file.name)  # paths take ten times as long to compare
