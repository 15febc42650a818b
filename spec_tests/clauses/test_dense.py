"""Dense layers: global patterns (notes, "Dense Layer vs Convolution Layer")."""

from dataclasses import replace
from functools import partial

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ..adapter.implementation import Implementation
from ..cases.examples import one_in
from ..cases.layers import SEEN, SUM
from ..cases.windows import Matrix, matrices
from ..judging.checks import expect_close, expect_equal, expect_error, expect_same
from ..oracles.windows import dense
from .clause import Level, clause

SOURCE = 'notes, "Dense Layer vs Convolution Layer"'


@clause("DENSE-1", Level.MUST, "layers", SOURCE)
@given(case=matrices(), biased=st.booleans())
def test_dense_is_a_matrix_product(implementation: Implementation, case: Matrix, biased: bool) -> None:
    """The output of a dense layer equals features · kernel + bias.

    Without a bias nothing is added. Tolerance: 1e-5 of the sum of the terms' magnitudes.

    If this fails, check for an activation, for a transposed kernel, and for products in half precision.
    """
    bias = case.bias if biased else None
    got = implementation.dense(case.features, case.kernel, bias)
    magnitudes = [np.abs(terms) for terms in (case.features, case.kernel, case.bias * biased)]
    expected = dense(case.features, case.kernel, case.bias * biased)
    expect_close(got, expected, "dense layer", rtol=SUM, scale=dense(*magnitudes))


@clause("DENSE-2", Level.MUST, "layers", SOURCE)
@given(case=matrices())
def test_dense_is_global(implementation: Implementation, case: Matrix) -> None:
    """A dense layer is global: changing any one input feature changes every unit whose weight for that feature is not zero.

    No other unit may change. A feature changes by 8 and no nonzero weight lies within 0.5 of zero, so a unit changes by
    at least 4; 0.001 counts as a change.

    If this fails, check for an activation that is flat in places, and for samples that are mixed.
    """
    before = np.repeat(case.features[:1], case.inputs, axis=0)
    after = before + 8 * np.eye(case.inputs, dtype=np.float32)  # feature i of sample i
    outputs = [implementation.dense(features, case.kernel, case.bias) for features in (before, after)]
    expect_same(np.abs(outputs[1] - outputs[0]) > SEEN, case.kernel != 0, "whether feature i changes unit j, at (i, j)")


@clause("DENSE-3", Level.MUST, "layers", SOURCE)
@given(case=matrices())
def test_dense_has_no_spatial_structure(implementation: Implementation, case: Matrix) -> None:
    """A dense layer has no spatial structure: permuting the inputs and the rows of the kernel in the same way leaves the output unchanged.

    Tolerance: 1e-5 of the sum of the terms' magnitudes, for each of the two outputs.

    If this fails, check for anything that depends on the position of an input, such as a positional encoding.
    """
    order = np.random.default_rng(case.seed).permutation(case.inputs)
    outputs = implementation.dense(case.features, case.kernel, case.bias)
    permuted = implementation.dense(case.features[:, order], case.kernel[order], case.bias)
    scale = dense(*map(np.abs, (case.features, case.kernel, case.bias)))
    expect_close(permuted, outputs, "output for the inputs in another order", rtol=2 * SUM, scale=scale)


@clause("DENSE-4", Level.MUST, "layers", SOURCE)
@given(case=matrices())
def test_dense_has_a_weight_for_each_input_and_unit(implementation: Implementation, case: Matrix) -> None:
    """A dense layer has inputs × units + units weights, a number that grows with the number of inputs.

    A kernel and a bias of these sizes give one output per unit. The same kernel is refused for one more input and for
    twice as many inputs, whereas a convolution accepts images of any size (CONV-5).

    If this fails, check that inputs are not cut, padded or folded to fit the kernel.
    """
    got = implementation.dense(case.features, case.kernel, case.bias)
    expect_equal(got.shape, (case.samples, case.units), "shape of the output")
    for inputs in (case.inputs + 1, 2 * case.inputs):
        wider = replace(case, inputs=inputs)
        call = partial(implementation.dense, wider.features, case.kernel, case.bias)
        expect_error(call, f"{inputs} inputs for a kernel of {case.inputs} × {case.units}")
        shape = implementation.dense(wider.features, wider.kernel, case.bias).shape
        expect_equal(shape, got.shape, f"shape of the output for {inputs} inputs")


@clause("DENSE-5", Level.MUST, "layers", SOURCE)
@one_in(3)
@given(case=matrices())
def test_a_bias_has_a_value_for_each_unit(implementation: Implementation, case: Matrix) -> None:
    """A dense layer refuses a bias that does not hold one value for each unit.

    Two biases are tried: one value too many, and a single value for several units. Both must raise an error.

    If this fails, check for ``outputs + bias``, which broadcasts: the adapter may add the bias itself if the library's
    dense layer has none.
    """
    for units in {case.units + 1, 1} - {case.units}:
        bias = replace(case, units=units).bias
        call = partial(implementation.dense, case.features, case.kernel, bias)
        expect_error(call, f"a bias of {units} and a kernel for {case.units} units")
