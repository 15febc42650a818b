"""Convolutions: local patterns (notes, "Dense Layer vs Convolution Layer", "합성곱 신경망 (CNNs)")."""

from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ..adapter.implementation import Implementation
from ..cases.examples import one_in
from ..cases.layers import SEEN, SUM, convolve, expect_convolution, expect_separable, magnitudes, plain, separate
from ..cases.windows import Window, arrays, windows
from ..judging.checks import expect_close, expect_equal, expect_error, expect_same
from ..oracles import windows as oracle
from .clause import Level, clause

LOCAL = 'notes, "Dense Layer vs Convolution Layer"'
CNN = 'notes, "합성곱 신경망 (CNNs)"'


@clause("CONV-1", Level.MUST, "layers", f"{LOCAL}; Keras documentation of Conv2D")
@given(case=windows("valid"), biased=st.booleans())
def test_convolution_is_a_sliding_cross_correlation(implementation: Implementation, case: Window, biased: bool) -> None:
    """A convolution equals the sliding cross-correlation of each window with the kernel (not flipped), plus the bias.

    Without a bias nothing is added. With dilation d, the pixels of a window are d apart. Tolerance: 1e-5 of the sum of
    the magnitudes in each window.

    If this fails, check that the kernel is not flipped, that its axes are (height, width, in, out), and that every
    channel counts.
    """
    options = {"strides": plain(case.strides), "dilation_rate": plain(case.dilation)}
    got = implementation.conv2d(case.images, case.kernel, case.bias if biased else None, **options)
    expect_convolution(got, case, "convolution", bias=case.bias * biased)


@clause("CONV-2", Level.MUST, "layers", LOCAL)
@given(case=windows())
def test_convolution_is_local(implementation: Implementation, case: Window) -> None:
    """A convolution is local: changing a pixel changes only the outputs whose window contains the pixel.

    All of these outputs must change. One channel of a pixel changes by 8 and no weight lies within 0.5 of zero, so an
    output changes by at least 4; 0.001 counts as a change.

    If this fails, check where windows start (padding), and that samples are not mixed.
    """
    images = np.repeat(case.images[:1], len(case.impulses(8)), axis=0)
    before, after = convolve(implementation, case, images), convolve(implementation, case, images + case.impulses(8))
    seeing = oracle.seeing(case.image, case.size, case.strides, case.dilation, case.padding)
    expected = np.repeat(seeing[..., None], case.filters, axis=-1)
    what = "whether pixel i changes output (y, x) of filter f, at (i, y, x, f)"
    expect_same(np.abs(after - before) > SEEN, expected, what)


@clause("CONV-3", Level.MUST, "layers", CNN)
@given(case=windows("valid"))
def test_convolution_is_translation_equivariant(implementation: Implementation, case: Window) -> None:
    """A convolution is translation-equivariant: shifting the input by s pixels, where s is the stride, shifts the output of valid padding by one.

    Only outputs whose window holds no pixel from outside the image are compared. Tolerance: 1e-5 of the sum of the
    magnitudes in each window, for each of the two outputs.

    If this fails, check for weights that depend on the position, and that windows start at the first pixel for every
    stride.
    """
    (height, width), (down, right) = case.image, case.strides
    case = replace(case, image=(height + down, width + right))  # two outputs a side at least
    shifted = np.roll(case.images, case.strides, axis=(1, 2))
    before, after = convolve(implementation, case), convolve(implementation, case, shifted)
    inner = magnitudes(case)[:, :-1, :-1]
    expect_close(after[:, 1:, 1:], before[:, :-1, :-1], "output of the shifted image", rtol=2 * SUM, scale=inner)


@clause("CONV-4", Level.MUST, "layers", CNN)
@given(case=windows(), factors=st.sampled_from(((1, 1), (-2, 0), (0.5, -3))))
def test_convolution_is_linear(implementation: Implementation, case: Window, factors: tuple[float, float]) -> None:
    """A convolution with a zero bias is linear in its input.

    Tolerance: 1e-5 of the sums of the magnitudes in each window, for each side of the equation.

    If this fails, check for an activation in the convolution, for clipping, and for reduced precision.
    """
    a, b = factors
    one, other = case, replace(case, values="normal", seed=case.seed + 9)
    got = convolve(implementation, one, (a * one.images + b * other.images).astype(np.float32))
    expected = a * convolve(implementation, one) + b * convolve(implementation, one, other.images)
    scale = abs(a) * magnitudes(one) + abs(b) * magnitudes(other)
    expect_close(got, expected, f"convolution of {a} x + {b} y", rtol=2 * SUM, scale=scale)


@clause("CONV-5", Level.MUST, "layers", LOCAL)
@given(case=windows("valid", strided=False))
def test_convolution_serves_images_of_any_size(implementation: Implementation, case: Window) -> None:
    """A convolution has k_h × k_w × c_in × c_out + c_out weights, whatever the size of the image.

    The same kernel and bias accept a larger image. A kernel for another number of channels is refused.

    If this fails, check that images are not cropped or resized to fit, and that channels are not cut or broadcast.
    """
    for height, width in (case.image, (case.image[0] + 3, case.image[1] + 1)):
        larger = replace(case, image=(height, width))
        got = implementation.conv2d(larger.images, case.kernel, case.bias, dilation_rate=plain(case.dilation))
        expect_equal(got.shape, (case.batch, *larger.sides, case.filters), f"shape for images of {height}×{width}")
    deeper = replace(case, channels=case.channels + 1)
    for images, kernel in ((case.images, deeper.kernel), (deeper.images, case.kernel)):
        call = partial(implementation.conv2d, images, kernel, case.bias)
        expect_error(call, f"{images.shape[-1]} channels and a kernel of {kernel.shape}")


@clause("CONV-6", Level.MUST, "layers", CNN)
@given(case=windows("valid", dilated=False, strided=False, such=lambda case: case.size == (3, 3)))
def test_two_convolutions_of_three_see_five(implementation: Implementation, case: Window) -> None:
    """Two stacked valid 3×3 convolutions see a 5×5 window, so features of a deeper layer cover more of the image.

    The weights are positive, so that no two paths from a pixel to an output cancel; 0.001 counts as a change.

    If this fails, check that both convolutions use valid padding, and where their windows start.
    """
    case = replace(case, image=(case.image[0] + 2, case.image[1] + 2))
    first, second = np.abs(case.kernel), np.abs(arrays((3, 3, case.filters, 2), case.seed + 9, "weights"))
    images = np.repeat(case.images[:1], len(case.impulses(8)), axis=0)
    before, after = (
        implementation.conv2d(implementation.conv2d(x, first), second) for x in (images, images + case.impulses(8))
    )
    expected = np.repeat(oracle.seeing(case.image, (5, 5))[..., None], 2, axis=-1)
    what = "whether pixel i changes output (y, x) of filter f, at (i, y, x, f)"
    expect_same(np.abs(after - before) > SEEN, expected, what)


@clause("CONV-7", Level.MUST, "layers", LOCAL)
@one_in(3)
@given(case=windows("valid", strided=False))
def test_a_bias_has_a_value_for_each_filter(implementation: Implementation, case: Window) -> None:
    """A convolution refuses a bias that does not hold one value for each filter.

    Two biases are tried: one value too many, and a single value for several filters. Both must raise an error.

    If this fails, check for ``outputs + bias``, which broadcasts: the adapter may add the bias itself if the library's
    convolution has none.
    """
    for filters in (case.filters + 1, 1):
        bias = replace(case, filters=filters).bias
        call = partial(implementation.conv2d, case.images, case.kernel, bias, dilation_rate=plain(case.dilation))
        expect_error(call, f"a bias of {filters} and a kernel for {case.filters} filters")


@clause("SEP-1", Level.MUST, "layers", "Keras documentation of SeparableConv2D; arXiv 1610.02357, section 1")
@given(case=windows(dilated=False))
def test_separable_convolution_is_depthwise_then_pointwise(implementation: Implementation, case: Window) -> None:
    """A separable convolution equals a depthwise convolution followed by a 1×1 convolution, with k² × c_in + c_in × c_out weights.

    If the kernel is not square, k² is k_h × k_w. Weights for one channel too many or too few are refused. Tolerance:
    1e-5 of the sum of the magnitudes in each window.

    If this fails, check that strides and padding belong to the depthwise convolution, that nothing comes between the
    two convolutions, and the order of the channels.
    """
    expect_separable(separate(implementation, case), case, "separable convolution")
    deeper = replace(case, channels=case.channels + 1)
    for x, y, z in product((case, deeper), repeat=3):
        if not x.channels == y.channels == z.channels:
            call = partial(implementation.separable_conv2d, x.images, y.depthwise, z.pointwise, padding="same")
            expect_error(call, f"{x.channels} channels, and weights for {y.channels} and {z.channels}")
