"""Worked examples: numbers that a reader can follow by hand, each result compared with the oracle."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..oracles import windows as oracle
from ..oracles.windows import ONE, Padding, Pair

CLOSE = 1e-9  # relative difference of results by hand and by the oracle, both in float64

Numbers = NDArray[np.float64]
Place = tuple[int, int]


class WrongExample(Exception):  # noqa: N818 - it says what is wrong
    """An example disagrees with the oracle."""


@dataclass(frozen=True)
class Grid:
    """Rows of numbers with a name. Cells may be marked as the first window, the last one, or padding."""

    name: str
    rows: tuple[tuple[float, ...], ...]
    first: frozenset[Place] = frozenset()
    last: frozenset[Place] = frozenset()
    padding: frozenset[Place] = frozenset()


@dataclass(frozen=True)
class Example:
    """Sentences that lead from given numbers to a result, the numbers as grids, and the window to be drawn to scale."""

    steps: tuple[str, ...]
    grids: tuple[Grid, ...] = ()
    window: Mapping[str, Any] | None = None  # in the form that ``draw_window`` takes


EXAMPLES: dict[str, Callable[[], Example]] = {}


def example(*clauses: str) -> Callable[[Callable[[], Example]], Callable[[], Example]]:
    """A decorator that makes a function the example of these clauses."""

    def keep(made: Callable[[], Example]) -> Callable[[], Example]:
        for clause in clauses:
            if EXAMPLES.setdefault(clause, made) is not made:
                raise ValueError(f"{clause} has two examples")
        return made

    return keep


def agree(by_hand: Any, expected: Any) -> None:
    """Raise WrongExample unless the oracle gives the same result."""
    if np.shape(by_hand) != np.shape(expected) or not np.allclose(by_hand, expected, rtol=CLOSE, atol=CLOSE):
        raise WrongExample(f"{by_hand} by hand, {expected} by the oracle")


def number(value: float) -> str:
    """The number in at most four digits; whole numbers in full."""
    if math.isfinite(value) and value == int(value):
        return f"{int(value):,}"
    return f"{value:.4g}"


def numbers(values: Iterable[float]) -> str:
    """Several numbers, separated by commas."""
    return ", ".join(map(number, values))


def summed(terms: Sequence[tuple[float, float]], expected: float, *more: float) -> str:
    """The sum of products and of ``more``, written out; raises WrongExample unless it equals the oracle's result."""
    total = sum(a * b for a, b in terms) + sum(more)
    agree(total, expected)
    written = [f"{number(a)} × {_factor(b)}" for a, b in terms] + [number(value) for value in more]
    return f"{' + '.join(written)} = {number(total)}"


def _factor(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)


def grid(
    name: str,
    values: Any,
    first: Iterable[Place] = (),
    last: Iterable[Place] = (),
    padding: Iterable[Place] = (),
) -> Grid:
    """Numbers (height, width), or one row of them."""
    array = np.atleast_2d(np.asarray(values, np.float64))
    rows = tuple(tuple(float(value) for value in row) for row in array)
    return Grid(name, rows, frozenset(first), frozenset(last), frozenset(padding))


@dataclass(frozen=True)
class Axis:
    """One side of the image and the windows along it, by the formulas of PAD."""

    side: int
    kernel: int
    stride: int
    dilation: int
    padding: Padding

    @property
    def span(self) -> int:
        """The extent of a window, e in the formulas."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def outputs(self) -> int:
        """The number of outputs."""
        if self.padding == "same":
            return math.ceil(self.side / self.stride)
        return max(math.floor((self.side - self.span) / self.stride) + 1, 0)

    @property
    def pads(self) -> Pair:
        """The zeros before and after."""
        total = max((self.outputs - 1) * self.stride + self.span - self.side, 0) if self.padding == "same" else 0
        return total // 2, total - total // 2

    def pixels(self, output: int) -> list[int]:
        """The places that the window of an output covers; some may be padding."""
        return [output * self.stride - self.pads[0] + number * self.dilation for number in range(self.kernel)]


@dataclass(frozen=True)
class Sliding:
    """A window of ``size`` over an image of one channel, (height, width), computed by hand."""

    image: Numbers
    size: Pair
    strides: Pair = ONE
    dilation: Pair = ONE
    padding: Padding = "valid"

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """Rows and columns, with the sizes and pads that the oracle gives."""
        rows, columns = (
            Axis(*numbers, self.padding)
            for numbers in zip(self.image.shape, self.size, self.strides, self.dilation, strict=True)
        )
        for axis in (rows, columns):
            given = axis.side, axis.kernel, axis.stride, axis.dilation
            agree(axis.outputs, max(oracle.output_side(*given, self.padding), 0))
            if self.padding == "same":
                agree(axis.pads, oracle.same_padding(*given))
        return rows, columns

    @property
    def window(self) -> dict[str, Any]:
        """The window in the form that ``draw_window`` takes."""
        rows, columns = self.axes
        pads = [list(rows.pads), list(columns.pads)]
        named = {"image": self.image.shape, "size": self.size, "strides": self.strides, "dilation": self.dilation}
        return {name: list(pair) for name, pair in named.items()} | {"padding": self.padding, "pads": pads}

    @property
    def last(self) -> Place:
        """The output at the bottom right."""
        rows, columns = self.axes
        return rows.outputs - 1, columns.outputs - 1

    def seen(self, output: Place) -> list[Place]:
        """The pixels of a window, row by row."""
        rows, columns = self.axes
        return list(product(rows.pixels(output[0]), columns.pixels(output[1])))

    def real(self, output: Place) -> list[float]:
        """The values of the window's pixels that are not padding."""
        return [float(self.image[place]) for place in self.seen(output) if self._is_real(place)]

    def terms(self, output: Place, kernel: Numbers) -> list[tuple[float, float]]:
        """The factors of an output: pixels, zero in the padding, and weights."""
        values = [float(self.image[place]) if self._is_real(place) else 0.0 for place in self.seen(output)]
        return list(zip(values, kernel.ravel().tolist(), strict=True))

    def convolved(self, kernel: Numbers) -> Numbers:
        """All outputs by the oracle. Each is compared with the sum of its terms."""
        images, weights = self.image[None, ..., None], kernel[..., None, None]
        found = oracle.conv2d(images, weights, self.strides, self.dilation, self.padding)[0, ..., 0]
        for place in np.ndindex(*found.shape):
            agree(sum(a * b for a, b in self.terms(place, kernel)), found[place])
        return found

    def pooled(self, kind: str) -> Numbers:
        """The "max" or the "mean" of each window by the oracle. Each is compared with that of its real pixels."""
        pool = {"max": oracle.max_pooling2d, "mean": oracle.average_pooling2d}[kind]
        by_hand: dict[str, Callable[[list[float]], float]] = {
            "max": lambda values: max(values),
            "mean": lambda values: sum(values) / len(values),
        }
        found = pool(self.image[None, ..., None], self.size, self.strides, self.padding)[0, ..., 0]
        for place in np.ndindex(*found.shape):
            agree(by_hand[kind](self.real(place)), found[place])
        return found

    def shown(self, name: str = "image", fill: float = 0) -> Grid:
        """The image with its padding around it; the pixels that the first and the last window see are marked."""
        (above, below), (left, right) = (axis.pads for axis in self.axes)
        padded = np.pad(self.image, ((above, below), (left, right)), constant_values=fill)
        around = ((y, x) for y, x in np.ndindex(*padded.shape) if not self._is_real((y - above, x - left)))
        first, last = ([(y + above, x + left) for y, x in self.seen(output)] for output in ((0, 0), self.last))
        return grid(name, padded, first, last if self.last != (0, 0) else (), around)

    def result(self, name: str, values: Numbers) -> Grid:
        """The outputs, with the first and the last one marked."""
        return grid(name, values, [(0, 0)], [self.last] if self.last != (0, 0) else ())

    def sizes(self) -> Iterator[str]:
        """The formulas of PAD for each side, or once if both sides are alike."""
        for name, axis in zip(("rows", "columns"), dict.fromkeys(self.axes), strict=False):
            yield self._sizes(axis, "" if len(set(self.axes)) == 1 else f"{name.capitalize()}: ")

    def _sizes(self, axis: Axis, name: str) -> str:
        n, k, s, d, e = axis.side, axis.kernel, axis.stride, axis.dilation, axis.span
        given = f"{name}n = {n}, k = {k}, s = {s}, d = {d}, so that e = ({k} - 1) × {d} + 1 = {e}."
        if self.padding == "valid":
            return f"{given} Outputs: floor(({n} - {e}) / {s}) + 1 = {math.floor((n - e) / s) + 1}."
        before, after = axis.pads
        return (
            f"{given} Outputs: ceil({n} / {s}) = {axis.outputs}. Zeros: max(({axis.outputs} - 1) × {s} + {e} - {n}, 0)"
            f" = {before + after}, {before} before and {after} after."
        )

    def _is_real(self, place: Place) -> bool:
        return all(0 <= at < side for at, side in zip(place, self.image.shape, strict=True))
