"""The results of a search, as text and as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from .. import PARENT, __version__
from .answers import Difference
from .search import Tried
from .worker import Ready

MESSAGES = 5  # of refusals that are shown for a function
INDENT = "    "


def snippet(difference: Difference, target: str, backend: str) -> str:
    """Python code that makes the same call."""
    words = ", ".join(map(repr, filter(None, (target, backend))))
    return "\n".join([
        "import numpy as np",
        f"from {PARENT}spec_tests.adapter.implementation import load",
        f"implementation = load({words})",
        *difference.case.source,
    ])  # fmt: skip


def lines(found: Sequence[Tried], target: str, backend: str) -> Iterator[str]:
    """The lines of the report: one for each function, followed by its refusals and differences."""
    for tried in found:
        refused = sum(tried.refused.values())
        yield (
            f"{tried.function}: {tried.examples:,} examples tried, {refused:,} refused, "
            f"{len(tried.differences)} {'difference' if len(tried.differences) == 1 else 'differences'}"
        )
        for message, times in tried.refused.most_common(MESSAGES):
            yield f"  refused {times:,}: {message}"
        if more := tried.refused.most_common()[MESSAGES:]:
            yield f"  refused {sum(times for _, times in more):,}: {len(more)} other messages"
        for number, difference in enumerate(tried.differences, 1):
            yield from _lines(number, difference, target, backend)


def _lines(number: int, difference: Difference, target: str, backend: str) -> Iterator[str]:
    yield f"  {number}. {difference.case}"
    yield f"  needs     {', '.join(sorted(difference.case.marks)) or 'nothing: the simplest call there is'}"
    yield f"  wrong     {difference.what} ({difference.kind}; examples with these needs: {difference.count:,})"
    for name in ("expected", "got"):
        first, *rest = str(getattr(difference, name)).splitlines() or [""]
        yield f"  {name:9} {first}"
        yield from (f"{' ' * 12}{line}" for line in rest)
    yield "  to see it again, in Python:"
    yield from (f"{INDENT}{line}" for line in snippet(difference, target, backend).splitlines())


def to_json(found: Sequence[Tried], ready: Ready, target: str, backend: str, number: int, minutes: float) -> str:
    """The report as JSON."""
    head = {"convspec": __version__, "target": target, "backend": backend, "name": ready.name, "version": ready.version}
    functions = [
        {
            "function": tried.function,
            "examples": tried.examples,
            "refused": dict(tried.refused.most_common()),
            "differences": [_content(difference, target, backend) for difference in tried.differences],
        }
        for tried in found
    ]
    return json.dumps({**head, "seed": number, "minutes": minutes, "functions": functions}, indent=1) + "\n"


def _content(difference: Difference, target: str, backend: str) -> dict[str, Any]:
    marks = {"marks": sorted(difference.case.marks), "snippet": snippet(difference, target, backend)}
    return asdict(difference) | marks
