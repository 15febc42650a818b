"""The networks to train, written once with operations that every framework offers.

Their arrays are named layer/array and shaped as in the contract. Images are (n, height, width, 3) in [0, 255] and
already have the network's size, so nothing resizes them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...adapter.contract import Array
from ...cases.models import DROPOUT, UNITS

Tensor = Any  # of a framework
Tensors = Mapping[str, Tensor]

CONVNET_FILTERS = (8, 16, 32, 64, 128)
HIDDEN, OUTPUT = "hidden", "output"  # the dense layers of a head


class Operations(Protocol):
    """The operations of the networks: functions of tensors with the framework's order of axes."""

    def convolution(self, x: Tensor, kernel: Tensor, bias: Tensor | None, stride: int, padding: str) -> Tensor:
        """A convolution with a kernel (k_h, k_w, in, out); ``padding`` is valid or same."""

    def depthwise(self, x: Tensor, kernel: Tensor, stride: int, padding: str) -> Tensor:
        """A convolution of each channel with its own 3 × 3 kernel, (3, 3, channels, 1)."""

    def normalised(self, x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        """Batch normalisation in inference mode, epsilon 1e-3."""

    def relu(self, x: Tensor) -> Tensor:
        """The values, at least 0."""

    def relu6(self, x: Tensor) -> Tensor:
        """The values, limited to 0 to 6."""

    def padded(self, x: Tensor, top: int, bottom: int, left: int, right: int) -> Tensor:
        """The images with zeros around them."""

    def halved(self, x: Tensor) -> Tensor:
        """Max pooling of 2 × 2 with stride 2, valid."""

    def pooled(self, x: Tensor) -> Tensor:
        """Max pooling of 3 × 3 with stride 2, same."""

    def averaged(self, x: Tensor) -> Tensor:
        """Global average pooling, (n, channels)."""

    def dense(self, x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
        """Inputs (n, inputs) times (inputs, units), plus (units,)."""

    def dropped(self, x: Tensor, rate: float) -> Tensor:
        """The values, each zeroed with probability ``rate`` and otherwise divided by 1 - rate."""


Features = Callable[[Operations, Tensors, Tensor], Tensor]  # takes images in [0, 255], returns (n, channels)
# takes images in [-1, 1], returns a feature map with height and width
FeatureMap = Callable[[Operations, Tensors, Tensor], Tensor]


@dataclass(frozen=True)
class Base:
    """A pretrained base with batch normalisation in inference mode."""

    arrays: dict[str, Array]
    feature_map: FeatureMap
    channels: int
    top: frozenset[str]  # the arrays of the last four layers, without batch normalisation


@dataclass(frozen=True)
class Network:
    """Features, and a head on them that ends in one logit."""

    arrays: dict[str, Array]
    trained: frozenset[str]  # names of the arrays that are trained; the others do not change
    features: Features
    dense: tuple[str, ...]  # layers of the head; dropout precedes the last
    dropout: float

    def logits(self, operations: Operations, tensors: Tensors, images: Tensor) -> Tensor:
        """Logits (n,), with dropout."""
        x = self.features(operations, tensors, images)
        for name in self.dense:
            x = operations.dropped(x, self.dropout) if name == OUTPUT else x
            x = operations.dense(x, tensors[f"{name}/kernel"], tensors[f"{name}/bias"])
        return x[:, 0]


def classifier(base: Base, *, tuned: bool, seed: int) -> Network:
    """The head on a base of which either nothing or the top is trained."""

    def features(operations: Operations, tensors: Tensors, images: Tensor) -> Tensor:
        return operations.averaged(base.feature_map(operations, tensors, images / 127.5 - 1))

    rng = np.random.default_rng(seed)
    head = _dense(rng, HIDDEN, base.channels, UNITS) | _dense(rng, OUTPUT, UNITS, 1)
    trained = frozenset(head) | (base.top if tuned else frozenset())
    return Network(base.arrays | head, trained, features, (HIDDEN, OUTPUT), DROPOUT)


def convnet(*, dropout: float, seed: int) -> Network:
    """The convnet of the contract, trained as a whole."""
    rng = np.random.default_rng(seed)
    arrays, channels = dict[str, Array](), 3
    for index, filters in enumerate(CONVNET_FILTERS):
        kernel = rng.normal(0, np.sqrt(2 / (9 * channels)), (3, 3, channels, filters))
        arrays[f"conv{index}/kernel"] = kernel.astype(np.float32)
        arrays[f"conv{index}/bias"] = np.zeros(filters, np.float32)
        channels = filters
    arrays |= _dense(rng, OUTPUT, channels, 1)
    return Network(arrays, frozenset(arrays), _convolutions, (OUTPUT,), dropout)


def _convolutions(operations: Operations, tensors: Tensors, images: Tensor) -> Tensor:
    x = images / 255
    for index in range(len(CONVNET_FILTERS)):
        kernel, bias = tensors[f"conv{index}/kernel"], tensors[f"conv{index}/bias"]
        x = operations.halved(x) if index else x
        x = operations.relu(operations.convolution(x, kernel, bias, 1, "valid"))
    return operations.averaged(x)


def _dense(rng: np.random.Generator, name: str, inputs: int, units: int) -> dict[str, Array]:
    """A kernel with Glorot's uniform values, and a bias of zero."""
    limit = np.sqrt(6 / (inputs + units))
    kernel = rng.uniform(-limit, limit, (inputs, units)).astype(np.float32)
    return {f"{name}/kernel": kernel, f"{name}/bias": np.zeros(units, np.float32)}
