"""The hooks of the plugin: what others may listen to while clauses are checked."""

from ..adapter.implementation import Implementation
from ..reporting.record import Result
from .smoke import Tried


def pytest_convspec_loading(target: str) -> None:
    """An implementation is about to be imported."""


def pytest_convspec_loaded(target: str, implementation: Implementation) -> None:
    """It was imported, and offers something."""


def pytest_convspec_smoke(target: str, stage: str) -> None:
    """The functions of a stage are about to be called for the first time."""


def pytest_convspec_smoked(target: str, stage: str, tried: Tried) -> None:
    """They were, and what became of that."""


def pytest_convspec_judged(result: Result) -> None:
    """It is known what became of a clause."""
