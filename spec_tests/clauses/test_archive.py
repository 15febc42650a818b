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

    Names may be in any script, files may be empty or hold 256,000 bytes, and folders may be members themselves. What
    happens to a name that occurs twice is unspecified.

    If this fails, check that empty files and empty folders are created, that each file is read to its end and not just
    to the end of a buffer. Check that the destination holds no file of the implementation, such as a marker or a log.
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
    r"""An archive with a member that would land outside the destination on any operating system (`..`, an absolute path, a drive letter, a link) is refused as a whole, and nothing is written.

    A backslash separates folders on some systems, so `..\x` is refused on all systems.

    If this fails, check that all names are validated before the first file is written, and that unpacking does not rely
    on zipfile.extractall alone. That function drops `..` and the leading slash but writes the rest, and it writes a
    link as a file.
    """
    with folder() as here:
        archive, destination = case.write(here / "photos.zip"), here / "deep" / "images"
        before = tree(here)
        expect_error(lambda: implementation.extract_archive(archive, destination), "unpacking an unsafe archive")
        expect_tree(tree(here), before, "files after the refusal")


@clause("GET-3", Level.MUST, "data", SOURCE)
@given(case=damaged_archives())
def test_a_damaged_archive_is_named_and_leaves_nothing(implementation: Implementation, case: Damaged) -> None:
    """A truncated or corrupt archive raises an error that names the archive, and leaves no partial tree that a later step could mistake for a complete one.

    The archive is cut off at any point, has a wrong byte in the data of a member, or is not a zip file at all. Nothing
    may remain, not even an empty folder.

    If this fails, check that members are unpacked to another place first (the last checksum is verified only after the
    other members are written), and that everything created is removed after an error.
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
    """A second run does no work if the tree is complete, and completes the tree if the first run was interrupted.

    An interrupted tree holds some members in full and others in part, and lacks the rest.

    If this fails, check that each member is compared with the tree, including its size: that the folder exists proves
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
    """An archive with any one byte changed either yields exactly its original files, or raises an error and writes nothing.

    The archive is a zip of three files, and the changed byte may be in its directory or its end record. Its files come
    out as they were, or it is refused.

    If this fails, check the number of members against the number in the archive's end record: zipfile stops at a
    directory entry with a wrong length, and takes the members before it for all of them. Look for a name that occurs
    twice, and compare the names in the directory with those in the headers of the members.
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
    """Members whose names differ only in upper and lower case are different files.

    The clause is not checked on a file system that ignores case.

    If this fails, check that names are not converted to lower case, for example to compare them with names unpacked
    before.
    """
    if folds_case(tmp_path):
        pytest.skip("the file system takes names that differ in case alone for the same")
    implementation.extract_archive(CASES.write(tmp_path / "photos.zip"), tmp_path / "images")
    expect_tree(tree(tmp_path / "images"), CASES.content, "the destination")
