"""The cases of a search: a function of the contract, its options, and arrays that one line of NumPy each recreates."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ..cases.layers import NORMALIZED, plain
from ..cases.windows import PADDINGS, SEEDS
from ..oracles.windows import ONE, Padding, Pair, output_side, span

VALUES: dict[str, tuple[Callable[[tuple[int, ...], int], NDArray[Any]], str]] = {  # {kind: (values, their source)}
    "ones": (lambda shape, _: np.ones(shape), "np.ones({shape})"),
    "whole": (
        lambda shape, _: np.arange(np.prod(shape)).reshape(shape) % 7 - 3,
        "(np.arange(np.prod({shape})).reshape({shape}) % 7 - 3)",
    ),
    "normal": (
        lambda shape, seed: np.random.default_rng(seed).normal(size=shape),
        "np.random.default_rng({seed}).normal(size={shape})",
    ),
    "negative": (
        lambda shape, seed: -1 - np.random.default_rng(seed).random(shape),
        "(-1 - np.random.default_rng({seed}).random({shape}))",
    ),
    "zeros": (lambda shape, _: np.zeros(shape), "np.zeros({shape})"),
}
LAYOUTS: dict[str, tuple[Callable[[NDArray[Any]], NDArray[Any]], str]] = {  # {layout: (view or copy, its source)}
    "rows": (lambda x: x, "{x}"),
    "columns": (np.asfortranarray, "np.asfortranarray({x})"),
    "every second": (lambda x: np.repeat(x, 2, axis=-1)[..., ::2], "np.repeat({x}, 2, axis=-1)[..., ::2]"),
    "backwards": (lambda x: x[..., ::-1], "{x}[..., ::-1]"),
    "read-only": (lambda x: np.broadcast_to(x, x.shape), "np.broadcast_to({x}, {shape})"),
}
DTYPES = ("float32", "float64", "float16")
SCALES = (1.0, 255.0, 1 / 255, 1e6, 1e-6)
LARGEST = 2**16  # values in all windows together
PRODUCTS = 2**22  # products of these values with weights; an example then takes a few milliseconds


@dataclass(frozen=True)
class Case:
    """A call of ``function``. Fields that the function does not take keep their defaults."""

    function: str
    image: Pair = ONE
    size: Pair = ONE
    strides: Pair = ONE
    dilation: Pair = ONE
    padding: Padding = "valid"
    batch: int = 1
    channels: int = 1
    filters: int = 1
    biased: bool = False
    values: str = "ones"
    scale: float = 1.0
    dtype: str = "float32"
    layout: str = "rows"
    seed: int = 0

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """{argument: shape} of its arrays."""
        images, bias = (self.batch, *self.image, self.channels), {"bias": (self.filters,)} if self.biased else {}
        if self.function == "conv2d":
            return {"images": images, "kernel": (*self.size, self.channels, self.filters), **bias}
        if self.function == "separable_conv2d":
            depthwise, pointwise = (*self.size, self.channels, 1), (1, 1, self.channels, self.filters)
            return {"images": images, "depthwise_kernel": depthwise, "pointwise_kernel": pointwise}
        if self.function == "dense":
            return {"features": (self.batch, self.channels), "kernel": (self.channels, self.filters), **bias}
        if self.function == "batch_normalization":
            return {NORMALIZED[0]: images, **dict.fromkeys(NORMALIZED[1:], (self.channels,))}
        return {"images": images}

    @property
    def options(self) -> dict[str, Any]:
        """{option: value} of its other arguments."""
        sliding: dict[str, Any] = {"strides": plain(self.strides), "padding": self.padding}
        options: dict[str, dict[str, Any]] = {
            "conv2d": {**sliding, "dilation_rate": plain(self.dilation)},
            "separable_conv2d": sliding,
            "max_pooling2d": {"pool_size": plain(self.size), **sliding},
            "average_pooling2d": {"pool_size": plain(self.size), **sliding},
            "batch_normalization": {"training": False},
        }
        return options.get(self.function, {})

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """{argument: array}; a variance is not negative."""
        made, laid = VALUES[self.values][0], LAYOUTS[self.layout][0]
        found = {}
        for number, (name, shape) in enumerate(self.shapes.items()):
            values = made(shape, self.seed + number) * self.scale
            found[name] = laid((np.abs(values) if name == NORMALIZED[-1] else values).astype(self.dtype))
        return found

    @property
    def source(self) -> list[str]:
        """Lines of Python that make the arrays, and the call of ``implementation``."""
        lines = []
        for number, (name, shape) in enumerate(self.shapes.items()):
            values = VALUES[self.values][1].format(shape=shape, seed=self.seed + number)
            values += "" if self.scale == 1 else f" * {self.scale!r}"
            values = f"np.abs({values})" if name == NORMALIZED[-1] else values
            values = f"({values})" if values.endswith(f"* {self.scale!r}") else values
            made = LAYOUTS[self.layout][1].format(x=f"{values}.astype(np.{self.dtype})", shape=shape)
            lines.append(f"{name} = {made}")
        words = ", ".join([*self.shapes, *(f"{name}={value!r}" for name, value in self.options.items())])
        return [*lines, f"print(implementation.{self.function}({words}))"]

    @property
    def marks(self) -> frozenset[str]:
        """What is not as simple as it could be, in words."""
        spans = tuple(span(k, d) for k, d in zip(self.size, self.dilation, strict=True))
        marks = {
            f"{self.padding} padding": self.padding != "valid",
            "strides": self.strides != ONE,
            "strides beyond the window": any(s > e for s, e in zip(self.strides, spans, strict=True)),
            "windows": self.size != ONE,
            "a window beyond the image": any(e > n for n, e in zip(self.image, spans, strict=True)),
            "dilation": self.dilation != ONE,
            "images of several pixels": self.image != ONE,
            "a bias": self.biased,
            "values that differ": self.values in ("whole", "normal", "negative"),
            "zeros": self.values == "zeros",
            "large values": self.scale > 1,
            "small values": self.scale < 1,
            self.dtype: self.dtype != "float32",
            "read-only arrays": self.layout == "read-only",
            "arrays in another order of memory": self.layout in ("columns", "every second", "backwards"),
        }
        counts = {"samples": self.batch, "channels": self.channels, "filters": self.filters}
        marks |= {f"several {name}": count > 1 for name, count in counts.items()}
        marks |= {f"{name} beyond 8": count > 8 for name, count in counts.items()}
        return frozenset(mark for mark, holds in marks.items() if holds)

    @property
    def cost(self) -> tuple[int, int, str]:
        """A sort key that is smaller for simpler cases."""
        return len(self.marks), sum(int(np.prod(shape)) for shape in self.shapes.values()), repr(self)

    def __str__(self) -> str:
        given = ", ".join(f"{name} {' × '.join(map(str, shape))}" for name, shape in self.shapes.items())
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"{self.function} of {given}{options}; {self.dtype}"


def _pairs(most: int) -> st.SearchStrategy[Pair]:
    return st.tuples(st.integers(1, most), st.integers(1, most))


@st.composite
def cases(draw: st.DrawFn, function: str) -> Case:
    """Calls of the function with windows that fit; large calls have fewer channels and filters, to limit their time."""
    image, size, strides, dilation = ONE, ONE, ONE, ONE
    padding: Padding = "valid"
    if function != "dense":
        image = draw(_pairs(40))
    if "conv2d" in function or "max_" in function or function == "average_pooling2d":
        size, strides = draw(_pairs(8)), draw(st.one_of(st.just(ONE), _pairs(6)))
        padding = draw(PADDINGS)
    if function == "conv2d":
        dilation = draw(st.one_of(st.just(ONE), _pairs(4)))
    if padding == "valid":
        image = _fitting(image, size, dilation)
    weighted = "conv2d" in function or function == "dense"
    sides = [output_side(*numbers, padding) for numbers in zip(image, size, strides, dilation, strict=True)]
    of_an_image = int(np.prod(sides) * np.prod(size))
    batch = draw(st.integers(1, max(1, min(5, LARGEST // of_an_image))))
    seen = batch * of_an_image
    dtype = draw(st.sampled_from((*["float32"] * 3, *DTYPES)))  # most often that of the contract
    channels = draw(st.integers(1, max(1, min(70, LARGEST // seen))))
    return Case(
        function, image, size, strides, dilation, padding, batch, channels,
        filters=draw(st.integers(1, max(1, min(70, PRODUCTS // (seen * channels))))) if weighted else 1,
        biased=draw(st.booleans()) if function in ("conv2d", "dense") else False,
        values=draw(st.sampled_from(tuple(VALUES))),
        scale=1.0 if dtype == "float16" else draw(st.sampled_from(SCALES)),  # products of larger float16 overflow
        dtype=dtype,
        layout=draw(st.sampled_from(tuple(LAYOUTS))),
        seed=draw(SEEDS),
    )  # fmt: skip


def _fitting(image: Pair, size: Pair, dilation: Pair) -> Pair:
    height, width = (max(n, span(k, d)) for n, k, d in zip(image, size, dilation, strict=True))
    return height, width
