"""The record of a run: the outcome of each clause with each implementation, as objects and as JSON.

All forms of a report are made from this record. ``schema.json`` describes the JSON form, and the content of
a file is checked against it before it is used.
"""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..adapter.stages import PARTS
from ..clauses.clause import Clause, Level
from ..support.texts import Told, one_line

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

FORMAT, VERSION = "convspec report", 2  # a new version if a reader of this one would misread the file
SCHEMA = Path(__file__).with_name("schema.json")


class Outcome(StrEnum):
    """The outcome of a clause."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CRASHED = "crashed"  # the process of the implementation ended
    OUT_OF_MEMORY = "out of memory"
    REPORTED = "reported"  # a SHOULD that does not hold
    EXCUSED = "excused"  # it does not hold, and the implementation states a reason
    NOT_DECIDED = "not decided"  # the clause ran, but cannot be decided for this implementation
    NOT_CLAIMED = "not claimed"
    NOT_RUN = "not run"
    BROKEN = "broken adapter"


LOST = (Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.OUT_OF_MEMORY)  # no answer was returned
FAILURES = (Outcome.FAILED, *LOST)
TOLD = (*FAILURES, Outcome.REPORTED)  # described at length
CHECKED = (Outcome.PASSED, *TOLD, Outcome.EXCUSED)
ASIDE = (
    Outcome.EXCUSED,
    Outcome.REPORTED,
    Outcome.NOT_DECIDED,
    Outcome.NOT_RUN,
)  # claimed clauses that neither hold nor count as failures


class Verdict(StrEnum):
    """The verdict on an implementation."""

    CONFORMS = "conforms"
    DIFFERS = "does not conform"
    BROKEN = "adapter broken"  # everything that could be called holds
    NOTHING = "nothing was checked"


class UnreadableReport(Told):
    """A file is not a readable report."""


@dataclass(frozen=True)
class Failure:
    """The reasons why a clause does not hold, as texts, and Python code that reproduces it. Unused fields are empty."""

    violated: str = ""
    expected: str = ""
    got: str = ""
    raised: str = ""
    at: str = ""  # the lines at which an error was raised
    counterexample: tuple[str, ...] = ()  # name = value
    output: str = ""  # the last output before the process ended
    snippet: str = ""
    where: str = ""  # in the code of a pipeline's author
    cost: str = ""
    fix: str = ""  # lines of code
    also: tuple["Failure", ...] = ()  # other failures of the same clause that were found

    def facts(self) -> list[tuple[str, str]]:
        """The texts about this run, each with its label."""
        counterexample = [("counterexample", text) for text in self.counterexample]
        said = [
            (name, getattr(self, name))
            for name in ("violated", "expected", "got", "raised", "at", "output", "where", "cost", "fix")
        ]
        also = [("also", "\n".join(f"{label}: {text}" for label, text in other.facts())) for other in self.also]
        return [(label, text) for label, text in [*said, *counterexample, *also] if text]

    def parts(self, clause: Clause) -> list[tuple[str, str]]:
        """The same texts and those of the clause, without its sentence."""
        advice = [("advice", clause.advice)] if clause.advice else []
        return [*self.facts(), *advice, ("source", clause.source)]

    def text(self, clause: Clause) -> str:
        """All texts as one."""
        again = f"\nto see it again, in Python:\n{self.snippet}" if self.snippet else ""
        lines = [(clause.id, clause.sentence), *self.parts(clause)]
        return "\n".join(f"{label}: {words}" for label, words in lines) + again

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Failure":
        """The failure that ``asdict`` converted. A failure of an earlier report has no others."""
        others = tuple(map(cls.from_json, content.get("also", ())))
        return cls(**content | {"counterexample": tuple(content["counterexample"]), "also": others})


@dataclass(frozen=True)
class Tolerance:
    """The share of its tolerance that a clause used, and the factor by which the tolerance was widened."""

    # The largest error over the tolerance; None if nothing was compared with a tolerance.
    used: float | None = None
    factor: float = 1.0
    reason: str = ""  # for the factor

    @property
    def need(self) -> str:
        """How much of the widened tolerance the clause needed, and the reason for widening it."""
        needed = f"{self.used:.2g} of" if self.used is not None else "nothing of"
        return f"needed {needed} tolerances {self.factor:g} times as wide: {self.reason}"


@dataclass(frozen=True)
class Result:
    """The outcome of one clause with one implementation."""

    clause: Clause
    implementation: str  # the name of its column
    outcome: Outcome
    seconds: float = 0.0
    failure: Failure = Failure()
    # For an excuse, a broken adapter, or a clause that is not claimed, not decided or not run.
    reason: str = ""
    tolerance: Tolerance = Tolerance()
    evidence: tuple[dict[str, Any], ...] = ()  # the data of pictures, by kind: see the schema
    discarded: dict[str, int] = field(default_factory=dict)  # {reason: number of unsupported examples}

    @property
    def is_of_broken(self) -> bool:
        """Whether a broken adapter is the reason why there is no result."""
        unusable = self.outcome is Outcome.NOT_DECIDED and self.failure.violated.startswith(Outcome.BROKEN)
        return self.outcome is Outcome.BROKEN or unusable

    def to_json(self) -> dict[str, Any]:
        """The result in the form of the schema."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {
            "clause": self.clause.id,
            "failure": asdict(self.failure),
            "tolerance": asdict(self.tolerance),
        }

    @classmethod
    def from_json(cls, content: dict[str, Any], clauses: dict[str, Clause]) -> "Result":
        """The result that ``to_json`` was made of."""
        return cls(
            clauses[content["clause"]],
            content["implementation"],
            Outcome(content["outcome"]),
            content["seconds"],
            Failure.from_json(content["failure"]),
            content["reason"],
            Tolerance(**content["tolerance"]),
            tuple(content["evidence"]),
            content.get("discarded", {}),
        )


@dataclass(frozen=True)
class Implementation:
    """An implementation on a backend, a column of the report."""

    column: str  # unique in the report
    target: str  # package.module or package.module:object
    backend: str = ""  # if there are several
    name: str = ""
    version: str = ""
    packages: dict[str, str] = field(default_factory=dict)  # {distribution: version} of imported frameworks
    python: str = ""
    platform: str = ""

    @property
    def title(self) -> str:
        """Name, version and backend, as far as they are known."""
        named = self.name or self.target
        return " ".join(filter(None, (named, self.version, f"on {self.backend}" if self.backend else "")))


@dataclass(frozen=True)
class Report:
    """A run over all clauses that were selected, or several such runs put together."""

    specification: str  # the version of the specification
    seed: int
    profile: str
    started: str  # ISO 8601, UTC
    seconds: float
    clauses: tuple[Clause, ...]
    implementations: tuple[Implementation, ...]
    results: tuple[Result, ...]

    def of(self, column: str) -> list[Result]:
        """The results of one implementation."""
        return [result for result in self.results if result.implementation == column]

    def verdict(self, column: str) -> Verdict:
        """The verdict on one implementation."""
        return verdict(self.of(column))

    def to_json(self) -> dict[str, Any]:
        """The report in the form of the schema."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "specification": self.specification,
            "seed": self.seed,
            "profile": self.profile,
            "started": self.started,
            "seconds": self.seconds,
            "clauses": [clause.to_json() for clause in self.clauses],
            "implementations": [
                asdict(implementation) | {"verdict": self.verdict(implementation.column)}
                for implementation in self.implementations
            ],
            "results": [result.to_json() for result in self.results],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Report":
        """The report that ``to_json`` was made of."""
        clauses = {given["id"]: Clause(**given | {"level": Level(given["level"])}) for given in content["clauses"]}
        known = {field.name for field in fields(Implementation)}
        return cls(
            specification=content["specification"],
            seed=content["seed"],
            profile=content["profile"],
            started=content["started"],
            seconds=content["seconds"],
            clauses=tuple(clauses.values()),
            implementations=tuple(
                Implementation(**{name: value for name, value in given.items() if name in known})
                for given in content["implementations"]
            ),
            results=tuple(Result.from_json(result, clauses) for result in content["results"]),
        )


def outcome_of_failure(clause: Clause, excuse: str, outcome: Outcome) -> Outcome:
    """The outcome that a failure counts as."""
    if excuse:
        return Outcome.EXCUSED
    return Outcome.REPORTED if clause.level is Level.SHOULD else outcome


def verdict(results: Sequence[Result]) -> Verdict:
    """The verdict that follows from the results of one implementation."""
    outcomes = {result.outcome for result in results}
    if outcomes & set(FAILURES):
        return Verdict.DIFFERS
    if any(result.is_of_broken for result in results):
        return Verdict.BROKEN
    return Verdict.CONFORMS if outcomes & set(CHECKED) else Verdict.NOTHING


def claimed(results: Sequence[Result]) -> list[Result]:
    """The results of clauses that apply."""
    return [result for result in results if result.outcome is not Outcome.NOT_CLAIMED]


def unclaimed_stages(results: Sequence[Result]) -> list[str]:
    """The stages of which no clause is claimed although some were requested, in the order of the pipeline.

    Stages with a common name are replaced by that name if all of them are unclaimed.
    """
    named = {result.clause.stage for result in results}
    left_out = named - {result.clause.stage for result in claimed(results)}
    found: list[str] = []
    for name, stages in PARTS.items():
        asked = [stage for stage in stages if stage in named]
        together = len(asked) > 1 and left_out >= {*asked}
        found += [name] if together else [stage for stage in asked if stage in left_out]
    return found


def counted(results: Sequence[Result]) -> str:
    """How many of the applicable clauses hold: "64 of 66, 2 excused"."""
    return f"{holding(results)}{aside(results)}"


def holding(results: Sequence[Result]) -> str:
    """The same without results that are not failures: "64 of 66"."""
    passed = sum(result.outcome is Outcome.PASSED for result in results)
    return f"{passed} of {len(claimed(results))}"


def aside(results: Sequence[Result]) -> str:
    """How many clauses do not hold without being failures, as a continuation: ", 2 excused"."""
    outcomes = Counter(result.outcome for result in results)
    return "".join(f", {outcomes[outcome]} {outcome}" for outcome in ASIDE if outcomes[outcome])


def json_text(report: Report) -> str:
    """The report as JSON text."""
    return json.dumps(report.to_json(), indent=1, ensure_ascii=False) + "\n"


def read_report(file: Path) -> Report:
    """The report in a file; raises UnreadableReport if the file does not hold one."""
    try:
        content = json.loads(
            file.read_text(encoding="utf-8"), parse_int=_number, parse_float=_number, parse_constant=_number
        )
        wrong = _fault(content)
    except FileNotFoundError:
        raise UnreadableReport(f"{file} does not exist: name a report made with --json") from None
    except OSError as error:
        raise UnreadableReport(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableReport(f"{file} is not JSON ({error}): name a report made with --json") from error
    if wrong:
        raise UnreadableReport(f"{file} {wrong}")
    return Report.from_json(content)


def _number(text: str) -> float:
    """A number from JSON; raises ValueError for NaN and for numbers that overflow."""
    if not math.isfinite(float(text)):
        raise ValueError(f"{text[:20]} is not a finite float")
    return int(text) if text.removeprefix("-").isdecimal() else float(text)


def _fault(content: Any) -> str:
    """The reason why the content is not a report, in one line to follow the file's name; empty if it is one."""
    if isinstance(content, dict) and content.get("format") == FORMAT and content.get("version", VERSION) != VERSION:
        given = one_line(repr(content["version"]), 20)
        return f"has version {given}, and this program reads {VERSION}: write a new one"
    wrong = next(validator().iter_errors(content), None)
    if wrong:
        where = "/".join(map(str, wrong.absolute_path)) or "the whole"
        return f"is not a report ({one_line(where, 80)}: {one_line(wrong.message, 120)}): name one made with --json"
    contradiction = _contradiction(content)
    return f"{one_line(contradiction, 160)}: write a new one" if contradiction else ""


def _contradiction(content: dict[str, Any]) -> str:
    """A name that occurs twice or is undefined, in words; empty if there is none."""
    clauses = [clause["id"] for clause in content["clauses"]]
    columns = [implementation["column"] for implementation in content["implementations"]]
    pairs = [f"{result['clause']} with {result['implementation']}" for result in content["results"]]
    for names in (clauses, columns, pairs):
        name, times = next(iter(Counter(names).most_common(1)), ("", 0))
        if times > 1:
            return f"has {name} {times} times"
    for kind, names in (("clause", clauses), ("implementation", columns)):
        if unknown := {result[kind] for result in content["results"]} - set(names):
            return f"has results of {min(unknown)}, which is not among its {kind}s"
    return ""


@cache
def validator() -> "Draft202012Validator":
    """The validator of the JSON form."""
    from jsonschema import Draft202012Validator  # slow to import, and needed only to read a report

    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
