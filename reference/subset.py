"""Stage 3: small training, validation and test sets from the large data set (notes, code 3).

Three layouts are accepted, also inside one folder that holds everything: Kaggle's
(``train/cat.0.jpg``), Microsoft's (``PetImages/Cat/0.jpg``) and any layout with a folder for each class. In the first
two an image's index is the number in its name, in the third its place in the sorted folder.
"""

import re
import shutil
from pathlib import Path

from .errors import PipelineError, explained
from .files import whole
from .images import class_folders, image_files
from .progress import progress

SPLIT = {"train": (0, 1000), "validation": (1000, 1500), "test": (1500, 2500)}  # indices a class: start, end
KAGGLE_STEM = re.compile(r"([^.]+)\.(\d+)")

ImageIndex = dict[str, dict[int, Path]]  # {class: {index: file}}


def scaled_split(scale: float) -> dict[str, tuple[int, int]]:
    """The notes' index ranges, multiplied by ``scale``: 0.4 gives 400 / 200 / 400 images a class."""
    with explained(f"there is no split of scale {scale:g}", "choose a smaller number"):  # infinity has no split
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
            for index in progress(indices, f"copying {subset_name} {name}", "images"):
                copy = partial / name / _place(files[index], source, name)
                copy.parent.mkdir(exist_ok=True, parents=True)
                shutil.copyfile(files[index], copy)
    return folder


def originals(source: Path) -> dict[Path, Path]:
    """{class/name of a copy in any subset: the original image in the source}."""
    return {
        Path(name, _place(file, source, name)): file
        for name, files in index_images(source).items()
        for file in files.values()
    }


def _place(file: Path, source: Path, name: str) -> Path:
    """The path of an image relative to the folder of its class; its file name if it is in no such folder."""
    *folders, last = file.relative_to(source).parts
    return Path(*folders[folders.index(name) + 1 :], last) if name in folders else Path(last)


def index_images(source: Path) -> ImageIndex:
    """The images of two classes below ``source``, by class and index.

    Raises PipelineError if there is no folder or no image, or if there are not exactly two classes.
    """
    if not source.is_dir():
        raise PipelineError(f"{source} is not a folder: name a folder of images")
    found: ImageIndex = {}
    for top in (source, *_only_folder(source)):
        for folder in (top / "train", top / "PetImages", top):
            classes = (_kaggle_layout(folder) or _class_folders(folder)) if folder.is_dir() else {}
            if len(classes) == 2:
                return classes
            found = max(found, classes, key=len)
    raise PipelineError(
        f"{source} does not hold images of two classes (found: {', '.join(found) or 'none'}): "
        f"expected train/cat.0.jpg, PetImages/Cat/0.jpg or one folder for each class"
    )


def _only_folder(source: Path) -> list[Path]:
    """The only subfolder as a list, since archives are often packed that way; empty if there are none or several."""
    folders = class_folders(source)
    return folders if len(folders) == 1 else []


def _kaggle_layout(folder: Path) -> ImageIndex:
    classes: ImageIndex = {}
    for file in image_files(folder):
        match = KAGGLE_STEM.fullmatch(file.stem)
        if match and file.parent == folder:
            _add(classes.setdefault(match[1], {}), int(match[2]), file)
    return classes


def _class_folders(folder: Path) -> ImageIndex:
    classes: ImageIndex = {}
    for child in class_folders(folder):
        files = image_files(child)
        numbered = all(file.stem.isdecimal() and file.parent == child for file in files)
        for place, file in enumerate(files):
            _add(classes.setdefault(child.name, {}), int(file.stem) if numbered else place, file)
    return classes


def _add(files: dict[int, Path], index: int, file: Path) -> None:
    if index in files:
        raise PipelineError(f"{files[index]} and {file} have the same number: rename or remove one")
    files[index] = file
