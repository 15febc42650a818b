"""The work of a supervisor: what to check."""

from dataclasses import dataclass

from ...clauses.catalogue import FOLDER
from ...clauses.clause import Clause


@dataclass(frozen=True)
class Task:
    """An implementation on a backend, and the options of the plugin that say what of it is checked."""

    column: str
    target: str
    backend: str
    options: tuple[str, ...]
    clauses: tuple[Clause, ...] = ()  # those that are asked for; a worker tells them where none are given
    tried: tuple[str, ...] = ()  # stages whose functions need no smoke check
    places: tuple[str, ...] = (str(FOLDER),)  # where the clauses that are asked for stand
