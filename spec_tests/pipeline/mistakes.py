"""Tries command lines of the pipeline in a Python of its own, where no framework is loaded yet.

Run as ``python -m spec_tests.pipeline.mistakes`` in a folder of its own: reads command lines from
standard input as JSON, and writes what came of each. A command line in which no mistake is found
ends where the frameworks would be imported.
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
NOT_INSTALLED = "torch"  # as far as the backends can see


@dataclass
class Outcome:
    """What came of a command line."""

    code: object  # the exit code, or what was raised
    printed: str  # on standard output, and not held back
    said: str  # on standard error
    imported: list[str]  # of HEAVY, so far
    files: list[str]  # below the folder, afterwards


def outcome(words: list[str]) -> Outcome:
    """What comes of a command line here and now."""
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
    """Take the place of the one that imports the frameworks."""
    raise AssertionError(f"no mistake was found, and {name} is to be imported")


if __name__ == "__main__":
    find_spec = importlib.util.find_spec
    with (
        patch("importlib.util.find_spec", lambda name: None if name == NOT_INSTALLED else find_spec(name)),
        patch("reference.__main__.select_backend", select_backend),
    ):
        print(json.dumps([asdict(outcome(words)) for words in json.load(sys.stdin)]))
