"""Clauses that use the same run of the implementation form a group: one process makes the run once for all of them.

What a clause and a fixture are made from is read from their source, as the catalogue reads what clauses say.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..clauses.catalogue import FOLDER
from ..clauses.clause import Clause

SHARED = ("conftest.py", "observations.py")  # whose fixtures all clauses may use
UNDER_TEST = "implementation"  # what a fixture is made without costs little
CHEAP = {UNDER_TEST, "untrained"}  # made again by each process that needs it, before one waits for another


@dataclass(frozen=True)
class Source:
    """What the functions of a module take, and how long its fixtures live."""

    arguments: Mapping[str, frozenset[str]]
    scopes: Mapping[str, str]  # of fixtures


@cache
def source(file: Path) -> Source:
    """That of a module."""
    functions = [node for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    scopes = {node.name: scope for node in functions for scope in map(_scope, node.decorator_list) if scope}
    return Source({node.name: frozenset(_needs(node)) for node in functions}, scopes)


def _needs(node: ast.FunctionDef) -> Iterator[str]:
    """The arguments of a function, and the fixtures that it asks for by name."""
    yield from (argument.arg for argument in node.args.args)
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "getfixturevalue":
            yield str(ast.literal_eval(call.args[0]))


def _scope(decorator: ast.expr) -> str:
    """The scope of a fixture; nothing for another decorator."""
    call = decorator if isinstance(decorator, ast.Call) else None
    named = call.func if call else decorator
    if not isinstance(named, ast.Attribute) or named.attr != "fixture":
        return ""
    given = {word.arg: word.value for word in call.keywords} if call else {}
    return str(ast.literal_eval(given["scope"])) if "scope" in given else "function"


def groups(clauses: Iterable[Clause]) -> list[list[Clause]]:
    """The clauses by the runs of the implementation that they share, in the order of their first ones."""
    found: list[tuple[frozenset[str], list[Clause]]] = []
    for clause in clauses:
        runs = runs_of(clause)
        sharing = [group for group in found if group[0] & runs]
        merged = (runs.union(*(names for names, _ in sharing)), [c for _, some in sharing for c in some] + [clause])
        place = found.index(sharing[0]) if sharing else len(found)
        found = [group for group in found if group not in sharing]
        found.insert(place, merged)
    return [group for _, group in found]


def runs_of(clause: Clause) -> frozenset[str]:
    """The fixtures of a clause that are made once for all, by calling the implementation; none for a foreign one."""
    arguments, scopes = _sources(clause)
    once = (name for name in _closure(clause.test, arguments) if scopes.get(name) == "session")
    return frozenset(name for name in once if UNDER_TEST in _closure(name, arguments)) - CHEAP


def needs_of(clause: Clause) -> set[str]:
    """Everything that a clause is made from, including fixtures requested by name; empty for a foreign clause."""
    return _closure(clause.test, _sources(clause)[0])


def _sources(clause: Clause) -> tuple[dict[str, frozenset[str]], dict[str, str]]:
    """What functions take that a clause may use, and how long its fixtures live."""
    file = FOLDER / f"{clause.module.rpartition('.')[2]}.py"
    if not file.is_file():
        return {}, {}
    sources = [*(source(FOLDER / name) for name in SHARED), source(file)]
    arguments = {name: needed for one in sources for name, needed in one.arguments.items()}
    return arguments, {name: scope for one in sources for name, scope in one.scopes.items()}


def _closure(name: str, arguments: Mapping[str, frozenset[str]]) -> set[str]:
    """All that a function is made from, at any distance."""
    needed: set[str] = set()
    waiting = {name}
    while waiting:
        new = arguments.get(waiting.pop(), frozenset()) - needed
        needed |= new
        waiting |= new
    return needed


def of_pipelines(clauses: Iterable[Clause]) -> list[Clause]:
    """Clauses that use an observation, and so apply to pipelines."""
    observations = source(FOLDER / "observations.py").scopes.keys()
    return [
        clause
        for clause in clauses
        if source(FOLDER / f"{clause.module.rpartition('.')[2]}.py").arguments[clause.test] & observations
    ]
