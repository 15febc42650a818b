"""The generated pages of the site: one for each clause and family, the notes, and parts of the first page."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from ..clauses.catalogue import FAMILIES, all_clauses
from ..clauses.clause import Clause
from ..reporting.document import caption_of
from ..support.files import write_text
from .explanation import Finding, explain, findings
from .markdown import markdown, safe
from .notes import BOOK, CELLS, SECTIONS, Part
from .results import table
from .sources import sources


def write(folder: Path) -> None:
    """Write all pages to a folder next to those of the drawings and results, and remove pages of unknown clauses."""
    pages = dict(_pages(folder.parent))
    for name, text in pages.items():
        write_text(folder / name, text)
    for file in folder.glob("*.md"):
        if file.name not in pages:
            file.unlink()


def _pages(beside: Path) -> Iterator[tuple[str, str]]:
    """(name, text) of each file."""
    clauses = all_clauses()
    for clause in clauses:
        yield f"{clause.id}.md", markdown(explain(clause), caption_of(clause.id))
    families = {family: [clause for clause in clauses if clause.family == family] for family in FAMILIES}
    for family, members in families.items():
        yield f"{family}.md", _family(family, members)
    yield "index.md", _index(clauses)
    yield "notes.md", _notes(clauses)
    yield (
        "_families.md",
        _tree([f"{name}: {title} <clauses/{name}>" for name, title in FAMILIES.items()], "Clauses by family"),
    )
    yield "_findings.md", _findings()
    yield "_matrix.md", table(sorted((beside / "results").glob("*.json")))


def _family(family: str, members: Sequence[Clause]) -> str:
    lines = [f"- **[{clause.id}]({clause.id}.md)** {clause.level}. {safe(clause.sentence)}" for clause in members]
    tree = _tree([clause.id for clause in members])
    return f"# {family}: {FAMILIES[family]}\n\n" + "\n".join(lines) + f"\n\n{tree}"


def _index(clauses: Sequence[Clause]) -> str:
    """The page of all families by stage."""
    parts = [
        "# Every clause, a page each",
        f"{len(clauses)} clauses in {len(FAMILIES)} families. The same in one file, to be read from top to bottom, is "
        "[the specification](../spec.md). Where sentences cite study notes, [an appendix](notes.md) says what is in "
        "them. `convspec explain PAD-4` prints a page on a terminal.",
    ]
    for stage, of_stage in groupby(clauses, key=lambda clause: clause.stage):
        parts.append(f"## Stage {stage}")
        lines = []
        for family, members in groupby(of_stage, key=lambda clause: clause.family):
            links = ", ".join(f"[{clause.id.rpartition('-')[2]}]({clause.id}.md)" for clause in members)
            lines.append(f"- [{family}: {FAMILIES[family]}]({family}.md): {links}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _notes(clauses: Sequence[Clause]) -> str:
    """The appendix about the notes, with the clauses that cite each part."""
    citing: dict[str, list[str]] = {}
    for clause in clauses:
        for source in sources(clause):
            if source.part:
                citing.setdefault(source.part.anchor, []).append(f"[{clause.id}]({clause.id}.md)")
    parts = [
        "# What the study notes hold",
        f"{safe(BOOK)} They are not published here; this says in our own words what clauses mean when they cite them.",
        "## The cells of the code",
    ]
    for number, cell in CELLS.items():
        parts += [f"### Cell {number}", f"**{cell.title}.** {safe(cell.text)}", _cited(cell, citing)]
    parts.append("## The sections")
    for title, section in SECTIONS.items():
        parts += [f"### {section.title}", f"“{safe(title)}”: {safe(section.text)}", _cited(section, citing)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _cited(part: Part, citing: dict[str, list[str]]) -> str:
    return f"Cited by {', '.join(citing[part.anchor])}." if part.anchor in citing else ""


def _findings() -> str:
    """A table row for each finding in a released library, for the first page."""
    rows = [f"| [{one.clause}](clauses/{one.clause}.md) | {_where(one)} | {safe(one.title)} |" for one in findings()]
    return "\n".join(["| clause | library | what it does |", "| --- | --- | --- |", *rows]) + "\n"


def _where(one: Finding) -> str:
    backends = f" on {', '.join(one.backends)}" if one.backends else ""
    latest = f"{one.package} {one.seen[-1]}{backends}"
    return f"{latest} ([report]({one.report}))" if one.report else latest


def _tree(entries: Sequence[str], caption: str = "") -> str:
    head = ":hidden:" + (f"\n:caption: {caption}" if caption else "")
    return f"```{{toctree}}\n{head}\n\n" + "\n".join(entries) + "\n```\n"
