"""Padding and stride: the sizes of outputs, and where the zeros are (notes, "패딩과 스트라이드")."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from spec_tests.checks import expect_close, expect_equal, expect_error
from spec_tests.clause import Level, clause
from spec_tests.implementation import Implementation
from spec_tests.oracles.windows import output_side, span
from spec_tests.oracles import windows as oracle
from spec_tests.strategies import Window, windows

NOTES = 'notes, "패딩과 스트라이드"'


def sides(case: Window) -> tuple[int, int]:
    """Output height and width by the definition."""
    axes = zip(case.image, case.size, case.strides, case.dilation, strict=True)
    height, width = (output_side(*numbers, case.padding) for numbers in axes)
    return height, width


def convolve(implementation: Implementation, case: Window) -> np.ndarray:
    return implementation.conv2d(
        case.images, case.kernel, strides=case.strides, padding=case.padding, dilation_rate=case.dilation
    )


@clause("PAD-3", Level.MUST, "layers", f"{NOTES}; Keras documentation of Conv2D")
@given(case=windows(padding="same"))
def test_same_padding_gives_ceil_of_side_over_stride(implementation: Implementation, case: Window) -> None:
    """Same padding: output side = ceil(n / s), whatever the kernel.

    If this fails, check that the padding takes the stride into account.
    """
    got = convolve(implementation, case)
    expect_equal(got.shape[1:3], tuple(-(-n // s) for n, s in zip(case.image, case.strides)), "output height and width")


@clause("PAD-4", Level.MUST, "layers", f"{NOTES}; Keras documentation of Conv2D")
@given(case=windows(padding="same"))
def test_same_padding_puts_the_odd_zero_at_the_end(implementation: Implementation, case: Window) -> None:
    """Same padding adds max((ceil(n / s) - 1) × s + e - n, 0) zeros a side pair, the odd one at the bottom or right.

    Tolerance: 1e-5 of the sum of magnitudes in each window.

    If this fails, check for symmetric padding, (k - 1) / 2 on each side: it differs for even kernels and for stride 2.
    """
    got = convolve(implementation, case)
    arguments = (case.strides, case.dilation, "same")
    expected = oracle.conv2d(case.images, case.kernel, *arguments)
    scale = oracle.conv2d(np.abs(case.images), np.abs(case.kernel), *arguments)
    expect_close(got, expected, "convolution with same padding", rtol=1e-5, scale=scale)
