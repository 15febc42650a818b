"""Whether labels belong to their images: each class is painted in its own grey and read by the author's loader.

No flip, crop or colour change confuses two greys, so each image that the loader returns shows its class.
"""

from pathlib import Path
from typing import Any

import numpy as np

from ..judging.checks import NotClaimed, Undecided
from . import datasets, preprocessing
from .pipeline import Pipeline
from .probe import Array
from .taken import counted_classes

IMAGES = 14  # images of the author's data set, spread from its first to its last
SUBSETS = ("training", "validation")


def labels(made: Pipeline) -> dict[str, list[list[int]]]:
    """{subset: the labels that occur in each class, from dark to light}; raises Undecided if no class is recognised."""
    names = _class_names(made)
    greys = {name: round(255 * place / (len(names) - 1)) for place, name in enumerate(names)}
    found = {}
    with preprocessing.painted_by(made, lambda path: preprocessing.plain((greys[path.parent.name],) * 3)) as loaders:
        for subset, loader in zip(SUBSETS, loaders, strict=True):
            if by_class := _by_class(_pairs(loader), len(names)):
                found[subset] = by_class
    if not found:
        raise Undecided("the grey images of the classes cannot be distinguished after the author's loader")
    return found


def _class_names(made: Pipeline) -> list[str]:
    """The names of the class folders that will be read."""
    if made.load is not None:
        return list(preprocessing.CLASSES)
    folders = [datasets.folder_of(loader) for loader in (made.train, made.validation)]
    names = sorted({Path(path).parent.name for folder in folders if folder for path, *_ in folder.samples})
    if len(names) < 2 or any({*getattr(folder, "class_to_idx", ())} != {*names} for folder in folders):
        raise NotClaimed("give load=, which makes the batches of training and validation from another folder")
    return names


def _pairs(loader: Any) -> list[tuple[Array, Any]]:
    """Batches of (images, labels). Of a data set that can be indexed, a few images from the first to the last."""
    dataset: Any = getattr(loader, "dataset", None)
    if not hasattr(dataset, "__getitem__"):
        return [(np.asarray(batch[0]), np.asarray(batch[1])) for batch in loader]
    places = sorted({round(place) for place in np.linspace(0, len(dataset) - 1, IMAGES)})
    return [(np.asarray(image)[None], np.asarray(label)[None]) for image, label in (dataset[i] for i in places)]


def _by_class(pairs: list[tuple[Array, Any]], classes: int) -> list[list[int]]:
    """The labels of each class; an empty list if the images do not form as many groups as there are classes."""
    greys = np.concatenate([np.median(images.reshape(len(images), -1), axis=1) for images, _ in pairs])
    given = np.concatenate([counted_classes(some) for _, some in pairs])
    order = np.argsort(greys)
    gaps = np.diff(greys[order])
    between = np.flatnonzero(gaps > np.ptp(greys) / (2 * classes)) + 1
    kinds = np.split(given[order], between)
    return [sorted({int(label) for label in kind}) for kind in kinds] if len(kinds) == classes else []
