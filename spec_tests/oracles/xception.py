"""An Xception of any configuration: its arrays, its sizes, and its outputs (arXiv 1610.02357).

Block 1 has two plain convolutions, the others separable ones. A block with pooling halves the height and
width. Each block between the first and the last has a shortcut, convolved if the number of
channels changes. Every convolution is followed by batch normalisation; there are no biases.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .normalization import batch_normalization
from .windows import conv2d, max_pooling2d, output_side, separable_conv2d

Array = NDArray[np.float64]
Arrays = dict[str, NDArray[np.float32]]
Normalise = Callable[[str, Array], Array]


@dataclass(frozen=True)
class Xception:
    """A configuration: the filters of each convolution, by block, and whether each block ends with pooling."""

    filters: tuple[tuple[int, ...], ...]
    pooling: tuple[bool, ...]

    def layers(self) -> Iterator[tuple[str, str, int, int]]:
        """(name, kind, channels in, channels out) of every convolution, in order."""
        channels = 3
        for block, block_filters in enumerate(self.filters, start=1):
            first, last, entered = block == 1, block == len(self.filters), channels
            for index, filters in enumerate(block_filters, start=1):
                kind = "conv" if first else "sepconv"
                yield f"block{block}_{kind}{index}", kind, channels, filters
                channels = filters
            if not first and not last and channels != entered:
                yield f"block{block}_residual_conv", "shortcut", entered, channels

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """{layer/array: shape} in the order of the layers."""
        found: dict[str, tuple[int, ...]] = {}
        for name, kind, entering, leaving in self.layers():
            if kind == "sepconv":
                found[f"{name}/depthwise_kernel"] = (3, 3, entering, 1)
                found[f"{name}/pointwise_kernel"] = (1, 1, entering, leaving)
            else:
                side = 3 if kind == "conv" else 1
                found[f"{name}/kernel"] = (side, side, entering, leaving)
            for statistic in ("gamma", "beta", "moving_mean", "moving_variance"):
                found[f"{normalisation_of(name)}/{statistic}"] = (leaving,)
        return found

    def top_kernels(self) -> tuple[str, str]:
        """The kernels of the last convolution, which are in the last four layers together with batch normalisation."""
        name = f"block{len(self.filters)}_sepconv{len(self.filters[-1])}"
        return f"{name}/depthwise_kernel", f"{name}/pointwise_kernel"

    def feature_side(self, side: int) -> int:
        """The height or width of the feature map of an image of that side."""
        side = output_side(side, 3, stride=2)
        for _ in self.filters[0][1:]:
            side = output_side(side, 3)
        for pooled in self.pooling:
            side = output_side(side, 3, stride=2, padding="same") if pooled else side
        return side


XCEPTION_41 = Xception(
    filters=(
        (32, 64), (128, 128), (256, 256), (728, 728), *[(728, 728, 728)] * 8, (728, 1024), (1536, 2048)
    ),
    pooling=(False, True, True, True, *[False] * 8, True, False),
)  # fmt: skip


def normalisation_of(convolution: str) -> str:
    """The name of the batch normalisation after a convolution."""
    return convolution.replace("residual_conv", "residual") + "_bn"


def is_kernel(name: str) -> bool:
    """Whether an array belongs to a convolution."""
    return name.endswith("kernel")


def count(shapes: dict[str, tuple[int, ...]]) -> int:
    """The number of values in arrays of these shapes."""
    return sum(math.prod(shape) for shape in shapes.values())


def feature_map(config: Xception, arrays: Arrays, images: NDArray[Any], normalise: Normalise | None = None) -> Array:
    """The last activation (n, h, w, channels) for images in [-1, 1], in inference mode."""

    def moving(name: str, x: Array) -> Array:
        gamma, beta, mean, variance = (
            arrays[f"{name}/{s}"] for s in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return batch_normalization(x, gamma, beta, mean, variance)

    normalise = normalise or moving
    x = images.astype(np.float64)
    for block, block_filters in enumerate(config.filters, start=1):
        first, last, shortcut = block == 1, block == len(config.filters), x
        for index in range(1, len(block_filters) + 1):
            name = f"block{block}_{'conv' if first else 'sepconv'}{index}"
            if first:
                x = conv2d(x, arrays[f"{name}/kernel"], strides=(2, 2) if index == 1 else (1, 1))
            else:
                x = relu(x) if not last and (block, index) != (2, 1) else x
                x = separable_conv2d(
                    x, arrays[f"{name}/depthwise_kernel"], arrays[f"{name}/pointwise_kernel"], padding="same"
                )
            x = normalise(f"{name}_bn", x)
            x = relu(x) if first or last else x
        if config.pooling[block - 1]:
            x = max_pooling2d(x, (3, 3), (2, 2), "same")
        if not first and not last:
            name = f"block{block}_residual_conv"
            if f"{name}/kernel" in arrays:
                stride = (2, 2)
                shortcut = conv2d(shortcut, arrays[f"{name}/kernel"], strides=stride, padding="same")
                shortcut = normalise(normalisation_of(name), shortcut)
            x = x + shortcut
    return x


def features(config: Xception, arrays: Arrays, images: NDArray[Any]) -> Array:
    """The mean of the feature map over height and width, (n, channels)."""
    return np.asarray(feature_map(config, arrays, images).mean(axis=(1, 2)))


def relu(x: Array) -> Array:
    """The values, with negative ones set to zero."""
    return np.maximum(x, 0)
