"""All clauses, found in ``spec_tests.clauses``."""

import importlib
import pkgutil
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from typing import Any

from .. import clauses
from ..adapter.contract import STAGES
from .clause import Clause

FAMILIES = {  # in the order of the pipeline
    "ENV": "choosing a backend",
    "GET": "unpacking the archive",
    "SUB": "making the subsets",
    "LOAD": "reading image folders",
    "DENSE": "dense layers",
    "CONV": "convolution",
    "SEP": "separable convolution",
    "PAD": "padding",
    "STRIDE": "stride",
    "POOL": "pooling",
    "GAP": "global average pooling",
    "NORM": "batch normalisation",
    "DROP": "dropout",
    "AUG": "augmentation as a whole",
    "FLIP": "flips",
    "ROT": "rotations",
    "ZOOM": "zooms",
    "BASE": "the pretrained base",
    "PRE": "preprocessing",
    "FRZ": "freezing",
    "HEAD": "the classifier",
    "FEAT": "feature extraction",
    "TRAIN": "training",
    "TUNE": "partial fine-tuning",
    "ACC": "what the whole must reach",
}


@cache
def tests() -> dict[str, Any]:
    """{clause ID: test}, by stage, family and number."""
    found: dict[str, Any] = {}
    for module in pkgutil.iter_modules(clauses.__path__, f"{clauses.__name__}."):
        if module.name.rpartition(".")[2].startswith("test_"):
            collect(vars(importlib.import_module(module.name)), found)
    return dict(sorted(found.items(), key=lambda item: order(item[1].clause)))


def collect(namespace: dict[str, Any], found: dict[str, Any]) -> None:
    """Add the clauses of a module to those found so far; no ID may be used twice."""
    for name, test in namespace.items():
        clause = getattr(test, "clause", None)
        if isinstance(clause, Clause) and found.setdefault(clause.id, test) is not test:
            raise ValueError(f"{clause.id} is both {name} and {found[clause.id].__name__}: give one a new ID")


def order(clause: Clause) -> tuple[int, int, int]:
    """The place of a clause: by stage, family and number."""
    families, number = list(FAMILIES), clause.id.rpartition("-")[2]
    family = families.index(clause.family) if clause.family in families else len(families)
    return list(STAGES).index(clause.stage), family, int(number) if number.isdecimal() else 0


def all_clauses() -> list[Clause]:
    """Every clause of the specification."""
    return [test.clause for test in tests().values()]


def selected(clause: Clause, wanted: Iterable[str], stages: Iterable[str]) -> bool:
    """Whether the clause has one of these IDs or families, and one of these stages; none named means any."""
    names = {name.upper() for name in wanted}
    return (not names or bool(names & {clause.id, clause.family})) and (not stages or clause.stage in stages)


def unknown(wanted: Iterable[str], clauses: Iterable[Clause]) -> str:
    """What is wrong with the names of clauses and families that were asked for, in one line; nothing if all exist."""
    names = {name: None for clause in clauses for name in (clause.id, clause.family)}
    for name in wanted:
        if name.upper() not in names:
            near = get_close_matches(name.upper(), names, n=3) or [name for name in names if "-" not in name]
            return f"{name}: no such clause; did you mean {', '.join(near)}?"
    return ""
