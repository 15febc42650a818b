"""Environments that stacks are checked in. uv makes them if it is installed, otherwise pip, and they are kept."""

import hashlib
import importlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import requires
from pathlib import Path
from threading import Lock

from packaging.requirements import Requirement

from .. import PARENT, __version__
from ..support.files import write_text
from ..support.texts import Told, one_line
from .plan import Stack

READY = "convspec-ready"  # written last: an environment without it was not finished
NOISE = ("warning:", "hint:", "[notice]", "note:")
LOCKS = dict[Path, Lock]()  # a lock for each environment, so that one thread makes it
SAYS = 300  # characters of the reason for a failed installation that are shown


class NotInstalled(Told):
    """The packages of a stack cannot be installed together."""


class Environments:
    """The environments below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def python(self, stack: Stack) -> Path:
        """The interpreter of an environment with the stack's packages and the requirements of checks.

        Raises NotInstalled if it cannot be made.
        """
        # Installers look for the newest version of what is named first, so the packages of the stack come first.
        wanted = [*dict.fromkeys((*stack.packages, *own_requirements()))]
        digest = hashlib.sha256("\n".join([sys.version, *sorted(wanted)]).encode()).hexdigest()[:12]
        folder = self._folder / digest
        python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        with LOCKS.setdefault(folder.resolve(), Lock()), _alone(folder):
            if not (folder / READY).is_file():
                shutil.rmtree(folder, ignore_errors=True)
                _make(folder, python, wanted)
                write_text(folder / READY, "\n".join(wanted) + "\n")
        return python


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes on this machine from making the environment. Windows has no ``flock``, so not there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as file:
        if os.name != "nt":
            fcntl = importlib.import_module("fcntl")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def own_requirements() -> list[str]:
    """The requirements of checks, of the installed distribution or of the checkout."""
    if PARENT:
        return [text for text in requires("convspec") or [] if "extra" not in str(Requirement(text).marker)]
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    return list(project["project"]["dependencies"])


def source(folder: Path) -> Path:
    """A folder from which only the specification in use can be imported. An installed one is copied."""
    above = Path(__file__).parents[2]
    if not PARENT:
        return above
    copy = folder / "source" / __version__
    if not copy.is_dir():
        partial = copy.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(above, partial / above.name)
        partial.rename(copy)
    return copy.resolve()


def _make(folder: Path, python: Path, wanted: list[str]) -> None:
    if uv := shutil.which("uv"):
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        _run([uv, "pip", "install", "--quiet", "--python", str(python), *wanted])
    else:
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])


def _run(command: list[str]) -> None:
    """Run a command; raises NotInstalled with the last line of its output if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        lines = [one_line(line) for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        telling = [line for line in lines if not line.lower().startswith(NOISE)] or ["nothing was said"]
        of_pip = [line for line in telling if line.startswith("ERROR: ")][-1:]
        reason = " ".join(line.lstrip("×╰─▶ ") for line in of_pip or telling[-3:])
        raise NotInstalled(one_line(reason, SAYS))
