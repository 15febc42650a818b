"""Files and folders that appear completely or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from .errors import explained


def check_place(folder: Path, use: str, option: str) -> None:
    """Raise PipelineError if no folder can be made here: at a file, or below one."""
    with explained(f"{folder} cannot be {use}", f"name another folder with {option}"):
        there = next(place for place in (folder, *folder.parents) if place.exists())
        if not there.is_dir():
            raise NotADirectoryError(f"{there} is a file")


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """A path to write a file or a folder to, which becomes ``target`` when the block is done.

    If the block fails nothing is left, not even new parent folders of ``target``.
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
        with suppress(OSError):  # others may have written there in the meantime
            for folder in missing:
                folder.rmdir()
        raise
