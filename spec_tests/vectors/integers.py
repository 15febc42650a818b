"""Vectors of whole numbers: sides, zeros, weights, variables, ranges. All are exact."""

import math
from typing import Any

from ..cases.models import SMALL, UNITS
from ..oracles.windows import Padding, output_side, same_padding, span
from ..oracles.xception import XCEPTION_41, Xception, count, is_kernel
from .topic import Topic

SPLIT = {"train": [0, 1000], "validation": [1000, 1500], "test": [1500, 2500]}  # SUB-6

VALID = {  # side, kernel, stride, dilation
    "PAD-1/6": (5, 3, 1, 1),
    "PAD-1/7": (6, 3, 2, 1),
    "PAD-1/8": (7, 3, 2, 1),
    "PAD-1/9": (7, 3, 1, 3),
    "PAD-1/10": (8, 2, 3, 1),
    "PAD-1/11": (1, 1, 2, 1),
    "PAD-1/12": (10, 4, 4, 2),
    "POOL-1/4": (7, 2, 2, 1),
    "POOL-1/5": (8, 2, 2, 1),
    "BASE-2/2": (180, 3, 2, 1),
}
MISFITS = {"PAD-6/5": (2, 3, 1, 1), "PAD-6/6": (4, 3, 1, 2), "PAD-6/7": (3, 4, 4, 1)}
SAME = {
    "PAD-2/3": (5, 3, 1, 1),
    "PAD-2/4": (4, 2, 1, 1),
    "PAD-2/5": (2, 7, 1, 1),
    "PAD-2/6": (6, 3, 1, 2),
    "PAD-3/2": (7, 3, 3, 1),
    "PAD-3/3": (4, 1, 3, 1),
    "PAD-3/4": (1, 5, 2, 1),
    "STRIDE-2/4": (7, 3, 2, 1),
    "STRIDE-2/5": (8, 3, 2, 1),
    "STRIDE-2/6": (1, 2, 2, 1),
}
ZEROS = {
    "PAD-4/10": (4, 2, 1, 1),
    "PAD-4/11": (4, 3, 2, 1),
    "PAD-4/12": (5, 3, 2, 1),
    "PAD-4/13": (6, 4, 2, 1),
    "PAD-4/14": (8, 3, 1, 2),
    "PAD-4/15": (5, 2, 1, 3),
    "PAD-4/16": (4, 1, 2, 1),
    "PAD-4/17": (1, 5, 3, 1),
}


def sides() -> Topic:
    """The vectors of PAD, POOL-1 and STRIDE-2: sizes along one axis."""
    topic = Topic("output_sides", "Sides of outputs, and the zeros of same padding before and after, of one axis.")
    padding: Padding
    for padding, table in (("valid", VALID), ("same", SAME)):
        for key, axis in table.items():
            parameters = _axis(*axis) | {"padding": padding}
            expected = {"side": output_side(*axis, padding)}
            topic.add(key, "output_side", _told(*axis), parameters=parameters, expected=expected)
    for key, axis in MISFITS.items():
        side, kernel, _, dilation = axis
        parameters, mentions = _axis(*axis) | {"padding": "valid"}, (span(kernel, dilation), side)
        note = f"{_told(*axis)} does not fit"
        topic.refuse(key, "output_side", note, parameters=parameters, mentions=mentions, also=("PAD-7",))
    for key, axis in ZEROS.items():
        expected = dict(zip(("before", "after"), same_padding(*axis), strict=True))
        topic.add(key, "same_padding", _told(*axis), parameters=_axis(*axis), expected=expected)
    return topic


def _axis(side: int, kernel: int, stride: int, dilation: int) -> dict[str, Any]:
    return {"side": side, "kernel": kernel, "stride": stride, "dilation": dilation}


def _told(side: int, kernel: int, stride: int, dilation: int) -> str:
    return f"a kernel of {kernel}, dilated by {dilation}, every {stride} of {side} pixels"


def counts() -> Topic:
    """The vectors of numbers of weights, and of trained variables."""
    topic = Topic("counts", "Numbers of variables and of weights: of layers, the base, the head, and what is trained.")
    for key, layer, shapes in (
        ("DENSE-4/3", {"layer": "dense", "inputs": 40, "units": 3}, ((40, 3), (3,))),
        ("CONV-5/6", {"layer": "conv2d", "kernel_size": [3, 2], "channels": 4, "filters": 5}, ((3, 2, 4, 5), (5,))),
        (
            "SEP-1/8",
            {"layer": "separable_conv2d", "kernel_size": [3, 2], "channels": 4, "filters": 5},
            ((3, 2, 4, 1), (1, 1, 4, 5)),
        ),
    ):
        expected = {"weights": sum(map(math.prod, shapes))}
        topic.add(key, "layer_weights", f"of a {layer['layer']} layer", parameters=layer, expected=expected)
    for number, (name, config) in enumerate((("xception_41", XCEPTION_41), ("a small Xception", SMALL)), start=1):
        _base(topic, number, name, config)
    return topic


def _base(topic: Topic, number: int, name: str, config: Xception) -> None:
    """Add the cases of a base: BASE-1, BASE-2, HEAD-1, FRZ-1 and TUNE-1."""
    shapes = config.shapes()
    parameters = {"filters": [*map(list, config.filters)], "pooling": [*config.pooling]}
    moving = {array: shape for array, shape in shapes.items() if "/moving_" in array}
    trained = {array: shape for array, shape in shapes.items() if array not in moving}
    expected = _counted("", shapes) | _counted("trainable_", trained) | _counted("moving_", moving)
    topic.add(f"BASE-1/{number}", "count_base", name, parameters=parameters, expected=expected)
    channels = config.filters[-1][-1]
    head = {"kernel": (channels, UNITS), "bias": (UNITS,), "last_kernel": (UNITS, 1), "last_bias": (1,)}
    note = f"on {channels} channels"
    topic.add(
        f"HEAD-1/{2 + number}", "count_head", note, parameters={"channels": channels}, expected=_counted("", head)
    )
    kernels = {array: shape for array, shape in shapes.items() if is_kernel(array)}
    top = {array: shapes[array] for array in config.top_kernels()}
    for key, note, layers, of_base in (
        (f"FRZ-1/{2 * number - 1}", "with a frozen base", 0, {}),
        (f"FRZ-1/{2 * number}", "with every layer unfrozen, batch normalisation excepted", "all", kernels),
        (f"TUNE-1/{number}", "with the last four layers unfrozen, batch normalisation excepted", 4, top),
    ):
        expected = _counted("base_", of_base) | _counted("head_", head)
        chosen = parameters | {"unfrozen_layers": layers}
        topic.add(key, "count_trained", f"{name} {note}", parameters=chosen, expected=expected)
    shape = [config.feature_side(180), config.feature_side(75), channels]
    sized, note = parameters | {"image_size": [180, 75]}, f"{name} at 180 × 75 pixels"
    topic.add(f"BASE-2/{2 + number}", "feature_map_shape", note, parameters=sized, expected={"shape": shape})


def _counted(prefix: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, int]:
    return {f"{prefix}variables": len(shapes), f"{prefix}weights": count(shapes)}


def split() -> Topic:
    """The vectors of SUB-6."""
    topic = Topic("split", "The standard split: the first index of each subset, and the one after its last, a class.")
    topic.add("SUB-6/1", "split", "1,000 / 500 / 1,000 images a class", expected=SPLIT)
    return topic
