"""The journal of a worker: a file of lines, each an event in JSON.

It is a file, not a pipe: events remain if the process dies or closes its descriptors, and a surviving child keeps
nothing open.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Event = dict[str, Any]


def write(file: Path, event: str, **content: Any) -> None:
    """Append an event; the file is opened each time, because the implementation may close open files."""
    with file.open("a", encoding="utf-8") as journal:
        journal.write(json.dumps({"event": event, **content}, ensure_ascii=True, allow_nan=False) + "\n")


class Reader:
    """Reads a journal, each time from where it stopped."""

    def __init__(self, file: Path) -> None:
        self._file, self._at = file, 0

    def events(self) -> Iterator[Event]:
        """The complete lines written since the last call; lines that are not events are skipped."""
        if not self._file.is_file():
            return
        with self._file.open("rb") as journal:
            journal.seek(self._at)
            new = journal.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._at += len(whole)
        for line in whole.splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and "event" in event:
                yield event
