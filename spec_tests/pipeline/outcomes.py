"""What may come of bad input: an error of one line that leaves no trace, or a right result."""

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
    """What the action returns, or REFUSED; counted with --hypothesis-show-statistics."""
    try:
        result = action()
    except PipelineError as error:
        assert_one_line(str(error))
        count("refused")
        return REFUSED
    count("a result")
    return result


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What the command line says of bad input: one line, with exit code 2; nothing if it was carried out."""
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
    """Of characters that can be seen."""
    assert text.isprintable()
    assert 20 < len(text) < 1500


@contextmanager
def nothing_written(folder: Path) -> Iterator[None]:
    """All below the folder is afterwards what it was before."""
    before = tree(folder)
    yield
    assert tree(folder) == before
