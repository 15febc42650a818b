"""Tests of operators that the package onnx brings along hold for the oracles, the ports and the reference.

Each is a model of one node with inputs and the outputs that ONNX defines. The contract can express those of float32
whose windows are where valid or same padding has them. Their data come from the installed package.
"""

import importlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spec_tests.oracles import windows as oracle

onnx = pytest.importorskip("onnx", reason="onnx is not installed")

Array = NDArray[Any]
EXPRESSED = {  # {operator: how many of its tests the contract can express, of onnx 1.23; of later ones no fewer}
    "AveragePool": 8,  # without a third dimension, dilation, counted padding, the odd zero at the top or left
    "Conv": 5,  # without padding of one axis alone
    "Gemm": 10,  # without a bias for each row
    "GlobalAveragePool": 2,
    "MatMul": 1,  # of two matrices
    "MaxPool": 11,  # without a third dimension, dilation, integers, the odd pixel at the top or left
}
IMPLEMENTATIONS = {  # {module: what it needs}
    "fixtures.implementations.numpy_port": "numpy",
    "fixtures.implementations.torch_port": "torch",
    "fixtures.implementations.jax_port": "optax",
    "reference": "keras",
}
ORACLES = SimpleNamespace(
    conv2d=lambda images, kernel, bias, **options: (
        oracle.conv2d(images, kernel, **options) + (0 if bias is None else bias)
    ),
    max_pooling2d=lambda images, pool_size, **options: oracle.max_pooling2d(images, pool_size, **options),
    average_pooling2d=lambda images, pool_size, **options: oracle.average_pooling2d(images, pool_size, **options),
    global_average_pooling2d=lambda images: oracle.average_pooling2d(images, images.shape[1:3], oracle.ONE)[:, 0, 0],
    dense=lambda features, kernel, bias: oracle.dense(features, kernel, np.zeros(1) if bias is None else bias),
)


@dataclass(frozen=True)
class Call:
    """A call of the contract, and what a test of onnx expects of it."""

    function: str
    arguments: tuple[Array | None, ...]
    expected: Array
    options: dict[str, Any] = field(default_factory=dict)


Expressing = Callable[[dict[str, Any], list[Array], Array], Call | None]


def _conv(named: dict[str, Any], inputs: list[Array], expected: Array) -> Call | None:
    images, kernel, bias = _last(inputs[0]), inputs[1].transpose(2, 3, 1, 0), inputs[2] if inputs[2:] else None
    options = _options(named, images, _last(expected)) if named.get("group", 1) == 1 else None
    if options is None:
        return None
    del options["pool_size"]  # which is that of the kernel
    return Call("conv2d", (images, kernel, bias), _last(expected), options)


def _pooling(function: str) -> Expressing:
    def express(named: dict[str, Any], inputs: list[Array], expected: Array) -> Call | None:
        if inputs[0].ndim == 5:
            return None
        images, outputs = _last(inputs[0]), _last(expected)
        options = _options(named, images, outputs)
        counted = named.get("count_include_pad") and options and options["padding"] == "same"
        return None if options is None or counted else Call(function, (images,), outputs, options)

    return express


def _global(named: dict[str, Any], inputs: list[Array], expected: Array) -> Call:
    return Call("global_average_pooling2d", (_last(inputs[0]),), expected[:, :, 0, 0])


def _dense(named: dict[str, Any], inputs: list[Array], expected: Array) -> Call | None:
    """Of Gemm, or of MatMul, which is one without attributes; a bias in any shape that means one value a unit."""
    a, b, *rest = inputs
    if a.ndim != 2 or b.ndim != 2 or (rest and rest[0].ndim == 2 and len(rest[0]) > 1):
        return None
    features, kernel = a.T if named.get("transA") else a, b.T if named.get("transB") else b
    factor, share = np.float32(named.get("alpha", 1)), np.float32(named.get("beta", 1))
    bias = share * np.broadcast_to(rest[0].ravel(), expected.shape[1:]) if rest else None
    return Call("dense", (factor * features, kernel, bias), expected)


EXPRESSING: dict[str, Expressing] = {
    "AveragePool": _pooling("average_pooling2d"),
    "Conv": _conv,
    "Gemm": _dense,
    "GlobalAveragePool": _global,
    "MatMul": _dense,
    "MaxPool": _pooling("max_pooling2d"),
}


def _last(images: Array) -> Array:
    """Images with their channels last; a line becomes an image of one row."""
    return np.moveaxis(images if images.ndim == 4 else images[:, :, None], 1, -1)


def _options(named: dict[str, Any], images: Array, outputs: Array) -> dict[str, Any] | None:
    """Size, strides and padding, if windows begin where one of the contract's paddings has them, and are as many."""
    if set(named.get("dilations", ())) - {1}:
        return None
    axes = len(named["kernel_shape"])
    size, strides = ((1,) * (2 - axes) + tuple(named.get(key, (1,) * axes)) for key in ("kernel_shape", "strides"))
    numbers = list(zip(images.shape[1:3], size, strides, strict=True))
    same, auto = [oracle.same_padding(*each) for each in numbers], named.get("auto_pad", b"NOTSET")
    automatic = {b"SAME_UPPER": [first for first, _ in same], b"SAME_LOWER": [second for _, second in same]}
    begins = automatic.get(auto, [0] * (2 - axes) + list(named.get("pads", (0,) * axes))[:axes])
    paddings: dict[oracle.Padding, list[int]] = {"valid": [0, 0], "same": [first for first, _ in same]}
    for padding, firsts in paddings.items():
        sides = tuple(oracle.output_side(*each, padding=padding) for each in numbers)
        if begins == firsts and sides == outputs.shape[1:3]:
            return {"pool_size": size, "strides": strides, "padding": padding}
    return None


@cache
def _nodes() -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other operators' tests overflow on purpose
        loaded = importlib.import_module("onnx.backend.test.loader").load_model_tests(kind="node")
    return [test for test in loaded if len(test.model.graph.node) == 1]


def expressed(operator: str) -> list[tuple[Any, Call]]:
    """Each test of an operator that the contract can express, as a call."""
    found = []
    for test in _nodes():
        [node], (inputs, outputs) = test.model.graph.node, test.data_sets[0]
        if node.op_type == operator and {array.dtype for array in inputs} == {np.dtype(np.float32)}:
            named = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
            if call := EXPRESSING[operator](named, inputs, outputs[0]):
                found.append((test, call))
    return found


@pytest.mark.parametrize("operator", EXPRESSED)
@pytest.mark.parametrize("name", ["oracles", *IMPLEMENTATIONS])
def test_what_onnx_expects_of_an_operator_holds(name: str, operator: str) -> None:
    if name != "oracles":
        pytest.importorskip(IMPLEMENTATIONS[name], reason=f"{IMPLEMENTATIONS[name]} is not installed")
    implementation = ORACLES if name == "oracles" else importlib.import_module(name)
    found = expressed(operator)
    assert len(found) >= EXPRESSED[operator], [test.name for test, _ in found]
    for test, call in found:
        got = getattr(implementation, call.function)(*call.arguments, **call.options)
        assert got.shape == call.expected.shape, test.name
        np.testing.assert_allclose(got, call.expected, test.rtol, test.atol, err_msg=test.name)
