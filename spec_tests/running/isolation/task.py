"""The task of a supervisor: what to check."""

from dataclasses import dataclass

from ...clauses.catalogue import FOLDER
from ...clauses.clause import Clause


@dataclass(frozen=True)
class Task:
    """An implementation on a backend, and the options of the plugin that select what is checked."""

    column: str
    target: str
    backend: str
    options: tuple[str, ...]
    clauses: tuple[Clause, ...] = ()  # the requested clauses; if there are none, a worker reports them
    tried: tuple[str, ...] = ()  # stages whose functions need no smoke check
    places: tuple[str, ...] = (str(FOLDER),)  # files or folders of the requested clauses
