"""A report as workflow commands of GitHub: an annotation for each failure, at its line if that is known.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands: a command is one line, so that
what an implementation says cannot give another one.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from ..clauses.catalogue import order
from ..support.texts import cut, one_line, printable
from .causes import places
from .record import FAILURES, Failure, Outcome, Report, Result

LONGEST = 2_000  # characters of a text from an implementation; GitHub takes 64 KiB
IN_MESSAGES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
IN_PROPERTIES = IN_MESSAGES | {":": "%3A", ",": "%2C"}


def annotations(report: Report) -> str:
    """One workflow command for each failure, a line each; an empty string without failures."""
    several = len(report.implementations) > 1
    lines = []
    for implementation in report.implementations:
        results = sorted(report.of(implementation.column), key=lambda result: order(result.clause))
        who = f" {implementation.column}" if several else ""
        lines += [_failure(result, who) for result in results if result.outcome in FAILURES]
        broken = dict.fromkeys(result.reason for result in results if result.outcome is Outcome.BROKEN)
        lines += [command({"title": f"{Outcome.BROKEN}{who}"}, cut(reason, LONGEST)) for reason in broken]
    return "".join(f"{line}\n" for line in lines)


def _failure(result: Result, who: str) -> str:
    """The command for a clause that fails: its sentence, which is never cut, and the reason."""
    said = "\n".join(f"{label}: {text}" for label, text in result.failure.facts() if label != "at")
    title = f"{result.clause.id} {result.outcome}{who}"
    message = f"{one_line(result.clause.sentence)}\n{cut(said, LONGEST)}".strip()
    return command({**dict(_place(result.failure)), "title": title}, message)


def _place(failure: Failure) -> Iterator[tuple[str, str]]:
    """The last line in the user's own files that an error passed through, in GitHub's terms."""
    for place in reversed(places(failure)):
        if Path(place.file).is_absolute() or ".." in Path(place.file).parts:
            continue  # the names that a check gives are below its working directory
        try:
            file = Path(place.file).resolve()
            known = file.is_file() and file.is_relative_to(_repository())
        except (OSError, ValueError):  # not the name of a file
            continue
        if known:
            yield "file", file.relative_to(_repository()).as_posix()
            yield "line", str(place.line)
            return


def _repository() -> Path:
    return Path(os.environ.get("GITHUB_WORKSPACE") or ".").resolve()


def command(properties: dict[str, str], message: str) -> str:
    """A workflow command of the kind error."""
    given = ",".join(f"{name}={_escaped(one_line(value), IN_PROPERTIES)}" for name, value in properties.items())
    return f"::error {given}::{_escaped(printable(message), IN_MESSAGES)}"


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(character, character) for character in text)
