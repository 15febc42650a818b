"""Stage 2: get the archive and unpack it (notes, code 2).

Besides Kaggle's competition, which needs an account, the images may come from a local zip,
a local folder, or the drawn set of ``fixtures``. An archive is never trusted: no member may
leave the destination, and a half-unpacked tree never bears the name of a whole one.
"""

import importlib
import shutil
import stat
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from .errors import PipelineError

COMPETITION = "dogs-vs-cats"
ARCHIVE = "train.zip"
ENCRYPTED = 0x1  # bit of a member's general-purpose flags


def obtain(data: str, cache: Path) -> Path:
    """A folder that holds the images named by ``data``.

    ``data`` is "embedded" (the drawn set), "kaggle" (downloaded), or the path of a folder or a
    zip. What is drawn or unpacked goes to ``cache`` and is used again the next time.
    """
    if data == "embedded":
        # The folder beside this one: a top-level package in a checkout, a part of convspec where it is installed.
        dataset = importlib.import_module(f"{__package__.removesuffix('reference')}fixtures.dataset")
        return Path(dataset.drawn_images(cache))
    source = _download() if data == "kaggle" else Path(data).expanduser()
    if (source / ARCHIVE).is_file():
        source = source / ARCHIVE
    if source.is_dir():
        return source
    if not source.is_file():
        raise PipelineError(f"{source} does not exist: --data takes a zip, a folder, 'kaggle' or 'embedded'")
    identity = f"{source.resolve()}:{source.stat().st_size}:{source.stat().st_mtime_ns}"
    return extract_archive(source, cache / f"{source.stem}-{zlib.crc32(identity.encode()):08x}")


def extract_archive(archive: Path | str, destination: Path | str) -> Path:
    """Unpack a zip so that ``destination`` holds exactly its members, byte for byte.

    A finished destination is left as it is; an unfinished one is unpacked again. Raises
    PipelineError, with nothing written, when a member would land outside the destination, when
    the archive is damaged, encrypted or too large, or when the destination holds other files.
    """
    archive, destination = Path(archive), Path(destination)
    try:
        with zipfile.ZipFile(archive) as opened:
            sizes = _checked_members(opened, archive)
            folders = [destination / member.filename for member in opened.infolist() if member.is_dir()]
            if _is_finished(destination, sizes) and all(folder.is_dir() for folder in folders):
                return destination
            _refuse_strangers(destination, sizes)
            _unpack(opened, destination, sum(sizes.values()))
    except FileNotFoundError as error:
        raise PipelineError(f"{archive} does not exist: name a zip with --data") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise PipelineError(f"{archive} is damaged ({error}): download it again") from error
    return destination


def _checked_members(opened: zipfile.ZipFile, archive: Path) -> dict[PurePosixPath, int]:
    """{path: size} of every file in the archive, if all of them are safe to write."""
    sizes: dict[PurePosixPath, int] = {}
    for member in opened.infolist():
        path = PurePosixPath(member.filename)
        is_link = stat.S_ISLNK(member.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename or ":" in member.filename or is_link:
            raise PipelineError(f"{archive} is refused: its member {member.filename!r} would land outside the folder")
        if member.flag_bits & ENCRYPTED:
            raise PipelineError(f"{archive} is encrypted: unpack it yourself and name the folder with --data")
        if path in sizes:
            raise PipelineError(f"{archive} is refused: it holds {member.filename!r} twice")
        if not member.is_dir():
            sizes[path] = member.file_size
    return sizes


def _is_finished(destination: Path, sizes: dict[PurePosixPath, int]) -> bool:
    files = {path: destination / path for path in sizes}
    return destination.is_dir() and all(f.is_file() and f.stat().st_size == sizes[path] for path, f in files.items())


def _refuse_strangers(destination: Path, sizes: dict[PurePosixPath, int]) -> None:
    """An unfinished tree may be replaced, but never somebody's own files."""
    for file in destination.rglob("*"):
        if not file.is_dir() and PurePosixPath(file.relative_to(destination).as_posix()) not in sizes:
            raise PipelineError(f"{destination} holds {file.name}, which is not from the archive: name an empty folder")


def _unpack(opened: zipfile.ZipFile, destination: Path, size: int) -> None:
    """Unpack beside the destination, then put the whole tree in its place at once."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(destination.parent).free
    if size > free:
        raise PipelineError(f"{opened.filename} needs {size:,} bytes and {destination.parent} has {free:,}: make room")
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=f".{destination.name}-") as partial:
        tree = Path(partial, "tree")
        tree.mkdir()
        opened.extractall(tree)
        if destination.exists():
            shutil.rmtree(destination)
        tree.rename(destination)


def _download() -> Path:
    """Download the competition's files with kagglehub, logging in first where someone can answer."""
    import kagglehub
    from kagglehub.config import get_kaggle_credentials

    try:
        if get_kaggle_credentials() is None and sys.stdin.isatty():
            kagglehub.login()
        return Path(kagglehub.competition_download(COMPETITION))
    except Exception as error:  # kagglehub raises what requests, its SDK and the file system raise
        reason = (str(error).strip().splitlines() or [""])[0] or type(error).__name__
        raise PipelineError(
            f"the download of {COMPETITION} from Kaggle failed ({reason}): set KAGGLE_API_TOKEN to your token, accept "
            f"the rules on the competition's page, or name a local copy with --data PATH"
        ) from error
