"""Failures with one cause: clauses that one fault breaks share a block in the report.

Two clauses of an implementation share a cause if the same exception was raised at the same line under the same
function of the contract. A wrong answer without an exception always has a separate block.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from ..clauses.catalogue import order
from ..clauses.clause import Clause
from ..support.texts import one_line
from .record import TOLD, Failure, Result

AS_UNDER = re.compile(r"[\w.]+, as under ([A-Z]+-\d+)")  # a fixture's error that many clauses share is shown once
PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+) in (?P<function>.+?): ")  # a line of ``Failure.at``
NUMBER = re.compile(r"\d[\d.,]*")

Key = tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A line of source as a failure names it."""

    file: str
    line: int
    function: str


@dataclass(frozen=True)
class Cause:
    """The results of one implementation that fail for one reason, in the order of their clauses."""

    results: tuple[Result, ...]

    @property
    def told(self) -> Result:
        """The result that is shown in full: the first that names the place of the error."""
        return next((result for result in self.results if not AS_UNDER.fullmatch(result.failure.raised)), self.first)

    @property
    def first(self) -> Result:
        """The result at whose place in the report the block is printed."""
        return self.results[0]

    @property
    def clauses(self) -> list[Clause]:
        """The clauses that the cause breaks."""
        return [result.clause for result in self.results]

    def parts(self) -> list[tuple[str, str]]:
        """All texts about the cause, each with its label: how one clause fails, and how others fail differently."""
        told = self.told
        if len(self.results) == 1:
            return told.failure.parts(told.clause)
        own, name = told.failure.facts(), told.clause.id
        besides = [
            (f"also of {result.clause.id}", text)
            for result in self.results
            if result is not told
            for label, text in result.failure.facts()
            if label == "also"
        ]
        about = told.failure.parts(told.clause)[len(own) :]
        return [*own, *besides, *((f"{label} of {name}", text) for label, text in about)]

    @property
    def words(self) -> str:
        """Half a sentence that describes the error if it breaks several clauses."""
        failure = self.told.failure
        kind = exception(failure) or "the same message"
        called = places(failure)
        under = f" in {called[0].function}" if called else ""
        return one_line(f"{kind}{under} breaks {len(self.results)} clauses")


def causes(results: Iterable[Result]) -> list[Cause]:
    """The failures grouped by cause, for each implementation in turn and in the order of SPEC.md."""
    found: list[Cause] = []
    columns: dict[str, list[Result]] = {}
    for result in results:
        if result.outcome in TOLD:
            columns.setdefault(result.implementation, []).append(result)
    for of_column in columns.values():
        found += _of_one(sorted(of_column, key=lambda result: order(result.clause)))
    return found


def _of_one(results: Sequence[Result]) -> list[Cause]:
    """The causes of one implementation."""
    keys = {result.clause.id: key(result.failure) or (result.clause.id,) for result in results}
    groups: dict[Key, list[Result]] = {}
    for result in results:
        under = AS_UNDER.fullmatch(result.failure.raised)
        own = keys[result.clause.id]
        groups.setdefault(keys.get(under[1], own) if under else own, []).append(result)
    return [Cause(tuple(group)) for group in groups.values()]


def key(failure: Failure) -> Key:
    """A key that all failures from one line of source share; empty if the cause is unknown."""
    if failure.expected == "no error" and failure.got:
        return "message", NUMBER.sub("#", failure.got)
    called = places(failure)
    if not called:
        return ()
    return "raised", exception(failure), called[0].function, called[-1].file, str(called[-1].line)


def exception(failure: Failure) -> str:
    """The type of the exception that was raised."""
    return failure.raised.partition(":")[0].partition(",")[0]


def places(failure: Failure) -> list[Place]:
    """The line at which the implementation was entered, and the lines below it."""
    found = (PLACE.match(line) for line in failure.at.splitlines())
    return [Place(match["file"], int(match["line"][:9]), match["function"]) for match in found if match]


def names(clauses: Iterable[Clause]) -> str:
    """The IDs of clauses, grouped by family: "PAD-3, 4; POOL-1"."""
    families = groupby(clauses, key=lambda clause: clause.family)
    numbers = ((family, [clause.id.rpartition("-")[2] for clause in members]) for family, members in families)
    return one_line("; ".join(f"{family}-{', '.join(of_family)}" for family, of_family in numbers))
