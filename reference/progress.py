"""Progress bars on the terminal for slow steps.

Without a terminal there are none, and the lines of the stages remain.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from tqdm import tqdm

# The bar is removed at the end. None stands for a check whether the output is a terminal.
ON_A_TERMINAL: dict[str, Any] = {"leave": False, "disable": None}
# By default the callback for Keras writes its counts as 1.00/7.00.
IN_WHOLE_NUMBERS = "{l_bar}{bar}| {n}/{total} {unit} [{elapsed}<{remaining}{postfix}]"

Item = TypeVar("Item")


def progress(items: Iterable[Item], what: str, unit: str, total: int | None = None) -> Iterable[Item]:
    """The items, counted by a bar that names the step. ``total`` is needed if they have no length."""
    bar: Iterable[Item] = tqdm(items, desc=what, unit=f" {unit}", total=total, **ON_A_TERMINAL)
    return bar
