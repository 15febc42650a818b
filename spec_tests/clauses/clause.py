"""A clause: a test that states a requirement of the specification and checks it."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from ..adapter.stages import OWN, PIPELINE, STAGES

ADVICE = "If this fails, check "
HAPPENED = ("arguments", "notice")  # fields that are no part of what a clause says
Test = TypeVar("Test", bound=Callable[..., Any])


class Level(StrEnum):
    """What a failure means."""

    MUST = "MUST"  # exact or within a stated tolerance, decided by one run
    STOCHASTIC = "STOCHASTIC"  # decided by a statistical test with a stated false-alarm rate
    SHOULD = "SHOULD"  # reported, never fails a run


def _ignore(error: Exception, arguments: dict[str, Any]) -> None:
    """Ignore a failure: nobody listens."""


@dataclass
class Clause:
    """A clause and what happened when it was last checked."""

    id: str
    level: Level
    stage: str
    source: str
    sentence: str
    notes: str  # tolerances, false-alarm rate and power, worked numbers
    advice: str  # what to check if it fails
    module: str
    test: str
    tied: str = ""  # what of the notes' model it is about: base, head, optimizer; or a pipeline as a whole
    # Of the last call: those of the smallest counterexample. They may be arrays, and do not make it another clause.
    arguments: dict[str, Any] = field(default_factory=dict, compare=False)
    # Called for every failing run of a property, with its arguments.
    notice: Callable[[Exception, dict[str, Any]], None] = field(default=_ignore, compare=False, repr=False)

    @property
    def family(self) -> str:
        """PAD of PAD-3."""
        return self.id.rpartition("-")[0]

    def to_json(self) -> dict[str, str]:
        """All fields except those of the last run."""
        return {name: str(value) for name, value in vars(self).items() if name not in HAPPENED}


def stated(
    id: str, level: Level, stage: str, source: str, documentation: str, module: str, test: str, *, tied: str = ""
) -> Clause:
    """The clause that a test of that name states in its docstring.

    The first paragraph is the sentence, a paragraph that begins with "If this fails, check" is the advice, and the
    others are notes.
    """
    if stage not in STAGES:
        raise ValueError(f"{id}: unknown stage {stage!r}")
    if unknown := {*tied.split()} - {*OWN, PIPELINE}:
        raise ValueError(f"{id}: tied to {min(unknown)!r}, which is none of {', '.join((*OWN, PIPELINE))}")
    sentence, *rest = (" ".join(part.split()) for part in inspect.cleandoc(documentation).split("\n\n"))
    advice = next((part for part in rest if part.startswith(ADVICE)), "")
    notes = "\n\n".join(part for part in rest if part != advice)
    return Clause(id, level, stage, source, sentence, notes, advice, module, test, tied)


def clause(id: str, level: Level, stage: str, source: str, *, tied: str = "") -> Callable[[Test], Test]:
    """Make a test the clause ``id``. Goes above ``@given``; the catalogue reads its arguments without running it.

    ``tied`` names the parts of the notes' model that it is about; it does not apply to an adapter with its own parts.
    """

    def decorate(test: Test) -> Test:
        made = stated(id, level, stage, source, test.__doc__ or "", test.__module__, test.__name__, tied=tied)
        _remember_arguments(test, made)
        test.clause = made  # type: ignore[attr-defined]
        return test

    return decorate


def _remember_arguments(test: Any, stated: Clause) -> None:
    """Keep the arguments of the latest call of a property; Hypothesis ends with the smallest counterexample.

    Discard an example that the implementation does not support.
    """
    if not hasattr(test, "hypothesis"):
        return
    from hypothesis import reject  # there is one where there is a property

    from ..judging.checks import Discarded

    inner = test.hypothesis.inner_test

    @functools.wraps(inner)
    def remembering(*args: Any, **arguments: Any) -> Any:
        stated.arguments = arguments
        try:
            return inner(*args, **arguments)
        except Discarded:
            reject()
        except Exception as error:
            stated.notice(error, arguments)
            raise

    test.hypothesis.inner_test = remembering
