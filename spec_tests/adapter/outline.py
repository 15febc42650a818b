"""What an adapter offers according to its source, read before it and its framework are imported.

A stage is reported as broken only if the source leaves no doubt: no statement of the module binds a function of a stage
that it claims, or all of its functions do nothing but raise NotImplementedError, as in a template. If the source may
bind names in another way, the import decides.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .contract import functions, lacking
from .stages import NAMES, STAGES, names_stage, parts
from .targets import source_of

UNSETTLED = {"globals", "locals", "vars", "setattr", "exec", "eval", "__getattr__", "modules"}  # may bind names
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(frozen=True)
class Outline:
    """The names that a module binds at its top level."""

    names: frozenset[str]
    unfilled: frozenset[str]  # functions that only raise NotImplementedError
    claims: tuple[str, ...] | None  # None if they follow from the functions

    def claims_stage(self, stage: str) -> bool:
        """Whether the clauses of the stage apply."""
        return bool(self.names & {*functions(stage)}) and names_stage(self.claims, stage)


def broken_stages(target: str) -> tuple[dict[str, str], list[str]]:
    """{stage: why it cannot be checked}, as far as the source shows; if there are any, also the stages not claimed."""
    file = source_of(target)
    found = outline(file) if file else None
    if found is None:
        return {}, []
    offered = [stage for stage in STAGES if found.claims_stage(stage)]
    names = {stage: [name for name in functions(stage) if name in found.names] for stage in offered}
    empty = [name for name in NAMES if name in (found.claims or ()) and not found.names & {*functions(name)}]
    broken = {stage: lacking(target, name) for name in empty for stage in parts(name)}
    if not offered and not broken:
        return {}, []
    if not any(name not in found.unfilled for of_stage in names.values() for name in of_stage):
        broken |= {stage: _unfilled(target, stage, of_stage) for stage, of_stage in names.items() if of_stage}
    return broken, [stage for stage in STAGES if stage not in {*offered, *broken}] if broken else []


def _unfilled(target: str, stage: str, names: list[str]) -> str:
    """The message for a stage without a function that is filled in."""
    others = {1: "", 2: f", nor is {names[-1]}"}.get(len(names), ", nor are the others")
    return f"{target} cannot be called, stage {stage}: {names[0]} is not filled in yet{others}: fill in at least one"


def outline(file: Path) -> Outline | None:
    """The names that the source of a module binds; None if the source does not settle that."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError, RecursionError):
        return None  # the import will say what is wrong
    for node in ast.walk(tree):
        star = isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
        if star or isinstance(node, ast.Global | ast.Match) or _name(node) in UNSETTLED:
            return None
    bound = [name for node in _statements(tree) for name in _bound(node)]
    beside = {other.stem for other in file.parent.iterdir()} if file.name == "__init__.py" else set()
    alone = (node for node in tree.body if isinstance(node, ast.FunctionDef) and bound.count(node.name) == 1)
    unfilled = frozenset(node.name for node in alone if _only_raises(node))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and "CLAIMS" in _bound(node)]
    if bound.count("CLAIMS") > len(assigned) or len(assigned) > 1:
        return None
    try:
        claims = tuple(map(str, ast.literal_eval(assigned[0].value))) if assigned else None
    except (ValueError, TypeError):
        return None
    return Outline(frozenset(bound) | beside, unfilled, claims)


def _name(node: ast.AST) -> str:
    """The name that a node uses or defines; empty if there is none."""
    for attribute in ("id", "attr", "name"):
        if isinstance(name := getattr(node, attribute, None), str):
            return name
    return ""


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs at the top level, including definitions of functions and classes but not their bodies."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, SCOPES):
            yield from _statements(child)


def _bound(node: ast.AST) -> list[str]:
    """The names that a node binds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.Assign):
        return [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    if isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
        return [node.target.id]
    if isinstance(node, ast.For | ast.AugAssign | ast.NamedExpr):
        return [name.id for name in ast.walk(node.target) if isinstance(name, ast.Name)]
    if isinstance(node, ast.withitem) and node.optional_vars:
        return [name.id for name in ast.walk(node.optional_vars) if isinstance(name, ast.Name)]
    return []


def _only_raises(node: ast.FunctionDef) -> bool:
    """Whether the body of a function is only ``raise NotImplementedError``, after a docstring if there is one."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if node.decorator_list or len(body) != 1 or not isinstance(body[0], ast.Raise):
        return False
    raised = body[0].exc
    raised = raised.func if isinstance(raised, ast.Call) else raised
    return isinstance(raised, ast.Name) and raised.id == NotImplementedError.__name__
