"""Ways in which a property fails, other than the one that is reported in full.

Hypothesis could report several by itself (``report_multiple_bugs``), but tells them apart by the line that raised,
which is that of the check for every wrong answer, and it shrinks each. Here a property that failed is tried once more
on what is drawn for it, with failures only noted: that takes as long as a property that holds, and is the same for the
same seed.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import Phase, settings
from hypothesis.errors import HypothesisException

from ..cases import evidence
from ..clauses.clause import Clause
from ..judging import checks
from ..judging.checks import Undecided
from ..reporting.record import Failure
from .explanation import explain
from .snippets import drawn

MOST = 4  # others that are told
EXAMPLES = 60  # that are tried at most
PATIENCE = 10.0  # seconds: what took longer to fail is not tried again
PLACE = re.compile(r"( at \([^)]*\))?(, [\d,]+ of [\d,]+ values wrong)?(, and not each time.*)?$")
NUMBER = re.compile(r"\d+")

Arguments = dict[str, Any]


class Seen:
    """The failures of one test, one of each kind: that with the shortest counterexample."""

    def __init__(self, test: Any) -> None:
        self._test = test
        self._kept: dict[str, tuple[Failure, Arguments]] = {}

    def take(self, error: Exception, arguments: Arguments) -> None:
        """A run of the property failed; what Hypothesis raises for its own ends is none of it."""
        if isinstance(error, HypothesisException | Undecided):
            return
        called = drawn(arguments, self._test)
        try:
            failure = explain(error, called, "")
        except Exception:  # an exception of the implementation that cannot be printed
            return
        name = kind(failure)
        if name not in self._kept or _size(failure) < _size(self._kept[name][0]):
            self._kept[name] = failure, called

    def besides(self, told: Failure, snippet: Callable[..., str]) -> tuple[Failure, ...]:
        """Failures of other kinds than the one that is reported, each with a way to reproduce it."""
        others = [kept for name, kept in self._kept.items() if name != kind(told)]
        return tuple(replace(failure, snippet=snippet(called=called)) for failure, called in others[:MOST])


def _size(failure: Failure) -> tuple[int, tuple[str, ...]]:
    """Short before long, and of one length the same each time."""
    return sum(map(len, failure.counterexample)), failure.counterexample


def kind(failure: Failure) -> str:
    """The same for failures that differ in numbers and places of values alone."""
    if failure.raised:
        return f"{failure.raised.partition(':')[0]} {failure.at.rpartition(chr(10))[2]}"
    return NUMBER.sub("#", PLACE.sub("", failure.violated))


def look_further(test: Any, clause: Clause, fixtures: Arguments, seconds: float) -> None:
    """Try a failed property again on all examples, and notify the clause of each failure.

    What was kept of the first time stays: the arguments, the pictures, and how much of a tolerance was used.
    """
    handle = getattr(test, "hypothesis", None)
    if handle is None or not clause.arguments or seconds > PATIENCE:
        return
    before = test._hypothesis_internal_use_settings
    if Phase.shrink not in before.phases:  # the first failure is all that is asked for
        return
    inner, arguments, tally = handle.inner_test, clause.arguments, checks.tally

    @functools.wraps(inner)
    def noting(*given: Any, **named: Any) -> None:
        try:
            inner(*given, **named)
        except HypothesisException:
            raise
        except Exception:  # noqa: S110 - ``inner`` tells the clause
            pass

    handle.inner_test = noting
    test._hypothesis_internal_use_settings = settings(before, max_examples=min(before.max_examples, EXAMPLES))
    try:
        with evidence.aside():
            checks.start_tally(tally.factor)
            test(**fixtures)
    except (Exception, Undecided):  # noqa: S110 - whatever it is, the first failure is what is told
        pass
    finally:
        handle.inner_test, clause.arguments, checks.tally = inner, arguments, tally
        test._hypothesis_internal_use_settings = before
