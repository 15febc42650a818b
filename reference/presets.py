"""Names of pretrained bases, checked as far as possible without Keras, which is slow to import."""

import zipfile
from pathlib import Path

from .errors import explained

DEFAULT_PRESET = "xception_41_imagenet"
EMBEDDED_PRESET = Path(__file__).parents[1] / "fixtures" / "xception_drawn"
HANDLES = ("kaggle", "hf", "modelscope")
ADVICE = "name a preset of keras-hub, a kaggle:// or hf:// handle, a preset folder or a .keras file with --base"


def find_base(base: str) -> str:
    """The base in Keras's notation: a path, a handle, or otherwise the name of a preset.

    Raises PipelineError for a path without a base, and for a handle of an unknown kind.
    """
    with explained(f"the base {base!r} cannot be loaded", ADVICE):
        if is_handle(base) and base.partition("://")[0].lower() not in HANDLES:
            raise ValueError(f"a handle starts with {', '.join(f'{kind}://' for kind in HANDLES)}")
        if is_path(base):
            path = Path(base).expanduser()
            if not path.exists():
                raise FileNotFoundError("there is no such file or folder")
            if path.is_file() and not (base.endswith(".keras") and zipfile.is_zipfile(path)):
                raise ValueError("it is neither a preset folder nor a whole .keras file")
            return str(path) if base.startswith("~") else base  # ./name stays distinct from the preset of that name
    return base


def is_handle(base: str) -> bool:
    """Whether this names a source from which keras-hub downloads."""
    return "://" in base


def is_path(base: str) -> bool:
    """Whether this names a place on this machine, by its separators, its end or its start, or because it exists."""
    if is_handle(base):
        return False
    return Path(base).name != base or base.endswith(".keras") or base.startswith((".", "~")) or Path(base).exists()
