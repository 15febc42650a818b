"""What the clauses of transfer learning are tried on: images, models, and what is read off them."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..adapter.contract import Array, Batches, Labels, Model, Variable
from ..adapter.implementation import Implementation
from ..judging.checks import Undecided
from ..oracles import training
from ..oracles.convnet import CHANNELS
from ..oracles.xception import Xception

SIZE = (50, 48)  # rectangular, and a pool of SMALL pads it unevenly
UNITS, DROPOUT = 256, 0.25
EPOCHS = 7  # of the runs of fit that are looked at: the validation loss falls and rises
IDLE_EPOCHS = 4  # of the run that learns next to nothing: chance makes no three losses of them alike
SMALL = Xception(((4, 8), (12, 12), (16, 16), (16, 24)), (False, True, True, False))

T = TypeVar("T")
Values = dict[str, NDArray[Any]]


class Flagged(Protocol):
    """A variable, with or without its value."""

    @property
    def path(self) -> str:
        """Its name."""

    @property
    def part(self) -> str:
        """Base or head."""

    @property
    def trainable(self) -> bool:
        """Whether training would change it."""


def tinted(count: int, seed: int, labels: Labels | None = None) -> tuple[Array, Labels]:
    """Images of noise (count, 50, 48, 3), reddish for class 0 and bluish for class 1, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2 if labels is None else labels
    tint = np.where(labels[:, None, None, None] == 1, (0, 40, 155), (155, 40, 0))
    return (rng.uniform(0, 100, (count, *SIZE, 3)) + tint).astype(np.float32), labels.astype(np.int32)


def in_batches(images: Array, labels: Labels, size: int) -> Batches:
    """The same in batches; the last may be shorter."""
    return [(images[i : i + size], labels[i : i + size]) for i in range(0, len(labels), size)]


def values(variables: Iterable[Variable], part: str | None = None) -> Values:
    """{path: a copy of the array} of all, or of those of the base or of the head."""
    return {v.path: np.array(v.value) for v in variables if part in (None, v.part)}


def moved(before: Values, after: Values) -> set[str]:
    """The paths of the arrays that differ in any bit."""
    return {path for path in before if before[path].tobytes() != after[path].tobytes()}


def trainable(variables: Iterable[Flagged], part: str | None = None) -> set[str]:
    """The paths of the arrays that training would change."""
    return {v.path for v in variables if v.trainable and part in (None, v.part)}


def named(implementation: Implementation, model: Model, arrays: Values, names: Iterable[str]) -> set[str]:
    """The paths in the base of the arrays that the preset calls ``names``, found by their values."""
    wanted = {np.sort(arrays[name].ravel()).tobytes() for name in names}
    base = values(implementation.variables(model), "base")
    return {path for path, value in base.items() if np.sort(value.astype(np.float32).ravel()).tobytes() in wanted}


@dataclass(frozen=True)
class Head:
    """The arrays of the classifier's head, found by their sizes."""

    kernel: Array  # (channels, 256)
    bias: Array  # (256,)
    last: Array  # (256,)
    offset: float

    def probabilities(self, features: NDArray[Any]) -> NDArray[np.float64]:
        """Of class 1, (n,)."""
        return training.head(features, self.kernel, self.bias, self.last, self.offset)

    def dropped_losses(self, features: NDArray[Any], labels: Labels, rng: np.random.Generator) -> NDArray[np.float64]:
        """Of each sample in a training step, (n,)."""
        hidden = features @ self.kernel.astype(np.float64) + self.bias
        return training.dropped_losses(hidden, self.last, self.offset, labels, DROPOUT, rng)

    def undecided(self, features: NDArray[Any]) -> Array:
        """Features (n, channels), moved to where the probability is 0.5."""
        slope = self.kernel.astype(np.float64) @ self.last
        logits = features @ slope + self.bias @ self.last + self.offset
        return (features - np.outer(logits, slope) / (slope @ slope)).astype(np.float32)


def head_of(implementation: Implementation, model: Model, channels: int) -> Head:
    """Read the head; of two arrays of 256 the vector is the bias. Undecided for one that has other arrays."""
    found = list(values(implementation.variables(model), "head").values())
    kernel = _only((a for a in found if a.size == channels * UNITS), f"kernel of {channels} × {UNITS}")
    bias = _only((a for a in found if a.shape == (UNITS,)), f"bias of {UNITS}")
    last = _only((a for a in found if a.size == UNITS and a.ndim > 1), f"kernel of {UNITS} × 1")
    offset = float(_only((a for a in found if a.size == 1), "bias of 1").ravel()[0])
    kernel = kernel if kernel.shape == (channels, UNITS) else kernel.T
    return Head(kernel.reshape(channels, UNITS), bias, last.ravel(), offset)


def convnet_arrays(
    implementation: Implementation, model: Model
) -> tuple[list[NDArray[Any]], list[NDArray[Any]], NDArray[Any], float]:
    """Kernels (3, 3, in, out), biases, last weights and last bias of a convnet, found by their sizes."""
    found = [v.value for v in implementation.variables(model)]
    kernels, biases = [], []
    for entering, leaving in pairwise(CHANNELS):
        kernel = _only((a for a in found if a.size == 9 * entering * leaving), f"kernel for {leaving} filters")
        kernels.append(kernel if kernel.shape[:2] == (3, 3) else kernel.transpose(2, 3, 1, 0))
        biases.append(_only((a for a in found if a.shape == (leaving,)), f"bias of {leaving} filters"))
    last = _only((a for a in found if a.size == CHANNELS[-1] and a.ndim > 1), f"kernel of {CHANNELS[-1]} × 1")
    return kernels, biases, last.ravel(), float(_only((a for a in found if a.size == 1), "bias of 1").ravel()[0])


def offset_of(implementation: Implementation, model: Model) -> str:
    """The path of the last bias, the one number among the head's arrays. Undecided where there is none."""
    head = values(implementation.variables(model), "head")
    return _only((path for path, value in head.items() if value.size == 1), "bias of 1")


def _only(found: Iterable[T], what: str) -> T:
    """The first; Undecided where there is none, since another head is for HEAD-1 to judge."""
    for one in found:
        return one
    raise Undecided(f"the model has no {what} among its variables, and this clause looks at the model of the notes")
