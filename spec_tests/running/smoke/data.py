"""The first calls from the archive to batches of images."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ...adapter.implementation import Implementation
from ...cases.archives import Archive, Member
from ...cases.galleries import Gallery
from ...cases.sources import Source
from .answers import a_folder, batches
from .calling import call

FEW = (0, 1, 2)  # indices


def trials(implementation: Implementation, folder: Path) -> Iterator[Callable[[], Any]]:
    """The first calls: an archive of one file, a subset of one JPEG per class, and a gallery of two JPEG files."""
    use = partial(call, implementation)
    archive = Archive((Member("a.txt", b"a"),)).write(folder / "a.zip")
    yield partial(use, "extract_archive", a_folder, archive, folder / "unpacked")
    source = Source(FEW, FEW).write(folder / "source")  # more than is taken: the clauses check for being one off
    yield partial(use, "make_subset", a_folder, source, folder / "subsets", "train", 0, 1)
    gallery = Gallery((1, 1)).write(folder / "gallery")
    options = {"image_size": (5, 4), "batch_size": 2, "shuffle": False, "seed": 0}
    yield partial(use, "load_images", batches, gallery, **options)
