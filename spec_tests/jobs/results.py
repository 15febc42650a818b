"""The folder of a run: one file for each job that is done, written whole."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..support.files import write_text
from ..support.texts import Told
from .job import Job

FORMAT, VERSION = "convspec result", 1


class NotKept(Told):
    """A result cannot be written."""


@dataclass(frozen=True)
class Results:
    """The results in one folder."""

    folder: Path

    def file(self, job: Job) -> Path:
        """The file of a job's result; its name changes with everything that the result depends on."""
        return self.folder / job.file

    def read(self, job: Job) -> Mapping[str, Any] | None:
        """The content that ``keep`` wrote; None if there is no such file, or if it was changed since."""
        try:
            content = json.loads(self.file(job).read_text(encoding="utf-8"))
            said: dict[str, Any] = content["said"]
            fits = (content["format"], content["version"], content["job"]) == (FORMAT, VERSION, job.digest)
            return said if fits and content["digest"] == _digest(said) else None
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None

    def keep(self, job: Job, said: Mapping[str, Any]) -> None:
        """Write the result of a job; NotKept if that fails."""
        content = {"format": FORMAT, "version": VERSION, "name": job.name, "job": job.digest, "digest": _digest(said)}
        try:
            write_text(self.file(job), json.dumps(content | {"said": said}, indent=1) + "\n")
        except OSError as error:
            why = f"the result of {job.name} cannot be written to {self.file(job)}: {error.strerror}"
            raise NotKept(f"{why}; the results before it are kept") from error

    def forget(self, job: Job) -> None:
        """Remove the result of a job; NotKept if that fails."""
        try:
            self.file(job).unlink(missing_ok=True)
        except OSError as error:
            raise NotKept(f"{self.file(job)} cannot be removed: {error.strerror}") from error


def _digest(said: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
