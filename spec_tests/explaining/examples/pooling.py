"""Pooling."""

import numpy as np

from ...oracles import windows as oracle
from ..example import Example, Sliding, agree, example, grid, number, numbers
from .images import IMAGE

HALVING = Sliding(IMAGE, (2, 2), (2, 2))


@example("POOL-1")
def _halved() -> Example:
    largest = HALVING.pooled("max")
    steps = (
        *HALVING.sizes(),
        f"Largest values: {numbers(largest.ravel())}. The fifth row and column are dropped: floor(5 / 2) = 2.",
    )
    return Example(steps, (HALVING.shown(), HALVING.result("max pooling", largest)), HALVING.window)


@example("POOL-2")
def _padded() -> Example:
    sliding = Sliding(IMAGE, (3, 3), (3, 3))
    agree(sliding.pooled("max"), [[13.0]])
    same = Sliding(IMAGE, (3, 3), (3, 3), padding="same")
    steps = (
        *sliding.sizes(),
        f"A window of 3 moves by 3 by default: valid padding gives one output, {number(sliding.pooled('max')[0, 0])}.",
        f"Same padding gives ceil(5 / 3) = 2 a side: {numbers(same.pooled('max').ravel())}.",
    )
    grids = same.shown("image, padded", np.nan), same.result("max pooling, same padding", same.pooled("max"))
    return Example(steps, grids, same.window)


@example("POOL-3")
def _largest() -> Example:
    sliding = Sliding(-IMAGE, (2, 2), (2, 2), padding="same")
    largest = sliding.pooled("max")
    steps = (
        f"All values are negative. The last window holds one real pixel, {number(largest[2, 2])}, which is its "
        "maximum.",
        "Padded with zeros, the five windows at the bottom and right would all give 0.",
    )
    grids = sliding.shown("image, padded", np.nan), sliding.result("max pooling", largest)
    return Example(steps, grids, sliding.window)


@example("POOL-4")
def _mean() -> Example:
    sliding = Sliding(IMAGE, (2, 2), (2, 2), padding="same")
    means = sliding.pooled("mean")
    edge, corner = sliding.real((0, 2)), sliding.real((2, 2))
    agree([sum(edge) / 2, sum(corner)], [means[0, 2], means[2, 2]])
    steps = (
        f"The window at the top right holds two real pixels: ({number(edge[0])} + {number(edge[1])}) / 2 = "
        f"{number(means[0, 2])}. Divided by its area it would be {number(sum(edge) / 4)}.",
        f"The last window holds one, and its mean is {number(means[2, 2])}; divided by 4 it would be "
        f"{number(sum(corner) / 4)}.",
    )
    grids = sliding.shown("image, padded", np.nan), sliding.result("average pooling", means)
    return Example(steps, grids, sliding.window)


@example("POOL-5")
def _channels() -> Example:
    other = 100 - IMAGE
    both = oracle.max_pooling2d(np.stack([IMAGE, other], axis=-1)[None], (2, 2), (2, 2))[0]
    alone = HALVING.pooled("max")
    agree(both[..., 0], alone)
    steps = (
        f"Channel 0 gives {numbers(alone.ravel())}, with a channel 1 of 100 - x as well as alone.",
        f"A window over both channels would give {numbers(both.max(axis=-1).ravel())}, which is all of channel 1.",
    )
    grids = (
        HALVING.shown("channel 0"),
        HALVING.result("channel 0, pooled", alone),
        grid("channel 1, pooled", both[..., 1]),
    )
    return Example(steps, grids)


@example("POOL-6")
def _presence() -> Example:
    image = np.zeros((4, 4))
    image[1, 2] = 8
    sliding = Sliding(image, (2, 2), (2, 2))
    largest, mean = sliding.pooled("max"), sliding.pooled("mean")
    strided = Sliding(image, (1, 1), (2, 2)).convolved(np.ones((1, 1)))
    agree([largest.max(), mean.max(), strided.max()], [8, 8 / 4, 0])
    steps = (
        "An activation of 8 stands alone in row 1, column 2 (from 0).",
        "Max pooling keeps 8; average pooling leaves 8 / 4 = 2; a 1 × 1 convolution with stride 2 sees rows and "
        "columns 0 and 2 alone, and misses it.",
        "It would be seen in 4 of the 16 places, one in four.",
    )
    grids = (
        grid("image", image, [(1, 2)]),
        grid("max pooling", largest),
        grid("average pooling", mean),
        grid("convolution, stride 2", strided),
    )
    return Example(steps, grids, sliding.window)


@example("POOL-7")
def _increasing() -> Example:
    cubes = Sliding((IMAGE - 13) ** 3, (2, 2), (2, 2)).pooled("max")
    largest = Sliding(IMAGE - 13, (2, 2), (2, 2)).pooled("max")
    agree(largest**3, cubes)
    steps = (
        f"The image less 13, so that half of it is negative: max pooling gives {numbers(largest.ravel())}.",
        f"Cubed before pooling: {numbers(cubes.ravel())}; cubed after it: the same.",
        "A norm instead of the maximum would give the square root of the sum of squares, which is never negative.",
    )
    return Example(steps, (grid("image - 13", IMAGE - 13), grid("pooled", largest), grid("cubes, pooled", cubes)))


def _misfit() -> Sliding:
    return Sliding(IMAGE, (6, 6))


@example("POOL-8")
def _refused() -> Example:
    steps = (
        *_misfit().sizes(),
        "There is no output: a window of 6 does not fit into 5 pixels, and the call is refused.",
    )
    return Example(steps, window=_misfit().window)


@example("POOL-9")
def _message() -> Example:
    (rows, _) = _misfit().axes
    return Example((f"A window of {rows.span} on an image of 5 × 5: the message holds {rows.span} and {rows.side}.",))


@example("GAP-1")
def _global_average() -> Example:
    image = np.stack([IMAGE, IMAGE**2], axis=-1)
    agree([IMAGE.sum() / 25, (IMAGE**2).sum() / 25], image.mean(axis=(0, 1)))
    steps = (
        f"Channel 0: (1 + 2 + … + 25) / 25 = {number(IMAGE.sum())} / 25 = {number(IMAGE.mean())}.",
        f"Channel 1, its squares: {number((IMAGE**2).sum())} / 25 = {number((IMAGE**2).mean())}.",
        "Whatever the order of the pixels. The maxima would be 25 and 625, and the mean over all of it one number, "
        "117.",
    )
    agree(image.mean(), 117)
    grids = grid("channel 0", IMAGE), grid("channel 1", IMAGE**2), grid("output", image.mean(axis=(0, 1)))
    return Example(steps, grids)
