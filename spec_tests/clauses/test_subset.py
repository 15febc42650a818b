"""Making the subsets (notes, code 3)."""

from functools import partial
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ..adapter.implementation import Implementation
from ..cases.archives import expect_tree, folder, tree
from ..cases.examples import one_in
from ..cases.galleries import CLASSES, save_marked, suffix_lists
from ..cases.sources import ALIKE, EACH_CUT, SUFFIXED, Cut, Gap, Source, cuts, gaps
from ..cases.windows import always
from ..judging.checks import expect_equal, expect_error, expect_no_error
from .clause import Level, clause

SOURCE = "notes, code 3"

BAD_RANGES = st.tuples(st.integers(-5, 12), st.integers(-5, 12)).filter(lambda bounds: not 0 <= bounds[0] < bounds[1])


@clause("SUB-1", Level.MUST, "data", SOURCE)
@given(case=cuts())
@always([ALIKE])
def test_a_subset_holds_exactly_its_indices(implementation: Implementation, case: Cut) -> None:
    """For each class, a subset holds exactly the images with the indices start to end - 1, under their own names.

    Files may have the same bytes.

    If this fails, check that an index is the number in the name and not the position in a sorted folder, where 10 comes
    before 2 and a gap shifts what follows. Check that files are not identified by their bytes.
    """
    with folder() as here:
        source = case.source.write(here / "all")
        returned = implementation.make_subset(source, here / "small", "train", case.start, case.end)
        expect_equal(returned, here / "small" / "train", "the folder returned")
        expect_equal(set(tree(here / "small" / "train")), case.names, "the files of the subset")


@clause("SUB-2", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=cuts())
def test_copies_are_byte_identical_and_the_source_stays(implementation: Implementation, case: Cut) -> None:
    """The files of a subset are byte-identical copies, and the source folder is unchanged.

    If this fails, check that files are copied, not moved or encoded again.
    """
    with folder() as here:
        before = tree(case.source.write(here / "all"))
        subset = implementation.make_subset(here / "all", here / "small", "train", case.start, case.end)
        expect_tree(tree(subset), {name: before[name.partition("/")[2]] for name in case.names}, "the subset")
        expect_tree(tree(here / "all"), before, "the source afterwards")


@clause("SUB-3", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(bounds=st.lists(st.integers(0, 14), min_size=4, max_size=4, unique=True).map(sorted))
def test_subsets_of_disjoint_ranges_share_no_image(implementation: Implementation, bounds: list[int]) -> None:
    """Subsets of disjoint ranges share no image.

    Images are identified by their bytes. Adjacent ranges are disjoint.

    If this fails, check that a range excludes its end.
    """
    with folder() as here:
        source = Source(tuple(range(15)), tuple(range(15))).write(here / "all")
        subsets = [implementation.make_subset(source, here, f"{a} to {b}", a, b) for a, b in pairwise(bounds)]
        images = [image for subset in subsets for image in tree(subset).values()]
        expect_equal(len(set(images)), len(images), "different images among all images of three subsets")


@clause("SUB-4", Level.MUST, "data", SOURCE)
@given(case=gaps())
def test_a_missing_image_is_named_and_leaves_nothing(implementation: Implementation, case: Gap) -> None:
    """A missing source image raises an error that names its class and its index, and leaves no partial subset.

    Any wording that contains both will do: `cat.7.jpg` as well as "image 7 of cat".

    If this fails, check that all images are looked up before the first is copied or a folder is made.
    """
    with folder() as here:
        source = case.cut.source.write(here / "all")
        (here / "small").mkdir()
        before = tree(here)
        make = partial(implementation.make_subset, source, here / "small", "test", case.cut.start, case.cut.end)
        expect_error(make, "a subset with an image missing", case.name, case.index)
        expect_tree(tree(here), before, "files after the error")


@clause("SUB-5", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(bounds=BAD_RANGES)
def test_a_range_without_images_is_refused(implementation: Implementation, bounds: tuple[int, int]) -> None:
    """A negative, reversed or empty range of indices is refused.

    If this fails, check that a range without indices raises an error, and does not make an empty subset.
    """
    with folder() as here:
        source = Source(tuple(range(13)), tuple(range(13))).write(here / "all")
        (here / "small").mkdir()
        before = tree(here)
        expect_error(partial(implementation.make_subset, source, here / "small", "train", *bounds), "a bad range")
        expect_tree(tree(here), before, "files after the refusal")


@clause("SUB-6", Level.MUST, "data", SOURCE)
def test_the_standard_split(implementation: Implementation) -> None:
    """The standard split has 1,000 training, 500 validation and 1,000 test images per class, starting at the indices 0, 1,000 and 1,500."""
    got = {name: tuple(bounds) for name, bounds in implementation.SPLIT.items()}
    expect_equal(got, {"train": (0, 1000), "validation": (1000, 1500), "test": (1500, 2500)}, "the standard split")


@clause("SUB-7", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=cuts(), other=cuts())
def test_an_existing_subset_is_refused(implementation: Implementation, case: Cut, other: Cut) -> None:
    """Making a subset that already exists is refused; it is never merged into or overwritten.

    The second call uses the same range, or another one.

    If this fails, check what copying does if the folder exists.
    """
    with folder() as here:
        implementation.make_subset(case.source.write(here / "all"), here, "train", case.start, case.end)
        source = other.source.write(here / "more")
        before = tree(here)
        for again, cut in ((here / "all", case), (source, other)):
            make = partial(implementation.make_subset, again, here, "train", cut.start, cut.end)
            expect_error(make, "a subset of a name that is taken")
        expect_tree(tree(here), before, "files after the refusal")


@clause("SUB-8", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=cuts(suffixes=suffix_lists()))
@always([SUFFIXED])
def test_images_of_any_suffix_are_taken(implementation: Implementation, case: Cut) -> None:
    """Subsets take images named .jpg, .jpeg, .png, .bmp and .gif, in lower or upper case, and keep their names.

    If this fails, check for names that are built from class, index and .jpg instead of taken from the files.
    """
    with folder() as here:
        source = case.source.write(here / "all")
        make = partial(implementation.make_subset, source, here / "small", "train", case.start, case.end)
        expect_no_error(make, f"a subset of images named {', '.join(case.source.suffixes)}")
        expect_equal(set(tree(here / "small" / "train")), case.names, "the files of the subset")


@clause("SUB-9", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(
    suffixes=st.lists(
        st.sampled_from(("jpg", "jpeg", "png", "bmp", "JPEG", "PNG")), min_size=2, max_size=2, unique_by=str.lower
    )
)
def test_an_index_with_two_images_is_refused(implementation: Implementation, suffixes: list[str]) -> None:
    """Two images of one class and index, such as cat.1.jpg and cat.1.png, raise an error that names one of them, and no subset is made.

    It is ambiguous which of the two is meant.

    If this fails, check what happens to a second file in a dict by class and index.
    """
    with folder() as here:
        source = Source((0, 1, 2), (0, 1, 2), (suffixes[0],)).write(here / "all")
        save_marked(0, 9, source / f"cat.1.{suffixes[1]}")
        (here / "small").mkdir()
        before = tree(here)
        make = partial(implementation.make_subset, source, here / "small", "train", 0, 3)
        expect_error(make, f"a class with cat.1.{' and cat.1.'.join(suffixes)}", "cat.1.")
        expect_tree(tree(here), before, "files after the refusal")


@clause("SUB-10", Level.MUST, "data", SOURCE)
@one_in(4, least=5)
@given(case=cuts(classes=st.sampled_from(CLASSES)))
@always(EACH_CUT)
def test_classes_are_called_as_in_the_names(implementation: Implementation, case: Cut) -> None:
    """The class of an image is the part of its file name before the number, in any script.

    The classes include Cat and Dog, hare and lynx, and 강아지 and 고양이.

    If this fails, check for hard-coded class names, and for patterns that match the letters of one alphabet alone.
    """
    with folder() as here:
        source = case.source.write(here / "all")
        make = partial(implementation.make_subset, source, here / "small", "train", case.start, case.end)
        expect_no_error(make, f"a subset of {' and '.join(case.source.classes)}")
        expect_equal(set(tree(here / "small" / "train")), case.names, "the files of the subset")
