"""The record of a run: what became of each clause with each implementation, as objects and as JSON.

Everything else that is said of a run is made from it. The JSON form is described by ``schema.json``;
what is read from a file is checked against it before anything is made of it.
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

FORMAT, VERSION = "convspec report", 2  # another version where a reader of this one would go wrong
SCHEMA = Path(__file__).with_name("schema.json")


class Outcome(StrEnum):
    """What became of a clause."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CRASHED = "crashed"  # the process of the implementation ended
    OUT_OF_MEMORY = "out of memory"
    REPORTED = "reported"  # a SHOULD that does not hold
    EXCUSED = "excused"  # it does not hold, and the implementation gives a reason
    NOT_DECIDED = "not decided"  # the clause ran, and cannot tell for this implementation
    NOT_CLAIMED = "not claimed"
    NOT_RUN = "not run"
    BROKEN = "broken adapter"


LOST = (Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.OUT_OF_MEMORY)  # no answer came
FAILURES = (Outcome.FAILED, *LOST)
TOLD = (*FAILURES, Outcome.REPORTED)  # told at length
CHECKED = (Outcome.PASSED, *TOLD, Outcome.EXCUSED)
ASIDE = (
    Outcome.EXCUSED,
    Outcome.REPORTED,
    Outcome.NOT_DECIDED,
    Outcome.NOT_RUN,
)  # claimed and not held, and no failures either


class Verdict(StrEnum):
    """What a run says of an implementation."""

    CONFORMS = "conforms"
    DIFFERS = "does not conform"
    BROKEN = "adapter broken"  # what could be called holds
    NOTHING = "nothing was checked"


class UnreadableReport(Told):
    """A file is not a readable report."""


@dataclass(frozen=True)
class Failure:
    """Why a clause does not hold, as texts, and Python that shows it again; what does not apply is empty."""

    violated: str = ""
    expected: str = ""
    got: str = ""
    raised: str = ""
    at: str = ""  # where an error was raised
    counterexample: tuple[str, ...] = ()  # name = value
    output: str = ""  # the last that was printed before the process was lost
    snippet: str = ""
    where: str = ""  # in the code of a pipeline's author
    cost: str = ""
    fix: str = ""  # the lines that fix it
    also: tuple["Failure", ...] = ()  # other ways in which the same clause fails, that were seen on the way

    def facts(self) -> list[tuple[str, str]]:
        """What there is to say of this run, each text with its label."""
        counterexample = [("counterexample", text) for text in self.counterexample]
        said = [
            (name, getattr(self, name))
            for name in ("violated", "expected", "got", "raised", "at", "output", "where", "cost", "fix")
        ]
        also = [("also", "\n".join(f"{label}: {text}" for label, text in other.facts())) for other in self.also]
        return [(label, text) for label, text in [*said, *counterexample, *also] if text]

    def parts(self, clause: Clause) -> list[tuple[str, str]]:
        """The same and what the clause says, but for its sentence."""
        advice = [("advice", clause.advice)] if clause.advice else []
        return [*self.facts(), *advice, ("source", clause.source)]

    def text(self, clause: Clause) -> str:
        """All of it."""
        again = f"\nto see it again, in Python:\n{self.snippet}" if self.snippet else ""
        lines = [(clause.id, clause.sentence), *self.parts(clause)]
        return "\n".join(f"{label}: {words}" for label, words in lines) + again

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Failure":
        """The failure that ``asdict`` was made of; one of an earlier report has no others."""
        others = tuple(map(cls.from_json, content.get("also", ())))
        return cls(**content | {"counterexample": tuple(content["counterexample"]), "also": others})


@dataclass(frozen=True)
class Tolerance:
    """How much of its tolerance a clause used, and by which factor it was made wider."""

    used: float | None = None  # the largest error over the tolerance; None where nothing was compared within one
    factor: float = 1.0
    reason: str = ""  # for the factor

    @property
    def need(self) -> str:
        """What is to be said of a factor."""
        needed = f"{self.used:.2g} of" if self.used is not None else "nothing of"
        return f"needed {needed} tolerances {self.factor:g} times as wide: {self.reason}"


@dataclass(frozen=True)
class Result:
    """What became of one clause with one implementation."""

    clause: Clause
    implementation: str  # the name of its column
    outcome: Outcome
    seconds: float = 0.0
    failure: Failure = Failure()
    reason: str = ""  # of an excuse, of a broken adapter, of not claiming, not deciding or not running
    tolerance: Tolerance = Tolerance()
    evidence: tuple[dict[str, Any], ...] = ()  # what a picture is drawn of, by kind: see the schema
    discarded: dict[str, int] = field(default_factory=dict)  # {reason: examples} that are not supported

    @property
    def is_of_broken(self) -> bool:
        """Whether the adapter is the reason that it is not known what the implementation does."""
        unusable = self.outcome is Outcome.NOT_DECIDED and self.failure.violated.startswith(Outcome.BROKEN)
        return self.outcome is Outcome.BROKEN or unusable

    def to_json(self) -> dict[str, Any]:
        """As the schema says."""
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

    column: str  # its name in the report, one of a kind
    target: str  # package.module or package.module:object
    backend: str = ""  # where it has several
    name: str = ""
    version: str = ""
    packages: dict[str, str] = field(default_factory=dict)  # {distribution: version} of the frameworks it imported
    python: str = ""
    platform: str = ""

    @property
    def title(self) -> str:
        """Name, version and backend, as far as there are any."""
        named = self.name or self.target
        return " ".join(filter(None, (named, self.version, f"on {self.backend}" if self.backend else "")))


@dataclass(frozen=True)
class Report:
    """A run over all clauses that were selected, or several such runs put together."""

    specification: str  # its version
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
        """What they say of it."""
        return verdict(self.of(column))

    def to_json(self) -> dict[str, Any]:
        """As the schema says."""
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
    """What a failure counts as."""
    if excuse:
        return Outcome.EXCUSED
    return Outcome.REPORTED if clause.level is Level.SHOULD else outcome


def verdict(results: Sequence[Result]) -> Verdict:
    """What the results of one implementation say of it."""
    outcomes = {result.outcome for result in results}
    if outcomes & set(FAILURES):
        return Verdict.DIFFERS
    if any(result.is_of_broken for result in results):
        return Verdict.BROKEN
    return Verdict.CONFORMS if outcomes & set(CHECKED) else Verdict.NOTHING


def claimed(results: Sequence[Result]) -> list[Result]:
    """Those of clauses that apply."""
    return [result for result in results if result.outcome is not Outcome.NOT_CLAIMED]


def unclaimed_stages(results: Sequence[Result]) -> list[str]:
    """The stages of which no clause is claimed, though some were asked for, in the order of the pipeline.

    Several that have a name together are told by that name if it is all of them.
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
    """How many clauses hold of those that apply: "64 of 66, 2 excused"."""
    return f"{holding(results)}{aside(results)}"


def holding(results: Sequence[Result]) -> str:
    """The same without those that are not failures: "64 of 66"."""
    passed = sum(result.outcome is Outcome.PASSED for result in results)
    return f"{passed} of {len(claimed(results))}"


def aside(results: Sequence[Result]) -> str:
    """How many do not hold without being failures, to follow other words: ", 2 excused"."""
    outcomes = Counter(result.outcome for result in results)
    return "".join(f", {outcomes[outcome]} {outcome}" for outcome in ASIDE if outcomes[outcome])


def json_text(report: Report) -> str:
    """The JSON form."""
    return json.dumps(report.to_json(), indent=1, ensure_ascii=False) + "\n"


def read_report(file: Path) -> Report:
    """The report in a file; UnreadableReport if it does not hold one."""
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
    """A number of JSON; NaN is none, and neither is one that calculating with would overflow."""
    if not math.isfinite(float(text)):
        raise ValueError(f"{text[:20]} is beyond all numbers")
    return int(text) if text.removeprefix("-").isdecimal() else float(text)


def _fault(content: Any) -> str:
    """Why it is not a report, in one line that follows the name of the file; empty if it is one."""
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
    """What is named twice, or not at all."""
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
    """Of the JSON form."""
    from jsonschema import Draft202012Validator  # where a report is read: it takes as long as all the rest

    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
