"""Images and models for the clauses of transfer learning, and the arrays that are read from models."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..adapter.contract import Array, Batches, Labels, Model, Variable
from ..adapter.implementation import IMAGE_SIZE, Implementation
from ..judging.checks import NotClaimed, Undecided
from ..oracles import training
from ..oracles.convnet import CHANNELS
from ..oracles.xception import Xception

SIZE = IMAGE_SIZE
UNITS, DROPOUT = 256, 0.25
EPOCHS = 7  # of the runs of ``fit`` that are examined: the validation loss falls and rises
IDLE_EPOCHS = 4  # of the run that learns almost nothing: no three of its losses are alike by chance
SMALL = Xception(((4, 8), (12, 12), (16, 16), (16, 24)), (False, True, True, False))

Values = dict[str, NDArray[Any]]


class Flagged(Protocol):
    """A variable; its value may be missing."""

    @property
    def path(self) -> str:
        """The variable's name, unique in the model."""

    @property
    def part(self) -> str:
        """The part that it belongs to, "base" or "head"."""

    @property
    def trainable(self) -> bool:
        """Whether training would change it."""


def tinted(
    count: int, seed: int, labels: Labels | None = None, *, size: tuple[int, int] = SIZE
) -> tuple[Array, Labels]:
    """Images of noise (count, height, width, 3), reddish for class 0 and bluish for class 1, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2 if labels is None else labels
    tint = np.where(labels[:, None, None, None] == 1, (0, 40, 155), (155, 40, 0))
    return (rng.uniform(0, 100, (count, *size, 3)) + tint).astype(np.float32), labels.astype(np.int32)


def in_batches(images: Array, labels: Labels, size: int) -> Batches:
    """The images and labels in batches of ``size``; the last batch may be smaller."""
    return [(images[i : i + size], labels[i : i + size]) for i in range(0, len(labels), size)]


def values(variables: Iterable[Variable], part: str | None = None) -> Values:
    """{path: a copy of the array} of all variables, or of those of one part."""
    return {v.path: np.array(v.value) for v in variables if part in (None, v.part)}


def moved(before: Values, after: Values) -> set[str]:
    """The paths of the arrays that differ in any bit."""
    return {path for path in before if before[path].tobytes() != after[path].tobytes()}


def trainable(variables: Iterable[Flagged], part: str | None = None) -> set[str]:
    """The paths of the arrays that training would change, in all parts or in one."""
    return {v.path for v in variables if v.trainable and part in (None, v.part)}


def named(implementation: Implementation, model: Model, arrays: Values, names: Iterable[str]) -> set[str]:
    """The paths in the base of the arrays that the preset calls ``names``; arrays are matched by their values."""
    wanted = {np.sort(arrays[name].ravel()).tobytes() for name in names}
    base = values(implementation.variables(model), "base")
    return {path for path, value in base.items() if np.sort(value.astype(np.float32).ravel()).tobytes() in wanted}


@dataclass(frozen=True)
class Head:
    """The arrays of the classifier's head."""

    kernel: Array  # (channels, 256)
    bias: Array  # (256,)
    last: Array  # (256,)
    offset: float

    def probabilities(self, features: NDArray[Any]) -> NDArray[np.float64]:
        """The probability of class 1 for each sample, (n,)."""
        return training.head(features, self.kernel, self.bias, self.last, self.offset)

    def dropped_losses(self, features: NDArray[Any], labels: Labels, rng: np.random.Generator) -> NDArray[np.float64]:
        """The loss of each sample in a training step with dropout, (n,)."""
        hidden = features @ self.kernel.astype(np.float64) + self.bias
        return training.dropped_losses(hidden, self.last, self.offset, labels, DROPOUT, rng)

    def undecided(self, features: NDArray[Any]) -> Array:
        """The features (n, channels), moved to where the probability is 0.5."""
        slope = self.kernel.astype(np.float64) @ self.last
        logits = features @ slope + self.bias @ self.last + self.offset
        return (features - np.outer(logits, slope) / (slope @ slope)).astype(np.float32)


def require_sure(probabilities: NDArray[Any]) -> None:
    """Raise Undecided if the model is unsure of any image.

    A model with its own base may take longer to learn two tints.
    """
    likeliest = np.maximum(probabilities, 1 - probabilities) if probabilities.ndim == 1 else probabilities.max(axis=1)
    if likeliest.min() < 0.9:
        raise Undecided("the model is still unsure of images of two tints after forty steps")


def require_some(found: Values, why: str) -> None:
    """Raise NotClaimed if there is nothing to check."""
    if not found:
        raise NotClaimed(why)


def head_of(implementation: Implementation, model: Model, channels: int) -> Head:
    """Read the arrays of the head, from input to output; Undecided if it has others."""
    (kernel, last), (bias, offset) = _layers(implementation, model, "head", 2)
    if (kernel.size, bias.size, last.size, offset.size) != (channels * UNITS, UNITS, UNITS, 1):
        raise Undecided(f"the head is not one of {channels} × {UNITS} and {UNITS} × 1 weights")
    kernel = kernel if kernel.shape == (channels, UNITS) else kernel.T
    return Head(kernel.reshape(channels, UNITS), bias, last.ravel(), offset.item())


def convnet_arrays(
    implementation: Implementation, model: Model
) -> tuple[list[NDArray[Any]], list[NDArray[Any]], NDArray[Any], float]:
    """Kernels (3, 3, in, out), biases, last weights and last bias of a convnet."""
    (*found, last), (*biases, offset) = _layers(implementation, model, None, len(CHANNELS))
    kernels = [kernel if kernel.shape[:2] == (3, 3) else kernel.transpose(2, 3, 1, 0) for kernel in found]
    return kernels, biases, last.ravel(), offset.item()


def _layers(
    implementation: Implementation, model: Model, part: str | None, count: int
) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Kernels and biases of ``count`` layers, in the order of the contract; Undecided if there are more or fewer."""
    found = values(implementation.variables(model), part).values()
    kernels, biases = [a for a in found if a.ndim > 1], [a for a in found if a.ndim == 1]
    if (len(kernels), len(biases)) != (count, count):
        raise Undecided(
            f"there are {len(kernels)} kernels and {len(biases)} biases, and this clause reads {count} of each"
        )
    return kernels, biases


def offset_of(implementation: Implementation, model: Model) -> str:
    """The path of the head's last bias; Undecided if it is not a single number."""
    biases = [path for path, value in values(implementation.variables(model), "head").items() if value.ndim < 2]
    if not biases or values(implementation.variables(model), "head")[biases[-1]].size != 1:
        raise Undecided("the head does not end with a bias of one number")
    return biases[-1]
