"""The right answer to a case, its tolerance, and the difference of an answer from it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cases.layers import NORMALIZED, SUM
from ..judging.checks import Violation, expect_close
from ..oracles import windows as oracle
from ..oracles.normalization import EPSILON, batch_normalization
from .cases import Case

TERMS = 160  # the number of terms that ``SUM`` allows for; the bound of an error grows with this number
Arrays = dict[str, NDArray[Any]]
Right = Callable[[Case, Arrays], NDArray[Any]]


@dataclass
class Difference:
    """A case in which an implementation is wrong."""

    case: Case
    kind: str  # "shape", "values", "not finite", "no array", "crash" or "hang"
    what: str
    expected: str
    got: str
    largest: float | None = None  # the largest difference of values
    tolerance: float | None = None  # at that value
    count: int = field(default=1)  # examples that differ in the same way and have all of its marks

    def covers(self, other: "Difference") -> bool:
        """Whether ``other`` is of the same kind and has all marks of this one, so that it needs no other cause."""
        return self.kind == other.kind and self.case.marks <= other.case.marks


def _windows(case: Case) -> tuple[Any, ...]:
    return case.size, case.strides, case.padding


def _normalized(_: Case, x: Arrays) -> NDArray[Any]:
    return batch_normalization(*(x[name] for name in NORMALIZED))


RIGHT: dict[str, Right] = {
    "conv2d": lambda case, x: (
        oracle.conv2d(x["images"], x["kernel"], case.strides, case.dilation, case.padding) + x.get("bias", 0)
    ),
    "separable_conv2d": lambda case, x: oracle.separable_conv2d(
        x["images"], x["depthwise_kernel"], x["pointwise_kernel"], case.strides, case.padding
    ),
    "max_pooling2d": lambda case, x: oracle.max_pooling2d(x["images"], *_windows(case)),
    "average_pooling2d": lambda case, x: oracle.average_pooling2d(x["images"], *_windows(case)),
    "global_average_pooling2d": lambda _, x: x["images"].mean(axis=(1, 2), dtype=np.float64),
    "dense": lambda _, x: oracle.dense(x["features"], x["kernel"], x.get("bias", np.zeros(1))),
    "batch_normalization": _normalized,
}


def magnitudes(case: Case, x: Arrays) -> NDArray[Any]:
    """The sum of the magnitudes behind each value of the answer; for maxima, the largest magnitude."""
    if case.function != "batch_normalization":
        return RIGHT[case.function](case, {name: np.abs(array) for name, array in x.items()})
    inputs, gamma, beta, mean, variance = (x[name].astype(np.float64) for name in NORMALIZED)
    factors = np.abs(gamma) / np.sqrt(variance + EPSILON)
    return np.asarray(factors * (np.abs(inputs) + np.abs(mean)) + np.abs(beta))


def terms(case: Case) -> int:
    """The number of terms that are added up for one value."""
    window = int(np.prod(case.size))
    return {
        "conv2d": window * case.channels,
        "separable_conv2d": window + case.channels,
        "average_pooling2d": window,
        "global_average_pooling2d": int(np.prod(case.image)),
        "dense": case.channels,
    }.get(case.function, 1)


def relative(case: Case) -> float:
    """The tolerance relative to the magnitudes: that of the clauses, adapted to the number of terms and the precision.

    Maxima are exact. Float64 may be computed in float32, which is all that the contract promises.
    """
    rounding = float(np.finfo(np.float32).eps)
    if case.function == "max_pooling2d":
        return rounding if case.dtype == "float64" else 0.0
    coarser = max(1.0, float(np.finfo(case.dtype).eps) / rounding)
    return SUM * max(1.0, (terms(case) + 8) / TERMS) * coarser


def compared(case: Case, got: NDArray[Any]) -> Difference | None:
    """The difference of an answer from the right one; None if it is right."""
    arrays = case.arrays
    expected = RIGHT[case.function](case, arrays)
    if got.dtype.kind not in "fiu" and got.dtype.name != "bfloat16":
        given = got.item() if got.dtype.kind == "U" else f"an array of {got.dtype}"
        return Difference(case, "no array", "the answer", "an array of numbers", given)
    scale, rtol = magnitudes(case, arrays), relative(case)
    atol = float(np.finfo(case.dtype if case.dtype == "float16" else np.float32).tiny) * terms(case)  # flushed to zero
    atol = atol if rtol else 0.0
    try:
        with np.errstate(invalid="ignore"):  # from an infinity where a number is expected
            expect_close(got, expected, case.function, rtol=rtol, scale=scale, atol=atol)
    except Violation as wrong:
        return _difference(case, wrong, got, expected, rtol * scale + atol)
    return None


def _difference(
    case: Case, wrong: Violation, got: NDArray[Any], expected: NDArray[Any], allowed: NDArray[Any]
) -> Difference:
    texts = (wrong.what, wrong.expected, wrong.got)
    if got.shape != expected.shape:
        return Difference(case, "shape", *texts)
    if not np.isfinite(got.astype(np.float64)).all():
        return Difference(case, "not finite", *texts)
    error = np.abs(got.astype(np.float64) - expected)
    at = np.unravel_index(int(np.argmax(error)), error.shape)
    return Difference(case, "values", *texts, float(error[at]), float(np.broadcast_to(allowed, error.shape)[at]))
