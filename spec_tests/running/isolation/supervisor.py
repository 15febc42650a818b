"""The supervisor: workers that share the clauses of one implementation, until every clause is settled."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ... import __package__ as specification
from ...adapter.outline import broken_stages
from ...clauses.catalogue import FOLDER
from ...reporting.record import Failure, Implementation, Outcome
from ...support.texts import Told
from . import __package__ as isolation
from .journal import Event
from .process import End, Launch, Limits, Process, spawned
from .reaper import Reaper
from .state import Position, State
from .task import Task

INI = Path(__file__).with_name("pytest.ini")  # replaces the user's own, which may contain anything
# For each worker, however many there are: more threads of TensorFlow would make other workers wait. OMP_NUM_THREADS is
# not set, because with a single thread torch takes another path. The plugin keeps those threads from spinning.
THREADS = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
LOOK = 0.05  # seconds between two looks at what happened

Watch = Callable[[Event], None]


class Refused(Told):
    """A worker cannot begin, for a reason that the user can correct."""


def never() -> str:
    """Return no reason to stop a check."""
    return ""


def check(
    task: Task,
    limits: Limits,
    watch: Watch,
    launch: Launch = spawned,
    stopped: Callable[[], str] = never,
    workers: int = 1,
) -> State:
    """Check one implementation with ``workers`` workers, started by ``launch``; Refused if a worker cannot begin.

    ``stopped`` returns why the check must end early, if it must. Clauses that are open then are not run.
    """
    state = State(Implementation(task.column, task.target, task.backend), stages=list(task.tried))
    state.clauses |= {clause.id: clause for clause in task.clauses}
    broken, unclaimed = broken_stages(task.target)
    for stage, why in broken.items():
        state.settle_rest(Outcome.BROKEN, why, Failure(violated=why), stage)
    for stage in unclaimed:
        state.settle_rest(Outcome.NOT_CLAIMED, stage, stage=stage)
    if state.clauses and state.is_done:
        return state
    with tempfile.TemporaryDirectory(prefix="convspec-") as folder, Reaper() as reaper:
        Crew(task, state, limits, watch, launch, Path(folder), reaper, workers).work(stopped)
    return state


class Crew:
    """The workers of a check. They take groups of clauses from a folder, see ``queue``."""

    def __init__(
        self,
        task: Task,
        state: State,
        limits: Limits,
        watch: Watch,
        launch: Launch,
        folder: Path,
        reaper: Reaper,
        workers: int,
    ) -> None:
        self._task, self._state, self._limits = task, state, limits
        self._watch, self._launch, self._folder, self._reaper = watch, launch, folder, reaper
        self._started, self._places = 0, workers
        self._environment = _environment()
        self._workers: dict[int, tuple[Process, Position]] = {}

    def work(self, stopped: Callable[[], str]) -> None:
        """Run workers until every clause is settled or the check is stopped."""
        (self._folder / "queue").mkdir()
        try:
            if why := stopped():
                return self._state.settle_rest(Outcome.NOT_RUN, why)
            for place in range(min(self._places, len(self._task.clauses) or self._places)):
                self._start(place)
            while self._workers:
                why = stopped()
                for place in list(self._workers):
                    self._look(place)
                if why:
                    return self._state.settle_rest(Outcome.NOT_RUN, why)
                time.sleep(LOOK)
            return None
        finally:
            for process, _ in self._workers.values():
                process.end()

    def _start(self, place: int) -> None:
        """Start a worker at a place; it continues with the groups that its predecessor there had taken."""
        self._started += 1
        journal, settled, log = (self._folder / f"{name}-{self._started}" for name in ("journal", "settled", "output"))
        settled.write_text(json.dumps(self._state.settled() | {"place": place}), encoding="utf-8")
        arguments = _arguments(self._task, journal, settled, self._folder / "queue")
        started = self._launch(arguments, self._environment, log)
        self._reaper.watch(started.pid)
        self._workers[place] = Process(started, journal, log, self._limits), Position()

    def _look(self, place: int) -> None:
        """Read the events of a worker, and start another one if it was lost with clauses still open."""
        process, position = self._workers[place]
        lost = False
        for event in process.news():
            if isinstance(event, End):
                self._lose(process, position, event)
                lost = True
            elif event["event"] == "refused":
                raise Refused(event["why"])
            else:
                position.take(event)
                self._state.take(event)
                self._watch(event)
        if not process.over:
            return
        if not position.begun:  # it printed why, and ended
            raise Refused(_refusal(process.tail()))
        process.end()
        self._reaper.forget(process.pid)
        del self._workers[place]
        if lost and not self._state.is_done:
            self._start(place)

    def _lose(self, process: Process, position: Position, end: End) -> None:
        if not position.begun and end.outcome is Outcome.CRASHED:
            raise Refused(_refusal(process.tail()))
        if not position.begun:
            raise Refused(f"the checks cannot begin: {end.words}")
        self._state.lose(position, end, process.tail())


def _arguments(task: Task, journal: Path, settled: Path, queue: Path) -> list[str]:
    """The arguments of pytest."""
    plugins = ("-p", f"{specification}.plugin", "-p", f"{isolation}.worker", "-p", "no:cacheprovider")
    quiet = ("--capture=no", "-q", "--tb=no", "--color=no")
    # Paths, not names of modules: for a name, pytest would load a conftest.py of the folder that the module is in.
    places = ("-c", str(INI), f"--rootdir={Path.cwd()}", f"--confcutdir={FOLDER}", *task.places)
    what = (f"--implementation={task.target}", f"--backend={task.backend}", *task.options)
    told = (f"--journal={journal}", f"--settled={settled}", f"--queue={queue}")
    return [*plugins, *quiet, *places, *told, *what]


def _environment() -> dict[str, str]:
    """The environment of a worker: it can import everything importable here, the current folder first."""
    paths = dict.fromkeys([str(Path.cwd()), *filter(None, sys.path)])
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "convspec"
    own = {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "PYTEST_ADDOPTS": "",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    return THREADS | {"JAX_COMPILATION_CACHE_DIR": str(cache / "jax")} | os.environ | own


def _refusal(output: str) -> str:
    """The reason for which pytest refused the command line."""
    errors = [line.removeprefix("ERROR: ") for line in output.splitlines() if line.startswith("ERROR: ")]
    if "deselected" in output:
        return "no clause is selected: none of the named clauses belongs to a named stage"
    return errors[0] if errors else f"the checks cannot begin: {' '.join(output.split())[-400:] or 'no output'}"
