"""The author's batches: a few of them are kept, and counted while the author's code takes them."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..judging.checks import Undecided
from .probe import Array

LONGEST = 10_000  # batches to read before a loader counts as endless


@dataclass
class Pass:
    """One iteration: the batches taken, and the number of optimizer steps at its start and at its end."""

    start: int
    end: int
    taken: list[int] = field(default_factory=list)


class Taken:
    """Batches that can be iterated again and count how often each was taken.

    Other attributes are the author's loader's.
    """

    def __init__(self, batches: list[Any], loader: Any = None, steps: list[Any] | None = None) -> None:
        """``steps`` grows with each step of an optimizer; without it every pass counts as training."""
        self._batches, self._loader, self._steps = batches, loader, steps
        self._passes: list[Pass] = []
        self.dataset = Counted(sum(len(labels_of(batch)) for batch in batches), getattr(loader, "dataset", None))

    def __iter__(self) -> Iterator[Any]:
        one = Pass(self._so_far(), self._so_far())
        self._passes.append(one)
        for place, batch in enumerate(self._batches):
            one.taken.append(place)
            yield type(batch)(copied(part) for part in batch) if type(batch) in (list, tuple) else batch
            if self._passes[-1] is one:  # a step during a later pass belongs to that pass
                one.end = self._so_far()

    def _so_far(self) -> int:
        return len(self._steps) if self._steps is not None else 0

    @property
    def taken(self) -> bool:
        """Whether any batch was taken."""
        return any(one.taken for one in self._passes)

    @property
    def counts(self) -> list[int]:
        """How often each batch was taken, counting passes in which an optimizer stepped."""
        training = [one for one in self._passes if self._steps is None or one.end > one.start]
        return [sum(place in one.taken for one in training) for place in range(len(self._batches))]

    @property
    def sampler(self) -> Any:
        """The author's sampler, with the length of the data set."""
        return Counted(len(self.dataset), getattr(self._loader, "sampler", None))

    def __len__(self) -> int:
        return len(self._batches)

    @property
    def first(self) -> Any:
        """The first batch, which does not count as taken."""
        return self._batches[0]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_loader"], name)


class Counted:
    """A replacement of the author's data set, with the number of images that were taken as its length."""

    def __init__(self, count: int, dataset: Any) -> None:
        self._count, self._dataset = count, dataset

    def __len__(self) -> int:
        return self._count

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_dataset"], name)


def copied(part: Any) -> Any:
    """A copy, so that a loop that changes a batch in place does not change it for the next one."""
    return part.clone() if hasattr(part, "clone") else part.copy() if isinstance(part, np.ndarray) else part


def length(one: Any) -> int:
    """The length of an object; 0 if it has none."""
    return len(one) if hasattr(one, "__len__") else 0


def labels_of(batch: Any) -> Any:
    """The labels of a batch of (images, labels)."""
    return batch[1] if isinstance(batch, tuple | list) and len(batch) > 1 else ()


def first(loader: Iterable[Any], images: int, what: str) -> list[Any]:
    """The first batches of (images, labels) with at least so many images.

    Raises Undecided if there are none, or if batches are not pairs.
    """
    found: list[Any] = []
    count = 0
    for batch in loader:
        if not isinstance(batch, tuple | list) or len(batch) < 2:
            raise Undecided(f"{what} gives {type(batch).__name__}: give batches of (images, labels)")
        found.append(batch)
        count += len(labels_of(batch))
        if count >= images:
            return found
    if not found:
        raise Undecided(f"{what} has no batch: give some images of each class")
    return found


def whole(loader: Iterable[Any], what: str, most: int) -> list[Any]:
    """All batches; raises Undecided if there are too many images to inspect."""
    found, count = [], 0
    for place, batch in enumerate(loader):
        found.append(batch)
        count += len(labels_of(batch))
        if count > most or place > LONGEST:
            raise Undecided(f"{what} has more than {most:,} images in a pass: give fewer, so that two can be compared")
    return found


def digest(image: Any) -> str:
    """The digest of an image as it reaches the model."""
    return hashlib.sha256(np.ascontiguousarray(np.asarray(image)).tobytes()).hexdigest()[:16]


def counted_classes(labels: Array) -> Array:
    """Labels as integers (n,). Words raise Undecided, since the loss must have taken them for numbers somewhere."""
    array = np.asarray(labels)
    if array.dtype.kind in "USO":
        raise Undecided("labels are words: give batches with the numbers that the loss takes")
    if array.ndim > 1 and array.shape[-1] > 1:  # one-hot
        return np.asarray(array.argmax(-1))
    return array.reshape(len(array)).astype(int)
