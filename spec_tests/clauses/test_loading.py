"""Reading image folders (notes, code 4)."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ..adapter.implementation import Implementation
from ..cases.archives import folder
from ..cases.galleries import (
    EACH_BROKEN,
    MODES,
    Broken,
    Coloured,
    Gallery,
    Mark,
    Misfit,
    Resizing,
    a_share_of_the_examples,
    broken_galleries,
    galleries,
    joined,
    marks,
    misfits,
    resizings,
)
from ..cases.windows import SEEDS, always
from ..judging.checks import expect, expect_close, expect_equal, expect_error
from ..oracles.images import resize_bilinear
from .clause import Level, clause

SOURCE = "notes, code 4"
ANY = Gallery((3, 3))  # how to read where it does not matter


def read(implementation: Implementation, directory: Path, case: Gallery) -> Any:
    """The batches that the case asks for."""
    return implementation.load_images(
        directory, image_size=case.image_size, batch_size=case.batch_size, shuffle=case.shuffle, seed=case.seed
    )


def order(batches: Any) -> list[Mark]:
    """What the images of an epoch tell of themselves."""
    return marks(joined(batches)[0])


@clause("LOAD-1", Level.MUST, "data", SOURCE)
@a_share_of_the_examples()
@given(case=galleries())
def test_batches_have_the_stated_form(implementation: Implementation, case: Gallery) -> None:
    """Batches are float32 (batch, height, width, 3) in [0, 255]; there are ceil(N / batch) of them, and the last, shorter one is kept.

    Each gallery has a pixel of 0 and one of 255. Tolerance: 0.01 for what resizing rounds.

    If this fails, check that the last batch is not dropped or filled up, and that images are not scaled to [0, 1].
    """
    with folder() as here:
        batches = [images for images, _ in read(implementation, case.write(here), case)]
    number = sum(case.counts)
    sizes = [min(case.batch_size, number - start) for start in range(0, number, case.batch_size)]
    expect_equal([len(images) for images in batches], sizes, f"images in each batch of {number} images")
    expect_equal({images.shape[1:] for images in batches}, {(*case.image_size, 3)}, "shape of the images")
    expect_equal({str(images.dtype) for images in batches}, {"float32"}, "dtype of the images")
    extremes = min(images.min() for images in batches), max(images.max() for images in batches)
    expect_close(extremes, (0, 255), "the smallest and the largest value", rtol=0, atol=0.01)


@clause("LOAD-2", Level.MUST, "data", SOURCE)
@a_share_of_the_examples()
@given(case=galleries())
def test_every_image_carries_its_own_label(implementation: Implementation, case: Gallery) -> None:
    """Labels are class indices in alphabetical order of the folder names (cat 0, dog 1), and every image carries its own label, shuffled or not.

    The colour of an image tells its class, so that no bookkeeping can mix them up; in two epochs.

    If this fails, check that the folders are sorted, since the file system's order is any, and that images and labels are
    shuffled together.
    """
    with folder() as here:
        batches = read(implementation, case.write(here), case)
        for images, labels in map(joined, (batches, batches)):
            found = f"{labels.dtype} {labels.shape}"
            expect(labels.ndim == 1 and labels.dtype.kind in "iu", "labels", expected="int (n,)", got=found)
            expect_equal(labels.tolist(), [label for label, _ in marks(images)], "labels, against those of the pixels")


@clause("LOAD-3", Level.MUST, "data", SOURCE)
@a_share_of_the_examples()
@given(case=galleries())
def test_every_image_appears_once_in_an_epoch(implementation: Implementation, case: Gallery) -> None:
    """Every image appears exactly once in an epoch.

    In each of two epochs.

    If this fails, check for drawing with replacement, for a dropped last batch, and that an iterator starts again.
    """
    with folder() as here:
        batches = read(implementation, case.write(here), case)
        for which in ("first", "second"):
            expect_equal(
                sorted(order(batches)), sorted(case.in_order), f"(class, index) of images in the {which} epoch"
            )


@clause("LOAD-4", Level.MUST, "data", SOURCE)
@a_share_of_the_examples()
@given(case=galleries(counts=st.tuples(st.integers(11, 13), st.integers(2, 5))))
def test_the_order_follows_from_the_seed(implementation: Implementation, case: Gallery) -> None:
    """The same seed gives the same order, another seed another; without shuffling the order is that of the sorted paths; shuffled epochs differ.

    Paths are sorted as text: cat.10 before cat.2, all cats before all dogs. At least 13 images: two honest orders agree
    once in 6 × 10⁹.

    If this fails, check that the order is drawn again for each epoch, and from the seed alone.
    """
    with folder() as here:
        directory = case.write(here)
        plain = read(implementation, directory, replace(case, shuffle=False))
        seeded = partial(replace, case, shuffle=True)
        seeds = (case.seed, case.seed, case.seed ^ 1)
        first, again, other = (read(implementation, directory, seeded(seed=seed)) for seed in seeds)
        expect_equal([order(plain), order(plain)], [case.in_order] * 2, "two epochs, not shuffled")
        epochs = [order(first), order(first)]
        expect(epochs[0] != epochs[1], "two shuffled epochs", expected="two different orders", got=f"twice {epochs[0]}")
        expect_equal([order(again), order(again)], epochs, "two epochs with the same seed")
        expect(order(other) != epochs[0], "another seed", expected="another order", got=f"the same, {epochs[0]}")


@clause("LOAD-5", Level.MUST, "data", f"{SOURCE}; Keras documentation of image_dataset_from_directory")
@a_share_of_the_examples()
@given(case=resizings())
def test_images_are_squashed_by_bilinear_interpolation(implementation: Implementation, case: Resizing) -> None:
    """Images are resized to the asked size by bilinear interpolation without keeping their aspect ratio; a constant image stays constant, and an image already of that size is unchanged.

    Bilinear: between the centres of the four nearest pixels, without smoothing when an image shrinks. Tolerance: 0.01
    grey levels, for positions in float32 on sides of up to 50 pixels; 0 for the same size.

    If this fails, check for antialiasing (Pillow's and torchvision's resize smooth what they shrink), for corners that are
    aligned instead of half pixels, for values rounded to whole levels, and for cropping or bars that keep the aspect ratio.
    """
    with folder() as here:
        got, _ = joined(read(implementation, case.write(here), replace(ANY, image_size=case.image_size)))
    expect_equal(len(got), len(case.images), "number of images")
    for image, original in zip(got, case.images, strict=True):
        what = f"{original.shape[:2]} resized to {case.image_size}"
        atol = 0 if original.shape[:2] == case.image_size else 0.01
        expect_close(image, resize_bilinear(original, case.image_size), what, rtol=0, atol=atol)


@clause("LOAD-6", Level.MUST, "data", SOURCE)
@a_share_of_the_examples()
@given(case=st.builds(Coloured, st.sampled_from(MODES), SEEDS))
@always(map(Coloured, MODES))
def test_other_colour_modes_come_out_as_three_channels(implementation: Implementation, case: Coloured) -> None:
    """Grey, palette, CMYK and RGBA files come out as three channels: the red, green and blue of their pixels.

    Grey is repeated; RGBA is opaque here, and what becomes of transparency is left open. Tolerance: none, but 6 grey
    levels for CMYK, which comes as JPEG.

    If this fails, check that a palette's indices are looked up, and that images are converted to RGB after decoding.
    """
    with folder() as here:
        got, _ = joined(read(implementation, case.write(here), replace(ANY, image_size=(8, 8))))
    expect_close(got, np.stack(case.pixels), f"{case.mode} images", rtol=0, atol=case.tolerance)


@clause("LOAD-7", Level.MUST, "data", SOURCE)
@a_share_of_the_examples()
@given(case=misfits())
def test_anything_but_two_classes_with_images_is_refused(implementation: Implementation, case: Misfit) -> None:
    """Only the expected class folders count: an empty or an extra folder is an error, not a class that shifts the labels.

    Raised on loading or while the images are read; a folder that holds no image is empty, whatever else is in it.

    If this fails, check what becomes of a folder without images: Keras's image_dataset_from_directory makes it a class.
    """
    with folder() as here:
        directory = case.write(here)
        expect_error(lambda: list(read(implementation, directory, ANY)), f"the class folder {case.name} {case.kind}")


@clause("LOAD-8", Level.MUST, "data", SOURCE)
@a_share_of_the_examples()
@given(case=broken_galleries())
@always(EACH_BROKEN)
def test_an_unreadable_file_is_named(implementation: Implementation, case: Broken) -> None:
    """A file that is not a readable image gives an error that names it; it never becomes a black or a repeated image.

    Raised on loading or while the images are read; named by the file's name at least.

    If this fails, check that a decoder's error is not swallowed or raised without the name, and that
    truncated files are not filled up.
    """
    with folder() as here:
        directory = case.write(here)
        reading = replace(ANY, shuffle=case.shuffle)
        expect_error(lambda: list(read(implementation, directory, reading)), f"a file is {case.kind}", case.file)


@clause("LOAD-9", Level.MUST, "data", SOURCE)
def test_shuffled_epochs_begin_with_either_class(implementation: Implementation, tmp_path: Path, seed: int) -> None:
    """Images are shuffled among all: epochs begin with either class.

    Nine cats and nine dogs, read one by one: 40 honest epochs begin with the same class once in 5 × 10¹¹.

    If this fails, check the size of a buffer: where it holds fewer than there are of the first class, every epoch
    begins with that class.
    """
    even = Gallery((9, 9), batch_size=1, shuffle=True, seed=seed)
    batches = read(implementation, even.write(tmp_path), even)
    expect_equal({order(batches)[0][0] for _ in range(40)}, {0, 1}, "classes that 40 shuffled epochs begin with")
