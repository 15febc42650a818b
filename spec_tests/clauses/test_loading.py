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
from ..cases.examples import one_in
from ..cases.galleries import (
    EACH_BROKEN,
    EACH_NAMED,
    EACH_SUFFIX,
    LARGE,
    MANY,
    MODES,
    WITH_A_FOLDER_BETWEEN,
    Broken,
    Coloured,
    Gallery,
    Mark,
    Misfit,
    Resizing,
    broken_galleries,
    galleries,
    joined,
    marks,
    misfits,
    resizings,
    save_marked,
    suffixed_galleries,
)
from ..cases.photographs import (
    EACH_EXTRA,
    EACH_JPEG,
    EACH_STORED,
    HIDDEN,
    Extra,
    Photograph,
    Stored,
    photographs,
    stored,
)
from ..cases.windows import SEEDS, always
from ..judging.checks import attempt, expect, expect_close, expect_equal, expect_error, expect_no_error
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
@one_in(4, least=5)
@given(case=galleries())
@always([MANY])
def test_batches_have_the_stated_form(implementation: Implementation, case: Gallery) -> None:
    """Batches are float32 (batch, height, width, 3) in [0, 255]; there are ceil(N / batch) of them, and the last, shorter one is kept.

    Each gallery has a pixel of 0 and one of 255. Tolerance: 3 grey levels, since the files are JPEG of one colour each,
    which decoders move by one.

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
    expect_close(extremes, (0, 255), "the smallest and the largest value", rtol=0, atol=3)


@clause("LOAD-2", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=galleries())
@always([*EACH_NAMED, MANY])
def test_every_image_carries_its_own_label(implementation: Implementation, case: Gallery) -> None:
    """Labels are class indices in alphabetical order of the folder names (cat 0, dog 1), and every image carries its own label, shuffled or not.

    The colour of an image tells its class, so that no bookkeeping can mix them up; in three epochs. Both classes may have
    files of the same names, and a class two files of the same bytes.

    If this fails, check that the folders are sorted, since the file system's order is any, that images and labels are
    shuffled together, and that nothing is kept under a file's name alone.
    """
    with folder() as here:
        batches = read(implementation, case.write(here), case)
        for images, labels in map(joined, (batches, batches, batches)):
            found = f"{labels.dtype} {labels.shape}"
            expect(labels.ndim == 1 and labels.dtype.kind in "iu", "labels", expected="int (n,)", got=found)
            expect_equal(labels.tolist(), [label for label, _ in marks(images)], "labels, against those of the pixels")


@clause("LOAD-3", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=galleries())
@always([*EACH_NAMED, MANY])
def test_every_image_appears_once_in_an_epoch(implementation: Implementation, case: Gallery) -> None:
    """Every image appears exactly once in an epoch.

    In each of three epochs, whatever the files are called, in whatever folder below that of their class they lie, and
    though two of them have the same bytes.

    If this fails, check for drawing with replacement, for a dropped last batch, that an iterator starts again, for
    patterns of file names in which brackets have a meaning, and for files distinguished by their names or bytes.
    """
    with folder() as here:
        batches = read(implementation, case.write(here), case)
        for which in ("first", "second", "third"):
            expect_equal(
                sorted(order(batches)), sorted(case.in_order), f"(class, index) of images in the {which} epoch"
            )


@clause("LOAD-4", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=galleries(counts=st.tuples(st.integers(11, 13), st.integers(2, 5))))
@always([WITH_A_FOLDER_BETWEEN])
def test_the_order_follows_from_the_seed(implementation: Implementation, case: Gallery) -> None:
    """The same seed gives the same order, another seed another; without shuffling the order is that of the sorted paths; shuffled epochs differ.

    Paths are sorted as text, folders and names at once: cat.10.jpg before cat.2.jpg, and cat.0.jpg before cat/1.jpg before
    dat.2.jpg, all cats before all dogs. At least 13 images, of which two pairs look alike: two orders that are drawn anew
    agree once in 10⁹.

    If this fails, check that the order is drawn again for each epoch, and from the seed alone; that files are sorted
    after those of all folders were gathered; and that a path is compared as text, not folder by folder.
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
@one_in(4, least=5)
@given(case=resizings())
@always(LARGE)
def test_images_are_squashed_by_bilinear_interpolation(implementation: Implementation, case: Resizing) -> None:
    """Images are resized to the asked size by bilinear interpolation without keeping their aspect ratio; a constant image stays constant, and an image already of that size is unchanged.

    Bilinear: between the centres of the four nearest pixels, without smoothing when an image shrinks. Tolerance: 0.01
    grey levels for each 50 pixels of the longer side, for positions in float32; 0 for the same size.

    If this fails, check for antialiasing (Pillow's and torchvision's resize smooth what they shrink), for corners that are
    aligned instead of half pixels, for values rounded to whole levels, and for cropping or bars that keep the aspect ratio.
    """
    with folder() as here:
        got, _ = joined(read(implementation, case.write(here), replace(ANY, image_size=case.image_size)))
    expect_equal(len(got), len(case.images), "number of images")
    for image, original in zip(got, case.images, strict=True):
        what = f"{original.shape[:2]} resized to {case.image_size}"
        atol = case.tolerance(original.shape[:2])
        expect_close(image, resize_bilinear(original, case.image_size), what, rtol=0, atol=atol)


@clause("LOAD-6", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=st.builds(Coloured, st.sampled_from(MODES), SEEDS))
@always(map(Coloured, MODES))
def test_other_colour_modes_come_out_as_three_channels(implementation: Implementation, case: Coloured) -> None:
    """Grey, palette, CMYK and RGBA files, and those of one bit or of 16 bits, come out as three channels in [0, 255]: the red, green and blue of their pixels.

    Grey is repeated, and of 16 bits the upper eight count: 40,000 is 156. PNG, but BMP for one palette and JPEG for CMYK.
    Tolerance: none, but 1 grey level for 16 bits, which may be rounded, and 6 for CMYK, which comes as JPEG.

    If this fails, check that a palette's indices are looked up, in a BMP too; that images are converted to RGB after
    decoding; and for a conversion that makes all of 16 bits above 255 white.
    """
    with folder() as here:
        got, _ = joined(read(implementation, case.write(here), replace(ANY, image_size=(8, 8))))
    expect_close(got, np.stack(case.pixels), f"{case.mode} images", rtol=0, atol=case.tolerance)


@clause("LOAD-7", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
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
@one_in(4, least=5)
@given(case=broken_galleries())
@always(EACH_BROKEN)
def test_an_unreadable_file_is_named(implementation: Implementation, case: Broken) -> None:
    """A file that is not a readable image gives an error that names it; it never becomes a black or a repeated image.

    Raised on loading or while the images are read; named by the file's name at least. All are called .jpg; what was
    cut off was a JPEG or a PNG.

    If this fails, check that a decoder's error is not swallowed or raised without the name, and that
    truncated files are not filled up.
    """
    with folder() as here:
        directory = case.write(here)
        reading = replace(ANY, shuffle=case.shuffle)
        expect_error(lambda: list(read(implementation, directory, reading)), f"a file is {case.kind}", case.file)


@clause("LOAD-9", Level.MUST, "data", SOURCE)
def test_images_are_shuffled_among_all(implementation: Implementation, tmp_path: Path, seed: int) -> None:
    """Images are shuffled among all: epochs begin with either class, and a set of more than 1,000 images is no exception.

    Nine cats and nine dogs, read one by one: 40 epochs begin with the same class by chance once in 5 × 10¹¹. Of 1,200
    images, one at least comes 1,000 or more places before its own in sorted order: chance alone gives none once
    in 10⁸, and a buffer of 1,000 never gives one.

    If this fails, check the size of a buffer: where it holds fewer than there are of the first class, every epoch
    begins with that class.
    """
    even = Gallery((9, 9), batch_size=1, shuffle=True, seed=seed)
    batches = read(implementation, even.write(tmp_path / "few"), even)
    first = [marks(images)[0][0] for images, _ in (next(iter(batches)) for _ in range(40))]
    expect_equal(set(first), {0, 1}, "classes that 40 shuffled epochs begin with")
    many = Gallery((600, 600), batch_size=100, shuffle=True, seed=seed)
    places = {mark: place for place, mark in enumerate(many.in_order)}
    found = order(read(implementation, many.write(tmp_path / "many"), many))
    ahead = max(places.get(mark, 0) - place for place, mark in enumerate(found))
    expect(ahead >= 1000, "places by which an image of 1,200 came early", expected="1,000 at least", got=ahead)


@clause("LOAD-10", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=st.sampled_from(EACH_EXTRA))
@always(EACH_EXTRA)
def test_no_image_is_overlooked(implementation: Implementation, case: Extra) -> None:
    """An image is never overlooked: .webp, .tif and .tiff files and what links lead to are read, or an error names them.

    Links to a file and to a folder. An error names the file or the link, on loading or while the images are read.

    If this fails, check the list of suffixes: image_dataset_from_directory leaves other files out in silence. Check that
    links are followed, which os.walk does on request alone.
    """
    with folder() as here:
        directory = case.write(here)
        found, error = attempt(lambda: sorted(order(read(implementation, directory, ANY))))
    what = f"a gallery with one more image, {case.kind}"
    if error is None:
        expect_equal(found, sorted(case.marks), f"(class, index) of the images of {what}")
    else:
        expect("extra" in error, f"the error for {what}", expected="one that names extra", got=error)


@clause("LOAD-11", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=st.lists(st.sampled_from(HIDDEN), min_size=1, unique=True))
@always([path] for path in HIDDEN)
def test_hidden_files_are_no_images(implementation: Implementation, case: list[str]) -> None:
    """Files and folders whose names begin with a dot are no images and no classes.

    Jupyter keeps a copy of a file that was opened in .ipynb_checkpoints: an image would count twice.

    If this fails, check that hidden names are left out at each level, the folders beside the classes too.
    """
    with folder() as here:
        directory = ANY.write(here)
        for path in case:
            save_marked(1, 1500, directory / path)
        what = f"the images beside {', '.join(case)}"
        found = expect_no_error(lambda: order(read(implementation, directory, ANY)), what)
    expect_equal(found, ANY.in_order, f"(class, index) of {what}")


@clause("LOAD-12", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=photographs())
@always(EACH_JPEG)
def test_jpeg_is_decoded_as_it_is(implementation: Implementation, case: Photograph) -> None:
    """JPEG files, baseline or progressive, in colour or grey, with or without subsampling of colours, come out at their full size before they are resized, red first, in [0, 255].

    Smooth images, and fine ones without colour, where a decoder that shrinks the image on its own shows. Tolerance: 24
    grey levels. Quality 95 costs 2.7 in the root mean square, and 13 at most in 1,920 such files, by the coarsest of
    libjpeg's inverse transforms and with colours repeated in place of interpolated.

    If this fails, check the order of the channels (OpenCV has blue first), and that the decoder is not asked for a smaller
    image, as Pillow's draft and thumbnail and libjpeg's scale do.
    """
    with folder() as here:
        directory, how = case.write(here), replace(ANY, image_size=case.image_size)
        got, _ = expect_no_error(lambda: joined(read(implementation, directory, how)), "JPEG files")
    expected = [resize_bilinear(image, case.image_size) for image in case.images]
    expect_close(got, np.stack(expected), "JPEG images", rtol=0, atol=24)


@clause("LOAD-13", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=stored())
@always(EACH_STORED)
def test_pixels_come_as_they_are_stored(implementation: Implementation, case: Stored) -> None:
    """A file's content decides how it is decoded, not its name, and pixels come as they are stored: the orientation in EXIF is left aside, transparency is dropped and the stored colours are kept, and an interlaced PNG is like any other.

    A PNG may be named .jpg and a JPEG .png, as downloaded images often are. Tolerance: none, but 6 grey levels for JPEG.

    If this fails, check that the decoder is not chosen by the suffix, for a decoder that turns images (OpenCV's imread
    does), and for colours that are mixed with a background or set to black where nothing of them shows.
    """
    with folder() as here:
        directory, how = case.write(here), replace(ANY, image_size=case.SIZE)
        got, _ = expect_no_error(lambda: joined(read(implementation, directory, how)), f"images, {case.kind}")
    expect_close(got, np.stack(case.pixels), f"images, {case.kind}", rtol=0, atol=case.tolerance)


@clause("LOAD-14", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=galleries(counts=st.tuples(st.integers(3, 9), st.integers(3, 5))))
def test_epochs_do_not_disturb_each_other(implementation: Implementation, case: Gallery) -> None:
    """An epoch that is left early leaves the next one whole, two at once do not disturb each other, and a batch stays what it was when others are read.

    Of each epoch: every image once, under its own label, and in sorted order if it is not shuffled.

    If this fails, check that an iterator has a place of its own, that iterating starts anew each time, and for a buffer
    that all batches share.
    """
    with folder() as here:
        batches = read(implementation, case.write(here), case)
        next(iter(batches))
        one, other = iter(batches), iter(batches)
        epochs: list[list[Any]] = [[next(one)], [next(other)]]
        copies = [tuple(part.copy() for part in epoch[0]) for epoch in epochs]
        epochs[0] += one
        epochs[1] += other
    for epoch, (images, labels) in zip(epochs, copies, strict=True):
        expect_equal([marks(epoch[0][0]), epoch[0][1].tolist()], [marks(images), labels.tolist()], "a batch, later")
        found = marks(joined(epoch)[0])
        expect_equal(joined(epoch)[1].tolist(), [label for label, _ in found], "labels, against those of the pixels")
        got, expected = (sorted(found), sorted(case.in_order)) if case.shuffle else (found, case.in_order)
        expect_equal(got, expected, "(class, index) of the images of an epoch")


@clause("LOAD-15", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=suffixed_galleries())
@always(EACH_SUFFIX)
def test_suffixes_are_read_in_any_case(implementation: Implementation, case: Gallery) -> None:
    """Files named .jpg, .jpeg, .png, .bmp and .gif are images, in small or capital letters, and two that differ in nothing else are two images.

    Cameras write .JPG; 0.jpg and 0.png are two files of one stem.

    If this fails, check that suffixes are compared in small letters, that .jpeg is among them, and that nothing is kept
    under a name without its suffix.
    """
    with folder() as here:
        directory, what = case.write(here), f"the images {', '.join(case.paths)}"
        found = expect_no_error(lambda: order(read(implementation, directory, case)), what)
    expect_equal(sorted(found), sorted(case.in_order), f"(class, index) of {what}")


@clause("LOAD-16", Level.MUST, "data", SOURCE)
def test_images_are_read_anew(implementation: Implementation, tmp_path: Path) -> None:
    """Files that were replaced since images were last loaded are read anew.

    Images of the same size under the same names, loaded again from the same folder.

    If this fails, check for what is kept by path for the whole process, or on disk.
    """
    for first in (0, 20, 40):
        expected = [(label, first + index) for label, index in ANY.in_order]
        for path, mark in zip(ANY.paths, expected, strict=True):
            save_marked(*mark, tmp_path / path)
        expect_equal(order(read(implementation, tmp_path, ANY)), expected, "(class, index) of the replaced images")
