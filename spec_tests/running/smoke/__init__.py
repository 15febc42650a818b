"""The smoke check: whether an adapter can be called at all, before anything is judged.

Each function of a stage is called once with the simplest of inputs, see the module of the stage. Looked at is whether
it takes the arguments of the contract and gives back the kind of thing that the contract says; whether that is right
is for the clauses to say. A fault is one line: what came, and what to fix.
"""

import importlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...adapter.implementation import Implementation
from .calling import Fault

Trials = Callable[[Implementation, Path], Iterator[Callable[[], Any]]]


def trials_of(stage: str) -> Trials:
    """The first calls of the functions of a stage; what these need is imported for the stages that are checked."""
    trials: Trials = importlib.import_module(f".{stage}", __package__).trials
    return trials


def faults(implementation: Implementation, stage: str) -> list[str]:
    """What is wrong with the functions of a stage; nothing if all can be called."""
    found: list[str] = []
    with tempfile.TemporaryDirectory(prefix="convspec-") as folder:
        for trial in trials_of(stage)(implementation, Path(folder)):
            try:
                trial()
            except Fault as fault:
                found.append(str(fault))
    return found
