"""Files that are written whole, or not at all."""

from pathlib import Path


def write_text(file: Path, text: str) -> None:
    """Write the whole file or nothing; its folder is created if needed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".partial-{file.name}")
    try:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")
        partial.replace(file)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
