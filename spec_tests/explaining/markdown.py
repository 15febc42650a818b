"""The page of a clause in Markdown, from which a site is made."""

import re
from collections.abc import Iterator

from ..reporting.document import escaped
from .explanation import Explanation
from .grids import html
from .page import Block, Code, Drawing, Grids, Items, Link, Words, heading, page

DRAWINGS = "../drawings"  # relative to the folder of the pages
ISSUE = re.compile(r"(?<![\w/])([\w.-]+/[\w.-]+)#(\d+)")  # owner/repository#number


def markdown(explained: Explanation, caption: str = "") -> str:
    """The whole page, with the caption of its drawing if it has one."""
    clause = explained.clause
    parts = [
        f"# {clause.id}",
        f"{escaped(heading(explained))}.",
        f"**{safe(clause.sentence)}**" if "*" not in clause.sentence else safe(clause.sentence),
    ]
    for section in page(explained):
        parts.append(f"## {section.title}")
        parts += [part for block in section.blocks for part in _block(block, caption)]
    return "\n\n".join(parts) + "\n"


def safe(words: str) -> str:
    """Text that Markdown shows literally, without tags, links, emphasis or automatic links."""
    return re.sub(r"(?<!\\)([\[\]~$])", r"\\\1", escaped(words)) if "`" not in words else _around_code(words)


def _around_code(words: str) -> str:
    pieces = re.split(r"(``.+?``|`.+?`)", words)
    return "".join(piece if piece.startswith("`") else safe(piece) for piece in pieces)


def _block(block: Block, caption: str) -> Iterator[str]:
    if isinstance(block, Words):
        yield safe(block.text)
    elif isinstance(block, Items):
        yield "\n".join(f"- {_linked(_item(words, link))}" for words, link in block.items)
    elif isinstance(block, Code):
        yield _code(block)
    elif isinstance(block, Grids):
        yield html(block.grids)
    elif isinstance(block, Drawing):
        yield f"![{safe(caption)}]({DRAWINGS}/{block.name}.svg)"
        yield safe(f"The window to scale. {caption}")


def _item(words: str, link: Link | None) -> str:
    if link is None:
        return safe(words)
    named = f"[{safe(link.words)}]({link.address})"
    return f"{safe(words)} ({named})" if words else named


def _linked(words: str) -> str:
    """The text with links for issues of public repositories."""
    return ISSUE.sub(r"[\g<0>](https://github.com/\1/issues/\2)", words)


def _code(block: Code) -> str:
    numbered = f"\n:lineno-start: {block.first}" if block.first else ""
    return f"```{{code-block}} {block.language}{numbered}\n\n{block.text}\n```"
