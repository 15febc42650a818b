"""The files and images of training and validation, for every supported kind of loader."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..judging.checks import NotClaimed
from .pipeline import Pipeline
from .probe import Subsets

PAIRS = ("samples", "imgs")  # attributes of torchvision's folders
PATHS = ("file_paths", "filepaths", "filenames")  # attributes of Keras's data sets


def subsets(made: Pipeline) -> Subsets:
    """The files of each subset, identified by their content."""
    if made.files:
        training, validation = made.files
    else:
        found = [files_of(getattr(made, name)) for name in ("train", "validation")]
        if not all(found):
            raise NotClaimed("give files=, the paths of the images of training and of validation")
        training, validation = found
    return Subsets(_by_content(training), _by_content(validation))


def _by_content(files: Sequence[Path]) -> dict[str, str]:
    """{digest of the content: file name}."""
    return {hashlib.sha256(file.read_bytes()).hexdigest(): f"{file.parent.name}/{file.name}" for file in files}


def files_of(loader: Any) -> list[Path]:
    """The files that a loader reads; an empty list if the loader does not list them."""
    for name in PATHS:
        if isinstance(paths := getattr(loader, name, None), list | tuple | np.ndarray) and len(paths):
            return [Path(str(path)) for path in paths if Path(str(path)).is_file()]
    paths = [Path(path) for path in _paths(getattr(loader, "dataset", loader))]
    indices = getattr(getattr(loader, "sampler", None), "indices", None)  # SubsetRandomSampler
    return paths if indices is None else [paths[i] for i in indices if i < len(paths)]


def _paths(dataset: Any) -> Iterator[str]:
    """The paths of a folder of torchvision's kind, of subsets of a folder, and of concatenated data sets."""
    indices = getattr(dataset, "indices", None)
    if indices is not None and hasattr(dataset, "dataset"):
        inner = list(_paths(dataset.dataset))
        yield from (inner[i] for i in indices if i < len(inner))
        return
    for part in getattr(dataset, "datasets", ()):
        yield from _paths(part)
    for name in PAIRS:
        if isinstance(pairs := getattr(dataset, name, None), list) and pairs:
            yield from (str(pair[0]) for pair in pairs if isinstance(pair[0], str | Path))
            return


def folder_of(loader: Any) -> Any:
    """The data set that reads image files with its ``loader``, without its wrappers; None if there is none."""
    dataset = getattr(loader, "dataset", loader)
    while dataset is not None:
        if callable(getattr(dataset, "loader", None)) and any(hasattr(dataset, name) for name in PAIRS):
            return dataset
        dataset = getattr(dataset, "dataset", None)
    return None


def class_orders(made: Pipeline) -> tuple[list[str], list[str]]:
    """The class names of training and of validation, in the order of their labels."""
    found = [_classes(getattr(made, name)) for name in ("train", "validation")]
    if not all(found):
        raise NotClaimed("the batches do not give the names of their classes")
    return found[0], found[1]


def _classes(loader: Any) -> list[str]:
    dataset = getattr(loader, "dataset", loader)
    while dataset is not None:
        if numbers := getattr(dataset, "class_to_idx", None):
            return [str(name) for name in sorted(numbers, key=numbers.get)]
        if names := getattr(dataset, "class_names", None):
            return [str(name) for name in names]
        dataset = getattr(dataset, "dataset", None) or getattr(dataset, "_input_dataset", None)
    return []
