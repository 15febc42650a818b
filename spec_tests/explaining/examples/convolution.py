"""Convolutions, plain and separable."""

import numpy as np

from ...oracles import windows as oracle
from ..example import Example, Sliding, agree, example, grid, number, summed
from .images import IMAGE, NINE, THREE, TWO


@example("CONV-1")
def _cross_correlation() -> Example:
    sliding, bias = Sliding(IMAGE, (3, 3)), 10
    outputs = sliding.convolved(THREE)
    flipped = sliding.convolved(THREE[::-1, ::-1])
    steps = (
        *sliding.sizes(),
        f"First output: {summed(sliding.terms((0, 0), THREE), outputs[0, 0])}; with a bias of {bias}, "
        f"{number(outputs[0, 0] + bias)}.",
        f"With the kernel flipped, as convolution is defined in mathematics, it would be {number(flipped[0, 0])}.",
    )
    grids = sliding.shown(), grid("kernel", THREE), sliding.result("output, without bias", outputs)
    return Example(steps, grids, sliding.window)


@example("CONV-2")
def _local() -> Example:
    sliding, pixel = Sliding(IMAGE, (3, 3)), (1, 1)
    changed = IMAGE.copy()
    changed[pixel] += 8
    before, after = sliding.convolved(NINE), Sliding(changed, (3, 3)).convolved(NINE)
    seeing = oracle.seeing((5, 5), (3, 3))[pixel[0] * 5 + pixel[1]]
    by_hand = [[pixel in sliding.seen((y, x)) for x in range(3)] for y in range(3)]
    agree(by_hand, seeing)
    steps = (
        f"The pixel in row 1, column 1 (from 0) lies in {int(seeing.sum())} of the 9 windows of 3 × 3: those that "
        "begin in row 0 or 1 and column 0 or 1.",
        f"Raised by 8, it moves each of these by 8 times the weight that it meets, the first one by 8 × 5 = "
        f"{number((after - before)[0, 0])}, and no other output. A weight of 0 would hide that.",
    )
    held = [(y, x) for y in range(3) for x in range(3) if seeing[y, x]]
    grids = grid("image", changed, [pixel]), grid("kernel", NINE), grid("change of the output", after - before, held)
    return Example(steps, grids)


@example("CONV-3")
def _equivariant() -> Example:
    sliding = Sliding(IMAGE, (3, 3))
    shifted = Sliding(np.roll(IMAGE, (1, 1), (0, 1)), (3, 3))
    before, after = sliding.convolved(THREE), shifted.convolved(THREE)
    agree(after[1:, 1:], before[:-1, :-1])
    inner = [(y, x) for y in range(2) for x in range(2)]
    steps = (
        "The image is shifted by one pixel down and to the right; what leaves at one border comes in at the other.",
        f"The first output, {number(before[0, 0])}, is now in row 1, column 1, and so are its neighbours "
        "that no pixel from outside reaches.",
    )
    moved = [(y + 1, x + 1) for y, x in inner]
    grids = (
        grid("image", IMAGE),
        grid("output", before, inner),
        grid("shifted image", shifted.image),
        grid("its output", after, moved),
    )
    return Example(steps, grids)


@example("CONV-4")
def _linear() -> Example:
    one, other = Sliding(IMAGE, (3, 3)), Sliding(IMAGE.T % 7, (3, 3))
    mixed = Sliding(2 * one.image - other.image, (3, 3)).convolved(THREE)
    x, y = one.convolved(THREE), other.convolved(THREE)
    agree(2 * x - y, mixed)
    steps = (
        f"First outputs: {number(x[0, 0])} for the image x, {number(y[0, 0])} for the image y.",
        f"For 2 x - y it is 2 × {number(x[0, 0])} - {number(y[0, 0])} = {number(mixed[0, 0])}. With a ReLU inside, "
        "negative outputs would break this.",
    )
    return Example(steps, (grid("output of x", x), grid("output of y", y), grid("output of 2 x - y", mixed)))


@example("CONV-5")
def _any_size() -> Example:
    kernel = np.ones((3, 3, 3, 8))
    shapes = [oracle.conv2d(np.ones((1, *size, 3)), kernel).shape for size in ((5, 5), (8, 6))]
    agree(shapes, [(1, 3, 3, 8), (1, 6, 4, 8)])
    steps = (
        f"3 × 3 × 3 × 8 + 8 = {kernel.size + 8} weights, whatever the image.",
        "An image of 5 × 5 gives 3 × 3 outputs of 8 filters; one of 8 × 6 gives 6 × 4 with the same weights.",
        "A dense layer of 8 units needs 608 weights for the first and 1,160 for the second (DENSE-4).",
    )
    return Example(steps)


@example("CONV-6")
def _two_see_five() -> Example:
    ones = np.ones((3, 3, 1, 1))
    pixels = np.eye(25).reshape(25, 5, 5, 1)
    ways = oracle.conv2d(oracle.conv2d(pixels, ones), ones).reshape(5, 5)
    agree(np.outer([1, 2, 3, 2, 1], [1, 2, 3, 2, 1]), ways)
    steps = (
        "Of 5 × 5 pixels a valid 3 × 3 convolution leaves 3 × 3, and a second one leaves a single output.",
        "With kernels of ones each pixel counts as often as there are ways to that output: once at the corners, nine "
        "times in the middle. None counts zero times: the output sees all 25.",
    )
    return Example(steps, (grid("ways to the output", ways),))


@example("CONV-7")
def _bias() -> Example:
    outputs = Sliding(IMAGE, (3, 3)).convolved(THREE)
    first, broadcast = number(outputs[0, 0]), number(outputs[0, 0] + 10)
    steps = (
        f"Two filters give 3 × 3 × 2 outputs, here {first} first for both. A bias of 10 and 20 makes them "
        f"{broadcast} and {number(outputs[0, 0] + 20)}.",
        f"A bias of one value, 10, would be broadcast: {broadcast} for both filters, and no error.",
    )
    return Example(steps)


@example("SEP-1")
def _separable() -> Example:
    image = np.stack([IMAGE, 26 - IMAGE], axis=-1)
    depthwise = np.stack([TWO, np.array([[1.0, 0], [0, -1]])], axis=-1)
    pointwise = np.array([2.0, 3])
    first, second = (Sliding(image[..., c], (2, 2)).convolved(depthwise[..., c]) for c in range(2))
    whole = oracle.separable_conv2d(image[None], depthwise[..., None], pointwise.reshape(1, 1, 2, 1))[0, ..., 0]
    agree(2 * first + 3 * second, whole)
    steps = (
        "Two channels, and a depthwise kernel of 2 × 2 for each. "
        f"First output of channel 0: {summed(Sliding(IMAGE, (2, 2)).terms((0, 0), TWO), first[0, 0])}.",
        f"Of channel 1: {number(image[0, 0, 1])} - {number(image[1, 1, 1])} = {number(second[0, 0])}.",
        f"Mixed by a 1 × 1 convolution with the weights 2 and 3: "
        f"{summed([(first[0, 0], 2), (second[0, 0], 3)], whole[0, 0])}.",
        "Weights: 2² × 2 + 2 × 1 = 10. With f filters they are 8 + 2 × f, and 8 × f in a plain convolution: four "
        "times as many, where f is large.",
    )
    grids = (
        Sliding(IMAGE, (2, 2)).shown("channel 0"),
        grid("kernel of channel 0", TWO),
        Sliding(26 - IMAGE, (2, 2)).shown("channel 1"),
        grid("kernel of channel 1", depthwise[..., 1]),
        grid("channel 0, convolved", first, [(0, 0)], [(3, 3)]),
        grid("channel 1, convolved", second, [(0, 0)], [(3, 3)]),
        grid("output", whole, [(0, 0)], [(3, 3)]),
    )
    return Example(steps, grids, Sliding(IMAGE, (2, 2)).window)
