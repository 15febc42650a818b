"""Checks that functions of arrays leave their arguments unchanged, and that their results belong to the caller."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..judging.checks import expect, expect_close, expect_same

Arrays = Mapping[str, NDArray[Any]]
Function = Callable[..., Any]  # takes arrays by position; returns one or several

LAYOUT = 1e-4  # of the largest value: another layout in memory may change the order of sums


def frozen_by_columns(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only copy in Fortran order."""
    copy = np.array(array, order="F")
    copy.flags.writeable = False
    return copy


def backwards_with_gaps(array: NDArray[Any]) -> NDArray[Any]:
    """A view of the same values that runs backwards along the first axis and has gaps along the last."""
    wide = np.repeat(array[::-1], 2, axis=-1)
    wide[..., 1::2] = 99
    return wide[..., ::2][::-1]


FORMS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "read-only arrays in Fortran's order": frozen_by_columns,
    "every second value of arrays that run backwards": backwards_with_gaps,
}


def expect_pure(function: Function, arrays: Arrays, others: Arrays, what: str) -> None:
    """Expect that arguments stay unchanged, results belong to the caller, and layout in memory does not matter.

    ``others`` are arrays of the same shapes with other values.
    """
    given = _copies(arrays)
    results = _several(function(*given.values()))
    before = [result.copy() for result in results]
    for name, array in arrays.items():
        same = given[name].tobytes() == array.tobytes()
        expect(same, f"{name} after {what}", expected="the bytes that were given", got="others")
    anew = _several(function(*_copies(others).values()))
    for result, kept in zip(results, before, strict=True):
        expect_same(result, kept, f"result of {what} after the next call")
    for name, array in others.items():
        given[name][...] = array
    for result, kept in zip(results, before, strict=True):
        expect_same(result, kept, f"result of {what} after its inputs were changed")
    _expect_alike(function(*given.values()), anew, f"{what} of arrays whose values were changed")
    for form, laid_out in FORMS.items():
        _expect_alike(function(*map(laid_out, arrays.values())), before, f"{what} of {form}")


def _expect_alike(got: Any, expected: list[NDArray[Any]], what: str) -> None:
    for one, other in zip(_several(got), expected, strict=True):
        expect_close(one, other, what, rtol=LAYOUT, scale=np.abs(other).max())


def _copies(arrays: Arrays) -> dict[str, NDArray[Any]]:
    return {name: array.copy() for name, array in arrays.items()}


def _several(result: Any) -> list[NDArray[Any]]:
    return list(result) if isinstance(result, tuple | list) else [result]
