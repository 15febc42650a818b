"""Augmentation and preprocessing."""

import math

import numpy as np

from ...oracles.images import preprocess
from ...oracles.transformations import reflected, rotation, transformed, zoom
from ..example import Example, Numbers, agree, example, grid, number, numbers
from .images import IMAGE

SMALL = np.arange(1.0, 10).reshape(3, 3)


def _shown(image: Numbers, matrix: Numbers) -> Numbers:
    """The oracle's result for one image."""
    return transformed(image[None, ..., None], matrix[None])[0, ..., 0]


@example("FLIP-1")
def _mirror() -> Example:
    mirrored = _shown(SMALL, np.diag([1.0, -1.0]))
    agree(mirrored, SMALL[:, ::-1])
    steps = ("Left and right are exchanged: the row 1, 2, 3 becomes 3, 2, 1 and stays on top.",)
    grids = (
        grid("image", SMALL, [(0, 0)]),
        grid("mirror image", mirrored, [(0, 2)]),
        grid("wrong: upside down", SMALL[::-1], [(2, 0)]),
    )
    return Example(steps, grids)


@example("FLIP-2")
def _half() -> Example:
    agree(2**-10, 1 / 1024)
    steps = ("Of ten images none is mirrored once in 2^10 = 1,024 times: ten images decide nothing, thousands do.",)
    return Example(steps)


@example("ROT-1")
def _angle() -> Example:
    degrees, radians = 0.1 * 360, 0.1 * 2 * math.pi
    agree(rotation(0.1)[0, 1], math.sin(radians))
    steps = (
        f"0.1 of a turn is {number(degrees)}°, or {number(radians)} radians. Taken for radians, 0.1 would be "
        f"{number(math.degrees(0.1))}°; taken for half a turn, {number(0.1 * 180)}°.",
    )
    return Example(steps)


@example("ROT-2")
def _reflection() -> Example:
    quarter = _shown(IMAGE, rotation(0.25))
    agree(quarter, np.rot90(IMAGE))
    tenth = _shown(IMAGE, rotation(0.1))
    agree(tenth[2, 2], IMAGE[2, 2])
    agree([reflected(np.array([-1, 5]), 5)], [[0, 4]])
    steps = (
        "A quarter of a turn, counter-clockwise: what was at the right is on top. The centre, 13, stays.",
        "A tenth of a turn takes the corners from outside: there the image is reflected, d c b a | a b c d | d c b a, "
        "so that no pixel is 0.",
    )
    grids = (
        grid("image", IMAGE, [(2, 2)]),
        grid("a quarter of a turn", quarter, [(2, 2)]),
        grid("a tenth of a turn", tenth.round(1), [(2, 2)]),
    )
    return Example(steps, grids)


@example("ZOOM-1")
def _window() -> Example:
    sides = [180 * (1 + u) for u in (-0.2, 0.2)]
    agree(sides, [180 * float(zoom(share)[0, 0]) for share in (0.8, 1.2)])
    steps = (
        f"An image of 180 × 180 shows a window of {number(sides[0])} to {number(sides[1])} pixels a side: u = -0.2 "
        "enlarges what is in the middle, u = 0.2 makes it smaller.",
    )
    return Example(steps)


@example("ZOOM-2")
def _both_axes() -> Example:
    half = _shown(IMAGE, zoom(0.5))
    agree(half, 13 + (IMAGE - 13) / 2)
    steps = (
        "A window of half the sides, about the centre: the corner shows what was half as far from 13, "
        f"13 + (1 - 13) / 2 = {number(half[0, 0])}.",
        "The centre, 13, stays, and both axes scale alike.",
    )
    return Example(steps, (grid("image", IMAGE, [(2, 2)]), grid("half of it", half, [(2, 2)])))


@example("AUG-1")
def _range() -> Example:
    mixed = 0.3 * 10 + 0.7 * 200
    agree(mixed, np.interp(0.7, [0, 1], [10, 200]))
    steps = (
        f"Between pixels of 10 and 200, 0.7 of the way: 0.3 × 10 + 0.7 × 200 = {number(mixed)}. Bilinear shares are "
        "never negative and sum to 1, so that nothing lies outside of 10 to 200.",
    )
    return Example(steps)


@example("AUG-6")
def _constant() -> Example:
    constant = np.full((5, 5), 7.0)
    agree(_shown(constant, rotation(0.1) @ zoom(1.2)), constant)
    steps = (
        "An image of 7 in each pixel stays 7: shares sum to 1, and the reflection brings in 7 as well. Black corners "
        "would bring in 0.",
    )
    return Example(steps)


@example("AUG-9")
def _order() -> Example:
    mirror, quarter = np.diag([1.0, -1.0]), rotation(0.25)
    one, other = _shown(_shown(SMALL, mirror), quarter), _shown(_shown(SMALL, quarter), mirror)
    agree(one, np.rot90(SMALL[:, ::-1]))
    agree(other, np.rot90(SMALL)[:, ::-1])
    steps = (
        f"Mirrored, then turned by a quarter: the first row is {numbers(one[0])}. Turned, then mirrored: "
        f"{numbers(other[0])}.",
        "Shapes and ranges are alike, and so is the share of images that are mirrored: the order shows in the pixels "
        "alone.",
    )
    grids = grid("image", SMALL), grid("mirrored, then turned", one), grid("turned, then mirrored", other)
    return Example(steps, grids)


@example("PRE-1")
def _scaled() -> Example:
    pixels = [0, 100, 127.5, 255]
    got = preprocess(np.array(pixels).reshape(1, 1, 4, 1), (1, 4))[0, 0, :, 0]
    agree([pixel / 127.5 - 1 for pixel in pixels], got)
    steps = (f"x / 127.5 - 1 takes {numbers(pixels)} to {numbers(got)}.",)
    return Example(steps)


@example("PRE-2")
def _once() -> Example:
    twice = preprocess(preprocess(np.array([0.0, 255]).reshape(1, 1, 2, 1), (1, 2)), (1, 2))[0, 0, :, 0]
    agree([-1 / 127.5 - 1, 1 / 127.5 - 1], twice)
    steps = (
        f"Once: 0 and 255 become -1 and 1. Twice: {numbers(twice)}. Every image is nearly the same grey to the base, "
        "and nothing crashes.",
    )
    return Example(steps)


@example("PRE-3")
def _as_pretrained() -> Example:
    values = [100 / 127.5 - 1, (100 / 255 - 0.485) / 0.229, 100 - 123.68]
    agree(values[0], preprocess(np.full((1, 1, 1, 1), 100.0), (1, 1))[0, 0, 0, 0])
    steps = (
        f"A red pixel of 100 is {number(values[0])} to Xception, {number(values[1])} to the bases of torchvision "
        f"((100 / 255 - 0.485) / 0.229), and {number(values[2])} to a ResNet50 of Keras (100 - 123.68, in the third "
        "channel).",
    )
    return Example(steps)
