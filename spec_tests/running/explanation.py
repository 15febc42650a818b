"""The explanation of why a clause does not hold, from the exception that its test raised."""

import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis.errors import FlakyFailure

from ..judging.checks import Violation
from ..reporting.record import Failure

MACHINERY = ("/hypothesis/", "/pluggy/", "/_pytest/", "spec_tests/clauses/clause.py")  # frames that are not shown
OURS = "/spec_tests/"


def explain(error: BaseException, arguments: dict[str, Any], snippet: str) -> Failure:
    """The failure: expected and actual value, smallest counterexample, and code to reproduce it."""
    counterexample = tuple(f"{name} = {value!r}" for name, value in arguments.items())
    if isinstance(error, FlakyFailure) and (violation := error.subgroup(Violation)):
        first = explain(violation.exceptions[0], arguments, snippet)
        return replace(first, violated=f"{first.violated}, and not each time that the same input was given")
    if isinstance(error, Violation):
        return Failure(error.what, error.expected, error.got, counterexample=counterexample, snippet=snippet)
    if isinstance(error, pytest.fail.Exception):
        return Failure(str(error), counterexample=counterexample, snippet=snippet)
    raised = f"{type(error).__name__}: {error}"
    return Failure(raised=raised, at=_frames(error), counterexample=counterexample, snippet=snippet)


def _frames(error: BaseException) -> str:
    """The frames in which the implementation was entered and the error was raised."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not any(part in f.filename for part in MACHINERY)]
    frames = [f for f in frames if OURS not in f.filename] or frames
    lines = [f"{_named(Path(f.filename))}:{f.lineno} in {f.name}: {f.line}" for f in frames]
    return "\n".join(lines if len(lines) <= 3 else (lines[0], "...", *lines[-2:]))


def _named(file: Path) -> str:
    """A path relative to the current folder for a file of the user's, otherwise the last two parts of its path."""
    try:
        own = "site-packages" not in file.parts and file.is_relative_to(Path.cwd())
        return file.relative_to(Path.cwd()).as_posix() if own else "/".join(file.parts[-2:])
    except OSError:  # the folder is gone
        return "/".join(file.parts[-2:])
