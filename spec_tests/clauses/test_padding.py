"""Padding and stride: the sizes of outputs, and the places of the zeros (notes, "패딩과 스트라이드")."""

from dataclasses import replace
from functools import partial

from hypothesis import given

from ..adapter.implementation import Implementation
from ..cases.examples import one_in
from ..cases.layers import (
    CONVOLUTIONS,
    SUM,
    convolutions,
    convolve,
    expect_convolution,
    magnitudes,
    plain,
    separable_magnitudes,
    separate,
)
from ..cases.windows import Window, misfits, windows
from ..judging.checks import expect_close, expect_equal, expect_error
from .clause import Level, clause

SOURCE = 'notes, "패딩과 스트라이드"; Keras documentation of Conv2D'


@clause("PAD-1", Level.MUST, "layers", SOURCE)
@given(case=windows("valid"))
def test_valid_padding_takes_whole_windows_only(implementation: Implementation, case: Window) -> None:
    """With valid padding, the output side is floor((n - e) / s) + 1 for an input side n, a kernel side e and a stride s.

    The kernel side e includes dilation.

    If this fails, check that a last, partial window is dropped, and that e takes dilation into account.
    """
    expect_equal(convolve(implementation, case).shape[1:3], case.sides, "output height and width")


@clause("PAD-2", Level.MUST, "layers", SOURCE)
@given(case=windows("same", strided=False))
def test_same_padding_keeps_the_side(implementation: Implementation, case: Window) -> None:
    """Same padding with stride 1 keeps the height and width of the input.

    If this fails, check the padding of even kernels, and of kernels larger than the image.
    """
    expect_equal(convolve(implementation, case).shape[1:3], case.image, "output height and width")


@clause("PAD-3", Level.MUST, "layers", SOURCE)
@given(case=windows("same"))
def test_same_padding_gives_ceil_of_side_over_stride(implementation: Implementation, case: Window) -> None:
    """With same padding, the output side is ceil(n / s) for an input side n and a stride s, whatever the kernel.

    If this fails, check that the padding takes the stride into account.
    """
    sides = tuple(-(-n // s) for n, s in zip(case.image, case.strides, strict=True))
    expect_equal(convolve(implementation, case).shape[1:3], sides, "output height and width")


@clause("PAD-4", Level.MUST, "layers", SOURCE)
@given(case=windows("same"))
def test_same_padding_puts_the_odd_zero_at_the_end(implementation: Implementation, case: Window) -> None:
    """Same padding adds max((ceil(n / s) - 1) × s + e - n, 0) zeros along each axis, the odd one at the bottom or right.

    The side of the input is n, the side of the dilated kernel e, and the stride s. The bias is added as for valid
    padding. Tolerance: 1e-5 of the sum of the magnitudes in each window.

    If this fails, check for symmetric padding, (k - 1) / 2 on each side: it differs for even kernels and for stride 2.
    """
    options = {"strides": plain(case.strides), "padding": "same", "dilation_rate": plain(case.dilation)}
    got = implementation.conv2d(case.images, case.kernel, case.bias, **options)
    expect_convolution(got, case, "convolution with same padding", bias=case.bias)


@clause("PAD-5", Level.MUST, "layers", SOURCE)
@given(case=windows(such=lambda case: case != case.transposed))
def test_the_two_axes_are_independent(implementation: Implementation, case: Window) -> None:
    """Height and width obey PAD-1 to PAD-4 independently of each other, for rectangular images, kernels and strides.

    Transposing height and width of image, kernel and strides transposes the output. Tolerance: 1e-5 of the sum of the
    magnitudes in each window, for each of the two outputs.

    If this fails, check for numbers of one axis that are used for both, and for (width, height) instead of (height,
    width).
    """
    got = convolve(implementation, case)
    expect_equal(got.shape[1:3], case.sides, "output height and width")
    turned = implementation.conv2d(
        case.images.swapaxes(1, 2),
        case.kernel.swapaxes(0, 1),
        strides=case.strides[::-1],
        padding=case.padding,
        dilation_rate=case.dilation[::-1],
    )
    expect_close(turned.swapaxes(1, 2), got, "output with the axes exchanged", rtol=2 * SUM, scale=magnitudes(case))


@clause("PAD-6", Level.MUST, "layers", SOURCE)
@given(large=misfits(dilated=False), dilated=misfits(dilated=True))
def test_a_valid_window_that_does_not_fit_is_refused(
    implementation: Implementation, large: Window, dilated: Window
) -> None:
    """With valid padding, plain, separable and dilated convolutions raise an error for an input that is smaller than the dilated kernel.

    If this fails, check that the side of the kernel takes dilation into account, and what the library does with a
    window that does not fit: some backends return an empty or uninitialised array.
    """
    for layer, misfit in convolutions(implementation, large, dilated):
        n, e = misfit.short_side
        expect_error(partial(layer, implementation, misfit), f"a window of {e} pixels in an image of {n}")


@clause("PAD-7", Level.SHOULD, "layers", SOURCE)
@one_in(3)
@given(large=misfits(dilated=False), dilated=misfits(dilated=True))
def test_that_refusal_gives_both_sides(implementation: Implementation, large: Window, dilated: Window) -> None:
    """The error for a kernel that does not fit into the image (PAD-6) gives the sides of the dilated kernel and of the image.

    If this fails, check for a message that gives the side of the kernel where only the dilated kernel is too large.
    """
    for layer, misfit in convolutions(implementation, large, dilated):
        n, e = misfit.short_side
        expect_error(partial(layer, implementation, misfit), f"a window of {e} pixels in an image of {n}", e, n)


@clause("STRIDE-1", Level.MUST, "layers", SOURCE)
@given(case=windows(dilated=False, strided=False))
def test_stride_one_is_the_default(implementation: Implementation, case: Window) -> None:
    """A convolution defaults to stride 1 and valid padding.

    Omitting `strides` gives the same result as `strides=1`; omitting `padding`, the same as `padding='valid'`.
    Tolerance: 1e-5 of the sum of the magnitudes in each window, for each of the two outputs.

    If this fails, check the defaults of convolution and of separable convolution; those of pooling differ, whose stride
    defaults to its window.
    """
    options = {"padding": case.padding} if case.padding == "same" else {}
    for name in implementation.offered(CONVOLUTIONS):
        layer, weights, scale = (
            (convolve, (case.kernel,), magnitudes(case))
            if name == "conv2d"
            else (separate, (case.depthwise, case.pointwise), separable_magnitudes(case))
        )
        got = getattr(implementation, name)(case.images, *weights, **options)
        expect_close(got, layer(implementation, case), f"{name} with default strides", rtol=2 * SUM, scale=scale)


@clause("STRIDE-2", Level.MUST, "layers", SOURCE)
@given(case=windows("same", dilated=False))
def test_stride_two_halves(implementation: Implementation, case: Window) -> None:
    """Stride 2 with same padding halves the side n of the input, rounded up: ceil(n / 2).

    If this fails, check odd sides, and a separable convolution, whose stride is that of its depthwise part alone.
    """
    case = replace(case, strides=(2, 2))
    height, width = case.image
    for layer, _ in convolutions(implementation, case):
        expect_equal(
            layer(implementation, case).shape[1:3], (-(-height // 2), -(-width // 2)), "output height and width"
        )


@clause("STRIDE-3", Level.MUST, "layers", SOURCE)
@given(case=windows("valid", such=lambda case: case.strides != (1, 1)))
def test_a_stride_takes_every_s_th_output(implementation: Implementation, case: Window) -> None:
    """With valid padding, a convolution with stride s equals every s-th output of the same convolution with stride 1.

    The first output of both is the same. Tolerance: 1e-5 of the sum of the magnitudes in each window, for each of the
    two outputs.

    If this fails, check where the first window starts, and that the image is not resized instead.
    """
    down, right = case.strides
    every = convolve(implementation, replace(case, strides=(1, 1)))
    got = convolve(implementation, case)
    expect_close(got, every[:, ::down, ::right], "strided convolution", rtol=2 * SUM, scale=magnitudes(case))
