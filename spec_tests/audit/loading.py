"""Find the author's ``make`` function, and choose the probe for the pipeline that it returns."""

import importlib
from collections.abc import Callable
from typing import Any, cast

from ..adapter.expectations import Expectations, WrongExpectations, declared
from ..adapter.implementation import BrokenAdapter, Implementation, one_line
from ..judging.checks import NotClaimed, Undecided
from .advice import cost_of, fix_of, place_of
from .pipeline import Pipeline
from .probe import Probe

WIRED = "have make return convspec.audit.Pipeline(model=..., train=..., validation=..., ...)"


class Audited(Implementation):
    """A pipeline that takes the place of an implementation of the contract: clauses ask its probe."""

    def __init__(self, target: str, make: Callable[[], Any], images: int) -> None:
        super().__init__(target, None)
        self.made = _made(make, target)
        self.name = str(getattr(make, "NAME", type(self.made.model or self.made.module).__name__))
        self.probe: Probe = cast(Probe, Guarded(_probe(make, self.made, images)))

    @property
    def expectations(self) -> Expectations:
        """The failures that are excused."""
        try:
            return declared(self.made.excused, {}, self.target)
        except WrongExpectations as error:
            raise BrokenAdapter(str(error)) from error

    def claims(self, stage: str) -> bool:  # noqa: ARG002 - each clause asks for what it needs
        """True: every stage may have clauses that apply to pipelines."""
        return True

    def advice(self, clause: str) -> dict[str, str]:
        """The place of a finding in the author's code, its cost, and the lines that fix it."""
        framework = self.probe.framework
        return {
            "where": place_of(clause, self.made),
            "cost": cost_of(clause),
            "fix": fix_of(clause, framework),
        }

    def __getattr__(self, name: str) -> Any:
        """Raise for a function of the contract, which a pipeline does not have."""
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotClaimed("it applies only to implementations of the contract")


class Guarded:
    """A probe whose errors make a clause undecided: an exception in the author's code is not a finding."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    def __getattr__(self, name: str) -> Any:
        """One observation of the probe, guarded."""
        found = getattr(self._probe, name)
        return _guarded(found) if callable(found) else found


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any) -> Any:
        try:
            answer = function(*arguments)
        except (Exception, SystemExit) as error:  # Undecided is not an Exception
            needs = ": audit it where there is a GPU, or let it run without" if "CUDA" in str(error) else ""
            raise Undecided(f"the pipeline raised {one_line(error)}{needs}") from error
        if isinstance(answer, tuple):
            return tuple(_guarded(part) if callable(part) else part for part in answer)
        return answer

    return called


def load_pipeline(target: str, images: int) -> Audited:
    """The pipeline of ``module:make``; raises BrokenAdapter if it cannot be made."""
    module, _, name = target.partition(":")
    try:
        make = getattr(importlib.import_module(module), name or "make")
    except (Exception, SystemExit) as error:
        raise BrokenAdapter(f"{target} cannot be imported: {one_line(error)}; name file.py:make") from error
    if not callable(make):
        raise BrokenAdapter(f"{target} is not a function: {WIRED}")
    return Audited(target, make, images)


def _made(make: Callable[[], Any], target: str) -> Pipeline:
    try:
        made = make()
    except (Exception, SystemExit) as error:
        raise BrokenAdapter(f"{target} raised {one_line(error)}: {WIRED}") from error
    if not _is_pipeline(made):
        raise BrokenAdapter(f"{target} returned {type(made).__name__}: {WIRED}")
    if made.model is None and made.module is None:
        raise BrokenAdapter(f"{target} gives no model: {WIRED}")
    return made  # type: ignore[no-any-return]


def _is_pipeline(made: object) -> bool:
    """Whether this is a ``Pipeline`` of this package. An author may import it as installed or from a checkout."""
    kinds = type(made).mro()
    return any(kind.__name__ == Pipeline.__name__ and kind.__module__.endswith("audit.pipeline") for kind in kinds)


def _probe(make: Callable[[], Any], made: Pipeline, images: int) -> Probe:
    """The probe of the framework that the model is written in."""
    kinds = {kind.__module__.partition(".")[0] for kind in type(made.module or made.model).mro()}
    if made.module is not None:
        from .on_lightning import wired

        make = wired(make)
    if "torch" in kinds and "keras" not in kinds:
        from .on_torch import TorchProbe

        return TorchProbe(make, images)
    if "keras" in kinds:
        from .on_keras import KerasProbe

        return KerasProbe(make, images)
    raise BrokenAdapter(f"{type(made.model).__name__} is not a model of PyTorch, Keras or Lightning: {WIRED}")
