"""The search: rounds of examples, one function after the other, until time is up."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.errors import Flaky

from .answers import Difference, compared
from .cases import Case, cases
from .worker import Lost, Over, Refused, Worker

ROUND = 100  # examples of a function before the next function follows
SHRINKING = 300  # calls after the first difference of a round; by then the examples are small enough
OF_A_LOSS = 30  # the number of calls that a lost process counts as


class Differs(Exception):  # noqa: N818 - not an error of this program
    """An example differs. Each kind has a subclass, because Hypothesis shrinks different exceptions separately."""


KINDS = {kind: type(kind, (Differs,), {}) for kind in ("shape", "values", "not finite", "no array", "crash", "hang")}


class Enough(KeyboardInterrupt):
    """A round has shrunk examples for long enough."""


@dataclass
class Tried:
    """The result of a search of one function."""

    function: str
    examples: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # the number of refused examples, by message
    differences: list[Difference] = field(default_factory=list)


class Search:
    """Searches functions of an implementation; ``told`` is called after each example."""

    def __init__(self, worker: Worker, number: int, folder: Path, told: Callable[[Tried], None]) -> None:
        self._worker, self._seed, self._folder, self._told = worker, number, folder, told

    def run(self, functions: Sequence[str], rounds: int | None = None) -> list[Tried]:
        """Run ``rounds`` rounds of each function, or until ``worker`` raises Over; returns what was found for each."""
        found = [Tried(function) for function in functions]
        try:
            for number in (count() if rounds is None else range(rounds)) if functions else ():
                for place, tried in enumerate(found):
                    Round(self._worker, tried, self._told).run(
                        (self._seed * 1_000_003 + number) * len(functions) + place,
                        self._folder / tried.function / str(number),
                    )
        except Over:
            pass
        return found


class Round:
    """A round of examples of one function. Differences that earlier rounds found are counted, not searched again."""

    def __init__(self, worker: Worker, tried: Tried, told: Callable[[Tried], None]) -> None:
        self._worker, self._tried, self._told = worker, tried, told
        self._found: dict[str, Difference] = {}  # {kind: the simplest difference}
        self._since = 0  # calls since the first difference

    def run(self, number: int, folder: Path) -> None:
        """Run the round; Over if the search must end. Differences found so far are kept."""

        @settings(
            max_examples=ROUND,
            database=DirectoryBasedExampleDatabase(folder),
            phases=(Phase.reuse, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            deadline=None,
            derandomize=False,
            print_blob=False,
        )
        @seed(number)  # must stand below the settings: above them it would disable the database
        @given(cases(self._tried.function))
        def attempt(case: Case) -> None:
            self._try(case)

        try:
            attempt()
        except (Differs, Flaky, ExceptionGroup, Enough):
            pass  # every difference is in ``_found``
        finally:
            self._tried.differences += self._found.values()

    def _try(self, case: Case) -> None:
        if self._since > SHRINKING:
            raise Enough
        difference = self._judged(case)
        self._told(self._tried)
        self._since += bool(self._found)
        if difference is None:
            return
        if known := next((one for one in self._tried.differences if one.covers(difference)), None):
            known.count += 1
            return
        simplest = self._found.setdefault(difference.kind, difference)
        if difference.case.cost < simplest.case.cost:
            self._found[difference.kind] = difference
        raise KINDS[difference.kind]

    def _judged(self, case: Case) -> Difference | None:
        answer = self._worker.call(case)
        self._tried.examples += 1
        if isinstance(answer, Refused):
            self._tried.refused[answer.why] += 1
            return None
        if isinstance(answer, Lost):
            self._since += OF_A_LOSS
            return Difference(case, answer.kind, "the process", "an answer", answer.words)
        return compared(case, answer)
