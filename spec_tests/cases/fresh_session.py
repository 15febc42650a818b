"""How an implementation selects a backend, tried in a new Python process in which Keras is not loaded yet.

Run as ``python -m spec_tests.cases.fresh_session IMPLEMENTATION BACKEND REPORT``: it tries everything once and writes
what happened to the file REPORT, which the clauses read.
"""

import contextlib
import importlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from ..adapter.implementation import load
from ..adapter.targets import BACKENDS

UNKNOWN = ("mxnet", "no such backend")


@dataclass
class Session:
    """What happened, in the order of events; an error is None if nothing was raised."""

    unknown: dict[str, str | None] = field(default_factory=dict)  # errors for names that no implementation knows
    magic_outside: bool = True  # the result of register_magic() while IPython is not running
    refused: str | None = None  # the error for the backend that is checked
    running: str = ""  # the backend of Keras after one was selected
    again: str | None = None  # the error for selecting the same backend again
    others: dict[str, str | None] = field(default_factory=dict)  # errors for other known and installed backends
    running_at_last: str = ""
    magic: bool = False  # the result of register_magic() in an IPython shell
    ran: dict[str, bool] = field(default_factory=dict)  # whether a cell for this backend was run
    said: dict[str, str] = field(default_factory=dict)  # what was printed by that cell


def hold(target: str, backend: str) -> Session:
    """Run a session in a new process whose environment names another backend than the selected one.

    RuntimeError if the process writes no report.
    """
    others = [name for name in BACKENDS if name != backend and importlib.util.find_spec(name)]
    with tempfile.TemporaryDirectory(prefix="convspec-") as folder:
        report = Path(folder, "report.json")
        path = os.pathsep.join(filter(None, sys.path))
        environment = os.environ | {"PYTHONPATH": path, "IPYTHONDIR": folder, "KERAS_BACKEND": (others or [backend])[0]}
        command = [sys.executable, "-m", __name__, target, backend, str(report)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        if not report.is_file():
            raise RuntimeError(
                f"a new process that selects {backend} ended with exit code {done.returncode}: {done.stderr[-1000:]}"
            )
        return Session(**json.loads(report.read_text()))


def main(target: str, backend: str, report: Path) -> None:
    """Try everything, in this order because Keras is imported only once."""
    implementation, session = load(target), Session()
    session.unknown = {name: error_of(partial(implementation.select_backend, name)) for name in UNKNOWN}
    session.magic_outside = implementation.register_magic()
    session.refused = error_of(partial(implementation.select_backend, backend))
    session.running = running()
    session.again = error_of(partial(implementation.select_backend, backend))
    known = [name for name in BACKENDS if name in (session.unknown[UNKNOWN[0]] or "") and name != backend]
    for name in filter(importlib.util.find_spec, known):
        session.others[name] = error_of(partial(implementation.select_backend, name))
    session.running_at_last = running()
    if importlib.util.find_spec("IPython"):
        try_magic(implementation.register_magic, session)
    report.write_text(json.dumps(asdict(session)))


def try_magic(register_magic: Callable[[], bool], session: Session) -> None:
    """Run a cell for each backend in a new shell."""
    shell = importlib.import_module("IPython.core.interactiveshell").InteractiveShell.instance()
    session.magic = register_magic()
    for name in (*BACKENDS, "mxnet"):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            shell.run_cell(f"%%backend {name}\nran_{name} = 6 * 7")
        session.ran[name] = shell.user_ns.get(f"ran_{name}") == 42
        session.said[name] = printed.getvalue()


def running() -> str:
    """The backend that Keras runs on; imports Keras."""
    name: str = importlib.import_module("keras").backend.backend()
    return name


def error_of(call: Callable[[], object]) -> str | None:
    """The text of the exception that the call raises; None if it raises none."""
    try:
        call()
    except Exception as error:
        return str(error)
    return None


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
