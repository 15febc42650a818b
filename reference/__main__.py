"""Cats against dogs by transfer learning: the pipeline of the study notes, stage by stage.

stages:
  data               obtain the images and make training, validation and test sets
  features           feature extraction, fast: the base runs once over every image
  augmented          feature extraction with the frozen base in the model, under augmentation
  tune               partial fine-tuning of the last four layers, from the best checkpoint
  convnet            the baseline: a convnet trained from scratch
  convnet-augmented  the baseline with augmentation and dropout

A run that was interrupted goes on after its last finished stage when it is started again.
"""

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from .backend import BACKENDS, DEFAULT_BACKEND, select_backend
from .checks import check
from .errors import PipelineError, printable
from .presets import DEFAULT_PRESET, EMBEDDED_PRESET
from .run import Run

STAGES = ("data", "features", "augmented", "tune", "convnet", "convnet-augmented")
SEEDS = 2**31  # the number that every backend accepts: on torch a seed is an int32


class Parser(argparse.ArgumentParser):
    """An argument parser with one-line error messages."""

    def error(self, message: str) -> NoReturn:
        """Exit with one line, as for all other mistakes."""
        self.exit(2, f"error: {printable(message)}\n")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The parsed command line; wrong use ends with exit code 2."""
    parser = Parser("python -m reference", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--data", default="embedded", help="a zip file, a folder, 'kaggle' or 'embedded' (default: 'embedded', drawn)")
    add(
        "--base",
        help="preset name, handle or folder, or a .keras file (default: xception_41_imagenet, or the embedded one)",
    )
    add("--random-base", action="store_true", help="give the base random weights, to compare with pretraining")
    add("--backend", default=DEFAULT_BACKEND, help=f"{', '.join(BACKENDS)} (default: $KERAS_BACKEND, or jax)")
    add("--stages", nargs="+", choices=STAGES, default=STAGES, metavar="STAGE", help="stages to run (default: all)")
    add("--epochs", type=int, help="epochs per training (default: 30 on features, 20 from scratch, 3 through the base)")
    add(
        "--scale", type=float, default=0.4, help="share of the notes' 1,000 / 500 / 1,000 images a class (default: 0.4)"
    )
    add("--seed", type=int, default=0, help="the seed of every random choice (default: 0)")
    add("--skip-unreadable", action="store_true", help="leave unreadable images out and count them")
    add("--output", type=Path, help="run folder (default: runs/DATA-BASE-BACKEND-SEED)")
    add("--cache", type=Path, default=Path.home() / ".cache/convspec", help="folder of images and features to reuse")
    options = parser.parse_args(arguments)
    if not (options.scale > 0 and (options.epochs is None or options.epochs > 0)):
        parser.error("--scale and --epochs take numbers above zero")
    if not 0 <= options.seed < SEEDS:
        parser.error(f"--seed takes a number from 0 to {SEEDS - 1:,}")
    return with_defaults(options)


def with_defaults(options: argparse.Namespace) -> argparse.Namespace:
    """The options, with the base that suits the data and a run folder named after them."""
    options.base = options.base or (str(EMBEDDED_PRESET) if options.data == "embedded" else DEFAULT_PRESET)
    weights = "random-" * options.random_base + Path(options.base).stem
    name = f"{Path(options.data).stem}-{weights}-{options.backend}-{options.seed}"
    options.output = options.output or Path("runs", name)
    return options


def plan(run: Run) -> str:
    """The plan of the run in one line."""
    options = run.options
    stages = ", ".join(stage for stage in STAGES if stage in ("data", *options.stages))
    facts = f"data {options.data}, base {run.base}, backend {options.backend}, seed {options.seed}"
    return printable(f"Cats against dogs: {facts}; stages {stages}; folder {run.folder}")


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 done, 2 an error that the user can correct, 130 interrupted."""
    options = parse_arguments(arguments)
    try:
        run = Run(options)
        check(run)
        print(f"{plan(run)}\nimporting Keras on {options.backend} …", flush=True)
        select_backend(options.backend)
        from .pipeline import run_pipeline  # imports Keras, which reads its backend on import

        run_pipeline(run)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on after the last finished stage", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
