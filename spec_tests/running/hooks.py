"""Hooks of the plugin that are called while clauses are checked."""

from ..adapter.implementation import Implementation
from ..reporting.record import Result
from .smoke import Tried


def pytest_convspec_loading(target: str) -> None:
    """An implementation is about to be imported."""


def pytest_convspec_loaded(target: str, implementation: Implementation) -> None:
    """An implementation was imported, and offers at least one function."""


def pytest_convspec_smoke(target: str, stage: str) -> None:
    """The functions of a stage are about to be called for the first time."""


def pytest_convspec_smoked(target: str, stage: str, tried: Tried) -> None:
    """The functions of a stage were called for the first time, with this result."""


def pytest_convspec_judged(result: Result) -> None:
    """A clause has its result."""
