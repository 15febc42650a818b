"""Stage 6: the pretrained convolutional base and its preprocessing (notes, code 6).

A base comes from a keras-hub preset (a name, a ``kaggle://`` or ``hf://`` handle, a local folder)
or from any saved ``.keras`` model that maps images in [-1, 1] to a feature map.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import keras
import keras_hub
import numpy as np
from keras import layers

from .errors import PipelineError, explained
from .layers import Array
from .presets import ADVICE, DEFAULT_PRESET, find_base, is_handle, is_path
from .weights import WEIGHTS, refuse_misfit

BASE = "base"  # the base's name in every model that holds one
NETWORK = "check the network and Kaggle credentials, or "
SCALE, OFFSET = 1 / 127.5, -1.0  # grey levels 0..255 to -1..1


def load_base(preset: Path | str = DEFAULT_PRESET, *, weights: bool = True, seed: int = 0) -> Any:
    """The base as a plain Functional model, (n, height, width, 3) to (n, h, w, channels).

    With ``weights=False`` it has the preset's architecture, and random weights drawn with ``seed``. Raises
    PipelineError if the preset is not available or its weights do not fit its architecture.
    """
    keras.utils.set_random_seed(seed)
    found = find_preset(preset)
    with _loading(found):
        if found.endswith(".keras"):
            source = keras.models.load_model(found, compile=False)
            refuse_misfit(Path(found), source)
            source = source if weights else keras.models.clone_model(source)
        else:
            source = keras_hub.models.Backbone.from_preset(found, load_weights=weights)
            if Path(found, WEIGHTS).is_file():
                refuse_misfit(Path(found), source)
    if len(source.output_shape) != 4:
        raise PipelineError(f"{preset} gives {source.output_shape}, not a feature map: name a base without its top")
    # After saving and loading, a keras-hub backbone forgets which of its layers are frozen. A plain
    # model of the same layers keeps this.
    return keras.Model(source.input, source.output, name=BASE)


def load_preprocessor(preset: Path | str = DEFAULT_PRESET, *, image_size: tuple[int, int]) -> Any:
    """The layer that converts images in [0, 255] of any size to the base's input."""
    if str(preset).endswith(".keras"):
        return layers.Rescaling(SCALE, OFFSET, name="preprocessor")
    found = find_preset(preset)
    with _loading(found):
        return keras_hub.layers.ImageConverter.from_preset(found, image_size=image_size)


def find_preset(preset: Path | str) -> str:
    """The result of ``find_base``; also raises PipelineError for an unknown name of a keras-hub preset."""
    found = find_base(str(preset))
    if not (is_handle(found) or is_path(found) or found in keras_hub.models.Backbone.presets):
        raise PipelineError(f"the base {found!r} cannot be loaded (keras-hub has no preset of this name): {ADVICE}")
    return found


def _loading(found: str) -> AbstractContextManager[None]:
    """Convert errors of loading to PipelineError. A local file needs no network."""
    return explained(f"the base {found!r} cannot be loaded", ADVICE if is_path(found) else NETWORK + ADVICE)


def preprocess(images: Array, *, image_size: tuple[int, int]) -> Array:
    """Images (n, height, width, 3) in [0, 255] as float32 (n, *image_size, 3) in [-1, 1]."""
    converter = keras_hub.layers.XceptionImageConverter(image_size=image_size, scale=SCALE, offset=OFFSET)
    return np.asarray(keras.ops.convert_to_numpy(converter(images)), dtype=np.float32)


def calibrate(base: Any, images: Any) -> None:
    """Set the moving statistics of a random base to those of preprocessed images.

    A randomly initialised Xception shrinks its signal at every layer and maps every image to
    nearly the same features, which says nothing about random features. Normalised with real
    activations, they have a spread near 1.
    """
    momenta = {layer: layer.momentum for layer in base.layers if isinstance(layer, layers.BatchNormalization)}
    for layer in momenta:
        layer.momentum = 0.0  # moving statistics := statistics of this batch
    base(images, training=True)
    for layer, momentum in momenta.items():
        layer.momentum = momentum
