"""Files and folders that appear whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from .errors import explained


def check_place(folder: Path, use: str, option: str) -> None:
    """PipelineError where no folder can be: at a file, or below one."""
    with explained(f"{folder} cannot be {use}", f"name another folder with {option}"):
        there = next(place for place in (folder, *folder.parents) if place.exists())
        if not there.is_dir():
            raise NotADirectoryError(f"{there} is a file")


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """A path to write a file or a folder at; it takes the place of ``target`` once the block is done.

    If it fails nothing is left, not even the folders that ``target`` was to lie in.
    """
    missing = [folder for folder in target.parents if not folder.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as beside:
            partial = Path(beside, target.name)
            yield partial
            if target.is_dir():
                shutil.rmtree(target)
            partial.replace(target)
    except BaseException:
        with suppress(OSError):  # others may have written there by now
            for folder in missing:
                folder.rmdir()
        raise
