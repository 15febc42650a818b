"""Augmentation: random mirror images, rotations and zooms (notes, "과적합과 데이터 증강"; code 5)."""

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ..adapter.contract import Array
from ..adapter.implementation import Implementation
from ..cases.evidence import keep_images
from ..cases.examples import once, one_in
from ..cases.pictures import (
    LABELS,
    LARGE_SIZES,
    MANY,
    TRANSFORMATIONS,
    Charts,
    Pictures,
    charts,
    classes,
    draws,
    most_alike,
    pictures,
    transform,
)
from ..judging.checks import expect, expect_close, expect_equal, expect_same
from ..judging.statistics import ALPHA, independence_p_value
from ..oracles.transformations import augmented, recover
from .clause import Level, clause
from .transformations import expect_transformed

SOURCE = 'notes, "과적합과 데이터 증강"; code 5'


@pytest.fixture(scope="module")
def epochs(implementation: Implementation, seed: int) -> tuple[Array, Array]:
    """Copies of one chart, augmented with two consecutive seeds, as in two epochs."""
    first, second = (transform(implementation, "augment", Charts(count=MANY).images, seed=seed + i) for i in (0, 1))
    return first, second


def expect_likely(p_values: dict[str, float]) -> None:
    """Expect no alarm from any of these tests, which share the clause's rate of false alarms."""
    alpha = ALPHA / len(p_values)
    for what, p in p_values.items():
        expect(p >= alpha, what, expected=f"independent, p >= {alpha:.1e}", got=f"p = {p:.1e}")


@clause("AUG-1", Level.MUST, "augmentation", SOURCE)
@one_in(20)  # each goes through every transformation
@given(case=pictures())
@example(case=Pictures((7, 12), count=1))
def test_shape_dtype_and_range_are_kept(implementation: Implementation, case: Pictures) -> None:
    """Augmentation keeps the shape and dtype of the images, and keeps each channel within the range of values of the input image.

    Tolerance: 1e-3 grey levels, for float32 weights that do not add up to exactly 1.

    If this fails, check for cubic interpolation, which overshoots; for corners filled with black; for float64 or uint8;
    and for height and width exchanged.
    """
    images = case.images
    low, high = images.min(axis=(1, 2), keepdims=True), images.max(axis=(1, 2), keepdims=True)
    for name in implementation.offered(TRANSFORMATIONS):
        got = transform(implementation, name, images, seed=case.seed)
        expect(got.shape == images.shape, f"shape of {name}", expected=images.shape, got=got.shape)
        expect(got.dtype == np.float32, f"dtype of {name}", expected="float32", got=str(got.dtype))
        expect_close(got, np.clip(got, low, high), f"{name} within the range of the image", rtol=0, atol=1e-3)


@clause("AUG-2", Level.MUST, "augmentation", SOURCE)
@one_in(10)  # each is a batch of images
@given(case=pictures(plain=True), dtype=st.sampled_from(LABELS))
def test_labels_and_order_are_untouched(implementation: Implementation, case: Pictures, dtype: type) -> None:
    """Augmentation does not change the labels or the order of the samples.

    Each image has a single colour, by which it is recognised. Labels of other integer types, bool or float32 keep their
    dtype.

    If this fails, check for shuffling, and for parallel workers whose results are taken in the order of completion.
    """
    given: NDArray[Any] = case.labels.astype(dtype)
    images, labels = implementation.augment(case.images, given, seed=case.seed)
    expect_same(labels, case.labels, "labels")
    expect_equal(str(np.asarray(labels).dtype), str(given.dtype), "dtype of labels")
    expect_same(most_alike(images, case.images), np.arange(case.count), "index of the image that each is made of")


@clause("AUG-3", Level.MUST, "augmentation", SOURCE)
@one_in(20)  # each goes through every transformation
@given(case=pictures())
def test_outside_training_it_is_the_identity(implementation: Implementation, case: Pictures) -> None:
    """Outside training, augmentation is exactly the identity.

    If this fails, check that ``training=False`` is passed on: a Keras layer that is called without it augments.
    """
    for name in implementation.offered(TRANSFORMATIONS):
        got = transform(implementation, name, case.images, seed=case.seed, training=False)
        keep_images(name, case.images, got)
        expect_same(got, case.images, f"{name} outside training")
    _, labels = implementation.augment(case.images, case.labels, seed=case.seed, training=False)
    expect_same(labels, case.labels, "labels outside training")


@clause("AUG-4", Level.STOCHASTIC, "augmentation", SOURCE)
def test_a_seed_repeats_and_another_does_not(implementation: Implementation, seed: int) -> None:
    """Augmentation with the same seed gives the same result, bit for bit, whatever was drawn in between; another seed gives another result.

    Three consecutive seeds are tried on 64 images. A batch of one image must give more than one result with 24 seeds
    for a flip, and with 2 seeds for the other transformations. False alarms: two seeds flip all of 64 images alike with
    probability 2e-19, 24 seeds flip one image alike with 1.2e-7, and two seeds draw the same angle or the same zoom
    with 6e-8 each. Power: a seed that is ignored or halved, and one that does not decide one of the 64 images, always
    fail; at least 0.999 for one that leaves each draw to chance with probability 0.02.

    If this fails, check for a global random generator, a generator that is created once and continues in the next call,
    and parallel workers that race for one generator. Check for digits of the seed that get lost, and for a batch of one
    image that is not treated as a batch.
    """
    images = Charts(count=64).images
    for name in implementation.offered(TRANSFORMATIONS):
        first, second, third, again = (transform(implementation, name, images, seed=seed + i) for i in (0, 1, 2, 0))
        expect_same(again, first, f"{name} with the same seed")
        for one, other in combinations((first, second, third), 2):
            differ = not np.array_equal(one, other)
            expect(differ, f"{name} with another seed", expected="another result", got="the same")
        seeds = range(seed, seed + (24 if name == "random_flip" else 2))
        alone = {transform(implementation, name, images[:1], seed=each).tobytes() for each in seeds}
        what = f"results of {name} on one image, with {len(seeds)} seeds"
        expect(len(alone) > 1, what, expected="more than one", got=len(alone))


@clause("AUG-5", Level.STOCHASTIC, "augmentation", SOURCE)
def test_samples_and_transformations_are_independent(epochs: tuple[Array, Array], seed: int) -> None:
    """The samples of a batch are transformed independently of each other, and so are the three transformations of one sample.

    Flip, angle and zoom are recovered from 2,048 copies of one image, labelled with both classes. False alarms: 1e-6
    over twelve tests. Nine of them compare each transformation between neighbouring images, between images half a batch
    apart, and with the class; three compare the transformations in pairs. Power: at least 0.999 for a correlation of
    0.2 between two transformations and of 0.3 between images. One draw for every two images gives a correlation of 1;
    one seed for all transformations gives 0.87 and 1. One draw for the whole batch always fails.

    If this fails, check for one seed that is given to all three transformations; for one draw per batch; for a
    generator that restarts with each image; and for images of one class that are treated differently.
    """
    found = draws(epochs[0])
    for name, drawn in found.items():
        expect(len(set(drawn)) > 1, f"{name} of each image", expected="its own", got=f"{drawn[0]:g} for all of {MANY}")
    p_values = {  # scores are those of angle and zoom, because a flip's carry less information
        f"{a} and {b} of an image": independence_p_value(found[b], found[a], seed) for a, b in combinations(found, 2)
    }
    for name, drawn in found.items():
        p_values[f"{name} of two neighbours"] = independence_p_value(drawn[::2], drawn[1::2], seed)
        p_values[f"{name} half a batch apart"] = independence_p_value(drawn[: MANY // 2], drawn[MANY // 2 :], seed)
        p_values[f"{name} and the class of an image"] = independence_p_value(drawn, classes(MANY, seed), seed)
    expect_likely(p_values)


@clause("AUG-6", Level.MUST, "augmentation", SOURCE)
@one_in(20)  # each goes through every transformation
@given(case=pictures(plain=True))
def test_a_constant_image_is_a_fixed_point(implementation: Implementation, case: Pictures) -> None:
    """A constant image is a fixed point of flip, rotation and zoom.

    Tolerance: 1e-3 grey levels, for float32 weights that do not add up to exactly 1.

    If this fails, check for corners filled with black, and for weights that do not add up to 1 at the border.
    """
    images = np.repeat(case.images[:1], case.count, axis=0)
    for name in implementation.offered(TRANSFORMATIONS):
        got = transform(implementation, name, images, seed=case.seed)
        keep_images(name, images, got)
        expect_close(got, images, f"{name} of constant images", rtol=0, atol=1e-3)


@clause("AUG-7", Level.STOCHASTIC, "augmentation", SOURCE)
def test_two_epochs_show_different_versions(epochs: tuple[Array, Array], seed: int) -> None:
    """Two epochs show different versions of an image, and the versions in one epoch are independent of those in the other.

    Two epochs are two consecutive seeds. False alarms: 1e-6 over nine tests, which compare the flip, angle and zoom of
    an image with those of the same, the next and the previous image in the next epoch. The probability that one of
    2,048 images looks the same is 1e-10. Power: at least 0.999 for a correlation of 0.2; draws that move on by one
    image give a correlation of 1.

    If this fails, check for a seed that is reset in each epoch; for transformed images that are cached; and for seeds
    made by addition: epoch + index gives an image the draws of its neighbour.
    """
    same = np.flatnonzero((epochs[0] == epochs[1]).all(axis=(1, 2, 3)))
    expect(len(same) == 0, "images that look the same in both epochs", expected="none", got=f"{len(same)} of {MANY}")
    first, second = map(draws, epochs)
    p_values = {}
    for name, one, other in ((name, first[name], second[name]) for name in first):
        pairs = {"itself": (one, other), "the next": (one[:-1], other[1:]), "the one before": (one[1:], other[:-1])}
        for image, (a, b) in pairs.items():
            p_values[f"{name} of an image and, an epoch later, of {image}"] = independence_p_value(a, b, seed)
    expect_likely(p_values)


@clause("AUG-9", Level.MUST, "augmentation", SOURCE)
@one_in(10)  # each is a batch of images
@given(case=charts(LARGE_SIZES))
def test_the_whole_is_flip_then_rotation_then_zoom(implementation: Implementation, case: Charts) -> None:
    """Augmentation is a flip, then a rotation, then a zoom, each applied to the result of the previous step and each as its own clauses specify.

    All three are about the centre, bilinear and reflected outside, as in FLIP-1, ROT-2 and ZOOM-2. Flip, angle and zoom
    are recovered from the middle of the image, which no reflection reaches; then the whole image is compared with these
    three steps. Tolerance: 0.04 grey levels (0.02 for each interpolation), 1e-3 pixels for the centre, and 1e-4 for the
    window.

    If this fails, check the order; that nothing else is done to the image; and, if the steps are implemented again for
    the combination, that their fill and interpolation are those of the single transformations.
    """
    got = transform(implementation, "augment", case.images, seed=case.seed)
    found = recover(got)
    expect_close(found.heights, found.widths, "height and width of the window", rtol=0, atol=1e-4)
    expect_close(np.abs(found.shifts).max(), 0, "pixels by which the centre moved", rtol=0, atol=1e-3)

    def definition(repeated: bool) -> NDArray[np.float64]:
        return augmented(case.images, found.mirrored, found.turns, found.zooms, repeated=repeated)

    expect_transformed(got, definition, found.matrices, "flip, rotation and zoom of the middle", atol=0.04)


@clause("AUG-10", Level.MUST, "augmentation", f"{SOURCE}; contract")
@once()
@given(case=pictures())
def test_other_dtypes_count_as_float32_or_are_refused(implementation: Implementation, case: Pictures) -> None:
    """Images of uint8 or float64 are transformed like the same values in float32, or are refused with an error.

    Tolerance: 0.02 grey levels.

    If this fails, check for results in the dtype of the images: in uint8 they are whole grey levels, and wrap around.
    """
    whole: NDArray[Any] = case.images.astype(np.uint8)
    for name, dtype in product(implementation.offered(TRANSFORMATIONS), (np.uint8, np.float64)):
        expected = transform(implementation, name, whole.astype(np.float32), seed=case.seed)
        try:
            got = transform(implementation, name, whole.astype(dtype), seed=case.seed)
        except Exception as error:  # whatever the implementation refuses with
            expect(str(error), f"{name} of {dtype.__name__}", expected="an error that says something", got=error)
        else:
            expect_close(got, expected, f"{name} of {dtype.__name__}", rtol=0, atol=0.02)


@clause("AUG-11", Level.MUST, "augmentation", f"{SOURCE}; contract")
def test_every_bit_of_a_seed_counts(implementation: Implementation, seed: int) -> None:
    """Seeds from 0 to 2^31 - 1 that differ only in bit 16 or 30 give different results; larger seeds do so too, or are refused with an error.

    The larger seeds are seed + 2^31 and seed + 2^32. Two seeds flip all of 64 images alike with probability 2e-19.

    If this fails, check for a seed that is truncated to the bits that a generator takes: torch takes 32, and so does a
    key of JAX.
    """
    images = Charts(count=64).images
    for name in implementation.offered(TRANSFORMATIONS):
        first = transform(implementation, name, images, seed=seed)
        for other in (seed ^ 1 << 16, seed ^ 1 << 30, seed + (1 << 31), seed + (1 << 32)):
            try:
                got = transform(implementation, name, images, seed=other)
            except Exception:
                if other < 1 << 31:
                    raise
            else:
                what = f"{name} with the seeds {seed} and {other}"
                expect(not np.array_equal(got, first), what, expected="different results", got="the same")
