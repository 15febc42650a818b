"""Selection of a backend, which changes the process and is therefore tried in a separate one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...adapter.implementation import Implementation


def trials(implementation: Implementation, folder: Path) -> Iterator[Callable[[], Any]]:  # noqa: ARG001
    """No calls: these functions change the process, and are tried in a separate one."""
    yield from ()
