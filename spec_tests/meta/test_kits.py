"""Adapters made with the kits say of a library what one written by hand says, right or wrong."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fixtures import libraries
from fixtures.implementations import numpy_port
from spec_tests import Unsupported
from spec_tests.adapter.expectations import read
from spec_tests.adapter.implementation import Implementation
from spec_tests.adapters import signatures
from spec_tests.cases.windows import Batch, Matrix, Window
from spec_tests.clauses.catalogue import tests as clauses_by_id
from spec_tests.judging.checks import Undecided

FOLDER = Path(libraries.__file__).parent
KITS = {"torch": "torch", "jax": "jax", "keras": "keras", "onnx": "onnx"}  # {kit: the package that it needs}
EXAMPLES = {  # {adapter: (what it needs, the clauses of CASES that do not hold)}
    "torch_nn": ("torch", {"NORM-2", "NORM-3"}),
    "flax_nnx": ("flax", {"CONV-7", "DENSE-5", "PAD-6", "POOL-4", "POOL-8"}),
    "onnx_runtime": ("onnxruntime", {"DENSE-5", "PAD-4", "POOL-8"}),
    "onnx_reference": ("onnx", {"CONV-7", "DENSE-5", "PAD-6", "POOL-8"}),
    "openvino_runtime": ("openvino", {"CONV-7", "DENSE-5"}),
}

EVEN, STRIDED = Window((5, 7), (2, 2), batch=2, channels=3), Window((6, 5), (3, 3), (2, 2), batch=2, channels=2)
BEYOND = Window((8, 10), (1, 2), (4, 5), batch=2)  # strides beyond the kernel
SAME = [replace(case, padding="same") for case in (Window((4, 4), (3, 3)), EVEN, STRIDED, BEYOND)]
DILATED = Window((9, 8), (2, 3), dilation=(3, 2), batch=2)
LARGE = {"large": Window((2, 13), (3, 3)), "dilated": Window((4, 13), (3, 3), dilation=(2, 1))}
BATCHES = [Batch((2, 2, 3, 2)), Batch((5, 4))]
CASES: dict[str, list[dict[str, Any]]] = {  # {clause: what it is tried on}
    "DENSE-1": [{"case": Matrix(2, 3, 4), "biased": biased} for biased in (False, True)],
    "DENSE-5": [{"case": Matrix(2, 3, 4)}],
    "CONV-1": [{"case": case, "biased": True} for case in (EVEN, STRIDED, DILATED)],
    "CONV-7": [{"case": EVEN}],
    "SEP-1": [{"case": case} for case in (EVEN, STRIDED, *SAME[:2])],
    "PAD-2": [{"case": case} for case in SAME[:2]],
    "PAD-4": [{"case": case} for case in SAME],
    "PAD-6": [LARGE],
    "POOL-1": [{"image": (9, 5), "name": name, "seed": 0} for name in ("max_pooling2d", "average_pooling2d")],
    "POOL-3": [{"case": case} for case in (EVEN, STRIDED, *SAME[:2])],
    "POOL-4": [{"case": case} for case in (EVEN, STRIDED, *SAME[:2])],
    "POOL-8": [{"large": LARGE["large"], "name": name} for name in ("max_pooling2d", "average_pooling2d")],
    "GAP-1": [{"case": EVEN}],
    "NORM-1": [{"case": case, "trainable": trainable} for case in BATCHES for trainable in (True, False)],
    "NORM-2": [{"case": case} for case in BATCHES],
    "NORM-3": [{"case": case} for case in BATCHES],
    "DROP-1": [{"case": BATCHES[0], "rate": 0.25}],
    "DROP-3": [{"case": case, "rate": 0.25} for case in BATCHES],
    "DROP-4": [{"case": BATCHES[0], "rate": 0.25}],
    "PURE-1": [{"seed": 3}],
}


def failed(offered: Any) -> set[str]:
    """The clauses that do not hold for an adapter; what it does not offer or support counts for nothing."""
    implementation = Implementation("adapter", offered)
    return {name for name, cases in CASES.items() if any(_fails(name, implementation, case) for case in cases)}


def _fails(name: str, implementation: Implementation, case: dict[str, Any]) -> bool:
    try:
        # What Hypothesis would see of an example that is left out is not needed here.
        clauses_by_id()[name].hypothesis.inner_test.__wrapped__(implementation=implementation, **case)
    except Undecided:
        return False
    except Exception:
        return True
    return False


def kit(name: str) -> Any:
    """The kit of a framework; skipped without it."""
    pytest.importorskip(KITS[name], reason=f"{KITS[name]} is not installed")
    return importlib.import_module(f"spec_tests.adapters.{name}")


def test_the_cases_show_no_fault_of_a_right_implementation() -> None:
    assert failed(numpy_port) == set()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_fails_where_its_library_does(name: str) -> None:
    needed, known = EXAMPLES[name]
    pytest.importorskip(needed, reason=f"{needed} is not installed")
    assert failed(importlib.import_module(f"{libraries.__name__}.{name}")) == known
    assert known <= read(FOLDER / f"{name}.toml").excused.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_takes_twenty_lines(name: str) -> None:
    assert len((FOLDER / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= 20


def test_layers_of_keras_need_nothing_but_their_names() -> None:
    pytest.importorskip("keras", reason="keras is not installed")
    offered = importlib.import_module(f"{libraries.__name__}.keras_layers")
    # TensorFlow takes a window that does not fit, and gives one channel to oneDNN, which errs on some machines.
    assert failed(offered) <= {"PAD-6", "POOL-8", "CONV-1", "PAD-4"}


def test_functions_of_torch_are_taken_as_classes_are() -> None:
    made = kit("torch")
    from torch.nn import functional as F  # noqa: N812 - torch's own name for it

    offered = SimpleNamespace(
        conv2d=made.conv2d(F.conv2d),
        separable_conv2d=made.separable_conv2d(F.conv2d, F.conv2d),
        max_pooling2d=made.max_pooling2d(F.max_pool2d),
        average_pooling2d=made.average_pooling2d(F.avg_pool2d),
        dense=made.dense(F.linear),
        batch_normalization=made.batch_normalization(F.batch_norm),
        dropout=made.dropout(F.dropout),
    )
    assert failed(offered) == {"DENSE-5", "NORM-2"}  # F.linear broadcasts its bias


def test_functions_of_jax_keep_the_contract() -> None:
    made = kit("jax")
    pytest.importorskip("optax", reason="optax, which the port needs, is not installed")
    from fixtures.implementations.jax_port import layers

    def lowered(function: Callable[..., Any], *size: str) -> Callable[..., Any]:
        def call(images: Any, *rest: Any, padding: str, **options: Any) -> Any:
            named = dict(zip(size, rest[-len(size) :] if size else (), strict=True))
            return function(images, *rest[: len(rest) - len(size)], padding=padding.lower(), **named, **options)

        return call

    offered = SimpleNamespace(
        conv2d=made.conv2d(lowered(layers.conv2d)),
        separable_conv2d=made.separable_conv2d(lowered(layers.separable_conv2d)),
        max_pooling2d=made.max_pooling2d(lowered(layers.max_pooling2d, "pool_size")),
        average_pooling2d=made.average_pooling2d(lowered(layers.average_pooling2d, "pool_size")),
        global_average_pooling2d=made.global_average_pooling2d(layers.global_average_pooling2d),
        dense=made.dense(layers.dense),
        batch_normalization=made.batch_normalization(layers.batch_normalization),
        dropout=made.dropout(layers.dropout),
    )
    assert failed(offered) == set()


def test_faults_of_convolution_are_seen_through_the_kit() -> None:
    made = kit("torch")
    import torch
    from torch import nn

    class Centred(nn.Conv2d):  # type: ignore[misc] # torch has no types here
        def __init__(self, *sizes: Any, padding: str, **options: Any) -> None:
            super().__init__(*sizes, padding=1 if padding == "same" else 0, **options)

    def by_hand(
        images: Any, kernel: Any, bias: Any = None, *, strides: Any = 1, padding: str = "valid", dilation_rate: Any = 1
    ) -> Any:
        x, weight = (torch.tensor(a.transpose(order)) for a, order in ((images, (0, 3, 1, 2)), (kernel, (3, 2, 0, 1))))
        offset = None if bias is None else torch.tensor(bias)
        outputs = nn.functional.conv2d(x, weight, offset, strides, int(padding == "same"), dilation_rate)
        return outputs.numpy().transpose(0, 2, 3, 1)

    expected = {"PAD-2", "PAD-4"}
    assert failed(SimpleNamespace(conv2d=made.conv2d(Centred))) == expected
    assert failed(SimpleNamespace(conv2d=by_hand)) - {"PURE-1"} == expected  # torch.tensor takes no reversed views


@pytest.mark.parametrize(
    ("options", "clauses"),
    [({"momentum": 0.99}, {"NORM-2", "NORM-3"}), ({"eps": 1e-5}, {"NORM-1", "NORM-2", "NORM-3"})],
    ids=["momentum", "epsilon"],
)
def test_faults_of_normalisation_are_seen_through_the_kit(options: dict[str, float], clauses: set[str]) -> None:
    made = kit("torch")
    import torch

    def by_hand(inputs: Any, *variables: Any, training: bool, trainable: bool = True) -> Any:
        module = torch.nn.BatchNorm1d(len(variables[0]), **{"momentum": 0.01, "eps": 1e-3} | options)
        module.load_state_dict(
            dict(zip(module.state_dict(), map(torch.tensor, (*variables, 0)), strict=True)) if variables else {}
        )
        module.train(training).requires_grad_(trainable)
        x = torch.tensor(inputs.reshape(-1, inputs.shape[-1]).copy())
        outputs = module(x).detach().numpy().reshape(inputs.shape)
        return outputs, module.running_mean.numpy(), module.running_var.numpy()

    layer = partial(torch.nn.BatchNorm2d, **options)
    assert failed(SimpleNamespace(batch_normalization=made.batch_normalization(layer))) - {"PURE-1"} == clauses
    assert failed(SimpleNamespace(batch_normalization=by_hand)) - {"PURE-1"} == clauses


def test_dropout_that_a_runtime_refuses_in_training_is_unsupported() -> None:
    made = kit("onnx")

    def inference_alone(model: bytes, inputs: dict[str, Any]) -> Any:
        raise RuntimeError("While validating ONNX node: Training mode is not supported for Dropout op")

    dropout = made.dropout(inference_alone)
    with pytest.raises(Unsupported, match="OpenVINO has dropout for inference alone"):
        dropout(np.ones((2, 3), np.float32), 0.5, seed=0, training=True)


def test_a_right_normalisation_of_ones_own_holds() -> None:
    made = kit("torch")
    from fixtures.implementations.torch_port.layers import BatchNormalization

    class Own(BatchNormalization):
        def __init__(self, channels: int, **_: float) -> None:
            super().__init__(channels)

    assert failed(SimpleNamespace(batch_normalization=made.batch_normalization(Own))) == set()


def test_a_separable_convolution_of_ones_own_is_given_both_kernels() -> None:
    made = kit("torch")
    from torch import nn

    class Separable(nn.Sequential):  # type: ignore[misc]
        def __init__(self, entering: int, leaving: int, size: Any, *, bias: bool, **options: Any) -> None:
            depthwise = nn.Conv2d(entering, entering, size, groups=entering, bias=bias, **options)
            super().__init__(depthwise, nn.Conv2d(entering, leaving, 1, bias=bias))

    assert failed(SimpleNamespace(separable_conv2d=made.separable_conv2d(Separable))) == set()


def test_a_convolution_with_groups_makes_a_separable_one() -> None:
    def grouped(x: Any, kernel: Any, bias: Any, strides: Any, padding: str, dilation: Any, groups: int = 1) -> Any:
        options = {"strides": strides, "padding": padding, "dilation_rate": dilation}
        if groups == 1:
            return numpy_port.conv2d(x, kernel, bias, **options)
        if kernel.shape[2:] != (1, x.shape[3]) or groups != x.shape[3]:
            raise ValueError("a group for each channel")
        parts = [numpy_port.conv2d(x[..., [i]], kernel[..., [i]], None, **options) for i in range(groups)]
        return np.concatenate(parts, axis=3)

    assert failed(SimpleNamespace(separable_conv2d=signatures.separated(grouped))) == set()


def test_a_graph_of_onnx_tells_ranks_and_has_one_type() -> None:
    made = kit("onnx")
    import onnx

    def run(model: bytes, inputs: dict[str, Any]) -> Any:
        read = onnx.load_from_string(model)
        onnx.checker.check_model(read, full_check=True)  # of types too
        assert inputs["x"].dtype == np.float32
        ranks = [len(output.type.tensor_type.shape.dim) for output in read.graph.output]
        return [np.zeros((1,) * rank, np.float32) for rank in ranks]

    x, kernel, variables = np.ones((1, 2, 2, 3)), np.ones((1, 1, 3, 4)), np.ones((4, 3))
    assert made.conv2d(run)(x, kernel).ndim == 4
    assert made.dense(run)(x[0, 0], kernel[0, 0]).ndim == 2
    assert [y.ndim for y in made.batch_normalization(run)(x, *variables, training=True)] == [4, 1, 1]


def test_dropout_that_does_not_scale_is_seen_through_the_kit() -> None:
    made = kit("torch")
    import torch

    def unscaled(x: Any, rate: float, training: bool) -> Any:
        return x * (torch.rand(x.shape) >= rate) if training else x

    assert failed(SimpleNamespace(dropout=made.dropout(unscaled))) == {"DROP-3"}


def test_the_package_imports_no_framework() -> None:
    code = f"import sys, spec_tests.adapters, spec_tests.adapters.signatures; print({set(KITS)} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", KITS)
def test_a_framework_that_is_missing_is_told_of_in_a_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, KITS[name], None)
    monkeypatch.delitem(sys.modules, f"spec_tests.adapters.{name}", raising=False)
    with pytest.raises(ModuleNotFoundError, match=rf"adapters\.{name} needs {KITS[name]}: run pip install") as caught:
        importlib.import_module(f"spec_tests.adapters.{name}")
    assert "\n" not in str(caught.value)


def test_arrays_that_are_given_stay_and_results_can_be_written_to() -> None:
    made = kit("jax")
    outputs = made.dense(lambda x, kernel, bias: x)(np.ones((1, 2), np.float32), np.ones((2, 2), np.float32))
    outputs[0] = 0
    assert outputs.flags.writeable
