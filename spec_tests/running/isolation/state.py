"""The state of a check: the events of its workers, and the outcomes of clauses whose worker was lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...adapter.stages import whole
from ...clauses.clause import Clause, Level
from ...reporting.record import Failure, Implementation, Outcome, Result, outcome_of_failure
from .journal import Event
from .process import End

RESTARTS = 3  # of workers that are lost between two clauses
NOTHING = Failure()
STEPS = ("collected", "loading", "loaded", "smoke", "started", "judged", "finished")  # events that begin something


@dataclass
class Position:
    """The step that a worker is at."""

    begun: bool = False  # whether it reported the clauses
    at: str = ""  # the last event that begins something
    clause: str = ""
    stage: str = ""
    fixture: str = ""

    def take(self, event: Event) -> None:
        """Update the position with an event of the worker."""
        kind = event["event"]
        if kind in STEPS:
            self.at = kind
        self.begun = self.begun or kind == "collected"
        if kind == "smoke":
            self.stage = event["stage"]
        elif kind == "started":
            self.clause, self.fixture = event["clause"], ""
        elif kind == "fixture":
            self.fixture = event["name"]
        elif kind == "made":
            self.fixture = ""


@dataclass
class State:
    """What is known so far about one implementation."""

    implementation: Implementation
    clauses: dict[str, Clause] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    excused: Mapping[str, str] = field(default_factory=dict)
    fixtures: dict[str, str] = field(default_factory=dict)  # {fixture: why} for those with which a worker was lost
    stages: list[str] = field(default_factory=list)  # stages in whose smoke check a worker was lost
    idle: int = 0  # workers lost between two clauses

    def take(self, event: Event) -> None:
        """Update the state with an event of a worker."""
        kind = event["event"]
        if kind == "collected":
            given = (Clause(**clause | {"level": Level(clause["level"])}) for clause in event["clauses"])
            self.clauses |= {clause.id: clause for clause in given}
        elif kind == "loaded":
            self.excused = event["excused"]
            backend = self.implementation.backend if event["has_backends"] else ""
            self.implementation = replace(
                self.implementation, name=event["name"], version=event["version"], backend=backend
            )
        elif kind == "judged":
            self._keep(Result.from_json(event["result"], self.clauses))
            packages = self.implementation.packages | event["packages"]
            self.implementation = replace(self.implementation, packages=packages)
        elif kind == "finished":
            self.implementation = replace(self.implementation, python=event["python"], platform=event["platform"])

    def lose(self, position: Position, end: End, output: str) -> None:
        """Settle what a lost worker was doing."""
        at = position.at
        if end.outcome is Outcome.NOT_RUN:  # the next worker would wait just as long for the import
            stage = position.stage if at == "smoke" else ""
            if at == "started":
                stage = whole(self.clauses[position.clause].stage)
            self.settle_rest(Outcome.NOT_RUN, end.words, stage=stage)
        elif at == "smoke":  # the clauses will show which function it was
            self.stages.append(position.stage)
        elif at == "started" and position.clause not in self.results:
            self._lose_clause(position, end, output)
        elif at in ("collected", "loading"):
            why = f"{self.implementation.target} cannot be imported: {end.words}"
            self.settle_rest(Outcome.BROKEN, why, Failure(violated=why, output=output))
        else:
            self.idle += 1
            if self.idle > RESTARTS:
                why = f"the process was lost {self.idle} times between two clauses: {end.words}"
                self.settle_rest(Outcome.NOT_RUN, why)

    def settled(self) -> dict[str, Any]:
        """The clauses, fixtures and stages that the next worker can skip."""
        return {"clauses": [*self.results], "fixtures": self.fixtures, "stages": self.stages}

    def settle_rest(self, outcome: Outcome, why: str, failure: Failure = NOTHING, stage: str = "") -> None:
        """Give an outcome to every open clause, or to those of the stages that ``stage`` stands for."""
        for clause in self.clauses.values():
            if clause.id not in self.results and stage in ("", clause.stage, whole(clause.stage)):
                self._keep(Result(clause, self.implementation.column, outcome, failure=failure, reason=why))

    def ordered(self) -> list[Result]:
        """The results in the order of the clauses, whatever the order in which workers judged them."""
        return [self.results[id] for id in self.clauses if id in self.results]  # noqa: A001 - the clause's word

    @property
    def is_done(self) -> bool:
        """Whether every clause is settled."""
        return self.results.keys() >= self.clauses.keys()

    def _lose_clause(self, position: Position, end: End, output: str) -> None:
        clause = self.clauses[position.clause]
        failure = Failure(violated=end.words, output=output)
        if position.fixture:
            failure = replace(failure, at=f"while {position.fixture} was made, which other clauses need too")
            why = f"{position.fixture} cannot be made: {end.words}, as under {clause.id}"
            self.fixtures[position.fixture] = why
        excuse = self.excused.get(clause.id, "")
        outcome = outcome_of_failure(clause, excuse, end.outcome)
        self._keep(Result(clause, self.implementation.column, outcome, failure=failure, reason=excuse))

    def _keep(self, result: Result) -> None:
        self.results[result.clause.id] = replace(result, implementation=self.implementation.column)
