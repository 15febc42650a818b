"""Runs of ``fit`` and ``fit_head`` whose every number can be computed: the images or features are zero.

A convnet, and a classifier on a silent base, then give every image one and the same probability, which follows from the
labels alone. What differs between epochs differs in labels, or is NaN.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..adapter.contract import Array, Batches, History, Labels, Model
from ..adapter.implementation import Implementation
from ..judging.checks import Undecided, expect
from .trials import CONVNET_SIZE

LEAST = (20, 20)  # pixels a side, for what does not look at them
FEATURES = (24,)  # the shape of those of a small Xception
SAYS_NAN = ("nan", "not a number")

Shape = tuple[int, ...]
Pairs = list[tuple[Array, Labels]]


@dataclass(frozen=True)
class Trainer:
    """``fit`` or ``fit_head``, and what the runs have in common."""

    function: Callable[..., tuple[Model, History]]
    checkpoint: Path
    rate: float = 0.05  # a few steps change the sign of a logit
    more: dict[str, Any] = field(default_factory=dict, hash=False)

    def __call__(self, model: Model, train: Batches, validation: Batches, epochs: int) -> tuple[Model, History]:
        """Train the model; the checkpoint of an earlier run is still there."""
        return self.function(
            model, train, validation,
            epochs=epochs, learning_rate=self.rate, checkpoint=self.checkpoint, seed=1, **self.more,
        )  # fmt: skip


def blank(labels: Sequence[int], sizes: Sequence[int], shape: Shape) -> Pairs:
    """Black images, or features of zero, with these labels, in batches of these sizes."""
    ends = np.cumsum(sizes)
    return [
        (np.zeros((size, *shape), np.float32), np.array(labels[end - size : end], np.int32))
        for size, end in zip(sizes, ends, strict=True)
    ]


def unseeing(implementation: Implementation) -> Model:
    """A convnet that sees nothing in black images: its last bias alone decides. Undecided where others do as well."""
    model = implementation.build_convnet(image_size=CONVNET_SIZE, dropout=0.0, seed=0)
    if np.any(implementation.predict(model, np.zeros((1, *CONVNET_SIZE, 3), np.float32)) != 0.5):
        raise Undecided("the biases of the convnet do not start at zero, so that black images have features")
    return model


def labels_of(batches: Pairs) -> list[Labels]:
    """The labels of each batch."""
    return [labels for _, labels in batches]


def dips(losses: Sequence[float]) -> list[int]:
    """The places of the values that are lower than their neighbours."""
    around = [np.inf, *losses, np.inf]
    return [i for i in range(len(losses)) if around[i + 1] < min(around[i], around[i + 2])]


@dataclass
class Changing:
    """Batches of which every epoch has its own, but for what is looked at before the first."""

    epochs: Sequence[Batches]
    before: int = 0  # iterations
    started: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[tuple[Array, Labels]]:
        """The batches of the next epoch."""
        place = min(max(self.started - self.before, 0), len(self.epochs) - 1)
        self.started += 1
        return iter(self.epochs[place])


@dataclass(frozen=True)
class FirstLooks:
    """How often training and validation batches are iterated before the first epoch, which is left open."""

    fit: tuple[int, int]
    fit_head: tuple[int, int]


def looks_before(trainer: Trainer, model: Model, shape: Shape) -> tuple[int, int]:
    """Those of one function."""
    train, validation = (Changing([blank([1], [1], shape)]) for _ in range(2))
    trainer(model, train, validation, 1)
    return train.started - 1, validation.started - 1


def first_looks_of(implementation: Implementation, silent: Path, folder: Path) -> FirstLooks:
    """Of both functions."""
    convnet = implementation.build_convnet(image_size=CONVNET_SIZE, dropout=0.0, seed=0)
    model = implementation.build_classifier(silent, image_size=LEAST, seed=0)
    fit = Trainer(implementation.fit, folder / "fit.keras", more={"augment": False})
    fit_head = Trainer(implementation.fit_head, folder / "head.keras")
    return FirstLooks(looks_before(fit, convnet, (*CONVNET_SIZE, 3)), looks_before(fit_head, model, FEATURES))


def train_changing(
    trainer: Trainer, model: Model, looks: tuple[int, int], train: Sequence[Batches], validation: Sequence[Batches]
) -> tuple[Model, History]:
    """A run of which each epoch has its own batches; Undecided where they are not iterated once an epoch."""
    learnt, judged = (Changing(batches, before) for batches, before in zip((train, validation), looks, strict=True))
    found = trainer(model, learnt, judged, len(train))
    if {one.started - one.before for one in (learnt, judged)} != {len(train)}:
        raise Undecided("the batches are not iterated once in each epoch, so that epochs cannot be made to differ")
    return found


def nan_runs(
    implementation: Implementation, silent: Path, looks: FirstLooks, folder: Path
) -> Iterator[tuple[Trainer, int, tuple[Model, History] | None]]:
    """Three epochs with NaN in what is validated on: by which function, how many epochs are without, and what came."""
    fit = Trainer(implementation.fit, folder / "fit.keras", more={"augment": False})
    fit_head = Trainer(implementation.fit_head, folder / "head.keras")
    model = implementation.build_classifier(silent, image_size=LEAST, seed=0)
    first_and_last, all_three = (0, 2), (0, 1, 2)
    for trainer, before, spoilt, shape in (
        (fit, looks.fit, first_and_last, (*LEAST, 3)),
        (fit_head, looks.fit_head, first_and_last, FEATURES),
        (fit_head, looks.fit_head, all_three, FEATURES),
    ):
        ones = blank([1] * 4, (3, 1), shape)
        validation = [[(x * np.nan, y) for x, y in ones] if epoch in spoilt else ones for epoch in range(3)]
        run = partial(train_changing, trainer, model, before, [ones] * 3, validation)
        yield trainer, 3 - len(spoilt), refused_as_nan(run)


def refused_as_nan(call: Callable[[], tuple[Model, History]]) -> tuple[Model, History] | None:
    """What the call gives; None if it raises an error that says NaN, and a violation if that says anything else."""
    try:
        return call()
    except Undecided:
        raise
    except Exception as error:
        told = any(words in str(error).lower() for words in SAYS_NAN)
        expect(told, "error of training whose loss is NaN", expected="one that says NaN", got=f"{error!r:.200}")
        return None
