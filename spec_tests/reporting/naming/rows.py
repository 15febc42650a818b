"""The known outcomes for each fault: a row of the kill matrix, kept in the package.

The rows are made by ``python -m spec_tests.proof mutants --rows``; the mutants themselves are not installed.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from ...support.files import write_text
from ..record import Failure

FILE = Path(__file__).with_name("faults.json")
FEW = "glance"  # the profile with few examples
KEPT = ("name", "group", "of", "fault", "seen", "diff", "profile")  # copied unchanged
FORMAT, VERSION = "convspec faults", 1
LONGEST = 120  # characters of a text that are compared
LIST = re.compile(r"#(?:(?:,| ×|) ?#)+,?")
CHANCES = (  # parts that differ from run to run, and their replacements
    (re.compile(r"(?:[A-Za-z]:)?[/\\][^\s'\"]+"), "…"),  # file names
    (re.compile(r"(?<!\w)-?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?\b"), "#"),
    (LIST, "#"),
    (re.compile(r"\(#,?\)"), "#"),
    (LIST, "#"),  # again, for the contents of brackets
    (re.compile(r", in\b.*| \(off by .*|(?<=array)\(.*"), ""),  # details
)


@dataclass(frozen=True)
class Row:
    """A fault, and the outcome of each clause that checked it."""

    name: str
    group: str
    of: str  # the implementation that has the fault
    fault: str
    seen: str
    diff: str  # a digest of the diff, which shows when the row is out of date
    # The profile in which the clauses checked the fault; empty for a placeholder of a row that is still to be made.
    profile: str
    stages: tuple[str, ...]  # those that the fault may reach
    must: tuple[str, ...]  # the clauses that catch the fault in each run
    # {clause: its message without numbers; empty if unknown}
    failed: dict[str, str] = field(hash=False)
    held: frozenset[str] = field(hash=False)

    @cached_property
    def looked(self) -> frozenset[str]:
        """The clauses that checked the fault."""
        return self.held | self.failed.keys()

    @property
    def is_whole(self) -> bool:
        """Whether the row is as complete as a user's run.

        With three examples per property many failures are not found.
        """
        without_properties = {"environment"}, {"transfer"}
        return bool(self.profile) and (self.profile != FEW or set(self.stages) in without_properties)

    @property
    def sentence(self) -> str:
        """The fault in words, to be used inside another sentence."""
        return self.fault.rstrip(".")


def said(failure: Failure) -> str:
    """The message of a failure, without the numbers and file names that differ from run to run."""
    words = (failure.violated or failure.raised, failure.expected, failure.got)
    return " | ".join(filter(None, map(normalised, words)))


def normalised(text: str) -> str:
    """The first line of a text, with numbers as ``#`` and lists of numbers as one ``#``."""
    line = (text.strip().splitlines() or [""])[0][: 4 * LONGEST]
    for chance, mark in CHANCES:
        line = chance.sub(mark, line)
    return line[:LONGEST].strip(" ,")


@cache
def rows(file: Path = FILE) -> tuple[Row, ...]:
    """All rows in a file."""
    content = json.loads(file.read_text(encoding="utf-8"))
    texts, looked = content["texts"], [frozenset(ids) for ids in content["looked"]]
    return tuple(_row(given, texts, looked[given["looked"]]) for given in content["faults"])


@cache
def usable() -> tuple[Row, ...]:
    """The rows that are used to name faults."""
    return tuple(row for row in rows() if row.is_whole)


def _row(given: dict[str, Any], texts: list[str], looked: frozenset[str]) -> Row:
    failed = {clause: texts[place] for clause, place in given["failed"].items()}
    known = {name: given[name] for name in KEPT}
    stages, must = tuple(given["stages"]), tuple(given["must"])
    return Row(**known, stages=stages, must=must, failed=failed, held=looked - set(failed))


def write(found: Iterable[Row], file: Path = FILE) -> None:
    """Write rows, a line each. Content that many rows share is written once."""
    ordered = sorted(found, key=lambda row: (row.group, row.name))
    texts = sorted({text for row in ordered for text in row.failed.values()})
    looked = sorted({tuple(sorted(row.looked)) for row in ordered})
    lines = [
        {
            **{name: getattr(row, name) for name in (*KEPT, "stages", "must")},
            "failed": {clause: texts.index(text) for clause, text in sorted(row.failed.items())},
            "looked": looked.index(tuple(sorted(row.looked))),
        }
        for row in ordered
    ]
    head = f'"format": {json.dumps(FORMAT)},\n"version": {VERSION}'
    parts: dict[str, list[Any]] = {"texts": list(texts), "looked": list(looked), "faults": list(lines)}
    body = ",\n".join(f'"{name}": [\n{_lines(members)}\n]' for name, members in parts.items())
    write_text(file, f"{{\n{head},\n{body}\n}}\n")
    rows.cache_clear()
    usable.cache_clear()


def _lines(members: Iterable[Any]) -> str:
    return ",\n".join(json.dumps(member, ensure_ascii=False) for member in members)
