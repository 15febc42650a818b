"""Clauses that use the same run of the implementation form a group: one process makes the run once for all of them.

The needs of clauses and fixtures are read from their source, as the catalogue reads the statements of clauses.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..clauses.catalogue import FOLDER
from ..clauses.clause import Clause

SHARED = ("conftest.py", "observations.py")  # modules whose fixtures all clauses may use
UNDER_TEST = "implementation"  # fixtures that do not need it cost little
CHEAP = {UNDER_TEST, "untrained"}  # each process makes these itself, rather than wait for another one


@dataclass(frozen=True)
class Source:
    """The arguments of a module's functions, and the scopes of its fixtures."""

    arguments: Mapping[str, frozenset[str]]
    scopes: Mapping[str, str]  # of fixtures


@cache
def source(file: Path) -> Source:
    """Read the arguments and scopes from a module's source."""
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
    """The scope of a fixture; empty for another decorator."""
    call = decorator if isinstance(decorator, ast.Call) else None
    named = call.func if call else decorator
    if not isinstance(named, ast.Attribute) or named.attr != "fixture":
        return ""
    given = {word.arg: word.value for word in call.keywords} if call else {}
    return str(ast.literal_eval(given["scope"])) if "scope" in given else "function"


def groups(clauses: Iterable[Clause]) -> list[list[Clause]]:
    """The clauses, grouped by the runs of the implementation that they share, in the order of their first clauses."""
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
    """The session fixtures that a clause needs and that call the implementation; none for a foreign clause."""
    arguments, scopes = _sources(clause)
    once = (name for name in _closure(clause.test, arguments) if scopes.get(name) == "session")
    return frozenset(name for name in once if UNDER_TEST in _closure(name, arguments)) - CHEAP


def needs_of(clause: Clause) -> set[str]:
    """Every argument and fixture that a clause needs, including those requested by name; empty for a foreign clause."""
    return _closure(clause.test, _sources(clause)[0])


def _sources(clause: Clause) -> tuple[dict[str, frozenset[str]], dict[str, str]]:
    """The arguments of functions that a clause may use, and the scopes of its fixtures."""
    file = FOLDER / f"{clause.module.rpartition('.')[2]}.py"
    if not file.is_file():
        return {}, {}
    sources = [*(source(FOLDER / name) for name in SHARED), source(file)]
    arguments = {name: needed for one in sources for name, needed in one.arguments.items()}
    return arguments, {name: scope for one in sources for name, scope in one.scopes.items()}


def _closure(name: str, arguments: Mapping[str, frozenset[str]]) -> set[str]:
    """Every argument and fixture that a function needs, directly or indirectly."""
    needed: set[str] = set()
    waiting = {name}
    while waiting:
        new = arguments.get(waiting.pop(), frozenset()) - needed
        needed |= new
        waiting |= new
    return needed


def of_pipelines(clauses: Iterable[Clause]) -> list[Clause]:
    """The clauses that use an observation, and so apply to pipelines."""
    observations = source(FOLDER / "observations.py").scopes.keys()
    return [
        clause
        for clause in clauses
        if source(FOLDER / f"{clause.module.rpartition('.')[2]}.py").arguments[clause.test] & observations
    ]
