"""The smoke check: whether an adapter can be called at all, before anything is judged.

Each function of a stage is called once with the simplest input (see the module of the stage). The check is whether the
function takes the arguments of the contract and returns the kind of value that the contract names. The clauses decide
whether the value is right. A fault is one line: what was returned, and what to fix.
"""

import importlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...adapter.implementation import Implementation
from ...judging.checks import Undecided
from .calling import Fault, Unfilled

Trials = Callable[[Implementation, Path], Iterator[Callable[[], Any]]]


def trials_of(stage: str) -> Trials:
    """The first calls of the functions of a stage. What they need is imported only for stages that are checked."""
    trials: Trials = importlib.import_module(f".{stage}", __package__).trials
    return trials


@dataclass(frozen=True)
class Tried:
    """The result for the functions of a stage: those not filled in, and {function: why it cannot be called}."""

    unfilled: tuple[str, ...] = ()
    unusable: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """The result as JSON, for other processes."""
        return json.dumps(asdict(self))

    @classmethod
    def of_text(cls, text: str) -> "Tried":
        """The result that ``text`` was made from."""
        content = json.loads(text)
        return cls(tuple(content["unfilled"]), content["unusable"])


def tried(implementation: Implementation, stage: str) -> Tried:
    """Call each function of a stage that is offered, and return the result."""
    unfilled: list[str] = []
    unusable: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="convspec-") as folder:
        for trial in trials_of(stage)(implementation, Path(folder)):
            try:
                trial()
            except Unfilled as fault:
                unfilled.append(fault.name)
            except Fault as fault:
                unusable.setdefault(fault.name, str(fault))
            except Undecided:
                pass  # the function is not offered, or the input is not supported
    return Tried(tuple(unfilled), unusable)
