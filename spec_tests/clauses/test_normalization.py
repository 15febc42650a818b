"""Batch normalisation and dropout: the layers that behave differently in training."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ..adapter.implementation import Implementation
from ..cases.examples import one_in
from ..cases.layers import (
    RATES,
    block_p_values,
    dropout_p_values,
    expect_inferred,
    expect_moved,
    expect_trained,
    masks,
)
from ..cases.windows import Batch, batches
from ..judging.checks import expect, expect_close, expect_same
from ..judging.statistics import ALPHA
from .clause import Level, clause

NORM = "Keras documentation of BatchNormalization; arXiv 1502.03167"
DROP = 'notes, "과적합과 데이터 증강"; Keras documentation of Dropout'


@clause("NORM-1", Level.MUST, "layers", NORM)
@one_in(3)
@given(case=batches(), trainable=st.booleans())
def test_inference_uses_moving_statistics(implementation: Implementation, case: Batch, trainable: bool) -> None:
    """In inference, batch normalisation uses the moving statistics: gamma × (x - mean) / sqrt(variance + epsilon) + beta, with epsilon 1e-3.

    The moving statistics stay unchanged. Tolerance: 1e-5 of the sum of the terms' magnitudes.

    If this fails, check epsilon (1e-5 in other libraries), and that channels are last.
    """
    got, *moving = implementation.batch_normalization(case.inputs, *case.variables, training=False, trainable=trainable)
    expect_inferred(got, case)
    expect_same(moving, case.variables[2:], "moving mean and variance")


@clause("NORM-2", Level.MUST, "layers", NORM)
@one_in(3)
@given(case=batches())
def test_training_uses_the_statistics_of_the_batch(implementation: Implementation, case: Batch) -> None:
    """In training, batch normalisation uses the statistics of the batch (biased variance) and updates the moving statistics by new = 0.99 × old + 0.01 × batch.

    Tolerance: 1e-5 of the sum of the terms' magnitudes. For the moving statistics, the old value's share may differ by
    1e-6 of itself, for 0.99 and two roundings in float32. The batch's share may differ by 1e-5 of its magnitudes: 1 -
    0.99 is off by 9.6e-7 in float32 (0.0099999905), and the mean and variance of the batch are sums.

    If this fails, check for the unbiased variance (divided by n - 1), with which torch updates its moving variance; and
    for the momentum, which other libraries define as its complement (0.01).
    """
    got, *moving = implementation.batch_normalization(case.inputs, *case.variables, training=True)
    expect_trained(got, case)
    expect_moved(moving, case)


@clause("NORM-3", Level.MUST, "layers", f"{NORM}; code 6, 9")
@one_in(3)
@given(case=batches())
def test_frozen_normalization_stays_in_inference(implementation: Implementation, case: Batch) -> None:
    """A frozen batch normalisation behaves as in inference even during training, and its moving statistics do not change.

    Tolerance: 1e-5 of the sum of the terms' magnitudes; none for the moving statistics.

    If this fails, check that freezing does more than keep the optimiser from gamma and beta.
    """
    got, *moving = implementation.batch_normalization(case.inputs, *case.variables, training=True, trainable=False)
    expect_inferred(got, case)
    expect_same(moving, case.variables[2:], "moving mean and variance")


@clause("DROP-1", Level.MUST, "layers", DROP)
@one_in(3)
@given(case=batches(), rate=st.sampled_from((0.0, *RATES)))
def test_dropout_is_the_identity_in_inference(implementation: Implementation, case: Batch, rate: float) -> None:
    """Dropout is the identity in inference.

    If this fails, check for values that are scaled in inference instead of in training.
    """
    got = implementation.dropout(case.inputs, rate, seed=case.seed, training=False)
    expect_same(got, case.inputs, "dropout in inference")


@clause("DROP-2", Level.STOCHASTIC, "layers", DROP)
def test_dropout_zeroes_each_value_independently(implementation: Implementation, seed: int) -> None:
    """In training, dropout zeroes each value independently, with its rate as the probability.

    For each of the rates 0.1, 0.25, 0.5 and 0.8, the layer is called 64 times with different seeds on 4×4×4×32 values.
    The tests check the share of zeros and its spread over the calls. They check that zeros depend neither on the values
    nor on their neighbours, nor on the other half along each axis, nor on the previous sample in the call of the next
    seed. In one call on 16,384 values, zeros do not depend on those 4,096 and 8,192 places further on. False alarms:
    one in 1e6 seeds for all tests together. Power: beyond 0.999999 against a rate that is wrong by 0.02, and so against
    0.5 for 0.25 and the probability of keeping for that of dropping. It is as high against one mask for the samples of
    a batch, for all pixels of a channel or for every call, and against the same number of zeros in each call. It is at
    least 0.999 for a correlation of 0.04 between neighbours.

    If this fails, check for a rate that is the probability of keeping, for a mask that is broadcast over the batch or
    over the pixels, and for a seed that is not used. Check for samples seeded by seed + index, and for a mask that is
    drawn for one block of values and used again.
    """
    for rate in RATES:
        values, zeroed = masks(implementation, rate, seed)
        p_values = dropout_p_values(values, zeroed, rate, seed) | block_p_values(implementation, rate, seed)
        alpha = ALPHA / len(RATES) / len(p_values)
        for what, p_value in p_values.items():
            expected = f"a p-value of at least {alpha:.1g} ({zeroed.mean():.4f} of the values are zero)"
            expect(p_value >= alpha, f"rate {rate}, {what}", expected=expected, got=p_value)


@clause("DROP-3", Level.MUST, "layers", DROP)
@one_in(3)
@given(case=batches(), rate=st.sampled_from((0.0, *RATES)))
def test_survivors_of_dropout_are_scaled(implementation: Implementation, case: Batch, rate: float) -> None:
    """Dropout scales the values that it keeps by exactly 1 / (1 - rate), so that the expectation is unchanged.

    Tolerance: 1e-6 of each value. In float32 the rate 0.8 is off by 1.5e-8, and so 1 - 0.8 by 6e-8 of 0.2. A reciprocal
    and a product, or a quotient, round twice more, which makes at most 3e-7 for these rates.

    If this fails, check for values that are scaled by the rate, by the actual share of kept values, or in inference.
    """
    got = implementation.dropout(case.inputs, rate, seed=case.seed, training=True)
    expected = np.where(got == 0, 0, case.inputs.astype(np.float64) / (1 - rate))
    expect_close(got, expected, f"survivors of rate {rate}", rtol=1e-6)
    expect(rate or np.all(got), "rate 0", expected="every value survives", got=got)


@clause("DROP-4", Level.MUST, "layers", DROP)
@one_in(3)
@given(case=batches(), rate=st.sampled_from(RATES))
def test_dropout_follows_its_seed(implementation: Implementation, case: Batch, rate: float) -> None:
    """Dropout with the same seed drops the same values; with a seed that differs only in bit 16 or 30, it drops others.

    DROP-2 checks that neighbouring seeds drop others.

    If this fails, check for a generator that continues from call to call, or is seeded by the time; and for a seed that
    is truncated to 16 bits.
    """
    many = np.repeat(case.inputs, 64, axis=0)  # 128 values at least: two masks are not alike by chance
    first, again, *others = (
        implementation.dropout(many, rate, seed=seed, training=True)
        for seed in (case.seed, case.seed, case.seed ^ 1 << 16, case.seed ^ 1 << 30)
    )
    expect_same(again, first, "dropout with the same seed once more")
    for bit, other in zip((16, 30), others, strict=True):
        differ = not np.array_equal(other == 0, first == 0)
        expect(differ, f"dropout with another bit {bit} of the seed", expected="another mask", got="the same")
