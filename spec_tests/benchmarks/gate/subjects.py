"""Checkouts to compare: the meaning of a revision, a folder or a wheel on the command line."""

import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...support.texts import Told, one_line

HASH = 12  # characters of a revision's hash that are shown
UNREADABLE = (OSError, tarfile.TarError, zipfile.BadZipFile)


class NoSubject(Told):
    """The named subject does not exist."""


@dataclass(frozen=True)
class Checkout:
    """A folder from which an implementation is imported."""

    folder: Path
    title: str  # a description: a revision and its hash, or a path


@contextmanager
def checkout(named: str, repository: Path) -> Iterator[Checkout]:
    """A folder unchanged, an unpacked wheel (a path that ends in .whl), or a revision of ``repository``.

    Files are unpacked to a temporary folder, which is removed afterwards. Raises NoSubject if there is none.
    """
    path = Path(named)
    if path.is_dir():
        yield Checkout(path.resolve(), str(path))
        return
    with tempfile.TemporaryDirectory(prefix="convspec-gate-") as scratch:
        folder = Path(scratch, "subject")
        folder.mkdir()
        if path.suffix == ".whl":
            _unpack(path, folder)
            title = path.name
        else:
            title = f"{named} ({_export(named, repository, folder)[:HASH]})"
        yield Checkout(folder.resolve(), title)


def _unpack(wheel: Path, folder: Path) -> None:
    """Unpack the packages at a wheel's top. zipfile skips paths that lead outside."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)  # noqa: S202 - of zipfile, which is safe
    except UNREADABLE as error:
        raise NoSubject(f"{wheel} is not a wheel that can be unpacked: {one_line(str(error))}") from error


def _export(revision: str, repository: Path, folder: Path) -> str:
    """Write the files of a revision; returns its hash."""
    commit = _git(
        repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}",
        otherwise=f"{revision} is no folder, no wheel and no revision of {repository}",
    )  # fmt: skip
    archive = folder.with_suffix(".tar")
    _git(
        repository, "archive", "--format=tar", f"--output={archive}", commit,
        otherwise=f"{revision} cannot be exported from {repository}",
    )  # fmt: skip
    try:
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
    except UNREADABLE as error:
        raise NoSubject(f"{revision} cannot be exported: {one_line(str(error))}") from error
    return commit


def _git(repository: Path, *arguments: str, otherwise: str) -> str:
    """The output of git; raises NoSubject with ``otherwise`` if git fails or is missing."""
    command = ["git", "-C", str(repository), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    except FileNotFoundError:
        raise NoSubject(f"{otherwise}: there is no git") from None
    except subprocess.CalledProcessError as error:
        said = f": {one_line(error.stderr)}" if error.stderr.strip() else ""
        raise NoSubject(f"{otherwise}{said}") from None
    return done.stdout.strip()
