"""Bars on the terminal for what takes time; where nobody watches there are none, and the lines of the stages remain."""

from collections.abc import Iterable
from typing import Any, TypeVar

from tqdm import tqdm

ON_A_TERMINAL: dict[str, Any] = {"leave": False, "disable": None}  # gone when all is done; None stands for a check

Item = TypeVar("Item")


def progress(items: Iterable[Item], what: str, unit: str, total: int | None = None) -> Iterable[Item]:
    """The items, counted by a bar that says what is done; ``total`` where they have no length."""
    bar: Iterable[Item] = tqdm(items, desc=what, unit=f" {unit}", total=total, **ON_A_TERMINAL)
    return bar
