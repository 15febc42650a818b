"""Letters of any script in pictures, since users choose the names of classes and files."""

import importlib.util
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from .errors import printable

PLAIN = "DejaVu Sans"  # comes with matplotlib
PACKAGE, FILE = "noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc"  # Chinese, Japanese and Korean


def families(texts: Iterable[str]) -> list[str]:
    """The plain font, and as few further fonts of the system or the package as cover the texts' other letters."""
    chosen, wanted = [PLAIN], set("".join(map(printable, texts))) - _letters(_file(PLAIN))
    if wanted:
        for family, file in _others().items():
            if found := wanted & _letters(file):
                chosen.append(family)
                wanted -= found
    return chosen


def legible(text: str, fonts: Iterable[str]) -> str:
    r"""The text, with letters that none of the fonts has replaced by their codes: ``\U0001f431``."""
    letters = set("\n").union(*(_letters(_file(font)) for font in fonts))
    return "".join(letter if letter in letters else ascii(letter)[1:-1] for letter in text)


def _file(family: str) -> str:
    return str(font_manager.findfont(family))  # only some versions of matplotlib have types


@cache
def _others() -> dict[str, str]:
    """{family: file} of upright fonts of normal weight, sorted by name, with the package's font last."""
    found = {
        font.name: font.fname
        for font in sorted(font_manager.fontManager.ttflist, key=lambda font: font.name)
        if font.style == "normal" and font.weight == 400 and "Last Resort" not in font.name
    }
    spec = importlib.util.find_spec(PACKAGE)
    if spec and spec.origin:
        file, known = Path(spec.origin).with_name(FILE), len(font_manager.fontManager.ttflist)
        font_manager.fontManager.addfont(file)
        found[font_manager.fontManager.ttflist[known].name] = str(file)  # the first font of its collection
    return found


@cache
def _letters(file: str) -> frozenset[str]:
    return frozenset(map(chr, FT2Font(file).get_charmap()))
