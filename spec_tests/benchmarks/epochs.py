"""Compare epochs of the reference with epochs of the notes' cells, on the same images and backend.

``python -m spec_tests.benchmarks.epochs FOLDER`` takes a folder of subsets, ``train`` and ``validation``, as the data
stage makes it. The sides alternate. The time of an epoch is the time that further epochs add to the first, so that
one-time work, mainly compilation and the reference's decoding, is left out on both sides. The shares of reading and
of augmentation are the times of a pass over the batches without training steps.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from reference.backend import select_backend
from reference.errors import PipelineError

from ..adapter.implementation import load
from ..adapter.targets import default_backend
from ..support.files import write_text
from .gate.numbers import count, new_file

DROPOUT, SEED = 0.25, 0
FEW, MANY = 1, 4  # numbers of epochs, whose difference in time is measured
FEATURE_EPOCHS = 10
TURNS = 3

PARTS = ("reading", "augmentation", "epoch")

Seconds = dict[str, list[float]]  # by part


@dataclass(frozen=True)
class Side:
    """One side of the comparison, with its training and validation sets."""

    name: str
    read: Callable[[], Iterable[Any]]  # the batches of both sets
    augmented: Callable[[], Iterable[Any]]  # the same, with training batches augmented
    fit: Callable[[int], object]  # trains a new convnet for so many epochs, with augmentation


def cells(folder: Path) -> Side:
    """The side of the notes' cells."""
    from . import cells

    train, validation = cells.load(folder)
    augmented = cells.augmented(train)
    return Side(
        "notes' cells",
        lambda: (batch for dataset in (train, validation) for batch in dataset),
        lambda: (batch for dataset in (augmented, validation) for batch in dataset),
        lambda epochs: _in_scratch(lambda file: cells.fit(cells.convnet(), augmented, validation, epochs, file)),
    )


def reference(folder: Path, name: str) -> Side:
    """The side of the reference or of ``reference_fast``."""
    from reference.augmentation import augment_dataset, augmentation_layers
    from reference.loading import load_images
    from reference.training import fit

    train, validation = load_images(folder / "train", shuffle=True), load_images(folder / "validation")
    augmented = augment_dataset(train.dataset, augmentation_layers(SEED))
    build_convnet = load(name).build_convnet

    def trained(file: Path, epochs: int) -> object:
        return fit(build_convnet(dropout=DROPOUT), train, validation, epochs=epochs, checkpoint=file, augment=True)

    return Side(
        name,
        lambda: (batch for dataset in (train.dataset, validation.dataset) for batch in dataset),
        lambda: (batch for dataset in (augmented, validation.dataset) for batch in dataset),
        lambda epochs: _in_scratch(lambda file: trained(file, epochs)),
    )


def epochs_by_turns(sides: list[Side], turns: int) -> dict[str, Seconds]:
    """{side: {part: seconds of an epoch or of a part of it}}, measured in turns."""
    seconds: dict[str, Seconds] = {side.name: {part: [] for part in PARTS} for side in sides}
    for turn in range(turns):
        for side in sides if turn % 2 == 0 else reversed(sides):
            for part, value in zip(PARTS, _measured(side), strict=True):
                seconds[side.name][part].append(value)
            print(f"{side.name}: {seconds[side.name]['epoch'][-1]:.2f} s an epoch", file=sys.stderr)
    return seconds


def _measured(side: Side) -> tuple[float, float, float]:
    """Seconds of reading, of augmentation and of an epoch."""
    _exhaust(side.augmented())  # the first pass traces
    reading = _timed(lambda: _exhaust(side.read()))
    both = _timed(lambda: _exhaust(side.augmented()))
    few, many = (_timed(partial(side.fit, epochs)) for epochs in (FEW, MANY))
    return reading, both - reading, (many - few) / (MANY - FEW)


def feature_extraction(folder: Path, preset: Path) -> dict[str, float]:
    """Seconds of ten epochs of the head: on features, including their computation, and with the base in the model."""
    from reference.classifier import build_classifier
    from reference.features import cached_features, feature_batches, fit_head
    from reference.loading import load_images
    from reference.training import fit

    sets = load_images(folder / "train", shuffle=True), load_images(folder / "validation")

    def over_features(file: Path) -> None:
        model = build_classifier(preset)
        train, validation = (cached_features(model, batches, file.parent) for batches in sets)
        batches = feature_batches(*train, seed=SEED), feature_batches(*validation)
        fit_head(model, *batches, epochs=FEATURE_EPOCHS, checkpoint=file)

    def through_the_base(file: Path) -> None:
        fit(build_classifier(preset), *sets, epochs=FEATURE_EPOCHS, checkpoint=file)

    return {
        "over features": _timed(lambda: _in_scratch(over_features)),
        "with the base in the model": _timed(lambda: _in_scratch(through_the_base)),
    }


def show(seconds: dict[str, Seconds], console: Console) -> None:
    """Print the medians, and the ratio of each to that of the last side."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("seconds")
    for column in ("reading", "augmentation", "rest", "epoch", "ratio"):
        table.add_column(column, justify="right")
    compared = statistics.median(list(seconds.values())[-1]["epoch"])
    for name, took in seconds.items():
        reading, augmentation, epoch = (statistics.median(took[part]) for part in PARTS)
        rest = epoch - reading - augmentation
        table.add_row(name, *(f"{value:.2f}" for value in (reading, augmentation, rest, epoch, epoch / compared)))
    console.print(table)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 if measured, 2 for an error that the user can correct."""
    options = parser().parse_args(arguments)
    try:
        select_backend(options.backend)
        _measure(options)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """The parser of the options."""
    top = argparse.ArgumentParser("python -m spec_tests.benchmarks.epochs", description=__doc__)
    add, either = top.add_argument, top.add_mutually_exclusive_group()
    add("folder", type=Path, help="with the subsets train and validation")
    add("--backend", default=default_backend(), metavar="NAME", help="of all sides (default: %(default)s)")
    either.add_argument("--turns", type=count, default=TURNS, metavar="N", help=f"of each side (default: {TURNS})")
    either.add_argument("--features", metavar="PRESET", type=Path,
        help="time ten epochs of the head on this base instead, over features and without")  # fmt: skip
    add("--json", type=new_file, metavar="FILE", help="write all seconds")
    return top


def _measure(options: argparse.Namespace) -> None:
    """Measure and print; raises the reference's errors for images or a base that cannot be loaded."""
    made: Any
    if options.features:
        made = feature_extraction(options.folder, options.features)
        fast, slow = made.values()
        print(*(f"{name}: {value:.1f} s" for name, value in made.items()), f"ratio {fast / slow:.3f}", sep="\n")
    else:
        # on TensorFlow both are the same
        ours = ["reference"] if options.backend == "tensorflow" else ["reference", "reference_fast"]
        sides = [*(reference(options.folder, name) for name in ours), cells(options.folder)]
        made = epochs_by_turns(sides, options.turns)
        show(made, Console())
    if options.json:
        write_text(options.json, json.dumps(made, indent=1))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _exhaust(batches: Iterable[Any]) -> None:
    for _ in batches:
        pass


def _in_scratch(work: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work(Path(folder, "best.keras"))


if __name__ == "__main__":
    sys.exit(main())
