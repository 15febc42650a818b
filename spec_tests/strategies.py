"""What the clauses of the layers are tried on: geometries, and the arrays that go with them.

A case is a few small numbers and a seed; its arrays follow from them, so that its ``repr`` is all
that is needed to see a failure again. Geometries come from a small pool, since some backends
compile for each new one, and with each come many values; the thorough profile draws others too.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spec_tests.oracles.windows import Padding, Pair, same_padding, span

Array = NDArray[np.float32]

SEEDS = st.integers(0, 2**31 - 1)


@dataclass(frozen=True)
class Window:
    """Images of height × width, and a window that slides over them."""

    image: Pair
    size: Pair
    strides: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: Padding = "valid"
    batch: int = 1
    channels: int = 1
    filters: int = 2
    values: str = "normal"
    seed: int = 0

    @property
    def fits(self) -> bool:
        """Whether there is a whole window within the image."""
        return all(n >= span(k, d) for n, k, d in zip(self.image, self.size, self.dilation, strict=True))

    @property
    def pads(self) -> tuple[Pair, Pair]:
        """Same padding before and after, for height and width."""
        numbers = zip(self.image, self.size, self.strides, self.dilation, strict=True)
        height, width = (same_padding(*axis) for axis in numbers)
        return height, width

    @cached_property
    def images(self) -> Array:
        """Float32 (batch, height, width, channels)."""
        return arrays((self.batch, *self.image, self.channels), self.seed, self.values)

    @cached_property
    def kernel(self) -> Array:
        """Float32 (k_height, k_width, channels, filters)."""
        return arrays((*self.size, self.channels, self.filters), self.seed + 1)

    @cached_property
    def bias(self) -> Array:
        """Float32 (filters,)."""
        return arrays((self.filters,), self.seed + 2)


def arrays(shape: tuple[int, ...], seed: int, values: str = "normal") -> Array:
    """Float32 of the asked kind: no two alike with "normal", all below zero with "negative", small whole with "ties"."""
    rng = np.random.default_rng(seed)
    if values == "negative":
        return (-1 - rng.exponential(size=shape)).astype(np.float32)
    if values == "ties":
        return rng.integers(-2, 3, shape).astype(np.float32)
    return rng.normal(size=shape).astype(np.float32)


# (image, size, strides, dilation, batch, channels): where ports differ
GEOMETRIES: tuple[tuple[Pair, Pair, Pair, Pair, int, int], ...] = (
    ((4, 4), (3, 3), (1, 1), (1, 1), 1, 1),
    ((5, 7), (2, 2), (1, 1), (1, 1), 2, 3),  # an even kernel: same padding is uneven
    ((6, 5), (3, 3), (2, 2), (1, 1), 2, 2),  # stride 2 on an even side: same padding is uneven
    ((7, 7), (3, 3), (2, 2), (1, 1), 1, 3),  # and on an odd one even
    ((6, 9), (3, 2), (2, 3), (1, 1), 2, 1),  # all of it rectangular
    ((5, 5), (5, 5), (1, 1), (1, 1), 1, 2),  # a kernel as large as the image
    ((1, 1), (1, 1), (1, 1), (1, 1), 3, 2),  # one pixel
    ((7, 6), (1, 1), (2, 2), (1, 1), 1, 2),  # strides beyond the kernel: some pixels are in no window
    ((8, 7), (2, 2), (2, 2), (1, 1), 2, 2),
    ((8, 7), (3, 2), (1, 1), (2, 2), 1, 2),  # dilated
    ((9, 8), (2, 3), (1, 1), (3, 1), 2, 1),
    ((4, 6), (4, 3), (3, 2), (1, 1), 1, 1),
)


@st.composite
def windows(draw: st.DrawFn, padding: Padding | None = None, dilated: bool = True, strided: bool = True) -> Window:
    """Cases of a sliding window, from the pool of geometries; with valid padding the window fits."""
    free = settings.get_current_profile_name() == "convspec-thorough" and draw(st.booleans())
    image, size, strides, dilation, batch, channels = draw(_any_geometry() if free else st.sampled_from(GEOMETRIES))
    case = Window(
        image,
        size,
        strides if strided and dilation == (1, 1) else (1, 1),  # Keras refuses both at once
        dilation if dilated else (1, 1),
        padding or draw(st.sampled_from(("valid", "same"))),
        batch,
        channels,
        values=draw(st.sampled_from(("normal", "negative", "ties"))),
        seed=draw(SEEDS),
    )
    return case if case.padding == "same" or case.fits else Window(**{**vars(case), "image": _enlarged(case)})


def _enlarged(case: Window) -> Pair:
    height, width = (max(n, span(k, d)) for n, k, d in zip(case.image, case.size, case.dilation, strict=True))
    return height, width


def _any_geometry() -> st.SearchStrategy[Any]:
    pair = lambda low, high: st.tuples(st.integers(low, high), st.integers(low, high))  # noqa: E731
    return st.tuples(pair(1, 11), pair(1, 5), pair(1, 3), pair(1, 2), st.integers(1, 3), st.integers(1, 3))
