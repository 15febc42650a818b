"""The floor: training steps written by hand, plainly, in each framework alone, to be compared with the reference's.

The same arithmetic as the contract's: float32, the same layers, batch normalisation of the base in inference mode and
not folded into the convolutions, dropout, binary cross-entropy, Adam on what is trained alone, loss and accuracy as
floats at the end of each step. What is not the same: images already have the size of the network, so that nothing
resizes them; the loss is taken of logits; weights are tensors without a model around them, and nothing can be saved.
"""

import importlib
from collections.abc import Callable
from typing import Protocol

from ...contract import Array, Labels
from ..work import DROPOUT, FINE_TUNING_RATE, LEARNING_RATE, Settings, Work
from .bases import read_base
from .networks import Network, classifier, convnet

BACKENDS = ("jax", "tensorflow", "torch")


class Trainer(Protocol):
    """A network in a framework."""

    def train_step(self, images: Array, labels: Labels) -> dict[str, float]:
        """One step of Adam; loss and accuracy are those of the batch before it."""

    def arrays(self) -> dict[str, Array]:
        """Copies of all arrays by name, shaped as in the contract."""


def scratch(settings: Settings) -> Network:
    """The convnet, with dropout."""
    return convnet(dropout=DROPOUT, seed=settings.seed)


def frozen(settings: Settings) -> Network:
    """The classifier with a frozen base, which runs in each step."""
    return classifier(read_base(settings.preset), tuned=False, seed=settings.seed)


def last_four(settings: Settings) -> Network:
    """The classifier with the last four layers of the base."""
    return classifier(read_base(settings.preset), tuned=True, seed=settings.seed)


KINDS: dict[str, tuple[Callable[[Settings], Network], float]] = {  # and the learning rates
    "scratch": (scratch, LEARNING_RATE),
    "frozen": (frozen, LEARNING_RATE),
    "last_four": (last_four, FINE_TUNING_RATE),
}


def prepared(kind: str, backend: str, settings: Settings) -> Work:
    """A training step of that kind on that backend; raises what ``bases.read_base`` raises for another base."""
    build, learning_rate = KINDS[kind]
    trainer = trainer_of(build(settings), backend, learning_rate, settings.seed)
    images, labels = settings.batch
    return Work(lambda: trainer.train_step(images, labels), len(images))


def trainer_of(network: Network, backend: str, learning_rate: float, seed: int) -> Trainer:
    """The network on a backend; ImportError where that is not installed."""
    module = importlib.import_module(f"{__name__}.on_{backend}")
    trainer: Trainer = module.Trainer(network, learning_rate, seed)
    return trainer
