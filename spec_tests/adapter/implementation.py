"""Finds the implementation to check, and determines what it claims."""

import importlib
import os
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from typing import Any

from .. import PARENT
from ..judging.checks import NotClaimed, Unusable, discard
from ..support.unsupported import Unsupported
from .contract import functions, lacking
from .expectations import Expectations, WrongExpectations, declared
from .stages import OWN, STAGES, names_stage, whole
from .targets import installed_version, resolved

CONTRACT = functions.__module__
IMAGE_SIZE = (50, 48)  # rectangular, and padded unevenly by a pool of a small Xception


class BrokenAdapter(Exception):  # noqa: N818 - not an error of this program
    """The implementation cannot be called at all: one line that says why and what to do."""


class Implementation:
    """An implementation under test; the functions that it offers are attributes.

    Besides functions an adapter may declare ``NAME`` and ``VERSION``; ``CLAIMS``, its stages, if they do not follow
    from its functions; ``NOT_OFFERED``, {function: reason}; ``EXCUSED``, {clause ID: reason}; ``TOLERANCES``, {clause
    ID: (factor, reason)}; ``OWN``, {"base", "head" or "optimizer": description} of parts that differ from the notes';
    ``IMAGE_SIZE``, (height, width), if its base takes no other size; and ``CLASSES``, the number of classes.
    """

    def __init__(self, target: str, offered: Any) -> None:
        self.target, self._offered = target, offered
        self.name = str(getattr(offered, "NAME", target))
        declared = getattr(offered, "VERSION", getattr(offered, "__version__", None))
        self.version = installed_version(target) if declared is None else str(declared)
        self.has_backends = hasattr(offered, "select_backend")
        self.own = own_of(getattr(offered, "OWN", {}), target)
        self.classes = classes_of(getattr(offered, "CLASSES", 2), target)
        if self.classes > 2:
            self.own.setdefault("head", f"{self.classes} classes")
        self.image_size = size_of(getattr(offered, "IMAGE_SIZE", None), target)
        self._left_out = not_offered(getattr(offered, "NOT_OFFERED", {}), target)
        self._unusable: dict[str, str] = {}

    @property
    def more_than_two(self) -> tuple[int, ...]:
        """The shape of a sample's prediction: (classes,), but () for two classes."""
        return () if self.classes == 2 else (self.classes,)

    def has_own(self, tied: str) -> str:
        """Why a clause that is tied to parts of the notes' model does not apply; empty if it does."""
        parts = [part for part in tied.split() if part in self.own]
        return f"it has its own {parts[0]}: {self.own[parts[0]]}" if parts else ""

    @property
    def expectations(self) -> Expectations:
        """The expectations that it declares; BrokenAdapter if they cannot be understood."""
        excused, tolerances = (getattr(self._offered, name, {}) for name in ("EXCUSED", "TOLERANCES"))
        try:
            return declared(excused, tolerances, self.target)
        except WrongExpectations as error:
            raise BrokenAdapter(str(error)) from error

    def claims(self, stage: str) -> bool:
        """Whether it claims the stage and offers a function of it.

        BrokenAdapter if it declares a stage of which it has no function.
        """
        declared = getattr(self._offered, "CLAIMS", None)
        for name in {stage, whole(stage)} & {*(declared or ())}:
            if not self._offers_any(name):
                raise BrokenAdapter(lacking(self.target, name))
        return names_stage(declared, stage) and self._offers_any(stage)

    def _offers_any(self, name: str) -> bool:
        """Whether it has a function of the stages that ``name`` stands for."""
        return any(self.offers(function) for function in functions(name))

    def take(self, unfilled: Iterable[str], unusable: Mapping[str, str]) -> None:
        """Record the result of trying its functions: those not filled in, and {function: why it cannot be called}."""
        self._left_out |= dict.fromkeys(unfilled, "not filled in yet")
        self._unusable |= unusable

    def offers(self, name: str) -> bool:
        """Whether it has that function of the contract; BrokenAdapter if looking for it raises an error."""
        if name in self._left_out:
            return False
        try:
            return hasattr(self._offered, name)
        except Exception as error:
            raise BrokenAdapter(f"{self.target}: {name} cannot be imported: {one_line(error)}") from error

    def offered(self, names: Sequence[str]) -> list[str]:
        """Those of the functions that it has, for a clause that applies to each; NotClaimed if it has none."""
        found = [name for name in names if self.offers(name)]
        if not found:
            raise NotClaimed(self._why_not(names[0]))
        return found

    def one_of(self, names: Sequence[str], name: str) -> Any:
        """The function ``name``. If it has only others of ``names``, the current example is discarded.

        NotClaimed if it has none of them.
        """
        if name not in self.offered(names):
            discard(self._why_not(name), not_offered=True)
        return getattr(self, name)

    def __getattr__(self, name: str) -> Any:
        """A function; NotClaimed if it is not offered, Unusable if it cannot be called."""
        if name.startswith("_") or not any(name in functions(stage) for stage in STAGES):
            raise AttributeError(f"{name} is not in the contract")
        if not self.offers(name):
            raise NotClaimed(self._why_not(name))
        if name in self._unusable:
            raise Unusable(self._unusable[name])
        found = getattr(self._offered, name)
        return _discarding(found) if callable(found) else found

    def __repr__(self) -> str:
        return self.target

    def _why_not(self, name: str) -> str:
        if name in self._left_out:
            return f"{name}: {self._left_out[name]}"
        known = {other for stage in STAGES for other in functions(stage)}
        near = get_close_matches(name, [own for own in dir(self._offered) if own not in known], n=1, cutoff=0.85)
        return f"{name}: not offered" + (f"; {near[0]} is not a name of the contract" if near else "")


def _discarding(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, wrapped so that an example that it does not support is discarded."""

    @wraps(function)
    def called(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except Exception as error:
            if not _says_unsupported(error):
                raise
            reason = " ".join(str(error).split()) or "not supported"
        return discard(reason)

    return called


def _says_unsupported(error: Exception) -> bool:
    """Whether it is ``Unsupported`` of this package, installed or in a checkout: an adapter may import either."""
    module = Unsupported.__module__.removeprefix(PARENT)
    return any(kind.__name__ == Unsupported.__name__ and kind.__module__.endswith(module) for kind in type(error).mro())


def not_offered(given: Any, target: str) -> dict[str, str]:
    """{function: reason} for what an adapter does not offer; BrokenAdapter if that cannot be understood."""
    if not isinstance(given, Mapping):
        raise BrokenAdapter(f"NOT_OFFERED of {target} must be a dict of functions and reasons")
    known = {name for stage in STAGES for name in functions(stage)}
    if wrong := [str(name) for name in given if name not in known]:
        near = get_close_matches(wrong[0], known, n=1)
        meant = f"did you mean {near[0]}?" if near else f"see {CONTRACT}"
        raise BrokenAdapter(f"NOT_OFFERED of {target} names {wrong[0]}, which is not in the contract: {meant}")
    if bare := [name for name, reason in given.items() if not isinstance(reason, str) or not reason.strip()]:
        raise BrokenAdapter(f"NOT_OFFERED of {target}: no reason for {', '.join(bare)}")
    return {name: " ".join(reason.split()) for name, reason in given.items()}


def own_of(given: Any, target: str) -> dict[str, str]:
    """{part: description} of the parts that replace those of the notes' model; BrokenAdapter if they are malformed."""
    if not isinstance(given, Mapping) or {*given} - {*OWN}:
        raise BrokenAdapter(f"OWN of {target} must be a dict of {', '.join(OWN)} and your descriptions")
    if bare := [name for name, what in given.items() if not isinstance(what, str) or not what.strip()]:
        raise BrokenAdapter(f"OWN of {target}: say what the {bare[0]} is, such as 'ResNet18'")
    return {name: " ".join(what.split()) for name, what in given.items()}


def classes_of(given: Any, target: str) -> int:
    """The number of classes of its classifier; BrokenAdapter if it is not a number."""
    if not isinstance(given, int) or isinstance(given, bool) or given < 2:
        raise BrokenAdapter(f"CLASSES of {target} must be a whole number from 2 on")
    return given


def size_of(given: Any, target: str) -> tuple[int, int]:
    """The size of the images that clauses of the base use; BrokenAdapter if it is not a size."""
    if given is None:
        return IMAGE_SIZE
    sides = tuple(given) if isinstance(given, list | tuple) else ()
    if len(sides) != len(IMAGE_SIZE) or not all(isinstance(side, int) and side > 0 for side in sides):
        raise BrokenAdapter(f"IMAGE_SIZE of {target} must be (height, width) in pixels, such as (224, 224)")
    return sides[0], sides[1]


def load(target: str, backend: str | None = None) -> Implementation:
    """The implementation ``package.module`` or ``package.module:object``, running on ``backend`` if it has several.

    BrokenAdapter if it cannot be imported, offers nothing, or cannot run on the backend.
    """
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
        raise BrokenAdapter(f"{target} offers no function of the contract: see {CONTRACT}")
    if backend and found.has_backends:
        try:
            found.select_backend(backend)
        except Exception as error:
            raise BrokenAdapter(f"{target} cannot run on {backend}: {one_line(error)}") from error
    return found


def one_line(error: BaseException) -> str:
    """The message of an exception on one line, and where it was raised if that is outside of convspec."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_file()]
    frames = [frame for frame in frames if frame.filename not in (__file__, importlib.__file__)]
    where = f" (at {Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{where}"
