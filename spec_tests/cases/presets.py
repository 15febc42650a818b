"""Presets of small Xceptions, written without a framework: keras-hub's format, and the weights as plain arrays."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ..oracles.normalization import EPSILON, moments
from ..oracles.xception import Array, Arrays, Xception, feature_map
from ..support.texts import Told

CLASS_NAME = "XceptionBackbone"
KERAS_NAMES = {"conv": "conv2d", "residual_conv": "conv2d", "sepconv": "separable_conv2d"}
CALIBRATION_IMAGES = (4, 40, 44, 3)


@dataclass(frozen=True)
class Preset:
    """A preset folder, and its content."""

    folder: Path
    config: Xception
    arrays: Arrays


class UnreadablePreset(Told):
    """A folder holds no preset that can be read."""


def read_preset(folder: Path) -> Preset:
    """Read the preset of an Xception; UnreadablePreset if there is none or its arrays do not fit its config.json."""
    config, file = read_xception(folder), folder / "model.safetensors"
    if config is None:
        raise UnreadablePreset(f"{folder} holds no Xception: name another preset")
    try:
        arrays = load_file(file)
    except (OSError, ValueError, SafetensorError) as error:
        raise UnreadablePreset(f"{file} cannot be read ({error}): name another preset") from error
    shapes = {name: array.shape for name, array in arrays.items()}
    if shapes != config.shapes() or any(array.dtype != np.float32 for array in arrays.values()):
        raise UnreadablePreset(f"the arrays of {file} are not those of its config.json: name another preset")
    return Preset(folder, config, arrays)


def read_xception(preset: Path) -> Xception | None:
    """The architecture in config.json; None for a base of another kind.

    UnreadablePreset if the preset does not exist, or if its config.json is damaged.
    """
    if not preset.is_dir():
        if os.path.exists(preset):  # noqa: PTH110 - Path.exists raises for a name that is too long
            return None
        raise UnreadablePreset(f"{preset} does not exist: name a preset folder or another file of a base")
    file = preset / "config.json"
    if not file.is_file():
        return None
    try:
        described = json.loads(file.read_text(encoding="utf-8"))
        if described["class_name"] != CLASS_NAME:
            return None
        filters, pooling = (described["config"][name] for name in ("stackwise_conv_filters", "stackwise_pooling"))
        config = Xception(tuple(map(tuple, filters)), tuple(pooling))
    except (OSError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise UnreadablePreset(f"{file} describes no base ({error!r}): name another preset") from error
    units = [units for block in config.filters for units in block]
    sound = all(type(number) is int and number > 0 for number in units) and all(config.filters)
    if not sound or not config.filters or [*map(type, config.pooling)] != [bool] * len(config.filters):
        raise UnreadablePreset(f"{file} describes no Xception: name another preset")
    return config


def write_preset(folder: Path, config: Xception, arrays: Arrays) -> Preset:
    """Write a preset with these arrays, which need not fit the configuration."""
    import h5py  # only needed to write a preset

    folder.mkdir(parents=True)
    backbone = {
        "stackwise_conv_filters": config.filters,
        "stackwise_pooling": config.pooling,
        "image_shape": (None, None, 3),
    }
    converter = {"image_size": (180, 180), "scale": 1 / 127.5, "offset": -1.0, "interpolation": "bilinear"}
    _write_config(folder / "config.json", CLASS_NAME, "xception_backbone", backbone)
    _write_config(folder / "image_converter.json", "XceptionImageConverter", "xception_image_converter", converter)
    metadata = {"keras_version": "3.15.1", "parameter_count": sum(a.size for a in arrays.values()), "tasks": []}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    save_file(arrays, folder / "model.safetensors")
    with h5py.File(folder / "model.weights.h5", "w") as file:
        for name, values in zip(_h5_names(arrays), arrays.values(), strict=True):
            file[name] = values
    return Preset(folder, config, arrays)


def random_arrays(config: Xception, seed: int) -> Arrays:
    """Random weights whose features have a spread near 1: normalisations hold the statistics of random images."""
    rng = np.random.default_rng(seed)
    arrays = {name: _random_array(rng, name, shape) for name, shape in config.shapes().items()}

    def calibrate(name: str, x: Array) -> Array:
        mean, variance = moments(x)
        arrays[f"{name}/moving_mean"], arrays[f"{name}/moving_variance"] = (
            mean.astype(np.float32),
            variance.astype(np.float32),
        )
        return (x - mean) / np.sqrt(variance + EPSILON) * arrays[f"{name}/gamma"] + arrays[f"{name}/beta"]

    feature_map(config, arrays, rng.uniform(-1, 1, CALIBRATION_IMAGES), calibrate)
    return arrays


def _random_array(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if len(shape) == 1:
        values = rng.uniform(0.5, 1.5, shape) if name.endswith("gamma") else rng.normal(0, 0.2, shape)
    else:
        inputs = shape[0] * shape[1] * (1 if name.endswith("depthwise_kernel") else shape[2])
        values = rng.normal(0, np.sqrt(2 / inputs), shape)
    return values.astype(np.float32)


def _h5_names(arrays: Arrays) -> list[str]:
    """Keras's paths of the arrays: layers of one kind are numbered, and so are the arrays of a layer."""
    numbers: dict[str, dict[str, int]] = {}
    names, places = [], {"beta": 1, "moving_mean": 2, "moving_variance": 3, "pointwise_kernel": 1}
    for name in arrays:
        layer, _, array = name.partition("/")
        kind = (
            "batch_normalization" if layer.endswith("_bn") else KERAS_NAMES[layer.split("_", 1)[1].rstrip("0123456789")]
        )
        number = numbers.setdefault(kind, {}).setdefault(layer, len(numbers[kind]))
        names.append(f"layers/{kind}{f'_{number}' if number else ''}/vars/{places.get(array, 0)}")
    return names


def _write_config(file: Path, class_name: str, name: str, config: dict[str, Any]) -> None:
    described = {
        "module": f"keras_hub.src.models.xception.{name}",
        "class_name": class_name,
        "config": {"name": name, "trainable": True, "dtype": "float32"} | config,
        "registered_name": f"keras_hub>{class_name}",
    }
    file.write_text(json.dumps(described))
