"""Check the prose of Markdown files: ``python docs/prose.py FILE ...``; exits with 1 if there is a finding.

proselint checks the words: those of its own checks that ``prose.toml`` enables, and phrases of ours with what to
write instead. Sentences have a largest length. Code, links' targets and HTML are left out.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import proselint.checks
from markdown_it import MarkdownIt
from markdown_it.token import Token
from proselint.registry import CheckRegistry
from proselint.registry.checks import Check, CheckFlags, types
from proselint.registry.checks.engine import Fancy
from proselint.tools import LintFile

STYLE = Path(__file__).with_name("prose.toml")
OWN = "convspec.phrases"  # where proselint's names of checks have ours
CODE = "`…`"  # in place of code, one word of a sentence
SENTENCE = re.compile(r"(?<=[.!?])[)*\"]*\s+")
WORD = re.compile(r"\S*\w\S*|`…`")


class Finding(NamedTuple):
    """A line of a file, and what is wrong there."""

    file: Path
    line: int
    message: str


def findings(file: Path, style: dict[str, Any]) -> list[Finding]:
    """What is wrong with the prose of a file, line by line."""
    placed = list(prose(file.read_text(encoding="utf-8")))
    found = [
        Finding(file, line, f"a sentence of {len(words)} words: split it, {style['longest_sentence']} are enough")
        for line, text in placed
        for sentence in SENTENCE.split(text)
        if len(words := WORD.findall(sentence)) > style["longest_sentence"]
    ]
    config = {"max_errors": sys.maxsize, "checks": {OWN: True, **dict.fromkeys(style["proselint"], True)}}
    for line, text in placed:
        linted = LintFile(str(file), text).lint(config)
        found += [Finding(file, line + one.pos[0] - 1, one.check_result.message) for one in linted]
    return sorted(found)


def prose(markdown: str) -> Iterator[tuple[int, str]]:
    """(line, text) of each paragraph, heading, item and cell."""
    for token in MarkdownIt().enable("table").parse(markdown):
        if token.type == "inline" and token.map and (text := "".join(map(shown, token.children or []))).strip():
            yield token.map[0] + 1, text


def shown(token: Token) -> str:
    """The text of a piece of a paragraph; code is one word, and a picture has its description."""
    if token.type == "code_inline":
        return CODE
    if token.type in {"softbreak", "hardbreak"}:
        return "\n"
    return token.content if token.type in {"text", "image"} else ""


def register(phrases: dict[str, str]) -> None:
    """Give proselint its checks, and ours: {what is written: what to write instead}, both as patterns of words."""
    registry = CheckRegistry()
    registry.register_many(proselint.checks.__register__)
    spaced = {phrase.replace(" ", "[ \n]"): instead for phrase, instead in phrases.items()}
    message = "write {0!r} instead of {1!r}"
    flags = CheckFlags(allow_quotes=True)
    registry.register(Check(types.PreferredForms(spaced), Fancy(), path=OWN, message=message, flags=flags))


def main(arguments: list[str]) -> int:
    """Print what is wrong with the files, or with those of the style."""
    style = tomllib.loads(STYLE.read_text(encoding="utf-8"))
    register(style["instead"])
    files = [Path(name) for name in arguments] or [
        file for pattern in style["files"] for file in sorted(STYLE.parents[1].glob(pattern))
    ]
    found = [one for file in files for one in findings(file, style)]
    for one in found:
        print(f"{one.file}:{one.line}: {one.message}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
