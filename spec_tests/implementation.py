"""Find the implementation that is to be checked, and know what it claims."""

import importlib
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from spec_tests.contract import STAGES, functions

NO_REASONS: Mapping[str, str] = MappingProxyType({})


class BrokenAdapter(Exception):
    """The implementation cannot be called at all: one line that says why and what to do."""


class Implementation:
    """An implementation under test; its functions are taken from it by name.

    Besides functions it may declare ``NAME``, ``VERSION``, ``CLAIMS`` (the stages, if they do not
    follow from the functions that it has) and ``EXCUSED``, {clause ID: reason}.
    """

    def __init__(self, target: str, offered: Any) -> None:
        self.target, self._offered = target, offered
        self.name = str(getattr(offered, "NAME", target))
        self.version = str(getattr(offered, "VERSION", getattr(offered, "__version__", "unknown")))
        self.excused: Mapping[str, str] = getattr(offered, "EXCUSED", NO_REASONS)

    def claims(self, stage: str) -> bool:
        """Whether clauses of the stage apply."""
        declared = getattr(self._offered, "CLAIMS", None)
        if declared is not None:
            return stage in declared
        return any(hasattr(self._offered, name) for name in functions(stage))

    def __getattr__(self, name: str) -> Any:
        stage = next((stage for stage in STAGES if name in functions(stage)), None)
        if stage is None:
            raise AttributeError(f"{name} is not in the contract")
        try:
            return getattr(self._offered, name)
        except AttributeError as error:
            raise BrokenAdapter(
                f"{self.target} has no {name}: offer it, or leave the stage {stage} out of CLAIMS"
            ) from error

    def __repr__(self) -> str:
        return self.target


def load(target: str, backend: str | None = None) -> Implementation:
    """The implementation ``package.module`` or ``package.module:object``, on a backend if it has several."""
    module, _, attribute = target.partition(":")
    if backend:
        os.environ["KERAS_BACKEND"] = backend
    try:
        offered = importlib.import_module(module)
        for name in filter(None, attribute.split(".")):
            offered = getattr(offered, name)
    except (ImportError, AttributeError, ValueError) as error:
        raise BrokenAdapter(
            f"--implementation {target} cannot be imported ({error}): name package.module or package.module:object"
        ) from error
    found = Implementation(target, offered)
    if not any(found.claims(stage) for stage in STAGES):
        raise BrokenAdapter(f"{target} offers no function of the contract: see spec_tests/contract.py")
    if backend and hasattr(offered, "select_backend"):
        found.select_backend(backend)
    return found
