"""Models of the reference, built again of other layers with the same weights."""

import importlib
from pathlib import Path
from typing import Any

import keras

from .. import classifier
from ..base import DEFAULT_PRESET
from ..freezing import freeze_base
from ..loading import IMAGE_SIZE
from ..training import compile_classifier


def build_classifier(
    preset: Path | str = DEFAULT_PRESET, *, image_size: tuple[int, int] = IMAGE_SIZE, seed: int = 0
) -> Any:
    """What ``reference.classifier.build_classifier`` builds."""
    return freeze_base(_faster(classifier.build_classifier(preset, image_size=image_size, seed=seed)))


def build_convnet(*, image_size: tuple[int, int] = IMAGE_SIZE, dropout: float = 0.0, seed: int = 0) -> Any:
    """What ``reference.classifier.build_convnet`` builds."""
    return compile_classifier(_faster(classifier.build_convnet(image_size=image_size, dropout=dropout, seed=seed)))


def _faster(model: Any) -> Any:
    if keras.backend.backend() == "tensorflow":
        return model
    layers = importlib.import_module(f".on_{keras.backend.backend()}", __package__)
    faster = layers.rebuilt(model)
    faster.set_weights(model.get_weights())
    return faster
