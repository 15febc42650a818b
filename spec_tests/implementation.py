"""Find the implementation that is to be checked, and know what it claims."""

import importlib
import os
import traceback
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .contract import STAGES, functions

NO_REASONS: Mapping[str, str] = MappingProxyType({})


class BrokenAdapter(Exception):  # noqa: N818 - not an error of this program
    """The implementation cannot be called at all: one line that says why and what to do."""


class Implementation:
    """An implementation under test; its functions are taken from it by name.

    Besides functions it may declare ``NAME``, ``VERSION``, ``CLAIMS`` (the stages, if they do not
    follow from the functions that it has) and ``EXCUSED``, {clause ID: reason}.
    """

    def __init__(self, target: str, offered: Any) -> None:
        self.target, self._offered = target, offered
        self.name = str(getattr(offered, "NAME", target))
        self.version = str(getattr(offered, "VERSION", getattr(offered, "__version__", installed_version(target))))
        self.excused: Mapping[str, str] = getattr(offered, "EXCUSED", NO_REASONS)
        self.has_backends = hasattr(offered, "select_backend")

    def claims(self, stage: str) -> bool:
        """Whether clauses of the stage apply."""
        declared = getattr(self._offered, "CLAIMS", None)
        return any(self._has(name) for name in functions(stage)) if declared is None else stage in declared

    def require(self, stage: str) -> None:
        """A stage that is claimed must be offered whole."""
        lacks = [name for name in functions(stage) if not self._has(name)]
        if lacks:
            raise BrokenAdapter(
                f"{self.target} claims the stage {stage} but has no {', '.join(lacks)}: "
                "offer the whole stage, or list the stages that are offered in CLAIMS"
            )

    def _has(self, name: str) -> bool:
        try:
            return hasattr(self._offered, name)
        except Exception as error:
            raise BrokenAdapter(f"{self.target}: {name} cannot be imported: {one_line(error)}") from error

    def __getattr__(self, name: str) -> Any:
        if not any(name in functions(stage) for stage in STAGES):
            raise AttributeError(f"{name} is not in the contract")
        return getattr(self._offered, name)

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
        found = Implementation(target, offered)
    except Exception as error:
        raise BrokenAdapter(
            f"{target} cannot be imported: {one_line(error)}; name package.module or package.module:object"
        ) from error
    if not any(found.claims(stage) for stage in STAGES):
        raise BrokenAdapter(f"{target} offers no function of the contract: see spec_tests/contract.py")
    if backend and found.has_backends:
        try:
            found.select_backend(backend)
        except Exception as error:
            raise BrokenAdapter(f"{target} cannot run on {backend}: {one_line(error)}") from error
    return found


@cache
def installed_version(target: str) -> str:
    """The version of the distribution that a module belongs to, if there is one; nothing is imported."""
    top = target.partition(":")[0].partition(".")[0]
    try:
        return version(packages_distributions().get(top, [top])[0])
    except PackageNotFoundError:
        return ""


def one_line(error: Exception) -> str:
    """What an exception says, and where it was raised if that was in a file of somebody else."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_file()]
    frames = [frame for frame in frames if frame.filename not in (__file__, importlib.__file__)]
    where = f" (at {Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{where}"
