"""A job, and the function that runs it in a process: JSON goes in and comes out."""

import hashlib
import importlib
import json
import platform
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..support.texts import LONGEST, Told, one_line

SOURCES = ("fixtures", "reference", "spec_tests")  # folders that lie side by side, in a checkout and where installed
GIB = 2**30


@dataclass(frozen=True)
class Job:
    """One job of a list. Its result depends only on these fields and on the modules of the specification."""

    name: str  # unique in its list
    function: str  # package.module:function; it takes the arguments by name and returns a value for JSON
    arguments: Mapping[str, Any]  # can be written as JSON
    cores: float = 1  # a cluster reserves these cores and the memory
    memory: int = GIB  # bytes
    apart: bool = False  # whether it needs its own process: not if it only waits for processes that it starts
    depends: str = ""  # what else its result depends on

    @property
    def digest(self) -> str:
        """A digest of everything that its result depends on."""
        said = json.dumps([self.function, self.arguments, self.depends, sources()], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def file(self) -> str:
        """The name of the file that holds its result."""
        words = "".join(c if c.isalnum() or c in ".-_" else "-" for c in self.name)
        return f"{words}-{self.digest}.json"


@cache
def sources() -> str:
    """A digest of the modules of the specification, the reference and the fixtures, as they are now."""
    top, found = Path(__file__).parents[2], hashlib.sha256()
    for folder in SOURCES:
        for file in sorted((top / folder).rglob("*.py")):
            found.update(f"{file.relative_to(top).as_posix()}\n".encode() + file.read_bytes())
    return found.hexdigest()[:16]


class Failed(Exception):  # noqa: N818 - reported, not an error of this program
    """A job has no result, for a reason that may be temporary."""


def going_on() -> str:
    """Return no reason for jobs to end."""
    return ""


STOPPED = ContextVar[Callable[[], str]]("stopped", default=going_on)  # of the run whose jobs a thread runs


def stopped() -> str:
    """Why the current job must end early; empty if it continues."""
    return STOPPED.get()()


def perform(function: str, arguments: str) -> str:
    """Call a function and return what happened as JSON: a result, a refusal that is final, or a failure."""
    begun = time.monotonic()
    module, _, name = function.partition(":")
    try:
        said = {"result": getattr(importlib.import_module(module), name)(**json.loads(arguments))}
    except Told as error:
        said = {"refused": str(error)}
    except Failed as error:
        said = {"failed": str(error)}
    except Exception as error:
        said = {"failed": one_line(f"{type(error).__name__}: {error}", LONGEST)}
    return json.dumps(said | {"seconds": round(time.monotonic() - begun, 3), "node": platform.node()})
