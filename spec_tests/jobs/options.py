"""The options of all commands that run lists of jobs."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .runner import Runner


def add_address(command: argparse.ArgumentParser) -> None:
    """Add the option for where jobs run."""
    command.add_argument("--address", default=os.environ.get("RAY_ADDRESS", ""), metavar="ADDRESS",
        help="Ray cluster to run on, host:port (default: $RAY_ADDRESS, and without it this machine)")  # fmt: skip


def add_options(command: argparse.ArgumentParser, folder: str, workers: int | None) -> None:
    """Add the options for where jobs run, how many at a time, and where results are kept."""
    command.add_argument("--workers", type=count, default=workers, metavar="N",
        help=f"jobs at a time on this machine (default: {workers})")  # fmt: skip
    add_address(command)
    command.add_argument("--results", type=Path, default=Path(folder), metavar="FOLDER",
        help=f"folder that each result is written to when its job is done (default: {folder})")  # fmt: skip
    command.add_argument("--resume", action="store_true", help="continue an interrupted run: use existing results")


def runner(options: argparse.Namespace) -> "Runner":
    """The runner that the options describe."""
    from .runner import Runner  # not needed for --help

    return Runner(options.results, options.workers, options.address, options.resume)


def count(text: str) -> int:
    """The number in ``text``; argparse.ArgumentTypeError if it is below one."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number
