"""Cases for the clauses of the layers: geometries of windows, and arrays that fit them.

A case is a few small numbers and a seed. Its arrays follow from them, so its ``repr`` is enough to reproduce a failure.
Geometries come from a small pool, because some backends compile for each new one, and each is tried with many values.
The thorough profile also draws other geometries.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from hypothesis import example, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ..oracles.windows import ONE, Padding, Pair, output_side, same_padding, span

Array = NDArray[np.float32]

T = TypeVar("T", bound=Callable[..., Any])

SEEDS = st.integers(0, 2**31 - 1)
PADDINGS: st.SearchStrategy[Padding] = st.sampled_from(("valid", "same"))
VALUES = ("normal", "negative", "ties")  # normal: no two are equal; negative: all below zero; ties: small whole numbers


def always(cases: Iterable[object]) -> Callable[[T], T]:
    """Try a property on these cases before the drawn ones, in every profile and with every seed."""

    def decorate(test: T) -> T:
        for case in cases:
            test = example(case=case)(test)
        return test

    return decorate


def arrays(shape: tuple[int, ...], seed: int, values: str = "normal") -> Array:
    """Float32 values of one of the kinds in ``VALUES``, or "weights", none of which is near zero."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=shape)
    if values == "negative":
        normal = -1 - np.abs(normal)
    if values == "ties":
        normal = rng.integers(-2, 3, shape).astype(np.float64)
    if values == "weights":
        normal += np.copysign(0.5, normal)
    return normal.astype(np.float32)


@dataclass(frozen=True)
class Window:
    """Images of height × width, and a window that slides over them."""

    image: Pair
    size: Pair
    strides: Pair = ONE
    dilation: Pair = ONE
    padding: Padding = "valid"
    batch: int = 1
    channels: int = 1
    filters: int = 2
    values: str = "normal"
    seed: int = 0

    @property
    def spans(self) -> Pair:
        """The height and width of a window, from its first to its last pixel."""
        return span(self.size[0], self.dilation[0]), span(self.size[1], self.dilation[1])

    @property
    def fits(self) -> bool:
        """Whether at least one whole window lies within the image."""
        return all(n >= e for n, e in zip(self.image, self.spans, strict=True))

    @property
    def short_side(self) -> Pair:
        """The side of the image that is too short for a window, and the side of the window."""
        return next((n, e) for n, e in zip(self.image, self.spans, strict=True) if n < e)

    @property
    def pads(self) -> tuple[Pair, Pair]:
        """The padding (before, after) that same padding adds, for height and width."""
        numbers = zip(self.image, self.size, self.strides, self.dilation, strict=True)
        height, width = (same_padding(*axis) for axis in numbers)
        return height, width

    @property
    def sides(self) -> Pair:
        """The height and width of the output."""
        axes = zip(self.image, self.size, self.strides, self.dilation, strict=True)
        height, width = (output_side(*numbers, self.padding) for numbers in axes)
        return height, width

    @property
    def transposed(self) -> "Window":
        """The same case with height and width exchanged."""
        pairs = {name: getattr(self, name)[::-1] for name in ("image", "size", "strides", "dilation")}
        return replace(self, **pairs)

    @cached_property
    def images(self) -> Array:
        """Float32 (batch, height, width, channels)."""
        return arrays((self.batch, *self.image, self.channels), self.seed, self.values)

    @cached_property
    def kernel(self) -> Array:
        """Float32 (k_height, k_width, channels, filters)."""
        return arrays((*self.size, self.channels, self.filters), self.seed + 1, "weights")

    @cached_property
    def bias(self) -> Array:
        """Float32 (filters,)."""
        return arrays((self.filters,), self.seed + 2, "weights")

    @cached_property
    def depthwise(self) -> Array:
        """The depthwise kernel of a separable convolution, (k_height, k_width, channels, 1)."""
        return arrays((*self.size, self.channels, 1), self.seed + 3, "weights")

    @cached_property
    def pointwise(self) -> Array:
        """The pointwise kernel of a separable convolution, (1, 1, channels, filters)."""
        return arrays((1, 1, self.channels, self.filters), self.seed + 4, "weights")

    def impulses(self, strength: float) -> Array:
        """One image for each pixel, (height × width, height, width, channels): zero except for one value of that pixel.

        The channels take turns. Only one channel of an image is set, because the weights of two may cancel.
        """
        pixels = np.arange(self.image[0] * self.image[1])
        images = np.zeros((len(pixels), len(pixels), self.channels), np.float32)
        images[pixels, pixels, pixels % self.channels] = strength
        return images.reshape(len(pixels), *self.image, self.channels)


POOL = (  # where ports differ; each difficulty occurs more than once, so that a few examples include it
    Window((4, 4), (3, 3)),
    Window((5, 7), (2, 2), batch=2, channels=3),  # an even kernel: same padding is uneven
    Window((4, 6), (4, 3), (3, 2)),
    Window((6, 5), (3, 3), (2, 2), batch=2, channels=2),  # stride 2: padding is uneven on even sides
    Window((7, 7), (3, 3), (2, 2), channels=3),
    Window((6, 10), (3, 2), (2, 3), batch=2),  # stride 3, which leaves two pixels over
    Window((5, 5), (5, 5), channels=2),  # a kernel as large as the image
    Window((3, 4), (3, 4), (2, 2), batch=2),
    Window((1, 1), (1, 1), batch=3, channels=2),  # one pixel
    Window((1, 1), (1, 1), (2, 2), channels=2),
    Window((1, 1), (3, 2), channels=2),  # with same padding a kernel larger than the image
    Window((3, 2), (4, 5), (1, 2), batch=2),
    Window((7, 6), (1, 1), (2, 2), channels=2),  # strides beyond the kernel's size: some pixels are in no window
    Window((6, 3), (2, 1), (1, 3), batch=2),
    Window((4, 1), (2, 3), (1, 2), batch=2),
    Window((8, 7), (2, 2), (2, 2), batch=2, channels=2),
    Window((8, 7), (3, 2), dilation=(2, 2), channels=2),
    Window((9, 8), (2, 3), dilation=(3, 2), batch=2),
    Window((7, 9), (3, 3), dilation=(2, 3), channels=2),
    Window((8, 8), (2, 2), dilation=(2, 3), channels=2),
    Window((8, 10), (1, 2), (4, 5), batch=2),  # strides far beyond the kernel: no padding, though the formula gives -3
    Window((5, 12), (1, 1), (1, 6), channels=2),  # the formula gives -5
)
LARGE = (  # larger than the blocks, tiles and special cases of fast code; a window has at most 147 terms
    Window((3, 4), (1, 2), batch=33, channels=66, filters=33),
    Window((131, 2), (3, 2)),
    Window((17, 15), (7, 7), (4, 4), channels=3),
)
OFTEN = 2  # how often each large geometry is listed, so that every clause draws all of them


def _geometries(such: Callable[[Window], bool]) -> st.SearchStrategy[Window]:
    """Geometries of both pools that satisfy ``such``; small ones come first, because examples shrink towards them."""
    return st.sampled_from([case for case in (*POOL, *LARGE * OFTEN) if such(case)])


@st.composite
def windows(
    draw: st.DrawFn,
    padding: Padding | None = None,
    *,
    dilated: bool = True,
    strided: bool = True,
    such: Callable[[Window], bool] = lambda _: True,
) -> Window:
    """Cases of a sliding window, from the pools of geometries; with valid padding the window fits."""
    free = settings.get_current_profile_name() == "convspec-thorough" and draw(st.booleans())
    shape = draw(_any_geometry().filter(such) if free else _geometries(such))
    case = replace(
        shape,
        strides=shape.strides if strided else ONE,
        dilation=shape.dilation if dilated else ONE,
        padding=draw(PADDINGS) if padding is None else padding,
        values=draw(st.sampled_from(VALUES)),
        seed=draw(SEEDS),
    )
    return case if case.padding == "same" or case.fits else replace(case, image=_enlarged(case))


def _enlarged(case: Window) -> Pair:
    height, width = (max(n, e) for n, e in zip(case.image, case.spans, strict=True))
    return height, width


@st.composite
def _any_geometry(draw: st.DrawFn) -> Window:
    def pair(low: int, high: int) -> Pair:
        return draw(st.tuples(st.integers(low, high), st.integers(low, high)))

    dilation = pair(1, 2)
    strides = pair(1, 6) if dilation == ONE else ONE  # Keras refuses strides together with dilation
    batch, channels = pair(1, 3)
    return Window(pair(1, 11), pair(1, 5), strides, dilation, batch=batch, channels=channels)


@st.composite
def misfits(draw: st.DrawFn, *, dilated: bool) -> Window:
    """Cases in which one side of the image is a pixel too short for a valid window, and the other is far longer."""
    such = (lambda case: case.dilation != ONE) if dilated else (lambda case: max(case.size) > 1)
    case = draw(windows("valid", dilated=dilated, such=such))
    axis = draw(st.sampled_from([axis for axis in (0, 1) if case.size[axis] > 1]))
    height, width = (
        e - 1 if side == axis else max(n, e) + 10
        for side, (n, e) in enumerate(zip(case.image, case.spans, strict=True))
    )
    return replace(case, image=(height, width))


@dataclass(frozen=True)
class Matrix:
    """The features of some samples, and the weights of a dense layer for them."""

    samples: int
    inputs: int
    units: int
    seed: int = 0

    @cached_property
    def features(self) -> Array:
        """Float32 (samples, inputs)."""
        return arrays((self.samples, self.inputs), self.seed)

    @cached_property
    def kernel(self) -> Array:
        """Float32 (inputs, units); about a quarter of the weights are zero, and none of the others is near zero."""
        weights = arrays((self.inputs, self.units), self.seed + 1, "weights")
        return weights * (np.random.default_rng(self.seed + 2).random(weights.shape) > 0.25).astype(np.float32)

    @cached_property
    def bias(self) -> Array:
        """Float32 (units,)."""
        return arrays((self.units,), self.seed + 3, "weights")


def matrices() -> st.SearchStrategy[Matrix]:
    """Cases of a dense layer."""
    shapes = ((1, 1, 1), (2, 3, 4), (1, 7, 2), (3, 5, 1), (4, 1, 6), (5, 5, 5), (2, 40, 3), (35, 300, 33))
    if settings.get_current_profile_name() == "convspec-thorough":
        sides = st.integers(1, 50)
        return st.one_of(st.builds(Matrix, sides, sides, sides, SEEDS), _shaped(shapes))
    return _shaped(shapes)


def _shaped(shapes: tuple[tuple[int, int, int], ...]) -> st.SearchStrategy[Matrix]:
    return st.sampled_from(shapes).flatmap(lambda shape: st.builds(Matrix, *map(st.just, shape), SEEDS))


# The channels are the last axis. The largest exceeds the blocks of fast code: 32 samples, 64 channels, 4,096 values
SHAPES = ((2, 1), (1, 4), (2, 3), (5, 4), (2, 2, 3, 2), (3, 4, 1, 2), (1, 3, 3, 5), (60, 70))


@dataclass(frozen=True)
class Batch:
    """Values whose last axis is the channels, and a batch normalisation's variables for them.

    The spreads of the channels range from 0.01 to 10: where the variance is below the epsilon of 1e-3, the epsilon
    matters; where it is above, the statistics do.
    """

    shape: tuple[int, ...]
    seed: int = 0

    @cached_property
    def inputs(self) -> Array:
        """Float32 of the shape; each channel has its own spread, and the magnitude of its mean is not larger."""
        rng, axes = np.random.default_rng(self.seed), tuple(range(len(self.shape) - 1))
        values = rng.normal(size=self.shape)
        spread = values.std(axis=axes)
        standard = (values - values.mean(axis=axes)) / np.where(spread > 0, spread, 1)  # a single value has no spread
        return np.asarray((standard + rng.uniform(-1, 1, self.shape[-1])) * self._spreads(1), np.float32)

    @cached_property
    def variables(self) -> tuple[Array, Array, Array, Array]:
        """Gamma, beta, moving mean and moving variance, float32 (channels,)."""
        gamma, beta, mean = (arrays(self.shape[-1:], self.seed + n, "weights") for n in (3, 4, 5))
        spreads = self._spreads(6)
        return gamma, beta, (mean * spreads).astype(np.float32), (spreads**2).astype(np.float32)

    def _spreads(self, number: int) -> NDArray[np.float64]:
        spreads: NDArray[np.float64] = 10 ** np.random.default_rng(self.seed + number).uniform(-2, 1, self.shape[-1])
        return spreads


def batches() -> st.SearchStrategy[Batch]:
    """Batches of vectors (samples, channels), and of images."""
    return st.builds(Batch, st.sampled_from(SHAPES), SEEDS)
