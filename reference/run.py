"""A run: its options, its folder, and the images that its stages share.

A finished stage leaves ``results/<stage>.json``. An interrupted run continues with the
first stage without one. Every stage reads its inputs from the folder and seeds itself,
so a run in two parts has the same results as an uninterrupted one.
"""

import json
import platform
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import PipelineError, explained
from .files import check_place, whole
from .subset import SPLIT

if TYPE_CHECKING:  # the folder is checked before Keras is imported
    from .loading import ImageBatches

PACKAGES = ("keras", "keras-hub", "jax", "tensorflow", "torch", "numpy")
MAY_CHANGE = ("stages", "output", "cache")  # options that do not affect the results

Result = dict[str, Any]


class Run:
    """One run folder, which is only read until the run begins.

    Raises PipelineError if it holds a run with other options, or cannot be a folder.
    """

    def __init__(self, options: Namespace) -> None:
        self.options, self.folder, self.cache = options, options.output, options.cache
        check_place(self.folder, "a run folder", "--output")
        check_place(self.cache, "a cache", "--cache")
        self._refuse_other_options()

    def begin(self) -> None:
        """Make the folder, and write the options and versions to it."""
        with explained(f"{self.folder} cannot be a run folder", "name another folder with --output"):
            (self.folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        versions = {package.name: package.version for package in distributions() if package.name in PACKAGES}
        versions = {"python": platform.python_version()} | versions
        write_json(self._config, {"options": self._lasting_options(), "versions": versions})

    @cached_property
    def images(self) -> "dict[str, ImageBatches]":
        """Training, validation and test images, each in file order."""
        from .loading import load_images

        skip = self.options.skip_unreadable
        return {name: load_images(self.folder / "images" / name, skip_unreadable=skip) for name in SPLIT}

    @property
    def base(self) -> str:
        """The name of the base in words."""
        return f"{self.options.base}{' with random weights' if self.options.random_base else ''}"

    def checkpoint(self, stage: str) -> Path:
        """The path of the best epoch of a stage."""
        return Path(self.folder, "checkpoints", f"{stage}.keras")

    def unfinished(self) -> set[str]:
        """The stages that are still to run: the requested ones, and that of the data."""
        return {stage for stage in ("data", *self.options.stages) if not self.finished(stage)}

    def finished(self, stage: str) -> Result | None:
        """The stage's result, or None; raises PipelineError for a file that is not a result."""
        file = self.folder / "results" / f"{stage}.json"
        if not file.is_file():
            return None
        with self.reading(stage):
            result: Result = {"summary": ""} | json.loads(file.read_text())
        return result

    def reading(self, stage: str) -> AbstractContextManager[None]:
        """Convert errors in the stage's result, which a user may have edited, to PipelineError."""
        file = self.folder / "results" / f"{stage}.json"
        return explained(f"{file} is not the result of a stage", "remove it, and the stage runs again")

    def execute(self, stage: str, function: Callable[["Run"], Result]) -> Result:
        """The result of a stage, which is run and recorded unless an earlier run has the result."""
        import rich
        from rich.markup import escape

        if before := self.finished(stage):
            rich.print(f"[bold]{stage}[/] finished before: {escape(str(before['summary']))}")
            return before
        rich.print(f"[bold]{stage}[/] …")
        started = time.monotonic()
        result = function(self)
        result |= {"seconds": round(time.monotonic() - started, 1), "peak_memory_mb": peak_memory_mb()}
        write_json(self.folder / "results" / f"{stage}.json", result)
        rich.print(f"[bold]{stage}[/] {result['summary']} [dim]({result['seconds']:.0f} s)[/]")
        return result

    @property
    def _config(self) -> Path:
        return Path(self.folder, "config.json")

    def _lasting_options(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self.options).items() if name not in MAY_CHANGE}

    def _refuse_other_options(self) -> None:
        options = self._lasting_options()
        with explained(f"{self._config} is not that of a run", "name another folder with --output, or remove this one"):
            before = json.loads(self._config.read_text())["options"] if self.finished("data") else options
            given = {name: before.get(name) for name in options}
        changes = [f"{name} {given[name]}, now {now}" for name, now in options.items() if given[name] != now]
        if changes:
            raise PipelineError(
                f"{self.folder} holds a run with other options ({'; '.join(changes)}): "
                f"name another folder with --output, or remove this one"
            )


def write_json(file: Path, content: Any) -> None:
    """Write a JSON file completely or not at all."""
    with whole(file) as partial:
        partial.write_text(json.dumps(content, indent=2, default=str) + "\n")


def peak_memory_mb() -> int | None:
    """The peak memory of this process so far in megabytes; None if the system does not report it."""
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:  # Windows
        return None
    return getrusage(RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)
