"""Errors that a user can correct, each in one line."""

from collections.abc import Iterator
from contextlib import contextmanager


class PipelineError(Exception):
    """One line that states the problem and what to do; the command line exits with 2."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def printable(text: str) -> str:
    r"""The text on one line, as it may hold names of files, which may hold anything: a line break is written ``\n``."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


@contextmanager
def explained(problem: str, advice: str) -> Iterator[None]:
    """Turn any error of another library into a PipelineError with the problem, its reason, and what to do."""
    try:
        yield
    except PipelineError:
        raise
    except Exception as error:
        raise PipelineError(f"{problem} ({reason(error)}): {advice}") from error


def reason(error: Exception) -> str:
    """The message of another library's error in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
