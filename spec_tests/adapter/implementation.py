"""Find the implementation that is to be checked, and know what it claims."""

import importlib
import os
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .contract import functions
from .expectations import Expectations, WrongExpectations, declared
from .stages import STAGES
from .targets import installed_version, resolved


class BrokenAdapter(Exception):  # noqa: N818 - not an error of this program
    """The implementation cannot be called at all: one line that says why and what to do."""


class Implementation:
    """An implementation under test; its functions are taken from it by name.

    Besides functions it may declare ``NAME``, ``VERSION``, ``CLAIMS`` (the stages, if they do not
    follow from the functions that it has), ``EXCUSED``, {clause ID: reason}, and ``TOLERANCES``,
    {clause ID: (factor, reason)}.
    """

    def __init__(self, target: str, offered: Any) -> None:
        self.target, self._offered = target, offered
        self.name = str(getattr(offered, "NAME", target))
        declared = getattr(offered, "VERSION", getattr(offered, "__version__", None))
        self.version = installed_version(target) if declared is None else str(declared)
        self.has_backends = hasattr(offered, "select_backend")

    @property
    def expectations(self) -> Expectations:
        """What it declares of itself; BrokenAdapter if that cannot be understood."""
        excused, tolerances = (getattr(self._offered, name, {}) for name in ("EXCUSED", "TOLERANCES"))
        try:
            return declared(excused, tolerances, self.target)
        except WrongExpectations as error:
            raise BrokenAdapter(str(error)) from error

    def claims(self, stage: str) -> bool:
        """Whether clauses of the stage apply."""
        declared = getattr(self._offered, "CLAIMS", None)
        return any(self.offers(name) for name in functions(stage)) if declared is None else stage in declared

    def require(self, stage: str) -> None:
        """A stage that is claimed must be offered whole."""
        lacks = [name for name in functions(stage) if not self.offers(name)]
        if lacks:
            raise BrokenAdapter(lacking(self.target, stage, lacks))

    def offers(self, name: str) -> bool:
        """Whether it has that function of the contract."""
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


def lacking(target: str, stage: str, names: Sequence[str]) -> str:
    """What is said of a stage that is claimed and not offered whole."""
    offer = "offer the whole stage, or list the stages that are offered in CLAIMS"
    return f"{target} claims the stage {stage} but has no {', '.join(names)}: {offer}"


def unusable(target: str, stage: str, faults: Sequence[str]) -> str:
    """What is said of a stage whose functions cannot be called."""
    return f"{target} cannot be called, stage {stage}: {'; '.join(faults)}"


def load(target: str, backend: str | None = None) -> Implementation:
    """The implementation of that name, ``package.module`` or ``package.module:object``, on a backend of several."""
    module, _, attribute = resolved(target).partition(":")
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
        raise BrokenAdapter(f"{target} offers no function of the contract: see {functions.__module__}")
    if backend and found.has_backends:
        try:
            found.select_backend(backend)
        except Exception as error:
            raise BrokenAdapter(f"{target} cannot run on {backend}: {one_line(error)}") from error
    return found


def one_line(error: BaseException) -> str:
    """What an exception says, and where it was raised if that was in a file of somebody else."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_file()]
    frames = [frame for frame in frames if frame.filename not in (__file__, importlib.__file__)]
    where = f" (at {Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{where}"
