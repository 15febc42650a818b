"""Unpacking the archive (notes, code 2)."""

from pathlib import Path

import pytest
from hypothesis import given

from ..adapter.implementation import Implementation
from ..cases.archives import (
    CASES,
    EACH_TELLING,
    LARGE,
    THREE,
    UNSAFE,
    Archive,
    ByteChanged,
    Damaged,
    Interrupted,
    Member,
    age,
    archives,
    changed_bytes,
    damaged_archives,
    expect_tree,
    folder,
    folds_case,
    interrupted_archives,
    times,
    tree,
    unsafe_archives,
)
from ..cases.windows import always
from ..judging.checks import attempt, expect, expect_equal, expect_error
from .clause import Level, clause

SOURCE = "notes, code 2"


@clause("GET-1", Level.MUST, "data", SOURCE)
@given(case=archives())
@always([LARGE, Archive((*LARGE.members[:1], Member("n" * 200 + ".jpg", b"x")), deflated=False)])
def test_unpacking_yields_exactly_the_members(implementation: Implementation, case: Archive) -> None:
    """Unpacking yields exactly the members of the archive, byte for byte.

    Names are of any script, files may be empty or of 256,000 bytes, and folders may have members of their own; what
    becomes of a name that stands twice is left open.

    If this fails, check that files without content and folders without files are made, that a file is read to its end
    and not to that of a buffer, and that nothing of the implementation's own (a marker, a log) lies in the destination.
    """
    with folder() as here:
        destination = here / "images"
        returned = implementation.extract_archive(case.write(here / "photos.zip"), destination)
        expect_equal(returned, destination, "the folder returned")
        expect_tree(tree(destination), case.content, "the destination")


@clause("GET-2", Level.MUST, "data", SOURCE)
@given(case=unsafe_archives())
@always(UNSAFE)
def test_a_member_outside_refuses_the_whole_archive(implementation: Implementation, case: Archive) -> None:
    r"""A member that would land outside the destination, on this system or another (`..`, an absolute path, a drive letter, a link), makes the whole archive refused, and nothing is written.

    A backslash separates folders on some systems, so `..\x` is refused on all.

    If this fails, check that all names are looked at before the first file is written, and that unpacking does not rely
    on zipfile.extractall alone: it drops `..` and the leading slash and writes the rest, and writes a link as a file.
    """
    with folder() as here:
        archive, destination = case.write(here / "photos.zip"), here / "deep" / "images"
        before = tree(here)
        expect_error(lambda: implementation.extract_archive(archive, destination), "unpacking an unsafe archive")
        expect_tree(tree(here), before, "files after the refusal")


@clause("GET-3", Level.MUST, "data", SOURCE)
@given(case=damaged_archives())
def test_a_damaged_archive_is_named_and_leaves_nothing(implementation: Implementation, case: Damaged) -> None:
    """A truncated or corrupt archive gives an error that names it, and leaves no partial tree that a later step could take for a whole one.

    Cut off anywhere, with a wrong byte in the data of a member, or no zip at all; nothing may be left, not even an
    empty folder.

    If this fails, check that members are unpacked elsewhere first (the checksum of the last is known when the others are
    written), and that what was made is taken away again.
    """
    with folder() as here:
        archive = case.write(here / "photos.zip")
        before = tree(here)
        expect_error(
            lambda: implementation.extract_archive(archive, here / "images"), "a damaged archive", "photos.zip"
        )
        expect_tree(tree(here), before, "files after the error")


@clause("GET-4", Level.MUST, "data", SOURCE)
@given(case=interrupted_archives())
def test_an_unfinished_tree_is_completed_and_a_finished_one_is_left(
    implementation: Implementation, case: Interrupted
) -> None:
    """A second run over a finished tree does no work; over an interrupted one it completes it.

    An interrupted tree holds some members whole, some in part, and others not at all.

    If this fails, check that members are compared with the tree one by one, sizes too; that the folder exists says
    nothing.
    """
    with folder() as here:
        archive, destination = case.archive.write(here / "photos.zip"), here / "images"
        case.write(destination)
        implementation.extract_archive(archive, destination)
        expect_tree(tree(destination), case.archive.content, "an interrupted tree after a second run")
        age(destination)
        before = times(destination)
        implementation.extract_archive(archive, destination)
        expect_tree(times(destination), before, "times of the last change after a run over a finished tree")


@clause("GET-5", Level.MUST, "data", SOURCE)
@given(case=changed_bytes())
@always(EACH_TELLING)
def test_no_damage_unpacks_in_part(implementation: Implementation, case: ByteChanged) -> None:
    """An archive in which any one byte is another gives exactly its files, or an error, and then nothing is written.

    A zip of three files, whose directory and end may be damaged too; its files are as they were, or it is refused.

    If this fails, compare the members with the number that the end of the archive says: zipfile ends where an entry of
    the directory has a wrong length, and takes the members before it for all. Look for a name that stands twice, and
    compare names in the directory with those before the members.
    """
    with folder() as here:
        archive, destination = case.write(here / "photos.zip"), here / "images"
        before = tree(here)
        _, error = attempt(lambda: implementation.extract_archive(archive, destination))
        after = tree(here)
    if error is None:
        expect(set(before) <= set(after), "files beside", expected=sorted(before), got=sorted(after))
        unpacked = {name.removeprefix("images/"): data for name, data in after.items() if name not in before}
        expect_tree(unpacked, THREE.content, f"the destination, with byte {case.place} changed")
    else:
        expect_tree(after, before, f"files after the error ({error})")


@clause("GET-6", Level.MUST, "data", SOURCE)
def test_names_that_differ_in_case_alone(implementation: Implementation, tmp_path: Path) -> None:
    """Members whose names differ in capital and small letters alone are different files.

    Not checked where the file system takes them for one.

    If this fails, check that names are not put in small letters, for a comparison with those unpacked before.
    """
    if folds_case(tmp_path):
        pytest.skip("the file system takes names that differ in case alone for the same")
    implementation.extract_archive(CASES.write(tmp_path / "photos.zip"), tmp_path / "images")
    expect_tree(tree(tmp_path / "images"), CASES.content, "the destination")
