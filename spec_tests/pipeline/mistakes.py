"""Tries command lines of the pipeline in a separate Python process in which no framework is loaded yet.

Run as ``python -m spec_tests.pipeline.mistakes`` in an empty folder: it reads command lines as JSON from
standard input, and writes the outcome of each. A command line without a mistake ends where the
frameworks would be imported.
"""

import importlib.util
import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest.mock import patch

from reference.__main__ import main

HEAVY = ("keras", "keras_hub", "tensorflow", "jax", "torch", "kagglehub", "matplotlib", "numpy", "rich")
NOT_INSTALLED = "torch"  # the package that backends report as missing


@dataclass
class Outcome:
    """The outcome of a command line."""

    code: object  # the exit code, or what was raised
    printed: str  # on standard output, without buffering
    said: str  # on standard error
    imported: list[str]  # packages of HEAVY imported so far
    files: list[str]  # below the folder, afterwards


def outcome(words: list[str]) -> Outcome:
    """Run a command line in this process; returns its outcome."""
    printed = io.BytesIO()
    with redirect_stderr(io.StringIO()) as said, redirect_stdout(io.TextIOWrapper(printed, "utf-8")):
        try:
            code: object = main(words)
        except SystemExit as left:
            code = left.code
        except Exception as error:
            code = repr(error)
        shown = printed.getvalue().decode()
    imported = [name for name in HEAVY if name in sys.modules]
    return Outcome(code, shown, said.getvalue(), imported, sorted(map(str, Path().rglob("*"))))


def select_backend(name: str) -> None:
    """Replace the function that imports the frameworks."""
    raise AssertionError(f"no mistake was found, and {name} is to be imported")


if __name__ == "__main__":
    find_spec = importlib.util.find_spec
    with (
        patch("importlib.util.find_spec", lambda name: None if name == NOT_INSTALLED else find_spec(name)),
        patch("reference.__main__.select_backend", select_backend),
    ):
        print(json.dumps([asdict(outcome(words)) for words in json.load(sys.stdin)]))
