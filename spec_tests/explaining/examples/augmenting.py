"""Augmentation as a random process: labels, seeds, epochs, types, and what must not be augmented."""

import math

import numpy as np

from ...oracles.transformations import rotation, transformed, zoom
from ..example import Example, agree, example, grid, number, numbers
from .images import IMAGE

REACH = 0.1 * 360  # degrees, either way


@example("AUG-2")
def _labels() -> Example:
    wrong = [0, 1, 1, 0]
    agree(sum(a != b for a, b in zip([0, 1, 0, 1], wrong, strict=True)), 2)
    steps = (
        "Labels 0, 1, 0, 1 stay 0, 1, 0, 1. If the images are shuffled again on the way and the labels are not, as in "
        f"{numbers(wrong)}, two of the four images have a wrong label.",
    )
    return Example(steps)


@example("AUG-3", "AUG-8", "AUG-13")
def _outside_training() -> Example:
    turned = transformed(IMAGE[None, ..., None], rotation(0.1)[None])[0, ..., 0]
    agree(turned[2, 2], IMAGE[2, 2])
    steps = (
        "In prediction, validation and testing the image itself is returned, not one of slightly different values. "
        f"A rotation by {number(REACH)}° would move all pixels but the centre, and each validation loss would be "
        "that of other images than the one before.",
    )
    return Example(steps, (grid("validation image", IMAGE), grid("wrong: augmented", turned.round(1))))


@example("AUG-4")
def _seeds() -> Example:
    first, again, other = (np.random.default_rng(seed).uniform(-REACH, REACH) for seed in (7, 7, 8))
    agree(first, again)
    agree(first == other, False)
    steps = (
        f"With NumPy's generator, seed 7 draws an angle of {number(first)}°, and {number(again)}° when it is called "
        f"again. Seed 8 draws {number(other)}°. Any generator is allowed.",
        "A generator that continues from call to call gives another angle the second time.",
    )
    return Example(steps)


@example("AUG-5")
def _independent() -> Example:
    shared = 2 * (2**-5)
    agree(shared, 1 / 16)
    steps = (
        f"Of a batch of five images, all or none are mirrored with a probability of 2 × 2^-5 = {number(shared)}. With "
        "one draw for the batch it is 1.",
        "One seed for both rotation and zoom ties them: the largest angle always comes with the largest window.",
    )
    return Example(steps)


@example("AUG-7", "AUG-14")
def _epochs() -> Example:
    same = 0.5**20
    agree(same, 2.0**-20)
    steps = (
        f"Twenty images are mirrored alike in two epochs with a probability of 2^-20 = {number(same)}, and a rotation "
        "by the same angle has a probability of 0. Equal images in two epochs mean that augmented images were cached "
        "(`cache` after `map`), or that the seed is set again in each epoch.",
    )
    return Example(steps)


@example("AUG-10")
def _types() -> Example:
    mixed = 0.5 * 200 + 0.5 * 100
    agree(mixed, 150)
    wrapped = (200 + 100) % 256 / 2
    agree(wrapped, 22)
    steps = (
        f"Half-way between the uint8 pixels 200 and 100 is {number(mixed)}. Computed in uint8, the sum 300 wraps round "
        f"to 44, and the half of it is {number(wrapped)}: a dark spot in a light place.",
    )
    return Example(steps)


@example("AUG-11")
def _bits() -> Example:
    agree(70000 % 2**16, 4464)
    steps = (
        "70,000 = 65,536 + 4,464: a seed that is kept in 16 bits makes the seeds 4,464 and 70,000 the same, and two "
        "runs that should differ do not.",
    )
    return Example(steps)


@example("AUG-12")
def _in_fit() -> Example:
    spread = 1 / math.sqrt(64)
    agree(spread, 1 / 8)
    steps = (
        "64 copies of an image in an epoch, each with its own flip, rotation and zoom: their mean loss varies from "
        f"epoch to epoch by 1 / sqrt(64) = {number(spread)} of what the loss of one copy does. With one draw for all "
        "copies it varies as much as one copy.",
    )
    return Example(steps)


@example("PURE-2")
def _unchanged() -> Example:
    shown = transformed(IMAGE[None, ..., None], zoom(0.5)[None])[0, ..., 0]
    agree(shown[0, 0], 7)
    steps = (
        f"A zoom of a copy changes the corner from 1 to {number(shown[0, 0])}, and the caller's image keeps its 1. "
        "A function that writes into its argument augments the augmented image in the next epoch.",
    )
    return Example(steps)
