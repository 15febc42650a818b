"""Models of the reference, built from other layers with the same weights."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import keras

from .. import classifier, training
from ..freezing import freeze_base
from ..loading import IMAGE_SIZE
from ..presets import DEFAULT_PRESET


def build_classifier(
    preset: Path | str = DEFAULT_PRESET, *, image_size: tuple[int, int] = IMAGE_SIZE, seed: int = 0
) -> Any:
    """The result of ``reference.classifier.build_classifier`` with fast layers."""
    return freeze_base(_faster(classifier.build_classifier(preset, image_size=image_size, seed=seed)))


def build_convnet(*, image_size: tuple[int, int] = IMAGE_SIZE, dropout: float = 0.0, seed: int = 0) -> Any:
    """The result of ``reference.classifier.build_convnet`` with fast layers."""
    model = classifier.build_convnet(image_size=image_size, dropout=dropout, seed=seed)
    return training.compile_classifier(_faster(model))


def load(path: Path) -> Any:
    """The result of ``reference.training.load``, also for models with these layers."""
    _layers()  # Keras only knows imported classes
    return training.load(path)


def _faster(model: Any) -> Any:
    layers = _layers()
    if layers is None:
        return model
    faster = layers.rebuilt(model)
    faster.set_weights(model.get_weights())
    return faster


def _layers() -> ModuleType | None:
    """The fast layers of the backend; None if Keras's layers are fast."""
    name = keras.backend.backend()
    return None if name == "tensorflow" else importlib.import_module(f".on_{name}", __package__)
