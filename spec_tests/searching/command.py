"""The command ``convspec search``."""

import sys
import time
from argparse import Namespace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ..adapter.implementation import BrokenAdapter
from ..running.stopping import Stop
from ..support.files import write_text
from ..support.texts import one_line
from . import FUNCTIONS
from .report import lines, to_json
from .search import Search, Tried
from .worker import Over, Ready, Worker


class Display:
    """Shows the progress of the search: a bar on a terminal, a line elsewhere."""

    def __init__(self, console: Console, label: str, seconds: float) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[at]}"))
        self._begun, self._tries, self._differences = time.monotonic(), 0, 0
        self.bar = Progress(*columns, console=console, disable=not console.is_terminal)
        console.print(f"searching {label} for {seconds / 60:g} minutes", highlight=False)
        self._task = self.bar.add_task(label, total=seconds, at="importing")

    def __call__(self, tried: Tried) -> None:
        """Count an example and update the bar."""
        self._tries += 1
        at = f"{tried.function}, {self._tries:,} examples"
        self.bar.update(self._task, completed=time.monotonic() - self._begun, at=at)


def search(options: Namespace, target: str, backend: str, begun: float) -> int:
    """Search, print what was found, write it to a file if asked to, and return the exit code.

    ``begun`` is the time at which the command began.
    """
    seconds = options.minutes * 60
    until = begun + seconds
    folder = options.examples / one_line(f"{target}@{backend}").replace("/", "_").replace(":", "_")
    display = Display(Console(stderr=True), f"{target}@{backend}", seconds)
    with Stop() as stop:
        try:
            with Worker(target, backend, lambda: stop() or time.monotonic() > until) as worker, display.bar:
                ready = worker.ready()
                asked = [name for name in options.function or FUNCTIONS if name in ready.offered]
                found = Search(worker, options.seed, folder, display).run(asked)
        except BrokenAdapter as error:
            return _nothing(str(error))
        except Over:
            return _nothing(f"{target} was not imported in time")
        _tell(found, ready, options, target, backend)
        if why := stop():
            print(why.replace("check", "search"), file=sys.stderr)
        return stop.code or _code(found, options.function or FUNCTIONS)


def _nothing(why: str) -> int:
    print(f"nothing can be tried: {why}", file=sys.stderr)
    return 3


def _tell(found: list[Tried], ready: Ready, options: Namespace, target: str, backend: str) -> None:
    for name in options.function or FUNCTIONS:
        if name not in ready.offered:
            print(f"{name}: not offered")
    for line in lines(found, target, backend):
        print(line)
    if options.json:
        file: Path = options.json
        write_text(file, to_json(found, ready, target, backend, options.seed, options.minutes))
        print(f"json: {file}")


def _code(found: list[Tried], asked: object) -> int:
    if any(tried.differences for tried in found):
        return 1
    if any(tried.examples > sum(tried.refused.values()) for tried in found):
        return 0
    return _nothing(f"no example of {', '.join(asked) if isinstance(asked, list) else 'any function'} was answered")
