"""Padding and stride."""

import numpy as np

from ...oracles import windows as oracle
from ..example import Axis, Example, Sliding, agree, example, grid, number, numbers, summed
from .images import IMAGE, THREE, TWO


@example("PAD-1")
def _valid() -> Example:
    sliding = Sliding(IMAGE, (2, 2), (2, 2))
    outputs = sliding.convolved(TWO)
    steps = (
        *sliding.sizes(),
        f"First output: {summed(sliding.terms((0, 0), TWO), outputs[0, 0])}.",
        "A third window would need a sixth row and column: the fifth ones are seen by no window.",
    )
    grids = sliding.shown(), grid("kernel", TWO), sliding.result("output", outputs)
    return Example(steps, grids, sliding.window)


@example("PAD-2")
def _same() -> Example:
    sliding = Sliding(IMAGE, (3, 3), padding="same")
    outputs = sliding.convolved(THREE)
    agree(outputs.shape, IMAGE.shape)
    even = Axis(5, 2, 1, 1, "same")
    agree(even.pads, oracle.same_padding(5, 2))
    steps = (
        *sliding.sizes(),
        f"First output: {summed(sliding.terms((0, 0), THREE), outputs[0, 0])}.",
        f"An even kernel keeps the side too: k = 2 needs one zero, {even.pads[0]} before and {even.pads[1]} after. "
        "Half the kernel on both sides, k // 2 = 1, would give 6.",
    )
    grids = sliding.shown("image, padded"), grid("kernel", THREE), sliding.result("output", outputs)
    return Example(steps, grids, sliding.window)


@example("PAD-3")
def _ceil() -> Example:
    sliding = Sliding(IMAGE, (3, 3), (2, 2), padding="same")
    outputs = sliding.convolved(THREE)
    for kernel in (1, 2, 3, 7):
        agree(oracle.output_side(5, kernel, 2, padding="same"), 3)
    steps = (
        *sliding.sizes(),
        "Kernels of 1, 2, 3 and 7 all give ceil(5 / 2) = 3 outputs a side. Rounded down, or to the nearest even "
        "number as Python's round() does, 5 / 2 would be 2.",
    )
    grids = sliding.shown("image, padded"), grid("kernel", THREE), sliding.result("output", outputs)
    return Example(steps, grids, sliding.window)


@example("PAD-4")
def _odd_zero_at_the_end() -> Example:
    sliding = Sliding(IMAGE, (2, 2), (2, 2), padding="same")
    outputs = sliding.convolved(TWO)
    ahead = Sliding(np.pad(IMAGE, ((1, 0), (1, 0))), (2, 2), (2, 2))
    wrong = ahead.convolved(TWO)
    steps = (
        *sliding.sizes(),
        f"First output: {summed(sliding.terms((0, 0), TWO), outputs[0, 0])}.",
        f"Last output: {summed(sliding.terms((2, 2), TWO), outputs[2, 2])}: only one of its pixels is real.",
        f"With the odd zero at the top and left, the first output would be {number(wrong[0, 0])} and the last "
        f"{number(wrong[2, 2])}: same shape, other values.",
    )
    grids = (
        sliding.shown("image, padded"),
        grid("kernel", TWO),
        sliding.result("output", outputs),
        grid("wrong: zero at the top left", wrong),
    )
    return Example(steps, grids, sliding.window)


@example("PAD-5")
def _axes() -> Example:
    image, kernel = IMAGE[:4], np.array([[1.0, 2, 3]])
    sliding = Sliding(image, (1, 3), (2, 1), padding="same")
    outputs = sliding.convolved(kernel)
    turned = Sliding(image.T, (3, 1), (1, 2), padding="same").convolved(kernel.T)
    agree(turned.T, outputs)
    steps = (
        *sliding.sizes(),
        f"First output: {summed(sliding.terms((0, 0), kernel), outputs[0, 0])}.",
        "With image, kernel and strides transposed the output is transposed.",
    )
    grids = sliding.shown("image, padded"), grid("kernel", kernel), sliding.result("output", outputs)
    return Example(steps, grids, sliding.window)


def _misfit() -> Sliding:
    return Sliding(IMAGE, (3, 3), dilation=(3, 3))


@example("PAD-6")
def _refused() -> Example:
    sliding = _misfit()
    steps = (
        *sliding.sizes(),
        "There is no output: the dilated window of 7 does not fit into 5 pixels, though its kernel has 3.",
        "Without the dilation e = 3 would fit; code that checks k instead of e lets the call through.",
    )
    return Example(steps, window=sliding.window)


@example("PAD-7")
def _message() -> Example:
    (rows, _) = _misfit().axes
    steps = (
        f"A kernel of 3 with dilation 3 on an image of 5 × 5: the message holds {rows.span} and {rows.side}.",
        "The reference says: a window of [7 7] pixels does not fit into an image of (5, 5).",
    )
    return Example(steps)


@example("STRIDE-1")
def _default() -> Example:
    sliding = Sliding(IMAGE, (2, 2))
    outputs = sliding.convolved(TWO)
    rows, columns = Sliding(IMAGE, (2, 2), (2, 2)).pooled("max").shape
    steps = (
        *sliding.sizes(),
        "This is what a call without strides and padding gives: 4 × 4 outputs. Pooling is the exception: without "
        f"strides its window of 2 moves by 2, and gives {rows} × {columns}.",
    )
    grids = sliding.shown(), grid("kernel", TWO), sliding.result("output", outputs)
    return Example(steps, grids, sliding.window)


@example("STRIDE-2")
def _halved() -> Example:
    sliding = Sliding(IMAGE, (3, 3), (2, 2), padding="same")
    sides = [oracle.output_side(side, 3, 2, padding="same") for side in (5, 6, 180)]
    agree(sides, [3, 3, 90])
    steps = (*sliding.sizes(), "Sides of 5, 6 and 180 become ceil(5 / 2) = 3, ceil(6 / 2) = 3 and 90.")
    grids = sliding.shown("image, padded"), sliding.result("output", sliding.convolved(THREE))
    return Example(steps, grids, sliding.window)


@example("STRIDE-3")
def _every_second() -> Example:
    every = Sliding(IMAGE, (3, 3)).convolved(THREE)
    sliding = Sliding(IMAGE, (3, 3), (2, 2))
    outputs = sliding.convolved(THREE)
    agree(every[::2, ::2], outputs)
    taken = [(0, 0), (0, 2), (2, 0), (2, 2)]
    steps = (
        *sliding.sizes(),
        f"Of the 3 × 3 outputs at stride 1 those in rows and columns 0 and 2 are left: {numbers(outputs.ravel())}.",
    )
    grids = (
        grid("image", IMAGE),
        grid("kernel", THREE),
        grid("output, stride 1", every, taken),
        grid("stride 2", outputs),
    )
    return Example(steps, grids, sliding.window)
