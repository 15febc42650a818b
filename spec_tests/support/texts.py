"""Texts as an implementation gives them, made fit to be shown: it may print anything."""

LONGEST = 500  # characters of what is told in a line


class Told(Exception):  # noqa: N818 - not an error of this program
    """What a user can put right, in one line that says why and what to do, whatever the names in it hold."""

    def __init__(self, text: str) -> None:
        super().__init__(one_line(text, LONGEST))


def printable(text: str) -> str:
    r"""Lines of which every character can be seen: others are written as ``repr`` writes them, as in ``\x1b``."""
    lines = text.replace("\r\n", "\n")
    return lines if lines.isprintable() else "".join(map(_visible, lines))


def _visible(character: str) -> str:
    shown = character.isprintable() or character in "\n\t"
    return character if shown else character.encode("unicode_escape").decode("ascii")


def one_line(text: str, most: int | None = None) -> str:
    """The same on one line, of at most about ``most`` characters."""
    line = " ".join(printable(text).split())
    return line if most is None else cut(line, most)


def cut(text: str, most: int) -> str:
    """The first ``most`` characters, and how many are left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"
