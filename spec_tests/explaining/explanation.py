"""Everything that is known about a clause: its example, its code, its mutants, findings, vectors and sources."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .. import FIXTURES
from ..clauses.clause import Clause
from ..reporting.naming.rows import rows
from .example import Example
from .examples import worked
from .sources import Source, sources
from .subjects import Lines, functions_of, in_reference, signature, statement_of

FINDINGS = Path(__file__).with_name("findings.json")  # written by ``python -m fixtures.findings``

WINDOW = {
    "n": "the side of an image, in pixels",
    "k": "the side of a kernel or of a pooling window",
    "d": "the dilation: how far apart the pixels of a window are",
    "s": "the stride: how far one window is from the next",
    "e": "the side of a dilated kernel, (k - 1) × d + 1",
}
SYMBOLS = {  # {family or clause: its symbols}
    **dict.fromkeys(("PAD", "STRIDE", "POOL"), WINDOW),
    "CONV-3": WINDOW,
    "CONV-5": {
        "k_h": "the height of the kernel",
        "k_w": "its width",
        "c_in": "the channels of the image",
        "c_out": "the filters",
    },
    "SEP-1": {"k": "the side of the depthwise kernel", "c_in": "the channels of the image", "c_out": "the filters"},
    "POOL-6": {"a": "the value of the one pixel that is not zero"},
    "NORM": {
        "gamma": "the scale of a channel, which is trained",
        "beta": "its shift, which is trained",
        "epsilon": "what is added to a variance",
        "old": "a moving statistic before the step",
        "batch": "the same statistic of the batch",
    },
    "DROP": {"rate": "the probability with which a value is dropped"},
    "LOAD-1": {"N": "the number of images"},
    "ZOOM-1": {"u": "what is drawn for an image"},
    "HEAD-1": {"c": "the channels of the feature map"},
    "TRAIN-1": {"p": "the probability of class 1 that the model gives"},
}
OF_A_SUM = "1e-5 of the"  # notes say this if they explain a tolerance of a sum:
DERIVED = (
    "Where it comes from: float32 rounds a number by 6e-8 of it at most. A sum of n rounded products is off by n × "
    "6e-8 of the sum of their magnitudes at most, in whatever order it is taken, which is 1e-5 for n = 160. Errors of "
    "either sign partly cancel: those of 300 terms, the most there are here, exceed 1e-5 less than once in 1e16 sums."
)


@dataclass(frozen=True)
class Mistake:
    """A mutant that the clause must catch."""

    name: str
    fault: str
    seen: str


@dataclass(frozen=True)
class Finding:
    """A fault of a released library."""

    package: str
    title: str
    seen: tuple[str, ...]
    unseen: tuple[str, ...]
    backends: tuple[str, ...]
    report: str
    clause: str


@dataclass(frozen=True)
class Vector:
    """A case of the test vectors."""

    id: str
    note: str
    file: str


@dataclass(frozen=True)
class Explanation:
    """The contents of a clause's page."""

    clause: Clause
    symbols: dict[str, str]
    example: Example | None
    derivation: str
    mistakes: tuple[Mistake, ...]
    findings: tuple[Finding, ...]
    signatures: tuple[str, ...]
    reference: tuple[Lines, ...]
    test: Lines
    vectors: tuple[Vector, ...]
    sources: tuple[Source, ...]


def explain(clause: Clause) -> Explanation:
    """The explanation of a clause. Its example is computed anew and compared with the oracle."""
    functions = functions_of(clause)
    return Explanation(
        clause,
        symbols_of(clause),
        worked(clause.id),
        DERIVED if OF_A_SUM in clause.notes else "",
        mistakes_of(clause),
        tuple(found for found in findings() if found.clause == clause.id),
        tuple(map(signature, functions)),
        tuple(map(in_reference, functions)),
        statement_of(clause),
        tuple(Vector(case["id"], case["note"], file) for file, case in _cases() if clause.id in case["clauses"]),
        tuple(sources(clause)),
    )


def mistakes_of(clause: Clause) -> tuple[Mistake, ...]:
    """The mutants that it must catch: first those made for its file, then those that few clauses catch."""
    group = clause.module.rpartition(".test_")[2]
    found = [row for row in rows() if clause.id in row.must]
    found.sort(key=lambda row: (row.group != group, len(row.must), row.name))
    return tuple(Mistake(row.name, row.fault, row.seen) for row in found)


def symbols_of(clause: Clause) -> dict[str, str]:
    """{symbol in the clause's sentence: its meaning}."""
    known = SYMBOLS.get(clause.id, SYMBOLS.get(clause.family, {}))
    used = set(re.findall(r"[^\W\d²]+", clause.sentence))
    used |= set("kd") if "e" in used & known.keys() else set()  # the symbols that define e
    return {symbol: meaning for symbol, meaning in known.items() if symbol in used}


@cache
def findings() -> tuple[Finding, ...]:
    """The recorded findings in released libraries."""
    made = json.loads(FINDINGS.read_text(encoding="utf-8"))
    return tuple(
        Finding(
            one["package"],
            one["title"],
            tuple(one["seen"]),
            tuple(one["unseen"]),
            tuple(one["backends"]),
            one["report"],
            one["clause"],
        )
        for one in made
    )


@cache
def _cases() -> tuple[tuple[str, dict[str, Any]], ...]:
    """(file, case) of all test vectors."""
    files = sorted(file for file in (FIXTURES / "vectors").glob("*.json") if file.name != "schema.json")
    return tuple(
        (f"fixtures/vectors/{file.name}", case)
        for file in files
        for case in json.loads(file.read_text(encoding="utf-8"))["cases"]
    )
