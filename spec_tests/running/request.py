"""The request for a check, validated before anything is started or imported: a mistake is reported at once."""

import zipfile
from argparse import Namespace
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ..adapter.expectations import check_names, check_tolerances, read
from ..adapter.stages import PIPELINE
from ..adapter.targets import default_backend, refuse_missing
from ..clauses.catalogue import FOLDER, all_clauses, selected, unknown
from ..clauses.clause import Clause, Level
from ..support.texts import Told
from .isolation.task import Task


class Mistaken(Told):
    """A word on the command line names nothing that can be checked."""


def tasks(options: Namespace) -> list[Task]:
    """The tasks of ``convspec check``, one for each implementation; an error of one line if the request is invalid."""
    clauses = [clause for clause in chosen(options.clause, options.stage) if PIPELINE not in clause.tied]
    if not clauses:
        raise Mistaken(f"{', '.join(options.clause)} can be checked only on pipelines: see convspec audit")
    if options.expectations:
        check_expectations(options.expectations)
    for name in ("data", "preset"):
        if path := getattr(options, name):
            _check_path(name, path)
    found = []
    for column in dict.fromkeys(options.implementations):
        target, _, own = column.partition("@")
        backend = own or options.backend or default_backend()
        refuse_missing(target, backend)
        found.append(Task(column, target, backend, _passed(options), tuple(clauses), places=places_of(clauses)))
    return found


def narrowed(task: Task, clauses: Sequence[Clause]) -> Task:
    """The task with only these clauses."""
    options = task.options[: task.options.index("--clause")] if "--clause" in task.options else task.options
    chosen = (*options, "--clause", *(clause.id for clause in clauses))
    return replace(task, clauses=tuple(clauses), options=chosen, places=places_of(clauses))


def places_of(clauses: Iterable[Clause]) -> tuple[str, ...]:
    """The files of the modules that define the clauses."""
    return tuple(dict.fromkeys(str(FOLDER / f"{clause.module.rpartition('.')[2]}.py") for clause in clauses))


def chosen(wanted: Sequence[str], stages: Collection[str]) -> list[Clause]:
    """The requested clauses; Mistaken if a name is unknown, or if there are none."""
    known = all_clauses()
    if wrong := unknown(wanted, known):
        raise Mistaken(f"--clause {wrong}")
    clauses = [clause for clause in known if selected(clause, wanted, stages)]
    if not clauses:
        raise Mistaken("no clause is selected: none of the named clauses belongs to a named stage")
    return clauses


def check_expectations(file: Path) -> None:
    """Raise WrongExpectations unless every clause that the file names exists and may be expected so."""
    expectations, known = read(file), all_clauses()
    check_names(expectations, str(file), lambda names: unknown(names, known))
    check_tolerances(expectations, str(file), {clause.id for clause in known if clause.level is Level.STOCHASTIC})


def _check_path(name: str, path: Path) -> None:
    """Raise Mistaken if a path is missing or no archive. Other faults are reported by the code that reads it."""
    holds = {"data": "a zip or a folder of photographs", "preset": "a preset folder or a .keras file"}[name]
    try:
        exists, is_archive = path.exists(), path.is_dir() or name == "preset" or zipfile.is_zipfile(path)
    except OSError as error:
        raise Mistaken(f"{path} cannot be read: {error.strerror}") from error
    if not exists:
        raise Mistaken(f"{path} does not exist: --{name} takes {holds}")
    if not is_archive:
        raise Mistaken(f"{path} is neither a zip nor a folder: --{name} takes {holds}")


def _passed(options: Namespace) -> tuple[str, ...]:
    """The options that are passed on to the plugin of a worker."""
    passed = [f"--seed={options.seed}", f"--profile={options.profile}"]
    passed += [f"--stage={stage}" for stage in options.stage]
    for name in ("expectations", "data", "preset"):
        if value := getattr(options, name):
            passed.append(f"--{name}={value.resolve()}")
    return (*passed, "--clause", *options.clause) if options.clause else tuple(passed)
