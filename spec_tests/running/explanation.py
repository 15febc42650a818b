"""Why a clause does not hold, made of what its test raised."""

import traceback
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis.errors import FlakyFailure

from ..judging.checks import Violation
from ..reporting.record import Failure

MACHINERY = ("/hypothesis/", "/pluggy/", "/_pytest/", "spec_tests/clauses/clause.py")  # frames that nobody wants to see
OURS = "/spec_tests/"


def explain(error: BaseException, arguments: dict[str, object], snippet: str) -> Failure:
    """What was expected and what came, the smallest counterexample, and how to see it again."""
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
    """Where the implementation was entered, and where the error was raised."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not any(part in f.filename for part in MACHINERY)]
    frames = [f for f in frames if OURS not in f.filename] or frames
    lines = [f"{'/'.join(Path(f.filename).parts[-2:])}:{f.lineno} in {f.name}: {f.line}" for f in frames]
    return "\n".join(lines if len(lines) <= 3 else (lines[0], "...", *lines[-2:]))
