"""``python -m reference``: run the whole pipeline and report."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from .backend import BACKENDS, DEFAULT_BACKEND, select_backend
from .errors import PipelineError

STAGES = ("data", "features", "augmented", "tune", "convnet", "convnet-augmented")
EMBEDDED = "embedded"
STAGE_HELP = """stages:
  data               obtain the images and make training, validation and test sets
  features           feature extraction, fast: the base runs once over every image
  augmented          feature extraction with the frozen base in the model, under augmentation
  tune               partial fine-tuning of the last four layers, from the best checkpoint
  convnet            the baseline: a convnet trained from scratch
  convnet-augmented  the baseline with augmentation and dropout

A run that was interrupted goes on after its last finished stage when it is started again."""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; wrong use ends with one line and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m reference",
        description="Cats against dogs by transfer learning: the pipeline of the study notes, stage by stage.",
        epilog=STAGE_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", default=EMBEDDED, help="a zip, a folder, 'kaggle', or 'embedded': drawn images (the default)")
    add("--base", help="preset name, handle or folder, or a .keras file (default: the embedded base with embedded "
        "data, xception_41_imagenet otherwise)")  # fmt: skip
    add("--random-base", action="store_true", help="give the base random weights: what pretraining is compared with")
    add("--backend", default=os.environ.get("KERAS_BACKEND", DEFAULT_BACKEND),
        help=f"{', '.join(BACKENDS)} (default: $KERAS_BACKEND, or {DEFAULT_BACKEND})")  # fmt: skip
    add("--stages", nargs="+", choices=STAGES, default=STAGES, metavar="STAGE", help="which to run (default: all)")
    add("--epochs", type=_positive(int), help="of each training run (default: 30 on features, 20 from scratch, "
        "3 through the base)")  # fmt: skip
    add("--scale", type=_positive(float), default=0.4, help="share of the notes' 1,000 / 500 / 1,000 images a class "
        "(default: 0.4)")  # fmt: skip
    add("--seed", type=int, default=0, help="of every random choice (default: 0)")
    add("--skip-unreadable", action="store_true", help="leave unreadable images out and count them")
    add("--output", type=Path, help="run folder (default: runs/DATA-BASE-BACKEND-SEED)")
    add("--cache", type=Path, default=Path("~/.cache/convspec").expanduser(),
        help="for images and features that later runs use again (default: ~/.cache/convspec)")  # fmt: skip
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done, 2 something the user can put right, 130 interrupted."""
    options = parse_arguments(arguments)
    try:
        select_backend(options.backend)
        run_pipeline(options)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on after the last finished stage", file=sys.stderr)
        return 130
    return 0


def run_pipeline(options: argparse.Namespace) -> None:
    """The stages asked for and, last, the report; Keras is imported only here, after the backend is chosen."""
    from rich.console import Console

    from .base import DEFAULT_PRESET, EMBEDDED_PRESET
    from .pipeline import STAGES as FUNCTIONS
    from .report import write_report
    from .run import Config, Run

    base = options.base or (str(EMBEDDED_PRESET) if options.data == EMBEDDED else DEFAULT_PRESET)
    config = Config(
        options.data, base, options.random_base, options.backend, options.epochs, options.scale, options.seed,
        options.skip_unreadable,
    )  # fmt: skip
    weights = "random-" * options.random_base + Path(base).stem
    default = Path("runs", f"{Path(options.data).stem}-{weights}-{options.backend}-{options.seed}")
    run = Run(config, options.output or default, options.cache, Console())
    asked = ["data", *(stage for stage in STAGES if stage in options.stages and stage != "data")]
    write_report(run, {stage: run.execute(stage, FUNCTIONS[stage]) for stage in asked})


def _positive(kind: type) -> Callable[[str], float]:
    def convert(text: str) -> float:
        number: float = kind(text)
        if not number > 0:
            raise argparse.ArgumentTypeError(f"{text} is not above zero")
        return number

    return convert


if __name__ == "__main__":
    sys.exit(main())
