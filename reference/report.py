"""The report of a run: its pictures, and one table on the terminal and in ``report.md``."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rich
from matplotlib import rc_context, rcParams
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.markdown import Markdown

from .augmentation import augment
from .errors import printable
from .files import whole
from .lettering import families, legible
from .loading import ImageBatches
from .run import Result, Run

HEADINGS = ("stage", "accuracy", "95 % interval", "epoch", "time", "memory")
ALIGNMENT = (":--", "--:", "--:", "--:", "--:", "--:")
VERSIONS = 9
COLUMNS = 6
DPI = 110


def write_report(run: Run, results: dict[str, Result]) -> None:
    """Draw the pictures, write report.md and print its table."""
    options, links = run.options, []
    rows: list[tuple[str, ...]] = [HEADINGS, ALIGNMENT]
    for stage, result in results.items():
        with run.reading(stage):
            rows.append(table_row(stage, result))
    fonts = families(name for batches in run.images.values() for name in names(batches))
    with rc_context({"text.parse_math": False, "font.family": fonts}):  # the name of a file may hold a dollar
        for name, figure in draw(run, results).items():
            with whole(run.folder / "pictures" / f"{name}.png") as partial:
                figure.savefig(partial, dpi=DPI)
            links.append(f"![{name}](pictures/{name}.png)")
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
    title = f"# Cats against dogs: {options.data}, {options.backend}, seed {options.seed}"
    base = f"Base: {options.base}{' with random weights' if options.random_base else ''}."
    with whole(run.folder / "report.md") as partial:
        content = "\n\n".join((printable(title), table, printable(base), "\n".join(links)))
        partial.write_text(content + "\n", encoding="utf-8")
    rich.print(Markdown(table))
    print(f"The whole run, with its pictures: {printable(str(run.folder / 'report.md'))}")


def table_row(stage: str, result: Result) -> tuple[str, ...]:
    """The cells under HEADINGS; a stage that trains nothing has no accuracy."""
    accuracy, epoch = ("", ""), ""
    if evaluation := result.get("evaluation"):
        accuracy = f"{evaluation['accuracy']:.3f}", f"{evaluation['low']:.3f}–{evaluation['high']:.3f}"
        epoch = f"{result['best_epoch']} of {len(result['history']['loss'])}"
    memory = f"{result['peak_memory_mb']:,} MB" if result["peak_memory_mb"] else "unknown"
    return stage, *accuracy, epoch, f"{result['seconds']:.0f} s", memory


def draw(run: Run, results: dict[str, Result]) -> dict[str, Figure]:
    """All pictures of a run by name."""
    train, test = run.images["train"], run.images["test"]
    figures = {"samples": draw_samples(train), "augmented": draw_augmented(train, run.options.seed)}
    for stage, result in results.items():
        if evaluation := result.get("evaluation"):
            with run.reading(stage):
                figures[f"curves-{stage}"] = draw_curves(stage, result["history"], result["best_epoch"])
                figures[f"confusion-{stage}"] = draw_confusion(stage, evaluation["confusion"], test.class_names)
                figures[f"mistakes-{stage}"] = draw_mistakes(stage, evaluation["mistakes"][:COLUMNS], test)
    return figures


def draw_samples(batches: ImageBatches) -> Figure:
    """The first images of each class, a class a row."""
    pairs = list(zip(batches.paths, batches.labels, strict=True))
    classes = [[path for path, label in pairs if label == number] for number in range(len(batches.class_names))]
    columns = min(COLUMNS, *map(len, classes))
    paths = [path for files in classes for path in files[:columns]]
    return draw_grid("samples", loaded(batches, paths), [path.name for path in paths], columns)


def draw_augmented(batches: ImageBatches, seed: int) -> Figure:
    """One training image, augmented nine ways."""
    image = batches.images.read([0])
    versions, _ = augment(np.repeat(image, VERSIONS, axis=0), np.zeros(VERSIONS), seed=seed)
    title = f"{batches.paths[0].name}: flip, rotation 0.1, zoom 0.2"
    return draw_grid(title, list(versions.astype(np.uint8)), [""] * VERSIONS, columns=3)


def draw_curves(stage: str, history: dict[str, list[float]], best: int) -> Figure:
    """Loss and accuracy by epoch, for training and validation; the best epoch is marked."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    figure.suptitle(stage)
    for axis, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for key, label in ((name, "training"), (f"val_{name}", "validation")):
            axis.plot(range(1, len(history[key]) + 1), history[key], "o-", markersize=3, label=label)
        axis.axvline(best, color="grey", linestyle=":", label=f"best epoch ({best})")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set(xlabel="epoch", ylabel=name)
        axis.legend(fontsize="small")
    return figure


def draw_confusion(stage: str, confusion: list[list[int]], classes: Sequence[str]) -> Figure:
    """True class by row, predicted class by column, in images."""
    figure = Figure(figsize=(3.6, 3.4), layout="constrained")
    axis = figure.subplots()
    axis.imshow(confusion, cmap="Blues", vmin=0, vmax=2 * np.max(confusion))  # pale: the numbers are black
    for (row, column), count in np.ndenumerate(confusion):
        axis.text(column, row, f"{count:,}", ha="center", va="center", fontsize=14)
    labels = list(map(lettered, classes))
    axis.set(xticks=[0, 1], xticklabels=labels, yticks=[0, 1], yticklabels=labels)
    axis.set(xlabel="predicted", ylabel="true", title=f"{stage}: test images")
    return figure


def draw_mistakes(stage: str, mistakes: list[dict[str, Any]], test: ImageBatches) -> Figure:
    """The images that the model was most sure of and wrong about."""
    paths = [Path(mistake["path"]) for mistake in mistakes]
    captions = [
        f"{path.name}\n{test.class_names[1 - mistake['label']]} {abs(mistake['label'] - mistake['probability']):.0%}"
        for path, mistake in zip(paths, mistakes, strict=True)
    ]
    title = f"{stage}: most confidently wrong" if mistakes else f"{stage}: no mistakes"
    return draw_grid(title, loaded(test, paths), captions)


def draw_grid(title: str, images: Sequence[Any], captions: Sequence[str], columns: int = COLUMNS) -> Figure:
    """Images row by row, each under its caption."""
    rows = max(1, -(-len(images) // columns))
    figure = Figure(figsize=(1.7 * columns, 2 * rows + 0.5), layout="constrained")
    figure.suptitle(lettered(title))
    for axis in figure.subplots(rows, columns, squeeze=False).flat:
        axis.axis("off")
    for axis, image, caption in zip(figure.axes, images, captions, strict=False):
        axis.imshow(image)
        axis.set_title("\n".join(map(lettered, caption.splitlines())), fontsize=8)
    return figure


def names(batches: ImageBatches) -> Iterator[str]:
    """Of classes and files: what of a picture's texts is the user's."""
    yield from batches.class_names
    yield from (path.name for path in batches.paths)


def lettered(text: str) -> str:
    """The text on one line, in letters that the pictures' fonts have."""
    return legible(printable(text), rcParams["font.family"])


def loaded(batches: ImageBatches, paths: Iterable[Path]) -> list[NDArray[np.uint8]]:
    """These images as they were loaded, since another reader might not take them; KeyError for another image.

    They are found by their places below the folder, which may have moved since.
    """
    top = os.path.commonpath(batches.paths)
    places = {path.relative_to(top).parts: place for place, path in enumerate(batches.paths)}
    ends = [next((end for end in _ends(path) if end in places), path.parts) for path in paths]
    images = batches.images.read([places[end] for end in ends])
    return list(images.astype(np.uint8))


def _ends(path: Path) -> Iterator[tuple[str, ...]]:
    """Class and name, and with more and more of the folders above."""
    return (path.parts[-count:] for count in range(2, len(path.parts) + 1))
