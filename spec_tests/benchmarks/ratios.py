"""Compare training steps of the reference with those of the floor: ``python -m spec_tests.benchmarks.ratios``.

On a backend, for each kind of step, the reference, its fast variant and the floor alternate in separate processes.
The fastest step of each process counts. Each round has new processes and gives a ratio.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from ..cases.trials import EMBEDDED_PRESET
from ..support.files import write_text
from ..support.texts import Told
from .floor import BACKENDS
from .gate.numbers import count, new_file
from .gate.process import Start, spawned
from .gate.session import Shape, played
from .gate.verdict import fastest
from .gate.worker import HARNESS, Order
from .work import WORK

STEPS = [name for name in WORK if name.startswith("train_")]
FLOOR, OURS = "floor", ("reference", "reference_fast")
IMAGE_SIZE, BATCH_SIZE = 180, 32
ROUNDS, BLOCKS = 3, 4
SEED = 0

Fastest = dict[str, float]  # seconds of a step, by subject


def orders(backend: str, step: str, preset: Path, image_size: int, batch_size: int) -> dict[str, Order]:
    """The order of each subject. On TensorFlow the fast variant is the reference."""

    def order(target: str, on: str | None) -> Order:
        return Order(str(HARNESS), target, on, step, image_size, batch_size, SEED, str(preset.resolve()))

    ours = {name: order(name, backend) for name in OURS if backend != "tensorflow" or name == OURS[0]}
    return ours | {FLOOR: order(f"{__package__}.floor:{backend}", None)}


def measured(subjects: dict[str, Order], rounds: int, start: Start) -> list[Fastest]:
    """The fastest steps of so many rounds."""
    made = played(subjects, start, Shape(runs=1, blocks=BLOCKS), np.random.default_rng(SEED))
    return [{name: fastest(one, name) for name in subjects} for one in islice(made, rounds)]


def row(rounds: Sequence[Fastest]) -> list[str]:
    """Milliseconds of the floor, and the ratio of each other subject to it: median, lowest and highest round."""
    cells = [f"{1e3 * statistics.median(one[FLOOR] for one in rounds):.1f}"]
    for name in OURS:
        ratios = sorted(one[name] / one[FLOOR] for one in rounds if name in one)
        cells.append(f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})" if ratios else "the same")
    return cells


def main(arguments: Sequence[str] | None = None, start: Start = spawned) -> int:
    """The exit code: 0 if measured, 2 for an error that the user can correct."""
    options = parser().parse_args(arguments)
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in ("backend", "step", "floor (ms)", *OURS):
        table.add_column(column.replace("_", " "), justify="left" if column in ("backend", "step") else "right")
    made: dict[str, dict[str, list[Fastest]]] = {}
    for backend in options.backend:
        for step in options.step:
            print(f"measuring {step} on {backend}", file=sys.stderr)
            subjects = orders(backend, step, options.preset, options.image_size, options.batch_size)
            try:
                rounds = measured(subjects, options.rounds, start)
            except Told as error:
                print(f"error: {error}", file=sys.stderr)
                return 2
            made.setdefault(backend, {})[step] = rounds
            table.add_row(backend, step.replace("_", " "), *row(rounds))
    Console().print(table)
    if options.json:
        write_text(options.json, json.dumps(made, indent=1))
    return 0


def parser() -> argparse.ArgumentParser:
    """The parser of the options."""
    top = argparse.ArgumentParser("python -m spec_tests.benchmarks.ratios", description=__doc__)
    add = top.add_argument
    add("--backend", nargs="+", choices=BACKENDS, default=BACKENDS, metavar="NAME", help="default: all three")
    add("--step", nargs="+", choices=STEPS, default=STEPS, metavar="NAME", help=f"of {', '.join(STEPS)} (default: all)")
    add("--preset", type=Path, default=EMBEDDED_PRESET, metavar="FILE", help="the base (default: the embedded one)")
    add("--image-size", type=count, default=IMAGE_SIZE, metavar="N", help=f"in pixels (default: {IMAGE_SIZE})")
    add("--batch-size", type=count, default=BATCH_SIZE, metavar="N", help=f"in images (default: {BATCH_SIZE})")
    add("--rounds", type=count, default=ROUNDS, metavar="N", help=f"of new processes (default: {ROUNDS})")
    add("--json", type=new_file, metavar="FILE", help="write the fastest step of every process")
    return top


if __name__ == "__main__":
    sys.exit(main())
