"""Makes texts from an implementation safe to print: they may contain anything."""

LONGEST = 500  # characters of a message of one line


class Told(Exception):  # noqa: N818 - not an error of this program
    """An error that the user can correct: one printable line that says why and what to do."""

    def __init__(self, text: str) -> None:
        super().__init__(one_line(text, LONGEST))


def printable(text: str) -> str:
    r"""The text with its lines; invisible characters are written as ``repr`` writes them, such as ``\x1b``."""
    lines = text.replace("\r\n", "\n")
    return lines if lines.isprintable() else "".join(map(_visible, lines))


def _visible(character: str) -> str:
    shown = character.isprintable() or character in "\n\t"
    return character if shown else character.encode("unicode_escape").decode("ascii")


def one_line(text: str, most: int | None = None) -> str:
    """The printable text on one line, cut after ``most`` characters if a number is given."""
    line = " ".join(printable(text).split())
    return line if most is None else cut(line, most)


def cut(text: str, most: int) -> str:
    """The first ``most`` characters, and the number of those that are left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"
