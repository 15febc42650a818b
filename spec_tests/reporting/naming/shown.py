"""The likely faults on the terminal."""

from collections.abc import Sequence

from rich.text import Text

from ...support.texts import one_line
from ..record import Result
from ..terminal import labelled, open_console, trimmed
from .names import named


def likely(results: Sequence[Result], width: int, colour: bool) -> str:
    """The faults that the failures look like; empty without failures."""
    found = named(results)
    if not found:
        return ""
    several = len({naming.implementation for naming in found}) > 1
    console, text = open_console(width, colour)
    console.rule(Text("likely faults", "bold"), style="dim", align="left")
    for naming in found:
        who = Text(one_line(naming.implementation), "dim") if several else None
        console.print(labelled([(who, Text(naming.text))]) if who else Text(naming.text))
    return trimmed(text)
