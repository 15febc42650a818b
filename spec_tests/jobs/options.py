"""Options of the commands that run lists of jobs, the same for each."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .runner import Runner


def add_address(command: argparse.ArgumentParser) -> None:
    """Where jobs are done."""
    command.add_argument("--address", default=os.environ.get("RAY_ADDRESS", ""), metavar="ADDRESS",
        help="of a Ray cluster to run on, host:port (default: $RAY_ADDRESS, and without it this machine)")  # fmt: skip


def add_options(command: argparse.ArgumentParser, folder: str, workers: int | None) -> None:
    """The same, how many side by side, and where results are kept."""
    command.add_argument("--workers", type=count, default=workers, metavar="N",
        help=f"side by side on this machine (default: {workers})")  # fmt: skip
    add_address(command)
    command.add_argument("--results", type=Path, default=Path(folder), metavar="FOLDER",
        help=f"where each result is kept as soon as it is there (default: {folder})")  # fmt: skip
    command.add_argument("--resume", action="store_true", help="go on with a run that was ended: use what is there")


def runner(options: argparse.Namespace) -> "Runner":
    """As the options say."""
    from .runner import Runner  # not where help is all that is asked for

    return Runner(options.results, options.workers, options.address, options.resume)


def count(text: str) -> int:
    """A number of things that there is at least one of."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number
