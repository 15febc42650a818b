"""The kit for ONNX: functions of the contract from one that runs a graph, ``run(model, inputs)``.

``model`` is a serialised ModelProto with one operator, or two, and its weights; ``inputs`` is {"x": array}; it returns
the list of the outputs. onnxruntime, OpenVINO or ``onnx.reference`` are a few lines each. Padding is left to the
operator, as auto_pad; what onnxruntime, OpenVINO or OpenCV says it has not becomes Unsupported.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import signatures
from .signatures import EPSILON, MOMENTUM, Array, Function, Normalized, Pair

try:
    from onnx import TensorProto, helper, numpy_helper
except ModuleNotFoundError as error:
    raise signatures.missing(__name__, "onnx") from error

OPSET, IR_VERSION = 17, 8  # of 2022, so that runtimes of some age run them; no operator here has changed since in sense
AUTO_PAD = {"valid": "VALID", "same": "SAME_UPPER"}
REFUSED = {
    "Dilation not supported for AutoPadType": "onnxruntime has no same padding with dilation",
    "Training mode is not supported for Dropout op": "OpenVINO has dropout for inference alone",
    "outShapes.size() == outTypes.size()": "OpenCV has batch normalisation for inference alone",
}
DEPTHWISE, POINTWISE = (2, 3, 0, 1), (3, 2, 0, 1)  # the axes of a kernel (height, width, in, out) in ONNX's order
Run = Callable[[bytes, dict[str, Array]], Sequence[Array]]


def conv2d(run: Run) -> Function:
    """Of Conv, with auto_pad."""

    def call(images: Array, kernel: Array, bias: Array | None, strides: Pair, padding: str, dilation: Pair) -> Array:
        weights = {"w": kernel.transpose(POINTWISE)} | ({} if bias is None else {"b": bias})
        node = _node("Conv", *weights, strides=strides, dilations=dilation, auto_pad=AUTO_PAD[padding])
        return _last(_outputs(run, _first(images), weights, node)[0])

    return signatures.conv2d(call)


def separable_conv2d(run: Run) -> Function:
    """Of two Conv, the first with a group for each channel."""

    def call(images: Array, depthwise_kernel: Array, kernel: Array, strides: Pair, padding: str) -> Array:
        weights = {"d": depthwise_kernel.transpose(DEPTHWISE), "w": kernel.transpose(POINTWISE)}
        options = {"strides": strides, "auto_pad": AUTO_PAD[padding], "group": len(weights["d"])}
        nodes = (_node("Conv", "d", output="between", **options), helper.make_node("Conv", ["between", "w"], ["y"]))
        return _last(_outputs(run, _first(images), weights, *nodes)[0])

    return signatures.separable_conv2d(call)


def max_pooling2d(run: Run) -> Function:
    """Of MaxPool."""
    return _pooling("MaxPool", run)


def average_pooling2d(run: Run) -> Function:
    """Of AveragePool, which does not count padding."""
    return _pooling("AveragePool", run)


def global_average_pooling2d(run: Run) -> Function:
    """Of GlobalAveragePool."""

    def call(images: Array) -> Array:
        return _outputs(run, _first(images), {}, _node("GlobalAveragePool"))[0][:, :, 0, 0]

    return signatures.global_average_pooling2d(call)


def dense(run: Run) -> Function:
    """Of Gemm."""

    def call(features: Array, kernel: Array, bias: Array | None) -> Array:
        weights = {"w": kernel} | ({} if bias is None else {"b": bias})
        return _outputs(run, features, weights, _node("Gemm", *weights))[0]

    return signatures.dense(call)


def batch_normalization(run: Run) -> Function:
    """Of BatchNormalization. It has no frozen layers; its momentum is the share of the old, as in the contract."""

    def call(inputs: Array, variables: tuple[Array, ...], training: bool, trainable: bool) -> Normalized:
        if training and not trainable:
            raise signatures.frozen_alone("ONNX")
        weights = dict(zip(("gamma", "beta", "mean", "variance"), variables, strict=True))
        x = inputs if inputs.ndim == 2 else _first(inputs)
        node = _node("BatchNormalization", *weights, epsilon=EPSILON, momentum=MOMENTUM, training_mode=int(training))
        if training:
            node.output.extend(["new_mean", "new_variance"])
        outputs, *moved = _outputs(run, x, weights, node)
        mean, variance = moved or variables[2:]
        return outputs if inputs.ndim == 2 else _last(outputs), mean, variance

    return signatures.batch_normalization(call)


def dropout(run: Run) -> Function:
    """A Dropout node with a new seed."""

    def call(inputs: Array, rate: float, seed: int, training: bool) -> Array:
        weights = {"rate": np.array(rate, np.float32), "training": np.array(training)}
        return _outputs(run, inputs, weights, _node("Dropout", *weights, seed=seed))[0]

    return signatures.dropout(call)


def _pooling(operator: str, run: Run) -> Function:
    def call(images: Array, size: Pair, strides: Pair, padding: str) -> Array:
        node = _node(operator, kernel_shape=size, strides=strides, auto_pad=AUTO_PAD[padding])
        return _last(_outputs(run, _first(images), {}, node)[0])

    return signatures.pooling2d(call)


def _node(operator: str, *weights: str, output: str = "y", **attributes: Any) -> Any:
    """A node of x and these weights."""
    return helper.make_node(operator, ["x", *weights], [output], **attributes)


def _outputs(run: Run, x: Array, weights: dict[str, Array], *nodes: Any) -> Sequence[Array]:
    """The outputs of the nodes in a separate graph; the outputs of the graph are those of the last node."""
    held = [numpy_helper.from_array(_typed(array), name) for name, array in weights.items()]
    entering = helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)
    ranks = [x.ndim, 1, 1]  # of a layer's values, and of the statistics that move
    leaving = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank)
        for name, rank in zip(nodes[-1].output, ranks, strict=False)
    ]
    graph = helper.make_graph(nodes, "convspec", [entering], leaving, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    try:
        return run(model.SerializeToString(), {"x": _typed(x)})
    except Exception as error:
        signatures.raise_unsupported(error, REFUSED)
        raise


def _typed(array: Array) -> Array:
    """A copy in C's order and the graph's own type, float32; what is true or false stays so."""
    return np.array(array, None if array.dtype == bool else np.float32, order="C")


def _first(images: Array) -> Array:
    return images.transpose(0, 3, 1, 2)


def _last(images: Array) -> Array:
    return np.array(images.transpose(0, 2, 3, 1), order="C")
