"""Reports when imports begin and end, because they do not count towards the time of a clause.

An implementation may import its framework when it is first called. How long that takes depends on the disk and the
machine, not on the implementation.
"""

import builtins
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any

Tell = Callable[..., None]


def watch(tell: Tell) -> None:
    """Tell ``importing`` and ``imported`` of each import of a module that is not loaded, except for nested imports."""
    statement, function, home = builtins.__import__, importlib.import_module, threading.get_ident()
    running: list[str] = []

    def told(name: str, load: Callable[[], Any]) -> Any:
        running.append(name)
        tell("importing", name=name)
        try:
            return load()
        finally:
            running.pop()
            tell("imported", name=name)

    def watched_statement(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if running or threading.get_ident() != home or is_loaded(name, globals or {}, fromlist or (), level):
            return statement(name, globals, locals, fromlist or (), level)
        module: ModuleType = told(name, lambda: statement(name, globals, locals, fromlist or (), level))
        return module

    def watched_function(name: str, package: str | None = None) -> ModuleType:
        if running or threading.get_ident() != home or name in sys.modules:
            return function(name, package)
        module: ModuleType = told(name, lambda: function(name, package))
        return module

    builtins.__import__ = watched_statement
    importlib.import_module = watched_function


def is_loaded(name: str, namespace: Mapping[str, object], names: Sequence[str], level: int) -> bool:
    """Whether an import statement has nothing to load."""
    if level:
        with suppress(ImportError):  # the statement itself will say so
            name = importlib.util.resolve_name("." * level + name, str(namespace.get("__package__") or ""))
    module = sys.modules.get(name)
    return module is not None and all(other == "*" or hasattr(module, other) for other in names)
