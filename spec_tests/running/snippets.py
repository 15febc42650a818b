"""Python code that reproduces the failure of a clause with a call of ``reproduce``."""

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

from .. import PARENT
from ..clauses.clause import Clause

REPRODUCE = f"{PARENT}spec_tests.reproduce"  # the module with the function ``reproduce``


def stands_alone(test: Any) -> bool:
    """Whether the body of a clause can be called without fixtures."""
    return set(inspect.signature(test).parameters) <= {"implementation", "seed"}


def drawn(arguments: dict[str, Any], test: Any) -> dict[str, Any]:
    """The arguments of a call that were drawn, without the fixtures."""
    fixtures = inspect.signature(test).parameters
    return {name: value for name, value in arguments.items() if name not in fixtures}


def snippet(
    clause: Clause, test: Any, target: str, backend: str, seed: int, called: dict[str, Any] | None = None
) -> str:
    """Python code that fails as the clause did when it was called with ``called``, by default its latest arguments.

    It names a backend if there are several.
    """
    arguments = drawn(clause.arguments if called is None else called, test) if stands_alone(test) else {}
    if not stands_alone(test) or "seed" in inspect.signature(test).parameters:
        arguments |= {"seed": seed}
    named = [clause.id, target, *([backend] if backend else [])]
    words = [*map(repr, named), *(f"{name}={value!r}" for name, value in arguments.items())]
    types = {kind for value in arguments.values() for kind in _types(value) if kind.__module__ != "builtins"}
    imports = sorted(f"from {kind.__module__} import {kind.__name__}" for kind in types)
    return "\n".join([f"from {REPRODUCE} import reproduce", *imports, f"reproduce({', '.join(words)})"])


def _types(value: object) -> Iterator[type]:
    """The types whose names occur in the ``repr`` of an argument."""
    yield type(value)
    parts: list[Any] = []
    if dataclasses.is_dataclass(value):
        parts = [getattr(value, field.name) for field in dataclasses.fields(value)]
    elif isinstance(value, dict):
        parts = [*value, *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        parts = list(value)
    for part in parts:
        yield from _types(part)
