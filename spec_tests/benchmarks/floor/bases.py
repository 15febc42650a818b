"""The pretrained bases, read without Keras: an Xception from a preset folder, or a MobileNetV2 from a .keras file."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import h5py

from ...adapter.contract import Array
from ...cases.presets import read_preset
from ...oracles.xception import Xception, normalisation_of
from ...support.texts import Told
from .networks import Base, Operations, Tensor, Tensors

STATISTICS = ("gamma", "beta", "moving_mean", "moving_variance")
# For each kind of layer with arrays: its name in Keras's file of weights, and its arrays in their order there.
KINDS = {
    "Conv2D": ("conv2d", ("kernel",)),
    "DepthwiseConv2D": ("depthwise_conv2d", ("depthwise_kernel",)),
    "BatchNormalization": ("batch_normalization", STATISTICS),
}
TOP_LAYERS = 4
# MobileNetV2: the strides of its blocks; block 0 has no expansion.
STRIDES = (1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1)


class UnreadableBase(Told):
    """A file holds no base that the floor supports."""


def read_base(preset: Path) -> Base:
    """The base in a folder or a file; raises UnreadablePreset or UnreadableBase, with one line, if there is none."""
    return _mobilenet(preset) if preset.suffix == ".keras" else _xception(preset)


def _xception(folder: Path) -> Base:
    preset = read_preset(folder)
    config = preset.config
    feature_map = partial(_xception_map, config)
    return Base(preset.arrays, feature_map, config.filters[-1][-1], frozenset(config.top_kernels()))


def _xception_map(config: Xception, operations: Operations, tensors: Tensors, x: Tensor) -> Tensor:
    for block, filters in enumerate(config.filters, start=1):
        first, inner, entered = block == 1, 1 < block < len(config.filters), x
        for index in range(1, len(filters) + 1):
            name = f"block{block}_{'conv' if first else 'sepconv'}{index}"
            x = operations.relu(x) if inner and (block, index) != (2, 1) else x
            if first:
                x = operations.convolution(x, tensors[f"{name}/kernel"], None, 2 if index == 1 else 1, "valid")
            else:
                x = operations.depthwise(x, tensors[f"{name}/depthwise_kernel"], 1, "same")
                x = operations.convolution(x, tensors[f"{name}/pointwise_kernel"], None, 1, "valid")
            x = _normalised(operations, tensors, f"{name}_bn", x)
            x = x if inner else operations.relu(x)
        x = operations.pooled(x) if config.pooling[block - 1] else x
        x = x + _shortcut(operations, tensors, f"block{block}_residual_conv", entered) if inner else x
    return x


def _shortcut(operations: Operations, tensors: Tensors, name: str, x: Tensor) -> Tensor:
    if f"{name}/kernel" not in tensors:
        return x
    x = operations.convolution(x, tensors[f"{name}/kernel"], None, 2, "valid")
    return _normalised(operations, tensors, normalisation_of(name), x)


def _normalised(operations: Operations, tensors: Tensors, name: str, x: Tensor) -> Tensor:
    return operations.normalised(x, *(tensors[f"{name}/{statistic}"] for statistic in STATISTICS))


def _mobilenet(file: Path) -> Base:
    """A MobileNetV2 of any width; raises UnreadableBase unless its layers are those of ``keras.applications``."""
    try:
        with zipfile.ZipFile(file) as archive:
            layers = [_Layer(described) for described in json.loads(archive.read("config.json"))["config"]["layers"]]
            with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
                arrays = _read_arrays(layers, weights)
    except (OSError, LookupError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise UnreadableBase(f"{file} cannot be read ({error!r}): name a preset folder or a MobileNetV2") from error
    if {name.partition("/")[0] for name in arrays} != set(_mobilenet_layers()):
        raise UnreadableBase(f"{file} holds no MobileNetV2 without its top: name one or a preset folder")
    trained = {layer.name for layer in layers[-TOP_LAYERS:] if layer.kind != "BatchNormalization"}
    pads = {layer.name: layer.pads for layer in layers if layer.kind == "ZeroPadding2D"}
    top = frozenset(name for name in arrays if name.partition("/")[0] in trained)
    return Base(arrays, partial(_mobilenet_map, pads), arrays["Conv_1/kernel"].shape[-1], top)


class _Layer:
    """A layer's description in config.json."""

    def __init__(self, described: dict[str, Any]) -> None:
        self.kind, self.name = str(described["class_name"]), str(described["config"]["name"])
        self.config = described["config"]

    @property
    def pads(self) -> tuple[int, ...]:
        """The zeros of a ZeroPadding2D above, below, left and right, which depend on whether the side is odd."""
        return tuple(pad for pair in self.config["padding"] for pad in pair)


def _read_arrays(layers: list[_Layer], weights: h5py.File) -> dict[str, Array]:
    """{layer/array: values}. Keras numbers the layers of each kind in a file of weights."""
    arrays, seen = dict[str, Array](), Counter[str]()
    for layer in layers:
        if layer.kind in KINDS:
            group, names = KINDS[layer.kind]
            number = f"_{seen[group]}" if seen[group] else ""
            for index, name in enumerate(names):
                arrays[f"{layer.name}/{name}"] = weights[f"layers/{group}{number}/vars/{index}"][()]
            seen[group] += 1
    return arrays


def _mobilenet_layers() -> Iterator[str]:
    """The names of the layers that have arrays."""
    yield from ("Conv1", "bn_Conv1")
    for block in range(len(STRIDES)):
        for part in ("expand", "depthwise", "project") if block else ("depthwise", "project"):
            yield from (f"{_prefix(block)}_{part}", f"{_prefix(block)}_{part}_BN")
    yield from ("Conv_1", "Conv_1_bn")


def _mobilenet_map(pads: dict[str, tuple[int, ...]], operations: Operations, tensors: Tensors, x: Tensor) -> Tensor:
    def mixed(x: Tensor, name: str, normalisation: str) -> Tensor:
        x = operations.convolution(x, tensors[f"{name}/kernel"], None, 1, "valid")
        return _normalised(operations, tensors, normalisation, x)

    x = operations.convolution(x, tensors["Conv1/kernel"], None, 2, "same")
    x = operations.relu6(_normalised(operations, tensors, "bn_Conv1", x))
    for block, stride in enumerate(STRIDES):
        name, entered = _prefix(block), x
        x = operations.relu6(mixed(x, f"{name}_expand", f"{name}_expand_BN")) if block else x
        x = operations.padded(x, *pads[f"{name}_pad"]) if stride == 2 else x
        x = operations.depthwise(
            x, tensors[f"{name}_depthwise/depthwise_kernel"], stride, "same" if stride == 1 else "valid"
        )
        x = operations.relu6(_normalised(operations, tensors, f"{name}_depthwise_BN", x))
        x = mixed(x, f"{name}_project", f"{name}_project_BN")
        x = x + entered if stride == 1 and x.shape == entered.shape else x
    return operations.relu6(mixed(x, "Conv_1", "Conv_1_bn"))


def _prefix(block: int) -> str:
    return f"block_{block}" if block else "expanded_conv"
