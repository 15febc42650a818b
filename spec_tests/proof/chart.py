"""The kill matrix as a picture: a row for each mutant, a column for each clause."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from .mutants import Death, Matrix

STEP = 9  # of a row and of a column, in pixels
LEFT, TOP = 96, 52  # pixels for the labels


@dataclass(frozen=True)
class Mark:
    """The outcome of a mutant with a clause, if it is worth a mark."""

    x: int
    y: int
    kind: str  # own, other, missed or raised
    title: str
    mutant: str


@dataclass(frozen=True)
class Label:
    """A family above its columns or a group beside its rows, and the line after it."""

    text: str
    at: float
    end: int


@dataclass(frozen=True)
class Chart:
    """The positions of all marks and labels."""

    width: int
    height: int
    marks: list[Mark]
    families: list[Label]
    groups: list[Label]


def chart(matrix: Matrix) -> Chart:
    """The chart of all mutants that were checked."""
    deaths, clauses = matrix.deaths, matrix.clauses
    columns = {clause.id: place for place, clause in enumerate(clauses)}
    marks = [
        Mark(
            LEFT + STEP * columns[clause],
            TOP + STEP * row,
            kind,
            f"{_plain(death)}: {clause} {word}",
            death.mutant.name,
        )
        for row, death in enumerate(deaths)
        for clause, kind, word in _cells(death)
    ]
    families = _labels([clause.family for clause in clauses], LEFT)
    groups = _labels([death.mutant.group.replace("_", " ") for death in deaths], TOP)
    return Chart(LEFT + STEP * len(clauses), TOP + STEP * len(deaths), marks, families, groups)


def _cells(death: Death) -> Iterator[tuple[str, str, str]]:
    own = death.mutant.caught_by
    for clause in own:
        if clause in death.killers:
            yield clause, "own", "caught it, as it must"
    for clause in death.others:
        yield clause, "other", "caught it too"
    for clause in death.raised:
        yield clause, "raised", "met an exception"
    for clause in own:
        if clause not in death.killers and clause not in death.raised:
            yield clause, "missed", "did not catch it"


def _plain(death: Death) -> str:
    return death.mutant.name.replace("_", " ")


def _labels(names: Sequence[str], start: int) -> list[Label]:
    """One label for each run of equal names."""
    labels, place = [], start
    for name, run in groupby(names):
        end = place + STEP * len(list(run))
        labels.append(Label(name, (place + end) / 2, end))
        place = end
    return labels
