"""The pictures of a run: samples, augmentation, training curves, confusion, worst mistakes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from .augmentation import augment
from .loading import IMAGE_SIZE, ImageBatches
from .run import Result

VERSIONS = 9
COLUMNS = 6
DPI = 110


def draw_samples(batches: ImageBatches, file: Path) -> None:
    """The first images of each class, a class a row."""
    figure = Figure(figsize=(1.7 * COLUMNS, 4.0), layout="constrained")
    axes = figure.subplots(2, COLUMNS, squeeze=False)
    for row, name in zip(axes, batches.class_names, strict=True):
        paths = [path for path in batches.paths if path.parent.name == name][:COLUMNS]
        _show_images(row, [_read(path) for path in paths], [path.name for path in paths])
    _save(figure, file)


def draw_augmented(batches: ImageBatches, file: Path, seed: int) -> None:
    """One training image, augmented nine ways."""
    image = _read(batches.paths[0]).astype(np.float32)
    versions, _ = augment(np.repeat(image[None], VERSIONS, axis=0), np.zeros(VERSIONS), seed=seed)
    figure = Figure(figsize=(5.4, 5.6), layout="constrained")
    figure.suptitle(f"{batches.paths[0].name}: flip, rotation 0.1, zoom 0.2")
    _show_images(figure.subplots(3, 3).ravel(), versions.astype(np.uint8), [""] * VERSIONS)
    _save(figure, file)


def draw_curves(stage: str, result: Result, file: Path) -> None:
    """Loss and accuracy by epoch, for training and validation; the best epoch is marked."""
    history, best = result["history"], result["best_epoch"]
    epochs = range(1, len(history["loss"]) + 1)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    figure.suptitle(stage)
    for axis, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        axis.plot(epochs, history[name], "o-", markersize=3, label="training")
        axis.plot(epochs, history[f"val_{name}"], "o-", markersize=3, label="validation")
        axis.axvline(best, color="grey", linestyle=":", label=f"best epoch ({best})")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set(xlabel="epoch", ylabel=name)
        axis.legend(fontsize="small")
    _save(figure, file)


def draw_confusion(stage: str, result: Result, class_names: Sequence[str], file: Path) -> None:
    """True class by row, predicted class by column, in images."""
    confusion = np.array(result["evaluation"]["confusion"])
    figure = Figure(figsize=(3.6, 3.4), layout="constrained")
    axis = figure.subplots()
    axis.imshow(confusion, cmap="Blues", vmin=0)
    for (row, column), count in np.ndenumerate(confusion):
        colour = "white" if count > confusion.max() / 2 else "black"
        axis.text(column, row, f"{count:,}", ha="center", va="center", color=colour, fontsize=14)
    axis.set(xticks=[0, 1], yticks=[0, 1], xlabel="predicted", ylabel="true", title=f"{stage}: test images")
    axis.set_xticklabels(class_names)
    axis.set_yticklabels(class_names)
    _save(figure, file)


def draw_mistakes(stage: str, result: Result, class_names: Sequence[str], file: Path) -> None:
    """The images that the model was most sure of and wrong about."""
    mistakes = result["evaluation"]["mistakes"][:COLUMNS]
    figure = Figure(figsize=(1.7 * COLUMNS, 2.5), layout="constrained")
    figure.suptitle(f"{stage}: most confidently wrong" if mistakes else f"{stage}: no mistakes")
    titles = [
        f"{Path(m['path']).name}\n{class_names[1 - m['label']]} {abs(1 - m['label'] - (1 - m['probability'])):.0%}"
        for m in mistakes
    ]
    _show_images(figure.subplots(1, COLUMNS), [_read(Path(m["path"])) for m in mistakes], titles)
    _save(figure, file)


def _read(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize(IMAGE_SIZE[::-1], Image.Resampling.BILINEAR))


def _show_images(axes: Any, images: Any, titles: Sequence[str]) -> None:
    for axis in axes:
        axis.axis("off")
    for axis, image, title in zip(axes, images, titles, strict=False):
        axis.imshow(image)
        axis.set_title(title, fontsize=8)


def _save(figure: Figure, file: Path) -> None:
    partial = file.with_name(f".partial-{file.name}")
    figure.savefig(partial, dpi=DPI, format="png")
    partial.replace(file)
