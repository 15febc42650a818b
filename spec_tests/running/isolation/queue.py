"""The queue of clauses that workers share: a folder in which each takes what it checks next.

Clauses that need the same run of the implementation, a training run for example, are a group, so that one worker has
it made once. A group is taken by creating a file, which only one worker can do; there is nothing that a lost worker
could leave locked. The worker that is started in its place goes on with the groups that it had taken. What the smoke
check said of a stage is told in the same way, so that one worker tries it for all.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from ..results import clause_of

UNDER_TEST = "implementation"  # what a fixture is made without costs little
CHEAP = {UNDER_TEST, "untrained"}  # made again by each worker that needs it, before one waits for another


class Queue:
    """The groups of a worker's items, and the folder that says who took which."""

    def __init__(self, folder: Path, place: int, items: Sequence[pytest.Item]) -> None:
        self._folder, self._place = folder, str(place)
        # What trains is last in the pipeline and takes longest: begun first, it leaves the short ones for the end.
        self._groups = groups(items)[::-1]
        self._taken: set[int] = set()  # by this process

    def __iter__(self) -> Iterator[list[pytest.Item]]:
        """Take one group after the other, as long as there are any."""
        while (number := self._next()) is not None:
            self._taken.add(number)
            yield self._groups[number]

    def trying(self, stage: str) -> None:
        """Say that the functions of a stage are about to be tried here."""
        self._take(f"trying-{stage}")

    def tried(self, stage: str, fault: str) -> None:
        """What came of it."""
        partial = self._folder / f".tried-{stage}-{self._place}"
        partial.write_text(fault, encoding="utf-8")
        partial.replace(self._folder / f"tried-{stage}")

    def verdict(self, stage: str) -> str | None:
        """What any worker found wrong with a stage; None before one has tried it."""
        with suppress(FileNotFoundError):
            return (self._folder / f"tried-{stage}").read_text(encoding="utf-8")
        return None

    def _next(self) -> int | None:
        """The first group that is free or was left to this place; what another worker is trying comes last."""
        numbers = [number for number in range(len(self._groups)) if number not in self._taken]
        for number in sorted(numbers, key=self._is_tried_elsewhere):
            if self._take(f"group-{number}"):
                return number
        return None

    def _is_tried_elsewhere(self, number: int) -> bool:
        clause = clause_of(self._groups[number][0])
        stage = clause.stage if clause else ""
        return self.verdict(stage) is None and self._owner(f"trying-{stage}") not in ("", self._place)

    def _take(self, name: str) -> bool:
        with suppress(FileExistsError), (self._folder / name).open("x", encoding="utf-8") as file:
            file.write(self._place)
        return self._owner(name) == self._place

    def _owner(self, name: str) -> str:
        with suppress(FileNotFoundError):
            return (self._folder / name).read_text(encoding="utf-8")
        return ""


def groups(items: Sequence[pytest.Item]) -> list[list[pytest.Item]]:
    """The items by the runs of the implementation that they share, in the order of their first ones."""
    found: list[tuple[set[str], list[pytest.Item]]] = []
    for item in items:
        runs = runs_of(item)
        sharing = [group for group in found if group[0] & runs]
        merged = (runs.union(*(names for names, _ in sharing)), [i for _, some in sharing for i in some] + [item])
        place = found.index(sharing[0]) if sharing else len(found)
        found = [group for group in found if group not in sharing]
        found.insert(place, merged)
    return [group for _, group in found]


def runs_of(item: pytest.Item) -> set[str]:
    """The fixtures of an item that are made once for all, and by calling the implementation."""
    known = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    runs: set[str] = set()
    for name in known:
        definition = known[name][-1]
        if definition.scope == "session" and UNDER_TEST in _closure(name, known):
            runs.add(name)
    return runs - CHEAP


def _closure(name: str, known: Mapping[str, Sequence[pytest.FixtureDef[object]]]) -> set[str]:
    """The fixtures that a fixture needs, at any distance."""
    needed: set[str] = set()
    waiting = {name}
    while waiting:
        definitions = known.get(waiting.pop(), ())
        new = {other for definition in definitions[-1:] for other in definition.argnames} - needed
        needed |= new
        waiting |= new
    return needed
