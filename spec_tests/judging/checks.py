"""The checks that clauses consist of. Each reports the expected and the actual value."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar, cast

import numpy as np
from _pytest.outcomes import Skipped  # pytest.skip.Exception, with its type
from numpy.typing import ArrayLike, NDArray

T = TypeVar("T")

FEW = 6  # names of a long list that are shown
SHOWN_WHOLE = 36  # values of an array that is shown whole
DIGITS = (5, 9, 12, 17)  # of a number: the fewest of these that distinguish the actual from the expected one
APART = 2  # digits that two numbers must differ in to be distinguished at a glance


@dataclass
class Tally:
    """The checks of one clause."""

    count: int = 0  # a clause with none has checked nothing
    factor: float = 1.0  # for tolerances, if an implementation asks for a larger one
    used: float | None = None  # the largest error so far over its tolerance; None if nothing was compared within one
    discarded: Counter[str] = field(default_factory=Counter)  # the number of discarded examples, by reason
    unsupported: bool = False  # whether an offered function did not support one of these examples


tally = Tally()


def start_tally(factor: float = 1.0) -> Tally:
    """Reset the tally, for a clause whose tolerances are multiplied by ``factor``."""
    global tally
    tally = Tally(factor=factor)
    return tally


def discard(reason: str, not_offered: bool = False) -> NoReturn:
    """Discard the current example of a clause."""
    tally.discarded[reason] += 1
    tally.unsupported = tally.unsupported or not not_offered
    raise Discarded(reason)


def refuse_discarded() -> None:
    """Raise Undecided if every example was discarded, NotClaimed if each needed a function that is not offered."""
    if tally.discarded:
        kind = Undecided if tally.unsupported else NotClaimed
        raise kind(f"no example is left: {'; '.join(tally.discarded)}" if tally.unsupported else min(tally.discarded))


class Violation(AssertionError):  # noqa: N818 - the specification's word
    """An implementation does not do what a clause says."""

    def __init__(self, what: str, expected: object, got: object) -> None:
        self.what, (self.expected, self.got) = what, plainly(expected, got)
        self.wrong = got.wrong if isinstance(got, _Worst) else None
        super().__init__(f"{what}\nexpected: {self.expected}\ngot:      {self.got}")


class Undecided(Skipped):  # which neither clauses nor Hypothesis treat as an error
    """A clause cannot tell whether it holds for this implementation: one line that says why."""


class NotClaimed(Undecided):
    """A clause needs what the implementation does not offer: one line that says what."""


class Discarded(Undecided):
    """An example needs what the implementation does not support; other examples can still decide the clause."""


class Unusable(Undecided):
    """A clause needs a function of the adapter that cannot be called: one line that says what to fix."""


@dataclass(frozen=True)
class Wrong:
    """Two arrays of one shape that are not close enough, kept for a picture."""

    expected: NDArray[Any]
    got: NDArray[Any]
    where: NDArray[np.bool_]
    worst: tuple[int, ...]  # the index of the largest error


@dataclass(frozen=True)
class _Worst:
    """An array, and the index at which its error is largest."""

    array: NDArray[Any]
    at: tuple[Any, ...]
    distance: str = ""  # from what was expected, in words
    wrong: "Wrong | None" = None

    @property
    def value(self) -> Any:
        """The value at that index."""
        return self.array[self.at]


def expect(holds: object, what: str, *, expected: object, got: object) -> None:
    """Raise Violation unless ``holds`` is true."""
    tally.count += 1
    if not holds:
        raise Violation(what, expected, got)


def expect_equal(got: Any, expected: Any, what: str) -> None:
    """Expect equal numbers, shapes, names, sets or dicts."""
    holds = got == expected
    if isinstance(got, set) and isinstance(expected, set) and max(len(got), len(expected)) > FEW:
        besides = [f"{len(more)} {how}: {_some(more)}" for how, more in _apart(got, expected) if more]
        expected, got = f"{len(expected)}: {_some(expected)}" if expected else "none", "; ".join(besides)
    expect(holds, what, expected=expected, got=got)


def _apart(got: set[Any], expected: set[Any]) -> tuple[tuple[str, set[Any]], ...]:
    """The differences of two sets, with words for them."""
    return ("besides" if expected else "of them", got - expected), ("missing", expected - got)


def _some(names: Iterable[Any]) -> str:
    """The first ``FEW`` of many names, as text."""
    ordered = sorted(map(str, names))
    return ", ".join([*ordered[:FEW], *(["…"] if len(ordered) > FEW else [])])


def expect_same(got: ArrayLike, expected: ArrayLike, what: str) -> None:
    """Expect arrays that are equal in shape and in every value."""
    expect_close(got, expected, what, rtol=0)


def expect_close(
    got: ArrayLike, expected: ArrayLike, what: str, *, rtol: float, scale: ArrayLike | None = None, atol: float = 0
) -> None:
    """Expect arrays of one shape that differ nowhere by more than rtol × scale + atol.

    ``scale`` is the magnitude of the expected values by default. The tolerance is multiplied by the factor that the
    implementation asked for.
    """
    got, expected = np.asarray(got), np.asarray(expected)
    expect(got.shape == expected.shape, f"{what}: shape", expected=expected.shape, got=got.shape)
    scale = np.abs(expected) if scale is None else np.asarray(scale)
    if scale.ndim == got.ndim:  # if the implementation computed both, only ``scale`` has the right shape
        expect(scale.shape == got.shape, f"{what}: shape", expected=scale.shape, got=got.shape)
    error = np.abs(got.astype(np.float64) - expected.astype(np.float64))
    allowed = tally.factor * (rtol * scale + atol)
    wrong = ~(error <= allowed)  # not ``error > allowed``, so that NaN counts as wrong
    if rtol or atol:
        _note(error, allowed)
    if not wrong.any():
        expect(True, what, expected=expected, got=got)
        return
    worst = np.unravel_index(int(np.argmax(np.where(wrong, np.nan_to_num(error, nan=np.inf), -1))), error.shape)
    where = f" at {tuple(map(int, worst))}" if error.ndim else ""
    many = f", {int(wrong.sum()):,} of {wrong.size:,} values wrong" if error.size > 1 else ""
    distance = _distance(float(error[worst]), float(np.broadcast_to(allowed, error.shape)[worst]))
    drawn = Wrong(expected, got, wrong, tuple(map(int, worst)))
    expect(False, f"{what}{where}{many}", expected=_Worst(expected, worst), got=_Worst(got, worst, distance, drawn))


def _distance(error: float, allowed: float) -> str:
    """How far a number is off, and the tolerance; empty if it must be exact, or if the error is not finite."""
    return f" (off by {error:.3g}, tolerance {allowed:.3g})" if allowed > 0 and math.isfinite(error) else ""


def _note(error: NDArray[np.float64], allowed: NDArray[Any]) -> None:
    """Record the largest share of a tolerance that was used."""
    shares = np.divide(error, allowed, out=np.zeros(error.shape), where=np.broadcast_to(allowed, error.shape) > 0)
    largest = float(shares.max(initial=0))
    tally.used = max(tally.used or 0.0, largest if math.isfinite(largest) else 1e9)


def expect_error(call: Callable[[], object], what: str, *mentions: object) -> str:
    """Expect that the call raises an ordinary exception whose text contains all of ``mentions``; returns the text.

    An int must be a whole number of the text: 7 is not in "17".
    """
    try:
        result = call()
    except NotImplementedError:
        raise  # says nothing about the input
    except Exception as error:
        text = str(error)
        numbers = re.findall(r"\d+", text)
        missing = [str(word) for word in mentions if str(word) not in (numbers if isinstance(word, int) else text)]
        expect(not missing, f"{what}: the message", expected=f"one that names {', '.join(missing)}", got=text)
        return text
    expect(False, what, expected="an error", got=f"no error, but {result!r:.200}")
    return ""


def attempt(call: Callable[[], T]) -> tuple[T | None, str | None]:
    """The result of the call and None, or None and the text of the ordinary exception that it raises."""
    try:
        return call(), None
    except NotImplementedError:
        raise  # says nothing about the input
    except Exception as error:
        return None, str(error)


def expect_no_error(call: Callable[[], T], what: str) -> T:
    """Expect that the call raises no ordinary exception; returns its result."""
    result, error = attempt(call)
    expect(error is None, what, expected="no error", got=error)
    return cast(T, result)


def plainly(*values: object) -> tuple[str, ...]:
    """The values as text without NumPy's types, with as many digits as distinguish them."""
    for digits in DIGITS:
        texts = tuple(_plain(value, digits) for value in values)
        if len(set(texts)) == len(texts) and _show_apart(values, digits):
            break
    return texts


def _show_apart(values: tuple[object, ...], digits: int) -> bool:
    """Whether this many digits show where two numbers differ; True for anything but two numbers."""
    shown = [value.value if isinstance(value, _Worst) else value for value in values]
    numbers = [float(value) for value in shown if isinstance(value, float | np.floating)]
    if not len(numbers) == len(shown) == 2:
        return True
    one, other = numbers
    largest, apart = max(abs(one), abs(other)), abs(one - other)
    return not math.isfinite(apart) or apart >= largest * 10.0 ** (APART - digits)


def _plain(value: object, digits: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float | np.floating):
        return f"{value:.{digits}g}"
    if isinstance(value, _Worst):
        text = f"{_plain(value.value, digits)}{value.distance}"
        return (
            f"{text}, in\n{_plain(value.array.squeeze(), DIGITS[0])}" if 1 < value.array.size <= SHOWN_WHOLE else text
        )
    if isinstance(value, set | frozenset) and value:
        return f"{{{', '.join(sorted(map(repr, value)))}}}"  # sorted, so that the text is the same each time
    with np.printoptions(precision=digits, legacy="1.25"):  # no np.int64(3) in a tuple either
        return np.array2string(value, separator=", ") if isinstance(value, np.ndarray) else repr(value)
