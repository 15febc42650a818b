"""Clauses that look at the same run of the implementation are a group: one process makes it once for all of them."""

from collections.abc import Mapping, Sequence

import pytest

UNDER_TEST = "implementation"  # what a fixture is made without costs little
CHEAP = {UNDER_TEST, "untrained"}  # made again by each process that needs it, before one waits for another


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
