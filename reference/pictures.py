"""The pictures of a report: figures that are saved as files, and their images for a page with another layout."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .augmentation import ROTATION, ZOOM, augment
from .errors import printable
from .lettering import legible
from .loading import ImageBatches
from .run import Result

VERSIONS = 9
COLUMNS = 6
LETTERS = 18  # of a line below an image, so that it does not touch the next one's
FRAME = "tab:orange"


@dataclass(frozen=True)
class Gallery:
    """Images in order, each (height, width, 3) in grey levels, and the lines of text below each."""

    images: list[NDArray[np.uint8]]
    texts: Sequence[tuple[str, ...]]
    columns: int = COLUMNS
    original: bool = False  # whether the first image is the original of the others, and has a frame


@dataclass(frozen=True)
class Picture:
    """A figure and its description, with its separate images if it consists of images."""

    caption: str
    figure: Figure
    gallery: Gallery | None = None


def of_data(train: ImageBatches, seed: int) -> dict[str, Picture]:
    """Pictures of the training images by name."""
    return {
        "samples": of_gallery("samples", "The first training images of each class.", samples(train)),
        "augmented": of_gallery(
            f"flip, rotation {ROTATION}, zoom {ZOOM}",
            f"A training image, and what flip, rotation {ROTATION} and zoom {ZOOM} make of it.",
            augmentations(train, seed),
        ),
    }


def of_stage(stage: str, result: Result, test: ImageBatches) -> dict[str, Picture]:
    """Pictures of the results of a stage by name."""
    evaluation = result["evaluation"]
    curves = draw_curves(stage, result["history"], result["best_epoch"])
    confusion = draw_confusion(stage, evaluation["confusion"], test.class_names)
    wrong = evaluation["mistakes"][:COLUMNS]
    title = f"{stage}: {'most confidently wrong' if wrong else 'no mistakes'}"
    worst = "The test images that it was most sure of and wrong about, and what it took them for."
    return {
        f"curves-{stage}": Picture("Loss and accuracy by epoch.", curves),
        f"confusion-{stage}": Picture("Test images by their class and the one predicted.", confusion),
        f"mistakes-{stage}": of_gallery(title, worst if wrong else "No test image is wrong.", mistakes(wrong, test)),
    }


def of_gallery(title: str, caption: str, gallery: Gallery) -> Picture:
    """The images of a gallery in one figure."""
    return Picture(caption, draw_gallery(title, gallery), gallery)


def samples(batches: ImageBatches) -> Gallery:
    """The first images of each class by the numbers in their names, a row for each class."""
    pairs = list(zip(batches.paths, batches.labels, strict=True))
    classes = [
        sorted((path for path, label in pairs if label == number), key=_with_numbers)
        for number in range(len(batches.class_names))
    ]
    columns = min(COLUMNS, *map(len, classes))
    paths = [path for files in classes for path in files[:columns]]
    numbered = [f"{name} {number}" for name in batches.class_names for number in range(1, columns + 1)]
    return Gallery(loaded(batches, paths), [*zip(numbered, (path.name for path in paths), strict=True)], columns)


def augmentations(batches: ImageBatches, seed: int) -> Gallery:
    """The first training image, followed by augmented versions of it."""
    image = batches.images.read([0])
    versions, _ = augment(np.repeat(image, VERSIONS, axis=0), np.zeros(VERSIONS), seed=seed)
    texts = [("original", batches.paths[0].name), *((f"augmented {number}",) for number in range(1, VERSIONS + 1))]
    return Gallery(list(np.concatenate([image, versions]).astype(np.uint8)), texts, columns=5, original=True)


def mistakes(wrong: Sequence[dict[str, Any]], test: ImageBatches) -> Gallery:
    """The images with the most confident wrong predictions."""
    paths = [Path(mistake["path"]) for mistake in wrong]
    texts = [
        (
            f"{number}: {test.class_names[1 - mistake['label']]} {abs(mistake['label'] - mistake['probability']):.0%}",
            path.name,
        )
        for number, (path, mistake) in enumerate(zip(paths, wrong, strict=True), start=1)
    ]
    return Gallery(loaded(test, paths), texts)


def draw_gallery(title: str, gallery: Gallery) -> Figure:
    """A figure of the images row by row, each with its texts."""
    rows = max(1, -(-len(gallery.images) // gallery.columns))
    figure = Figure(figsize=(1.7 * gallery.columns, 2.1 * rows + 0.4), layout="constrained")
    figure.suptitle(lettered(title))
    axes = list(figure.subplots(rows, gallery.columns, squeeze=False).flat)
    for axis in axes:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    for axis, image, lines in zip(axes, gallery.images, gallery.texts, strict=False):
        axis.imshow(image)
        axis.set_title("\n".join(map(lettered, map(shortened, lines))), fontsize=8)
    if gallery.original:
        axes[0].spines[:].set(visible=True, color=FRAME, linewidth=4)
    return figure


def draw_curves(stage: str, history: dict[str, list[float]], best: int) -> Figure:
    """A figure of loss and accuracy by epoch for training and validation, with the best epoch marked."""
    figure = Figure(figsize=(4.8, 5.6), layout="constrained")
    figure.suptitle(stage)
    axes = figure.subplots(2, 1, sharex=True)
    for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
        for key, label in ((name, "training"), (f"val_{name}", "validation")):
            axis.plot(range(1, len(history[key]) + 1), history[key], "o-", markersize=3, label=label)
        axis.axvline(best, color="grey", linestyle=":", label=f"best epoch ({best})")
        axis.set_ylabel(name)
        axis.grid(alpha=0.3)
        axis.legend()
    axes[-1].xaxis.get_major_locator().set_params(integer=True)
    axes[-1].set_xlabel("epoch")
    return figure


def draw_confusion(stage: str, confusion: list[list[int]], classes: Sequence[str]) -> Figure:
    """A figure of the numbers of images by true class (row) and predicted class (column)."""
    figure = Figure(figsize=(3.6, 3.4), layout="constrained")
    axis = figure.subplots()
    axis.imshow(confusion, cmap="Blues", vmin=0, vmax=2 * np.max(confusion))  # pale: the numbers are black
    for (row, column), count in np.ndenumerate(confusion):
        axis.text(column, row, f"{count:,}", ha="center", va="center", fontsize=14)
    labels = [lettered(shortened(name)) for name in classes]
    axis.set(xticks=[0, 1], xticklabels=labels, yticks=[0, 1], yticklabels=labels)
    axis.set(xlabel="predicted", ylabel="true", title=f"{stage}: test images")
    return figure


def names(batches: ImageBatches) -> Iterator[str]:
    """The names of classes and files, which are the parts of a picture's text that users choose."""
    yield from batches.class_names
    yield from (path.name for path in batches.paths)


def lettered(text: str) -> str:
    """The text on one line, in letters that the pictures' fonts have."""
    return legible(printable(text), rcParams["font.family"])


def shortened(line: str) -> str:
    """A line that fits below an image. A long line is reduced to its start and its end."""
    return line if len(line) <= LETTERS else f"{line[: LETTERS // 2]}…{line[1 - LETTERS // 2 :]}"


def _with_numbers(path: Path) -> list[str | int]:
    """A sort key that puts cat.2 before cat.10: the parts of the name without numbers, and the numbers."""
    return [int(part) if number % 2 else part for number, part in enumerate(re.split("([0-9]+)", path.as_posix()))]


def loaded(batches: ImageBatches, paths: Iterable[Path]) -> list[NDArray[np.uint8]]:
    """These images as they were loaded, since another reader might refuse them; raises KeyError for an unknown image.

    They are found by their paths relative to the folder, which may have moved since.
    """
    top = os.path.commonpath(batches.paths)
    places = {path.relative_to(top).parts: place for place, path in enumerate(batches.paths)}
    ends = [next((end for end in _ends(path) if end in places), path.parts) for path in paths]
    images = batches.images.read([places[end] for end in ends])
    return list(images.astype(np.uint8))


def _ends(path: Path) -> Iterator[tuple[str, ...]]:
    """Class and name, then with more and more of the parent folders."""
    return (path.parts[-count:] for count in range(2, len(path.parts) + 1))
