"""All clauses, found in ``spec_tests.clauses``."""

import importlib
import pkgutil
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

import pytest

from spec_tests import clauses
from spec_tests.clause import Clause


@cache
def tests() -> dict[str, Any]:
    """{clause ID: test}, in the order of the modules and of the tests in them."""
    found: dict[str, Any] = {}
    for module in pkgutil.iter_modules(clauses.__path__):
        if not module.name.startswith("test_"):
            continue
        for test in vars(importlib.import_module(f"{clauses.__name__}.{module.name}")).values():
            clause = getattr(test, "clause", None)
            if isinstance(clause, Clause):
                if clause.id in found:
                    raise ValueError(f"{clause.id} is both {clause.test} and {found[clause.id].__name__}: give one a new ID")
                found[clause.id] = test
    return found


def all_clauses() -> list[Clause]:
    """Every clause of the specification."""
    return [test.clause for test in tests().values()]


def select(wanted: Sequence[str] = (), stages: Sequence[str] = ()) -> list[Clause]:
    """The clauses with these IDs or of these families, and of these stages; all where none are named."""
    clauses = all_clauses()
    names = {name for clause in clauses for name in (clause.id, clause.family)}
    for name in wanted:
        if name.upper() not in names:
            near = get_close_matches(name.upper(), names, n=3) or sorted({clause.family for clause in clauses})
            raise pytest.UsageError(f"--clause {name}: no such clause; did you mean {', '.join(near)}?")
    asked = {name.upper() for name in wanted}
    return [
        clause
        for clause in clauses
        if (not asked or asked & {clause.id, clause.family}) and (not stages or clause.stage in stages)
    ]
