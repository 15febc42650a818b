"""Stage 2: get the archive and unpack it (notes, code 2).

The images come from Kaggle's competition, which needs an account, from a local zip, a local
folder, or the drawn set of ``fixtures``. An archive is never trusted: no member may leave the
destination, and an incomplete tree never has the name of a complete one.
"""

import importlib
import os
import shutil
import stat
import struct
import sys
import zipfile
from functools import partial
from pathlib import Path, PurePosixPath

from .errors import PipelineError, explained
from .files import whole
from .progress import progress

COMPETITION = "dogs-vs-cats"
ARCHIVE = "train.zip"
DRAWN = 1000  # images a class of the drawn set, enough for a split of scale 0.4
END = struct.Struct("<4s4H2LH")  # the end record of a zip
END_64 = struct.Struct("<4sQ2H2L4Q")  # the end record of a zip64, with the numbers that are too large for the other
FULL, LOCATOR_64_SIZE = 0xFFFF, 20
ADVICE = "--data takes a zip, a folder, 'kaggle' or 'embedded'"


def obtain(data: str, cache: Path) -> Path:
    """The folder of the images that ``data`` names.

    ``data`` is "embedded" (the drawn set), "kaggle" (downloaded), or the path of a folder or a
    zip. Drawn and unpacked images go to ``cache`` and are used again the next time.
    """
    if data == "embedded":
        # The folder next to this one: a top-level package in a checkout, a part of convspec if installed.
        dataset = importlib.import_module(f"{__package__.removesuffix('reference')}fixtures.dataset")
        drawing = partial(progress, what="drawing", unit="images", total=2 * DRAWN)
        return Path(dataset.drawn_images(cache, DRAWN, watched=drawing))
    source = find_data(_download() if data == "kaggle" else data)
    if source.is_dir():
        return source
    status = source.stat()
    return extract_archive(source, cache / f"{source.stem}-{status.st_size:x}-{status.st_mtime_ns:x}")


def find_data(path: str) -> Path:
    """The folder or the zip at a path, or the zip in the folder; raises PipelineError if there is neither."""
    with explained(f"{path} cannot be looked for", ADVICE):  # such as the folder of an unknown user, ~nobody
        source = Path(path).expanduser()
        if (source / ARCHIVE).is_file():
            source = source / ARCHIVE
        if not source.exists():
            raise PipelineError(f"{source} does not exist: {ADVICE}")
        if not (source.is_dir() or zipfile.is_zipfile(source)):
            raise PipelineError(f"{source} is neither a folder nor a whole zip: {ADVICE}")
    return source


def extract_archive(archive: Path, destination: Path) -> Path:
    """Unpack a zip so that ``destination`` holds exactly its members, byte for byte.

    A complete destination is not changed; an incomplete one is unpacked again. Raises
    PipelineError, with nothing written, if a member would be outside the destination, if the
    archive is damaged, encrypted or too large, or if the destination holds other files.
    """
    with (
        explained(f"{archive} cannot be unpacked", "name a whole, unencrypted zip with --data"),
        zipfile.ZipFile(archive) as opened,
    ):
        if len(opened.infolist()) != (count := _number_of_members(archive, opened.comment)):
            raise ValueError(f"its directory is damaged: it lists {len(opened.infolist()):,} of {count:,} members")
        members, found = _members(opened), _tree(destination)
        if destination.is_dir() and members.items() <= found.items():
            return destination
        for name in found.keys() - members.keys():
            if found[name] is not None:  # an incomplete tree may be replaced, but never the user's own files
                raise PipelineError(f"{destination} holds {name}, which is not from {archive}: name an empty folder")
        with whole(destination) as unpacked:
            unpacked.mkdir()
            size = sum(filter(None, members.values()))
            if size > shutil.disk_usage(unpacked).free:
                raise OSError(f"it needs {size:,} bytes, more than there is room for")
            for member in progress(opened.infolist(), "unpacking", "files"):
                opened.extract(member, unpacked)
            if not members.items() <= _tree(unpacked).items():
                raise ValueError("a member is not as long as its header says")
    return destination


def _number_of_members(archive: Path, comment: bytes) -> int:
    """The number of members in the record at the end of a zip.

    zipfile reads no further than its directory, even if that ends too early.
    """
    with archive.open("rb") as file:
        end = file.seek(-len(comment) - END.size, os.SEEK_END)
        count = END.unpack(file.read(END.size))[4]
        if count == FULL:
            file.seek(end - LOCATOR_64_SIZE - END_64.size)
            count = END_64.unpack(file.read(END_64.size))[7]
    return int(count)


def _members(opened: zipfile.ZipFile) -> dict[str, int | None]:
    """{path: size, or None for a folder} of all members; raises ValueError if any is not safe to write."""
    members: dict[str, int | None] = {}
    for member in opened.infolist():
        path = PurePosixPath(member.filename)
        is_link = stat.S_ISLNK(member.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename or ":" in member.filename or is_link:
            raise ValueError(f"its member {member.filename!r} would land outside the folder")
        if str(path) in members:
            raise ValueError(f"it holds {member.filename!r} twice")
        members[str(path)] = None if member.is_dir() else member.file_size
    if not members:  # zipfile reports no members also for an archive whose last bytes are zeros
        raise ValueError("it holds nothing")
    return members


def _tree(folder: Path) -> dict[str, int | None]:
    """{path: size, or None for a folder} of everything in a folder."""
    return {
        file.relative_to(folder).as_posix(): None if file.is_dir() else file.stat().st_size
        for file in folder.rglob("*")
    }


def _download() -> str:
    """The folder of the competition's files from kagglehub, which logs in first if a user can answer."""
    import kagglehub  # slow, and needed only for these data
    from kagglehub.config import get_kaggle_credentials

    advice = "set KAGGLE_API_TOKEN, accept the rules on the competition's page, or name a local copy with --data"
    with explained(f"the download of {COMPETITION} from Kaggle failed", advice):
        if get_kaggle_credentials() is None and sys.stdin.isatty():
            kagglehub.login()
        return str(kagglehub.competition_download(COMPETITION))
