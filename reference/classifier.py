"""Stage 7: the classifier on a pretrained base, and the convnet trained from scratch (notes, code 7)."""

from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import keras
from keras import layers

from .base import load_base, load_preprocessor
from .freezing import freeze_base
from .loading import IMAGE_SIZE
from .presets import DEFAULT_PRESET
from .training import compile_classifier

UNITS = 256
DROPOUT = 0.25
CONVNET_FILTERS = (8, 16, 32, 64, 128)
POOLING = "pooling"  # the layer whose output is an image's feature vector

_extractors: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()  # {classifier: its feature extractor}


def build_classifier(
    preset: Path | str = DEFAULT_PRESET, *, image_size: tuple[int, int] = IMAGE_SIZE, seed: int = 0
) -> Any:
    """The compiled classifier with a frozen base: images (n, height, width, 3) in [0, 255] to P(class 1), (n, 1)."""
    return classifier_on(load_base(preset), load_preprocessor(preset, image_size=image_size), image_size, seed)


def classifier_on(base: Any, preprocessor: Any, image_size: tuple[int, int], seed: int) -> Any:
    """Preprocessing, frozen base, global average pooling and the dense head, compiled."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((*image_size, 3))
    x = base(preprocessor(inputs))
    x = layers.GlobalAveragePooling2D(name=POOLING)(x)
    x = layers.Dense(UNITS)(x)
    x = layers.Dropout(DROPOUT, seed=seed)(x)
    outputs = layers.Dense(1, activation="sigmoid")(x)
    return freeze_base(keras.Model(inputs, outputs))


def feature_extractor(model: Any) -> Any:
    """The part of a classifier from images to features (n, channels). It shares the classifier's weights."""
    if model not in _extractors:  # made once, so that it is compiled once
        _extractors[model] = keras.Model(model.input, model.get_layer(POOLING).output)
    return _extractors[model]


def head(model: Any) -> Any:
    """The compiled part of a classifier from features to probabilities. It shares the classifier's weights."""
    return compile_classifier(keras.Model(model.get_layer(POOLING).output, model.output))


def build_convnet(*, image_size: tuple[int, int] = IMAGE_SIZE, dropout: float = 0.0, seed: int = 0) -> Any:
    """The baseline without transfer, trained from scratch: five convolutions with max pooling between them."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((*image_size, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    for filters in CONVNET_FILTERS[:-1]:
        x = layers.Conv2D(filters, 3, activation="relu", kernel_initializer="he_normal")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(CONVNET_FILTERS[-1], 3, activation="relu", kernel_initializer="he_normal")(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(dropout, seed=seed)(x)
    outputs = layers.Dense(1, activation="sigmoid")(x)
    return compile_classifier(keras.Model(inputs, outputs))
