"""The allowed outcomes of bad input: a one-line error that leaves no files, or a right result."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reference.__main__ import main
from reference.errors import PipelineError
from spec_tests.cases.archives import tree
from spec_tests.damage.bytes import count

REFUSED = object()


def outcome(action: Callable[[], Any]) -> Any:
    """The return value of the action, or REFUSED. --hypothesis-show-statistics counts both."""
    try:
        result = action()
    except PipelineError as error:
        assert_one_line(str(error))
        count("refused")
        return REFUSED
    count("a result")
    return result


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The error line of a command line with bad input, after exit code 2; empty if the command succeeded."""
    code, said = main(words), capsys.readouterr().err
    assert code in (0, 2)
    if code == 0:
        count("a result")
        return ""
    count("refused")
    [line] = [line for line in said.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in said
    assert_one_line(line)
    return line


def assert_one_line(text: str) -> None:
    """Assert that the text is one line of printable characters."""
    assert text.isprintable()
    assert 20 < len(text) < 1500


@contextmanager
def nothing_written(folder: Path) -> Iterator[None]:
    """Assert that nothing below the folder has changed afterwards."""
    before = tree(folder)
    yield
    assert tree(folder) == before
