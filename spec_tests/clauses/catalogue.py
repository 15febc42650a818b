"""All clauses, found in ``spec_tests.clauses``.

The texts are read from the source, so that a command line is checked and a document is made without importing the
tests, which import Hypothesis, SciPy and Pillow.
"""

import ast
import importlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from ..adapter.stages import STAGES, names_stage
from .clause import Clause, Level, clause, stated

FOLDER = Path(__file__).parent
PATTERN = "test_*.py"

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
    "PURE": "arguments and results in memory",
    "AUG": "augmentation as a whole",
    "FLIP": "flips",
    "ROT": "rotations",
    "ZOOM": "zooms",
    "BASE": "the pretrained base",
    "PRE": "preprocessing",
    "FRZ": "freezing",
    "HEAD": "the classifier",
    "FEAT": "feature extraction",
    "NET": "the convnet",
    "TRAIN": "training",
    "TUNE": "partial fine-tuning",
    "ACC": "accuracy of the whole pipeline",
}


@cache
def all_clauses() -> list[Clause]:
    """Every clause of the specification, by stage, family and number."""
    return sorted((made for file in sorted(FOLDER.glob(PATTERN)) for made in read(file)), key=order)


@cache
def tests() -> dict[str, Any]:
    """{clause ID: test} in the same order; imports them."""
    found: dict[str, Any] = {}
    for module in dict.fromkeys(made.module for made in all_clauses()):
        collect(vars(importlib.import_module(module)), found)
    return dict(sorted(found.items(), key=lambda item: order(item[1].clause)))


def collect(namespace: dict[str, Any], found: dict[str, Any]) -> None:
    """Add the clauses of a module to those found so far; no ID may be used twice."""
    for name, test in namespace.items():
        made = getattr(test, "clause", None)
        if isinstance(made, Clause) and found.setdefault(made.id, test) is not test:
            raise ValueError(f"{made.id} is both {name} and {found[made.id].__name__}: give one a new ID")


def read(file: Path) -> Iterator[Clause]:
    """The clauses in the source of a module; ValueError for one whose arguments are not plain text."""
    module, texts = f"{__package__}.{file.stem}", {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            texts[node.targets[0].id] = node.value
        if isinstance(node, ast.FunctionDef):
            for call in node.decorator_list:
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == clause.__name__:
                    name, level, stage, source = (_text(argument, texts) for argument in call.args)
                    tied = "".join(_text(keyword.value, texts) for keyword in call.keywords)
                    documentation = ast.get_docstring(node) or ""
                    yield stated(name, Level(level), stage, source, documentation, module, node.name, tied=tied)


def _text(node: ast.expr, texts: Mapping[str, ast.expr]) -> str:
    """The text of an argument of ``clause``: a string, a constant of the module, or an f-string of these."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, texts) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _text(node.value, texts)
    if isinstance(node, ast.Name) and node.id in texts:
        return _text(texts[node.id], texts)
    if isinstance(node, ast.Attribute) and node.attr in Level.__members__:
        return node.attr
    raise ValueError(f"line {node.lineno}: {ast.unparse(node)} is not plain text")


def order(clause: Clause) -> tuple[int, int, int]:
    """The place of a clause: by stage, family and number."""
    families, number = list(FAMILIES), clause.id.rpartition("-")[2]
    family = families.index(clause.family) if clause.family in families else len(families)
    return STAGES.index(clause.stage), family, int(number) if number.isdecimal() else 0


def selected(clause: Clause, wanted: Iterable[str], stages: Collection[str]) -> bool:
    """Whether the clause has one of these IDs or families and one of these stages; an empty selection means all."""
    names = {name.upper() for name in wanted}
    return (not names or bool(names & {clause.id, clause.family})) and names_stage(stages or None, clause.stage)


def unknown(wanted: Iterable[str], clauses: Iterable[Clause]) -> str:
    """One line about the first requested clause or family that does not exist; empty if all exist."""
    names = {name: None for clause in clauses for name in (clause.id, clause.family)}
    for name in wanted:
        if name.upper() not in names:
            near = get_close_matches(name.upper(), names, n=3) or [name for name in names if "-" not in name]
            return f"{name}: no such clause; did you mean {', '.join(near)}?"
    return ""
