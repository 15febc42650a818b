"""Errors that a user can put right, each in one line."""

from collections.abc import Iterator
from contextlib import contextmanager


class PipelineError(Exception):
    """One line that says what is wrong and what to do; the command line exits with 2."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def printable(text: str) -> str:
    r"""The text on one line, as it may hold names of files, which may hold anything: a line break is written ``\n``."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


@contextmanager
def explained(problem: str, advice: str) -> Iterator[None]:
    """Turn whatever another library raises into a PipelineError: the problem, its reason, what to do."""
    try:
        yield
    except PipelineError:
        raise
    except Exception as error:
        raise PipelineError(f"{problem} ({reason(error)}): {advice}") from error


def reason(error: Exception) -> str:
    """What another library's error says, in a line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
