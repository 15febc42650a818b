"""Errors that a user can put right, each in one line."""

from collections.abc import Iterator
from contextlib import contextmanager


class PipelineError(Exception):
    """One line that says what is wrong and what to do; the command line exits with 2."""


@contextmanager
def explained(problem: str, advice: str) -> Iterator[None]:
    """Turn whatever another library raises into a PipelineError: the problem, its reason, what to do."""
    try:
        yield
    except PipelineError:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise PipelineError(f"{problem} ({reason}): {advice}") from error
