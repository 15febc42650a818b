"""The single transformations of augmentation: mirror images, rotations and zooms (notes, "과적합과 데이터 증강"; code 5)."""

from functools import partial

import numpy as np
from hypothesis import given

from ..adapter.implementation import Implementation
from ..cases.evidence import keep_histogram, keep_images
from ..cases.examples import one_in
from ..cases.pictures import (
    MANY,
    Charts,
    Pictures,
    charts,
    many,
    pictures,
)
from ..judging.checks import expect, expect_close, expect_same
from ..judging.statistics import ALPHA, binomial_p_value, uniform_p_value
from ..oracles.transformations import recover, rotation, zoom
from .clause import Level, clause
from .transformations import expect_many, expect_transformed, reflecting

SOURCE = 'notes, "과적합과 데이터 증강"; code 5'
KERAS = "Keras documentation of"


@clause("FLIP-1", Level.MUST, "augmentation", f"{SOURCE}; {KERAS} RandomFlip")
@one_in(10)  # each is a batch of images
@given(case=pictures())
def test_a_flip_is_left_right(implementation: Implementation, case: Pictures) -> None:
    """A flipped image is the original or its exact left-right mirror image, never an up-down one.

    If this fails, check the axis, and check for RandomFlip() of Keras without "horizontal": it turns images upside
    down.
    """
    got = implementation.random_flip(case.images, seed=case.seed)
    kept = (got == case.images).all(axis=(1, 2, 3), keepdims=True)
    expected = np.where(kept, case.images, case.images[:, :, ::-1])
    keep_images("random_flip", expected, got)
    expect_same(got, expected, "each image, or else its mirror image")


@clause("FLIP-2", Level.STOCHASTIC, "augmentation", f"{SOURCE}; {KERAS} RandomFlip")
def test_half_of_the_images_are_flipped(implementation: Implementation, seed: int) -> None:
    """A random flip gives the original and the mirror image with probability 1/2 each.

    False alarms: 1e-6 over two binomial tests of 2,048 images. Power: at least 0.999 for a probability of 0.4; flipping
    all images, none, or the whole batch together always fails.

    If this fails, check for one coin toss per batch, and for a probability that is applied twice.
    """
    for name, images in many(implementation, ("random_flip", "augment"), seed).items():
        count = int(recover(images).mirrored.sum())
        p = binomial_p_value(count, MANY, 0.5)
        expected = f"half of {MANY}: p >= {ALPHA / 2:.1e}"
        expect(p >= ALPHA / 2, f"images flipped by {name}", expected=expected, got=f"{count}, p = {p:.1e}")


@clause("ROT-1", Level.STOCHASTIC, "augmentation", f"{SOURCE}; {KERAS} RandomRotation")
def test_the_angle_is_uniform(implementation: Implementation, seed: int) -> None:
    """The angle of a random rotation is uniform in ±0.1 turns (±36°), in both directions.

    Another factor gives an angle in ±factor turns. The angle is recovered from 2,048 images, to better than 0.01°, and
    may lie 0.2° outside. False alarms: 1e-6 over three distributions, each tested by its shape (Kolmogorov-Smirnov) and
    its reach. Power: at least 0.999 for a single direction, ±35°, ±18°, ±5.7° (0.1 radians), and a normal distribution
    cut off at its second standard deviation. Whole degrees always fail, because more than half of the angles must
    differ by 0.01°.

    If this fails, check the unit of the factor: 0.1 is a share of a full turn, not of half a turn or of a radian.
    """
    turned = many(implementation, ("random_rotation", "augment"), seed)
    if "random_rotation" in turned:
        turned["factor 0.05"] = implementation.random_rotation(Charts(count=MANY).images, factor=0.05, seed=seed)
    for name, images in turned.items():
        limit = 18 if name == "factor 0.05" else 36
        degrees = recover(images).turns * 360
        keep_histogram(f"angles of {name}", degrees, -limit, limit, "degrees")
        p = uniform_p_value(np.clip(degrees, -limit, limit), -limit, limit)
        fits = p >= ALPHA / 3 and np.abs(degrees).max() <= limit + 0.2
        got = f"{degrees.min():.1f}° to {degrees.max():.1f}°, p = {p:.1e}"
        expect(fits, f"angles of {name}", expected=f"uniform in ±{limit}°: p >= {ALPHA / 3:.1e}", got=got)
        expect_many(degrees, 2, f"angles of {name}, by 0.01°")


@clause("ROT-2", Level.MUST, "augmentation", f"{SOURCE}; {KERAS} RandomRotation")
@one_in(10)  # each is a batch of images
@given(case=charts())
def test_a_rotation_is_about_the_centre_and_reflects(implementation: Implementation, case: Charts) -> None:
    """A rotation keeps the centre in place, and fills the area from outside with the reflection of the image, not with black.

    A row a b c d continues as d c b a | a b c d | d c b a, or as d c b | a b c d | c b a, in the same way for a whole
    batch. Between pixels the image is bilinear. The angle is recovered from the middle of the image, and the whole
    image is compared with the definition for that angle. Tolerance: 0.02 grey levels, which is 4e-5 pixels where black
    and white meet; 1e-3 pixels for the centre.

    If this fails, check that the centre is (side - 1) / 2, not side / 2, and that images that are not square are
    rotated in pixels and not in fractions of their sides. Check for a constant fill, or a repeated edge pixel.
    """
    got = implementation.random_rotation(case.images, seed=case.seed)
    found = recover(got)
    expect_close(np.abs(found.shifts).max(), 0, "pixels by which the centre moved", rtol=0, atol=1e-3)
    matrices = rotation(found.turns)
    definition = partial(reflecting, case.images, matrices)
    expect_transformed(got, definition, matrices, "rotation by the angle in the middle", atol=0.02)


@clause("ZOOM-1", Level.STOCHASTIC, "augmentation", f"{SOURCE}; {KERAS} RandomZoom")
def test_the_zoom_is_uniform(implementation: Implementation, seed: int) -> None:
    """A random zoom shows a window of (1 + u) times the image, with u uniform in ±0.2, so it zooms in and out.

    Another factor gives u in ±factor. The window is recovered from 2,048 images, to better than 1e-4, and may lie 0.002
    outside. False alarms: 1e-6 over three distributions, each tested by its shape (Kolmogorov-Smirnov) and its reach.
    Power: at least 0.999 for in or out only, ±0.19, ±0.1, and a normal distribution cut off at its second standard
    deviation. One draw for the whole batch always fails, and so do steps of 0.01 and a magnification of 1 + u, which
    shows 1 / (1 + u).

    If this fails, check that u widens the window and does not magnify the image, and check for one draw per batch.
    """
    zoomed = many(implementation, ("random_zoom", "augment"), seed)
    if "random_zoom" in zoomed:
        zoomed["factor 0.1"] = implementation.random_zoom(Charts(count=MANY).images, factor=0.1, seed=seed)
    for name, images in zoomed.items():
        limit = 0.1 if name == "factor 0.1" else 0.2
        windows = recover(images).heights
        keep_histogram(f"windows of {name}", windows, 1 - limit, 1 + limit, "of the image's side")
        p = uniform_p_value(np.clip(windows, 1 - limit, 1 + limit), 1 - limit, 1 + limit)
        fits = p >= ALPHA / 3 and np.abs(windows - 1).max() <= limit + 2e-3
        got = f"{windows.min():.3f} to {windows.max():.3f}, p = {p:.1e}"
        expect(fits, f"windows of {name}", expected=f"uniform in 1 ± {limit}: p >= {ALPHA / 3:.1e}", got=got)
        expect_many(windows, 4, f"windows of {name}, by 1e-4")


@clause("ZOOM-2", Level.MUST, "augmentation", f"{SOURCE}; {KERAS} RandomZoom")
@one_in(10)  # each is a batch of images
@given(case=charts())
def test_a_zoom_keeps_centre_and_aspect_and_reflects(implementation: Implementation, case: Charts) -> None:
    """A zoom scales both axes alike about the centre, and fills the area from outside with the reflection of the image.

    A row a b c d continues as d c b a | a b c d | d c b a, or as d c b | a b c d | c b a, in the same way for a whole
    batch. Between pixels the image is bilinear. The zoom is recovered from the middle of the image, and the whole image
    is compared with the definition for that zoom. Tolerance: 0.02 grey levels, which is 4e-5 pixels where black and
    white meet; 1e-3 pixels for the centre; 1e-4 for the window.

    If this fails, check that the centre is (side - 1) / 2, not side / 2. Check for a separate draw for each axis, a
    constant fill, or a repeated edge pixel.
    """
    got = implementation.random_zoom(case.images, seed=case.seed)
    found = recover(got)
    expect_close(found.heights, found.widths, "height and width of the window", rtol=0, atol=1e-4)
    expect_close(np.abs(found.shifts).max(), 0, "pixels by which the centre moved", rtol=0, atol=1e-3)
    matrices = zoom(found.zooms)
    definition = partial(reflecting, case.images, matrices)
    expect_transformed(got, definition, matrices, "zoom by the window in the middle", atol=0.02)
