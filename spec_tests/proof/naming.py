"""The rows that reports use to name faults, made from the kill matrix, and how often the right fault is named."""

from pathlib import Path

from fixtures.mutants import mutants as all_mutants

from ..reporting.naming.rows import Row, rows, said, write
from ..reporting.record import FAILURES, Outcome
from .mutants import REACH, Death, Matrix, reach


def renew(matrix: Matrix, profile: str, file: Path) -> None:
    """Replace the rows of the mutants that ran in this profile, and remove those of mutants that no longer exist."""
    kept = {row.name: row for row in rows(file)} if file.is_file() else {}
    kept |= {death.mutant.name: row_of(death, matrix, profile) for death in matrix.deaths}
    write([row for name, row in kept.items() if name in all_mutants()], file)


def row_of(death: Death, matrix: Matrix, profile: str) -> Row:
    """The row of a mutant."""
    mutant, reached = death.mutant, reach(death.mutant, matrix.clauses)
    return Row(
        mutant.name,
        mutant.group,
        mutant.of,
        mutant.fault,
        mutant.seen,
        mutant.digest,
        profile,
        tuple(stage for stage in REACH if stage in reached),
        mutant.caught_by,
        {r.clause.id: said(r.failure) for r in death.results if r.outcome in FAILURES},
        frozenset(r.clause.id for r in death.results if r.outcome is Outcome.PASSED),
    )
