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
    """The (class, index) of each image of an epoch, read from its pixels."""
    return marks(joined(batches)[0])


@clause("LOAD-1", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=galleries())
@always([MANY])
def test_batches_have_the_stated_form(implementation: Implementation, case: Gallery) -> None:
    """Batches are float32 arrays of shape (batch, height, width, 3) in [0, 255]; there are ceil(N / batch) of them, and a shorter last one is kept.

    Each gallery has a pixel of 0 and one of 255. Tolerance: 3 grey levels, because each file is a JPEG of one colour,
    which decoders shift by one.

    If this fails, check that the last batch is neither dropped nor filled up, and that images are not scaled to [0, 1].
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

    The colour of an image shows its class, so the check depends on no bookkeeping. Three epochs are read. Both classes
    may have files of the same name, and a class may have two files of the same bytes.

    If this fails, check that the folders are sorted, because the order of a file system is arbitrary; that images and
    labels are shuffled together; and that nothing is stored under a file's name alone.
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

    Three epochs are read. Files may have any name and lie in any folder below that of their class, and two of them may
    have the same bytes.

    If this fails, check for sampling with replacement, a dropped last batch, an iterator that does not restart, file
    name patterns in which brackets have a meaning, and files that are identified by their names or bytes.
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
    """The same seed gives the same order of images, another seed gives another order, and shuffled epochs differ; without shuffling, images come in the order of their sorted paths.

    Paths are sorted as text, folders and names together: cat.10.jpg comes before cat.2.jpg, cat.0.jpg before cat/1.jpg,
    cat/1.jpg before dat.2.jpg, and all cats before all dogs. There are at least 13 images, of which two pairs look
    alike: two independent orders agree once in 10⁹.

    If this fails, check that each epoch draws a new order, and from the seed alone; that files are sorted after the
    files of all folders are collected; and that paths are compared as text, not folder by folder.
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
    """Images are resized to the requested size by bilinear interpolation without keeping their aspect ratio; a constant image stays constant, and an image that already has the requested size is unchanged.

    Bilinear means between the centres of the four nearest pixels, without antialiasing when an image shrinks.
    Tolerance: 0.01 grey levels for each 50 pixels of the longer side, for positions in float32; 0 for an unchanged
    size.

    If this fails, check for antialiasing (Pillow and torchvision smooth images that shrink), for aligned corners
    instead of half-pixel centres, for values rounded to whole levels, and for cropping or letterboxing that keeps the
    aspect ratio.
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
    """Files in grey, palette, CMYK and RGBA, and files of 1 bit or 16 bits, come out as the red, green and blue of their pixels in three channels in [0, 255].

    Grey is repeated in all channels, and the upper eight of 16 bits count: 40,000 becomes 156. Files are PNG, except
    one palette file in BMP and CMYK in JPEG. Tolerance: none, except 1 grey level for 16 bits, which may be rounded,
    and 6 for CMYK, because of JPEG.

    If this fails, check that the indices of a palette are looked up, even in a BMP; that images are converted to RGB
    after decoding; and that the conversion of 16 bits does not turn everything above 255 white.
    """
    with folder() as here:
        got, _ = joined(read(implementation, case.write(here), replace(ANY, image_size=(8, 8))))
    expect_close(got, np.stack(case.pixels), f"{case.mode} images", rtol=0, atol=case.tolerance)


@clause("LOAD-7", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=misfits())
def test_anything_but_two_classes_with_images_is_refused(implementation: Implementation, case: Misfit) -> None:
    """Only the expected class folders are accepted: an empty or an extra folder raises an error and never becomes a class that shifts the labels.

    The error may come on loading or while the images are read. A folder without images counts as empty, whatever else
    is in it.

    If this fails, check what happens to a folder without images: image_dataset_from_directory of Keras makes it a
    class.
    """
    with folder() as here:
        directory = case.write(here)
        expect_error(lambda: list(read(implementation, directory, ANY)), f"the class folder {case.name} {case.kind}")


@clause("LOAD-8", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=broken_galleries())
@always(EACH_BROKEN)
def test_an_unreadable_file_is_named(implementation: Implementation, case: Broken) -> None:
    """A file that is not a readable image raises an error that names the file; it never becomes a black or a repeated image.

    The error may come on loading or while the images are read, and contains at least the name of the file. All files
    are called .jpg; the truncated ones are JPEG or PNG.

    If this fails, check that a decoder's error is neither swallowed nor raised without the name, and that truncated
    files are not filled up.
    """
    with folder() as here:
        directory = case.write(here)
        reading = replace(ANY, shuffle=case.shuffle)
        expect_error(lambda: list(read(implementation, directory, reading)), f"a file is {case.kind}", case.file)


@clause("LOAD-9", Level.MUST, "data", SOURCE)
def test_images_are_shuffled_among_all(implementation: Implementation, tmp_path: Path, seed: int) -> None:
    """Shuffling mixes all images: epochs begin with either class, even in a set of more than 1,000 images.

    Nine cats and nine dogs are read one at a time: 40 epochs begin with the same class by chance once in 5 × 10¹¹. Of
    1,200 images, at least one comes 1,000 or more places before its position in sorted order: by chance none does once
    in 10⁸, and with a buffer of 1,000 none ever does.

    If this fails, check the size of a buffer: if it holds fewer images than the first class has, every epoch begins
    with that class.
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
    """No image is silently left out: .webp, .tif and .tiff files and the targets of links are read, or an error names them.

    The links lead to a file and to a folder. The error names the file or the link, and comes on loading or while the
    images are read.

    If this fails, check the list of suffixes: image_dataset_from_directory silently leaves other files out. Check that
    links are followed, which os.walk does only on request.
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
    """Files and folders whose names begin with a dot are neither images nor classes.

    Jupyter keeps a copy of an opened file in .ipynb_checkpoints, so an image would count twice.

    If this fails, check that hidden names are left out at each level, including that of the class folders.
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
    """JPEG files, baseline or progressive, in colour or grey, with or without chroma subsampling, are decoded at full size before they are resized, with red first, in [0, 255].

    The images are smooth, or finely detailed without colour, so that a decoder that shrinks the image on its own
    initiative shows. Tolerance: 24 grey levels. Quality 95 costs 2.7 in the root mean square, and at most 13 in 1,920
    such files, with the coarsest inverse transform of libjpeg and with colours repeated instead of interpolated.

    If this fails, check the order of the channels (OpenCV has blue first), and that the decoder is not asked for a
    smaller image, as by draft and thumbnail in Pillow and by scale in libjpeg.
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
    """The content of a file decides how it is decoded, not its name, and pixels come out as stored: EXIF orientation is ignored, transparency is dropped, stored colours are kept, and an interlaced PNG is read like any other.

    A PNG may be named .jpg and a JPEG .png, as downloaded images often are. Tolerance: none, except 6 grey levels for
    JPEG.

    If this fails, check that the decoder is not chosen by the suffix; check for a decoder that rotates images (imread
    of OpenCV does), and for colours of transparent pixels that are blended with a background or set to black.
    """
    with folder() as here:
        directory, how = case.write(here), replace(ANY, image_size=case.SIZE)
        got, _ = expect_no_error(lambda: joined(read(implementation, directory, how)), f"images, {case.kind}")
    expect_close(got, np.stack(case.pixels), f"images, {case.kind}", rtol=0, atol=case.tolerance)


@clause("LOAD-14", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=galleries(counts=st.tuples(st.integers(3, 9), st.integers(3, 5))))
def test_epochs_do_not_disturb_each_other(implementation: Implementation, case: Gallery) -> None:
    """Leaving an epoch early does not affect the next one, two epochs read at once do not affect each other, and a batch keeps its values while others are read.

    Each epoch must hold every image once, under its own label, and in sorted order if it is not shuffled.

    If this fails, check that each iterator has its own position, that iterating restarts each time, and that batches do
    not share a buffer.
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
    """Files named .jpg, .jpeg, .png, .bmp and .gif, in lower or upper case, are images, and two files that differ only in this suffix are two images.

    Cameras write .JPG; 0.jpg and 0.png are two files with the same stem.

    If this fails, check that suffixes are compared in lower case, that .jpeg is among them, and that nothing is stored
    under a name without its suffix.
    """
    with folder() as here:
        directory, what = case.write(here), f"the images {', '.join(case.paths)}"
        found = expect_no_error(lambda: order(read(implementation, directory, case)), what)
    expect_equal(sorted(found), sorted(case.in_order), f"(class, index) of {what}")


@clause("LOAD-16", Level.MUST, "data", SOURCE)
def test_images_are_read_anew(implementation: Implementation, tmp_path: Path) -> None:
    """Files that were replaced since images were last loaded are read again.

    The new images have the same size and the same names, and are loaded from the same folder.

    If this fails, check for a cache by path, in the process or on disk.
    """
    for first in (0, 20, 40):
        expected = [(label, first + index) for label, index in ANY.in_order]
        for path, mark in zip(ANY.paths, expected, strict=True):
            save_marked(*mark, tmp_path / path)
        expect_equal(order(read(implementation, tmp_path, ANY)), expected, "(class, index) of the replaced images")
