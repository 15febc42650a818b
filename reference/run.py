"""A run: its options, its folder, and the image batches that its stages share.

A finished stage leaves ``results/<stage>.json``; a run that was interrupted goes on with the
first stage that has none. Every stage reads what it needs from the folder and seeds itself,
so a run in two parts ends as a run in one.
"""

import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import keras
from rich.console import Console
from rich.progress import Progress

from .errors import PipelineError
from .loading import ImageBatches, load_images
from .training import MONITOR

PACKAGES = ("keras", "keras-hub", "jax", "tensorflow", "torch", "numpy")

Result = dict[str, Any]


@dataclass(frozen=True)
class Config:
    """All that determines the outcome of a run."""

    data: str
    base: str
    random_base: bool
    backend: str
    epochs: int | None
    scale: float
    seed: int
    skip_unreadable: bool


class Run:
    """One run folder; raises PipelineError when it holds a run with other options."""

    def __init__(self, config: Config, folder: Path, cache: Path, console: Console) -> None:
        self.config, self.folder, self.cache, self.console = config, folder, cache, console
        for name in ("results", "checkpoints"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._remember_config()

    def finished(self, stage: str) -> Result | None:
        """The stage's result, if it has one."""
        file = self._result_file(stage)
        return dict(json.loads(file.read_text())) if file.is_file() else None

    def execute(self, stage: str, function: Callable[["Run"], Result]) -> Result:
        """Run a stage and record its result, or read the result of an earlier run."""
        if (before := self.finished(stage)) is not None:
            self.console.print(f"[bold]{stage}[/] finished before: {before['summary']}")
            return before
        self.console.print(f"[bold]{stage}[/] …")
        started = time.monotonic()
        result = function(self)
        result |= {"seconds": round(time.monotonic() - started, 1), "peak_memory_mb": peak_memory_mb()}
        write_json(self._result_file(stage), result)
        self.console.print(f"[bold]{stage}[/] {result['summary']} [dim]({result['seconds']:.0f} s)[/]")
        return result

    def checkpoint(self, stage: str) -> Path:
        """Where the best epoch of a stage is kept."""
        return self.folder / "checkpoints" / f"{stage}.keras"

    @cached_property
    def train(self) -> ImageBatches:
        """Training images in file order."""
        return self._load("train")

    @cached_property
    def shuffled_train(self) -> ImageBatches:
        """The same images, shuffled anew in each epoch."""
        return replace(self.train, shuffle_seed=self.config.seed)

    @cached_property
    def validation(self) -> ImageBatches:
        """Validation images in file order."""
        return self._load("validation")

    @cached_property
    def test(self) -> ImageBatches:
        """Test images in file order."""
        return self._load("test")

    def _load(self, subset: str) -> ImageBatches:
        return load_images(self.folder / "images" / subset, skip_unreadable=self.config.skip_unreadable)

    def _result_file(self, stage: str) -> Path:
        return self.folder / "results" / f"{stage}.json"

    def _remember_config(self) -> None:
        file, options = self.folder / "config.json", asdict(self.config)
        begun = file.is_file() and any((self.folder / "results").iterdir())
        before = json.loads(file.read_text())["options"] if begun else options
        changed = [
            f"{name} {before.get(name)}, now {value}" for name, value in options.items() if before.get(name) != value
        ]
        if changed:
            raise PipelineError(
                f"{self.folder} holds a run with other options ({'; '.join(changed)}): "
                f"name another folder with --output, or remove this one"
            )
        versions = {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}
        write_json(file, {"options": options, "versions": versions})


def epoch_bar(stage: str, epochs: int, console: Console) -> Any:
    """A Keras callback that draws a progress bar, a step for each epoch, on a terminal."""
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task(stage, total=epochs)

    def show(epoch: int, logs: dict[str, float]) -> None:
        text = f"{stage}: loss {logs['loss']:.3f}, {MONITOR} {logs[MONITOR]:.3f}"
        bar.update(task, completed=epoch + 1, description=text)

    return keras.callbacks.LambdaCallback(
        on_train_begin=lambda _: bar.start(), on_epoch_end=show, on_train_end=lambda _: bar.stop()
    )


def write_json(file: Path, content: Any) -> None:
    """Write a whole file or none."""
    partial = file.with_name(f".partial-{file.name}")
    partial.write_text(json.dumps(content, indent=2, default=str) + "\n")
    partial.replace(file)


def peak_memory_mb() -> int | None:
    """The most memory that this process has held so far; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
