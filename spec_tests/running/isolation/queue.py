"""The queue of clauses that workers share: a folder in which each worker takes what it checks next.

Clauses that need the same run of the implementation, for example a training run, form a group, so that one worker makes
the run once. A worker takes a group by creating a file, which only one worker can do, so a lost worker leaves no lock
behind. The worker that replaces it continues with the groups that it had taken. Results of smoke checks are shared in
the same way, so that one worker tries a stage for all.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from ...adapter.stages import whole
from ..groups import groups
from ..results import clause_of
from ..smoke import Tried


class Queue:
    """The groups of a worker's items, and the folder that records which worker took which group."""

    def __init__(self, folder: Path, place: int, items: Sequence[pytest.Item]) -> None:
        self._folder, self._place = folder, str(place)
        tests = {clause.id: item for item in items if (clause := clause_of(item))}
        clauses = [clause for item in items if (clause := clause_of(item))]
        # Training is last in the pipeline and takes longest: if it begins first, short groups remain for the end.
        self._groups = [[tests[clause.id] for clause in group] for group in groups(clauses)[::-1]]
        self._taken: set[int] = set()  # by this process

    def __iter__(self) -> Iterator[list[pytest.Item]]:
        """Take one group after the other until none is left."""
        while (number := self._next()) is not None:
            self._taken.add(number)
            yield self._groups[number]

    def trying(self, stage: str) -> None:
        """Record that this worker is about to try the functions of a stage."""
        self._take(f"trying-{stage}")

    def tried(self, stage: str, tried: Tried) -> None:
        """Record the result of trying the functions of a stage."""
        partial = self._folder / f".tried-{stage}-{self._place}"
        partial.write_text(tried.text(), encoding="utf-8")
        partial.replace(self._folder / f"tried-{stage}")

    def verdict(self, stage: str) -> Tried | None:
        """The result of a stage that any worker has tried; None if none has."""
        with suppress(FileNotFoundError):
            return Tried.of_text((self._folder / f"tried-{stage}").read_text(encoding="utf-8"))
        return None

    def _next(self) -> int | None:
        """The number of the first group that is free or was left to this place; None if there is none.

        Groups whose stage another worker is trying come last.
        """
        numbers = [number for number in range(len(self._groups)) if number not in self._taken]
        for number in sorted(numbers, key=self._is_tried_elsewhere):
            if self._take(f"group-{number}"):
                return number
        return None

    def _is_tried_elsewhere(self, number: int) -> bool:
        clause = clause_of(self._groups[number][0])
        stage = whole(clause.stage) if clause else ""
        return self.verdict(stage) is None and self._owner(f"trying-{stage}") not in ("", self._place)

    def _take(self, name: str) -> bool:
        with suppress(FileExistsError), (self._folder / name).open("x", encoding="utf-8") as file:
            file.write(self._place)
        return self._owner(name) == self._place

    def _owner(self, name: str) -> str:
        with suppress(FileNotFoundError):
            return (self._folder / name).read_text(encoding="utf-8")
        return ""
