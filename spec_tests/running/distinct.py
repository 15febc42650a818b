"""Other ways in which a property fails, besides the one that is reported in full.

Hypothesis could report several failures itself (``report_multiple_bugs``). But it distinguishes them by the line that
raised, which is the same check for every wrong answer, and it shrinks each of them. Here a property that failed is run
once more on its examples, and failures are only noted. That takes as long as a property that holds, and gives the same
result for the same seed.
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

MOST = 4  # other failures that are reported
EXAMPLES = 60  # the most examples in the second run
PATIENCE = 10.0  # seconds: a property that took longer to fail is not run again
PLACE = re.compile(r"( at \([^)]*\))?(, [\d,]+ of [\d,]+ values wrong)?(, and not each time.*)?$")
NUMBER = re.compile(r"\d+")

Arguments = dict[str, Any]


class Seen:
    """The failures of one test: of each kind, the one with the shortest counterexample."""

    def __init__(self, test: Any) -> None:
        self._test = test
        self._kept: dict[str, tuple[Failure, Arguments]] = {}

    def take(self, error: Exception, arguments: Arguments) -> None:
        """Note a failure of the property. Exceptions that Hypothesis raises for its own purposes are ignored."""
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
        """Failures of other kinds than the reported one, each with code to reproduce it."""
        others = [kept for name, kept in self._kept.items() if name != kind(told)]
        return tuple(replace(failure, snippet=snippet(called=called)) for failure, called in others[:MOST])


def _size(failure: Failure) -> tuple[int, tuple[str, ...]]:
    """A sort key: short counterexamples first, in a fixed order among those of equal length."""
    return sum(map(len, failure.counterexample)), failure.counterexample


def kind(failure: Failure) -> str:
    """A text that is equal for failures that differ only in numbers and in the places of values."""
    if failure.raised:
        return f"{failure.raised.partition(':')[0]} {failure.at.rpartition(chr(10))[2]}"
    return NUMBER.sub("#", PLACE.sub("", failure.violated))


def look_further(test: Any, clause: Clause, fixtures: Arguments, seconds: float) -> None:
    """Run a failed property again on its examples, and notify the clause of each failure.

    The state of the first run is restored: the arguments, the pictures, and the share of a tolerance that was used.
    """
    handle = getattr(test, "hypothesis", None)
    if handle is None or not clause.arguments or seconds > PATIENCE:
        return
    before = test._hypothesis_internal_use_settings
    if Phase.shrink not in before.phases:  # only the first failure is wanted
        return
    inner, arguments, tally = handle.inner_test, clause.arguments, checks.tally

    @functools.wraps(inner)
    def noting(*given: Any, **named: Any) -> None:
        try:
            inner(*given, **named)
        except HypothesisException:
            raise
        except Exception:  # noqa: S110 - ``inner`` has notified the clause
            pass

    handle.inner_test = noting
    test._hypothesis_internal_use_settings = settings(before, max_examples=min(before.max_examples, EXAMPLES))
    try:
        with evidence.aside():
            checks.start_tally(tally.factor)
            test(**fixtures)
    except (Exception, Undecided):  # noqa: S110 - whatever is raised, the first failure is reported
        pass
    finally:
        handle.inner_test, clause.arguments, checks.tally = inner, arguments, tally
        test._hypothesis_internal_use_settings = before
