"""Files and folders that appear whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """A path to write a file or a folder at; it takes the place of ``target`` once the block is done."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as beside:
        partial = Path(beside, target.name)
        yield partial
        if target.is_dir():
            shutil.rmtree(target)
        partial.replace(target)
