"""The supervisor: workers, one after the other, until every clause is settled."""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ... import __package__ as specification
from ...clauses.clause import Clause, Level
from ...reporting.record import Failure, Implementation, Outcome, Result
from ...support.texts import Told
from ..results import outcome_of_failure
from . import __package__ as isolation
from .journal import Event
from .process import End, Launch, Limits, Process, spawned

INI = Path(__file__).with_name("pytest.ini")  # in place of the user's own, which may ask for anything
CLAUSES = Path(__file__).parents[2] / "clauses"
RESTARTS = 3  # of workers that are lost without a clause
NOTHING = Failure()

Watch = Callable[[Event], None]


class Refused(Told):
    """A worker cannot begin, for a reason that the user can put right."""


@dataclass(frozen=True)
class Task:
    """An implementation on a backend, and the options of the plugin that say what of it is checked."""

    column: str
    target: str
    backend: str
    options: tuple[str, ...]
    tried: tuple[str, ...] = ()  # stages whose functions need no smoke check
    places: tuple[str, ...] = (str(CLAUSES),)  # where the clauses that are asked for stand


@dataclass
class State:
    """What is known so far."""

    implementation: Implementation
    clauses: dict[str, Clause] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    excused: Mapping[str, str] = field(default_factory=dict)
    fixtures: dict[str, str] = field(default_factory=dict)  # with which a worker was lost, and why
    stages: list[str] = field(default_factory=list)  # whose smoke check a worker was lost with
    at: str = ""  # the last event that begins something
    clause: str = ""
    stage: str = ""
    fixture: str = ""
    idle: int = 0  # workers lost without a clause

    def take(self, event: Event) -> None:
        """Learn from what a worker tells."""
        kind = event["event"]
        if kind in ("collected", "loading", "loaded", "smoke", "started", "judged", "finished"):
            self.at = kind
        if kind == "collected":
            given = (Clause(**clause | {"level": Level(clause["level"])}) for clause in event["clauses"])
            self.clauses |= {clause.id: clause for clause in given}
        elif kind == "loaded":
            self.excused = event["excused"]
            backend = self.implementation.backend if event["has_backends"] else ""
            self.implementation = replace(
                self.implementation, name=event["name"], version=event["version"], backend=backend
            )
        elif kind == "smoke":
            self.stage = event["stage"]
        elif kind == "started":
            self.clause, self.fixture = event["clause"], ""
        elif kind == "fixture":
            self.fixture = event["name"]
        elif kind == "made":
            self.fixture = ""
        elif kind == "judged":
            self._keep(Result.from_json(event["result"], self.clauses))
            self.implementation = replace(self.implementation, packages=event["packages"])
        elif kind == "finished":
            self.implementation = replace(self.implementation, python=event["python"], platform=event["platform"])

    def lose(self, end: End, output: str) -> None:
        """A worker was lost: settle what it was at."""
        if self.at == "smoke":  # the clauses will tell which function it was
            self.stages.append(self.stage)
        elif self.at == "started" and self.clause not in self.results:
            self._lose_clause(end, output)
        elif self.at in ("collected", "loading"):
            self._break(f"{self.implementation.target} cannot be imported: {end.words}", output)
        else:
            self.idle += 1
            if self.idle > RESTARTS:
                self._settle_rest(
                    Outcome.NOT_RUN, f"the process was lost {self.idle} times between two clauses: {end.words}"
                )

    def settled(self) -> dict[str, Any]:
        """What the next worker need not do."""
        return {"clauses": [*self.results], "fixtures": self.fixtures, "stages": self.stages}

    @property
    def is_done(self) -> bool:
        """Whether every clause is settled."""
        return self.results.keys() >= self.clauses.keys()

    def _lose_clause(self, end: End, output: str) -> None:
        clause = self.clauses[self.clause]
        failure = Failure(violated=end.words, output=output)
        if self.fixture:
            failure = replace(failure, at=f"while {self.fixture} was made, which other clauses need too")
            self.fixtures[self.fixture] = f"{self.fixture} cannot be made: {end.words}, as under {clause.id}"
        excuse = self.excused.get(clause.id, "")
        outcome = outcome_of_failure(clause, excuse, end.outcome)
        self._keep(Result(clause, self.implementation.column, outcome, failure=failure, reason=excuse))

    def _break(self, why: str, output: str) -> None:
        self._settle_rest(Outcome.BROKEN, why, Failure(violated=why, output=output))

    def _settle_rest(self, outcome: Outcome, why: str, failure: Failure = NOTHING) -> None:
        for clause in self.clauses.values():
            if clause.id not in self.results:
                self._keep(Result(clause, self.implementation.column, outcome, failure=failure, reason=why))

    def _keep(self, result: Result) -> None:
        self.results[result.clause.id] = replace(result, implementation=self.implementation.column)


def check(task: Task, limits: Limits, watch: Watch, launch: Launch = spawned) -> State:
    """Check one implementation in workers that are started so; Refused if it cannot begin."""
    state = State(Implementation(task.column, task.target, task.backend), stages=list(task.tried))
    while True:
        with tempfile.TemporaryDirectory(prefix="convspec-") as folder:
            if not _work(task, state, limits, watch, launch, Path(folder)):
                return state
        if state.is_done:
            return state


def _work(task: Task, state: State, limits: Limits, watch: Watch, launch: Launch, folder: Path) -> bool:
    """One worker; whether another one is needed."""
    journal, settled, log = (folder / name for name in ("journal", "settled.json", "output"))
    settled.write_text(json.dumps(state.settled()), encoding="utf-8")
    state.at = ""
    started = launch(_arguments(task, journal, settled), _environment(task), log)
    process = Process(started, journal, log, limits)
    try:
        for event in process.events():
            if isinstance(event, End):
                if not state.clauses:
                    raise Refused(_refusal(process.tail()))
                state.lose(event, process.tail())
                return True
            state.take(event)
            watch(event)
        if not state.clauses:  # it told why, and went
            raise Refused(_refusal(process.tail()))
        return False
    finally:
        process.end()


def _arguments(task: Task, journal: Path, settled: Path) -> list[str]:
    """Of pytest."""
    plugins = (
        "-p",
        f"{specification}.plugin",
        "-p",
        f"{isolation}.worker",
        "-p",
        "no:cacheprovider",
    )
    quiet = ("--capture=no", "-q", "--tb=no", "--color=no")
    # By its path: given a name of a module, pytest would load a conftest.py of the folder that it stands in.
    places = ("-c", str(INI), f"--rootdir={Path.cwd()}", f"--confcutdir={CLAUSES}", *task.places)
    what = (f"--implementation={task.target}", f"--backend={task.backend}", *task.options)
    told = (f"--journal={journal}", f"--settled={settled}")
    return [*plugins, *quiet, *places, *told, *what]


def _environment(task: Task) -> dict[str, str]:
    """What can be imported here can be imported there; the folder that one stands in comes first."""
    paths = dict.fromkeys([str(Path.cwd()), *filter(None, sys.path)])
    own = {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "PYTEST_ADDOPTS": "",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    if task.backend == "jax":
        cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "convspec" / "jax"
        own["JAX_COMPILATION_CACHE_DIR"] = os.environ.get("JAX_COMPILATION_CACHE_DIR", str(cache))
    return os.environ | own


def _refusal(output: str) -> str:
    """What pytest said of the command line."""
    errors = [line.removeprefix("ERROR: ") for line in output.splitlines() if line.startswith("ERROR: ")]
    if "deselected" in output:
        return "no clause is selected: the clauses and the stages that are named have none in common"
    return errors[0] if errors else f"the checks cannot begin: {' '.join(output.split())[-400:] or 'no output'}"
