"""Runs of ``fit`` and ``fit_head`` whose every number can be computed, because the images or features are zero.

A convnet, and a classifier on a silent base, then give every image the same probability, which follows from the labels
alone. Epochs differ only in their labels, or by NaN.
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

LEAST = (20, 20)  # pixels of each side, for runs whose result does not depend on them
FEATURES = (24,)  # the shape of the features of a small Xception
SAYS_NAN = ("nan", "not a number")

Shape = tuple[int, ...]
Pairs = list[tuple[Array, Labels]]


@dataclass(frozen=True)
class Trainer:
    """``fit`` or ``fit_head``, and the options that all its runs share."""

    function: Callable[..., tuple[Model, History]]
    checkpoint: Path
    rate: float = 0.05  # at this rate a few steps change the sign of a logit
    more: dict[str, Any] = field(default_factory=dict, hash=False)

    def __call__(self, model: Model, train: Batches, validation: Batches, epochs: int) -> tuple[Model, History]:
        """Train the model; the checkpoint of an earlier run still exists."""
        return self.function(
            model, train, validation,
            epochs=epochs, learning_rate=self.rate, checkpoint=self.checkpoint, seed=1, **self.more,
        )  # fmt: skip


def blank(labels: Sequence[int], sizes: Sequence[int], shape: Shape) -> Pairs:
    """Batches of these sizes: black images, or features of zero, with these labels."""
    ends = np.cumsum(sizes)
    return [
        (np.zeros((size, *shape), np.float32), np.array(labels[end - size : end], np.int32))
        for size, end in zip(sizes, ends, strict=True)
    ]


def unseeing(implementation: Implementation) -> Model:
    """A convnet for which black images have no features, so that its last bias alone decides.

    Undecided if its biases do not start at zero.
    """
    model = implementation.build_convnet(image_size=CONVNET_SIZE, dropout=0.0, seed=0)
    if np.any(implementation.predict(model, np.zeros((1, *CONVNET_SIZE, 3), np.float32)) != 0.5):
        raise Undecided("the biases of the convnet do not start at zero, so that black images have features")
    return model


def labels_of(batches: Pairs) -> list[Labels]:
    """The labels of each batch."""
    return [labels for _, labels in batches]


def dips(losses: Sequence[float]) -> list[int]:
    """The indices of the values that are lower than their neighbours."""
    around = [np.inf, *losses, np.inf]
    return [i for i in range(len(losses)) if around[i + 1] < min(around[i], around[i + 2])]


@dataclass
class Changing:
    """Batches that differ between epochs; iterations before the first epoch get those of the first."""

    epochs: Sequence[Batches]
    before: int = 0  # iterations before the first epoch
    started: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[tuple[Array, Labels]]:
        """The batches of the next epoch."""
        place = min(max(self.started - self.before, 0), len(self.epochs) - 1)
        self.started += 1
        return iter(self.epochs[place])


@dataclass(frozen=True)
class FirstLooks:
    """How often ``fit`` and ``fit_head`` iterate their batches (training, validation) before the first epoch.

    The contract leaves this open.
    """

    fit: tuple[int, int]
    fit_head: tuple[int, int]


def looks_before(trainer: Trainer, model: Model, shape: Shape) -> tuple[int, int]:
    """How often one function iterates its batches (training, validation) before the first epoch."""
    train, validation = (Changing([blank([1], [1], shape)]) for _ in range(2))
    trainer(model, train, validation, 1)
    return train.started - 1, validation.started - 1


def first_looks_of(implementation: Implementation, silent: Path, folder: Path) -> FirstLooks:
    """Count the iterations before the first epoch, for ``fit`` and ``fit_head``."""
    convnet = implementation.build_convnet(image_size=CONVNET_SIZE, dropout=0.0, seed=0)
    model = implementation.build_classifier(silent, image_size=LEAST, seed=0)
    fit = Trainer(implementation.fit, folder / "fit.keras", more={"augment": False})
    fit_head = Trainer(implementation.fit_head, folder / "head.keras")
    return FirstLooks(looks_before(fit, convnet, (*CONVNET_SIZE, 3)), looks_before(fit_head, model, FEATURES))


def train_changing(
    trainer: Trainer, model: Model, looks: tuple[int, int], train: Sequence[Batches], validation: Sequence[Batches]
) -> tuple[Model, History]:
    """Train with different batches in each epoch; Undecided if they are not iterated once in each epoch."""
    learnt, judged = (Changing(batches, before) for batches, before in zip((train, validation), looks, strict=True))
    found = trainer(model, learnt, judged, len(train))
    if {one.started - one.before for one in (learnt, judged)} != {len(train)}:
        raise Undecided("the batches are not iterated once in each epoch, so that epochs cannot be made to differ")
    return found


def nan_runs(
    implementation: Implementation, silent: Path, looks: FirstLooks, folder: Path
) -> Iterator[tuple[Trainer, int, tuple[Model, History] | None]]:
    """Run three epochs with NaN in the validation data of some of them.

    Yields the function, the number of epochs without NaN, and the result: None if an error said NaN.
    """
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
    """The result of the call; None if it raises an error that says NaN. Another error is a violation."""
    try:
        return call()
    except Undecided:
        raise
    except Exception as error:
        told = any(words in str(error).lower() for words in SAYS_NAN)
        expect(told, "error of training whose loss is NaN", expected="one that says NaN", got=f"{error!r:.200}")
        return None
