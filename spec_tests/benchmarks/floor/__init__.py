"""The floor: training steps written by hand, plainly, in each framework alone, as a baseline for the reference.

``spec_tests.benchmarks.floor:jax``, ``:tensorflow`` and ``:torch`` are implementations that offer the functions for
training steps. They compute the same as the contract: float32, the same layers, batch normalisation of the base in
inference mode and not folded into the convolutions, dropout, binary cross-entropy, Adam on the trained weights alone,
loss and accuracy as floats after each step. They differ in the following: images already have the network's size, so
nothing resizes them; the loss is computed from logits; weights are tensors without a model around them, and nothing
can be saved.
"""

import importlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from ...adapter.contract import Array, Labels
from .bases import read_base
from .networks import Base, Network, classifier, convnet

BACKENDS = ("jax", "tensorflow", "torch")
TOP_LAYERS = 4


class Trainer(Protocol):
    """A network that one framework trains."""

    def train_step(self, images: Array, labels: Labels) -> dict[str, float]:
        """One step of Adam; returns loss and accuracy of the batch before the step."""

    def arrays(self) -> dict[str, Array]:
        """Copies of all arrays by name, shaped as in the contract."""


@dataclass(frozen=True)
class Model:
    """A network, its base, and its trainers by learning rate."""

    network: Network
    seed: int
    base: Base | None = None
    trainers: dict[float, Trainer] = field(default_factory=dict)


class Floor:
    """The implementation on one backend."""

    def __init__(self, backend: str) -> None:
        self.NAME, self._backend = f"floor on {backend}", backend

    def build_convnet(self, *, image_size: tuple[int, int], dropout: float, seed: int) -> Model:
        """The convnet of the contract; it takes images of any size."""
        del image_size
        return Model(convnet(dropout=dropout, seed=seed), seed)

    def build_classifier(self, preset: Path, *, image_size: tuple[int, int], seed: int) -> Model:
        """The head on a frozen base; raises what ``bases.read_base`` raises for another base."""
        del image_size
        base = read_base(preset)
        return Model(classifier(base, tuned=False, seed=seed), seed, base)

    def unfreeze_top(self, model: Model, layers: int = TOP_LAYERS) -> Model:
        """The same classifier with the last four layers of its base also trained."""
        if model.base is None or layers != TOP_LAYERS:
            raise ValueError("the floor trains the last four layers of a classifier, or none")
        return replace(model, network=classifier(model.base, tuned=True, seed=model.seed), trainers={})

    def train_step(
        self, model: Model, images: Array, labels: Labels, *, learning_rate: float
    ) -> tuple[Model, dict[str, float]]:
        """One training step. Another learning rate starts with the first weights and with moments of zero."""
        if learning_rate not in model.trainers:
            model.trainers[learning_rate] = trainer_of(model.network, self._backend, learning_rate, model.seed)
        return model, model.trainers[learning_rate].train_step(images, labels)


jax, tensorflow, torch = map(Floor, BACKENDS)


def trainer_of(network: Network, backend: str, learning_rate: float, seed: int) -> Trainer:
    """A trainer of the network on a backend; raises ImportError if the framework is not installed."""
    module = importlib.import_module(f"{__name__}.on_{backend}")
    trainer: Trainer = module.Trainer(network, learning_rate, seed)
    return trainer
