"""The work that is timed: calls of the contract's functions, each finished when it returns.

All values that cross the contract are numbers or NumPy arrays, which no framework can return before they
are computed. A call that has returned is therefore finished, on a device as on the processor.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fixtures.dataset import drawn_jpeg

from ..adapter.contract import Array, Labels, Model
from ..adapter.implementation import Implementation
from ..cases.trials import EMBEDDED_PRESET

LEARNING_RATE, FINE_TUNING_RATE = 1e-3, 1e-5
DROPOUT = 0.25
TOP_LAYERS = 4


@dataclass(frozen=True)
class Settings:
    """The inputs of the work."""

    preset: Path = EMBEDDED_PRESET
    image_size: tuple[int, int] = (180, 180)
    batch_size: int = 32
    seed: int = 0

    @property
    def batch(self) -> tuple[Array, Labels]:
        """Images (batch size, height, width, 3) of noise and their labels."""
        rng = np.random.default_rng(self.seed)
        images = rng.uniform(0, 255, (self.batch_size, *self.image_size, 3)).astype(np.float32)
        return images, (np.arange(self.batch_size) % 2).astype(np.int32)


@dataclass(frozen=True)
class Work:
    """A piece of work that can be repeated."""

    run: Callable[[], object]
    images: int  # number of images that it processes
    renew: Callable[[], object] | None = None  # called before each run, not timed


Prepare = Callable[[Implementation, Settings], Work]


def train_from_scratch(implementation: Implementation, settings: Settings) -> Work:
    """A training step of the convnet, with dropout."""
    model = implementation.build_convnet(image_size=settings.image_size, dropout=DROPOUT, seed=settings.seed)
    return _training(implementation, model, settings, LEARNING_RATE)


def train_frozen(implementation: Implementation, settings: Settings) -> Work:
    """A training step of the classifier with a frozen base, which runs in each step."""
    return _training(implementation, _classifier(implementation, settings), settings, LEARNING_RATE)


def train_last_four(implementation: Implementation, settings: Settings) -> Work:
    """A training step of the classifier with the last four layers of the base."""
    model = implementation.unfreeze_top(_classifier(implementation, settings), layers=TOP_LAYERS)
    return _training(implementation, model, settings, FINE_TUNING_RATE)


def predict(implementation: Implementation, settings: Settings) -> Work:
    """The probabilities of one batch."""
    model, (images, _) = _classifier(implementation, settings), settings.batch
    return Work(lambda: implementation.predict(model, images), len(images))


def extract_features(implementation: Implementation, settings: Settings) -> Work:
    """The features of one batch."""
    model, (images, _) = _classifier(implementation, settings), settings.batch
    return Work(lambda: implementation.extract_features(model, images), len(images))


def augment(implementation: Implementation, settings: Settings) -> Work:
    """Flip, rotation and zoom of one batch."""
    images, labels = settings.batch
    return Work(lambda: implementation.augment(images, labels, seed=settings.seed), len(images))


def load_epoch(implementation: Implementation, settings: Settings) -> Work:
    """Find, decode and resize JPEG files until the end of the first epoch: four batches of drawings."""
    count = 4 * settings.batch_size
    kept = tempfile.TemporaryDirectory()
    for index in range(count):
        name = ("cat", "dog")[index % 2]
        folder = Path(kept.name, name)
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.{index // 2}.jpg").write_bytes(drawn_jpeg(name, index // 2))

    def run() -> int:
        batches = implementation.load_images(
            Path(kept.name),
            image_size=settings.image_size,
            batch_size=settings.batch_size,
            shuffle=True,
            seed=settings.seed,
        )
        return sum(len(labels) for _, labels in batches)

    return Work(run, count)


def first_step(implementation: Implementation, settings: Settings) -> Work:
    """The first training step of a new classifier with a frozen base, including compilation."""
    (images, labels), built = settings.batch, list[Model]()

    def renew() -> None:
        built[:] = [_classifier(implementation, settings)]

    def run() -> object:
        return implementation.train_step(built[0], images, labels, learning_rate=LEARNING_RATE)

    return Work(run, len(images), renew)


WORK: dict[str, Prepare] = {
    function.__name__: function
    for function in (
        train_from_scratch,
        train_frozen,
        train_last_four,
        predict,
        extract_features,
        augment,
        load_epoch,
        first_step,
    )
}
NEEDS = {  # {work: the functions of the contract that it needs}
    "train_from_scratch": ("build_convnet", "train_step"),
    "train_frozen": ("build_classifier", "train_step"),
    "train_last_four": ("build_classifier", "unfreeze_top", "train_step"),
    "predict": ("build_classifier", "predict"),
    "extract_features": ("build_classifier", "extract_features"),
    "augment": ("augment",),
    "load_epoch": ("load_images",),
    "first_step": ("build_classifier", "train_step"),
}


def lacking(implementation: Implementation, name: str) -> str:
    """The functions that an implementation lacks for a piece of work, in words; empty if it has all."""
    return " and no ".join(function for function in NEEDS[name] if not implementation.offers(function))


def _classifier(implementation: Implementation, settings: Settings) -> Model:
    return implementation.build_classifier(settings.preset, image_size=settings.image_size, seed=settings.seed)


def _training(implementation: Implementation, model: Model, settings: Settings, learning_rate: float) -> Work:
    images, labels = settings.batch
    state = [model]

    def run() -> object:
        state[0], logs = implementation.train_step(state[0], images, labels, learning_rate=learning_rate)
        return logs

    return Work(run, len(images))
