"""The page of a clause as titled sections, which the terminal and the site both show."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..adapter.stages import PIPELINE
from ..audit.advice import KERAS, TORCH, cost_of, fix_of
from ..clauses.catalogue import FAMILIES
from ..clauses.clause import ADVICE, Level
from ..reporting.document import slug
from .example import Grid
from .explanation import Explanation, Finding
from .sources import Source

DECIDED = {
    Level.MUST: "decided by one run, exactly or within the tolerance that the clause states",
    Level.STOCHASTIC: "decided by a statistical test with a false-alarm rate of at most one in a million",
    Level.SHOULD: "reported, and never fails a run",
}
MOST_VECTORS = 4  # that are listed one by one
FINDINGS_PAGE = "../findings.md"
VECTORS_PAGE = "../vectors.md"
NOTES_PAGE = "notes.md"
CONTRACT_PAGE = "../contract.md"


@dataclass(frozen=True)
class Words:
    """A paragraph; text in backticks is code."""

    text: str


@dataclass(frozen=True)
class Link:
    """A link: an address on the network, or a page of the site."""

    words: str
    address: str

    @property
    def is_public(self) -> bool:
        """Whether the address can be opened from outside the site."""
        return self.address.startswith("https:")


@dataclass(frozen=True)
class Items:
    """A list of texts, each with a link or None."""

    items: tuple[tuple[str, Link | None], ...]


@dataclass(frozen=True)
class Code:
    """Lines of Python or of a shell, numbered from ``first`` if they come from a file."""

    text: str
    language: str = "python"
    first: int = 0


@dataclass(frozen=True)
class Grids:
    """Numbers side by side."""

    grids: tuple[Grid, ...]


@dataclass(frozen=True)
class Drawing:
    """The window to scale, which a terminal does not show."""

    name: str


Block = Words | Items | Code | Grids | Drawing


@dataclass(frozen=True)
class Section:
    """A part of a page."""

    title: str
    blocks: tuple[Block, ...]


def page(explained: Explanation) -> list[Section]:
    """The sections that have content, in order."""
    made = (Section(title, tuple(blocks)) for title, blocks in _sections(explained))
    return [section for section in made if section.blocks]


def heading(explained: Explanation) -> str:
    """The line below the name: level, stage and family."""
    clause = explained.clause
    return f"{clause.level}, stage {clause.stage}: {FAMILIES.get(clause.family, clause.family)}"


def _sections(explained: Explanation) -> Iterator[tuple[str, list[Block]]]:
    yield (
        "Symbols",
        [Items(tuple((f"`{symbol}`: {meaning}", None) for symbol, meaning in explained.symbols.items()))]
        if explained.symbols
        else [],
    )
    yield "A worked example", list(_example(explained))
    yield "Tolerance, and what is left open", list(_notes(explained))
    yield "If it fails", list(_advice(explained))
    yield "How people get it wrong", list(_mistakes(explained))
    yield (
        "Findings in released libraries",
        [Items(tuple(map(_finding, explained.findings)))] if explained.findings else [],
    )
    yield "What it calls", list(_contract(explained))
    yield "In the reference", list(_reference(explained))
    yield "How it is checked", list(_check(explained))
    yield "Test vectors", list(_vectors(explained))
    yield "Sources", [Items(tuple(map(_source, explained.sources)))]


def _example(explained: Explanation) -> Iterator[Block]:
    if explained.example is None:
        return
    yield from map(Words, explained.example.steps)
    if explained.example.grids:
        yield Grids(explained.example.grids)
    if explained.example.window:
        yield Drawing(explained.clause.id)


def _advice(explained: Explanation) -> Iterator[Block]:
    clause = explained.clause
    if cost := cost_of(clause.id):
        yield Words(f"What it costs: {cost}")
    if clause.advice:
        yield Words(f"Check {clause.advice.removeprefix(ADVICE)}")
    for framework in (TORCH, KERAS):
        if lines := fix_of(clause.id, framework):
            yield Words(f"What to write in {framework}:")
            yield Code(lines)


def _notes(explained: Explanation) -> Iterator[Block]:
    yield Words(f"{explained.clause.level}: {DECIDED[explained.clause.level]}.")
    yield from map(Words, filter(None, (*explained.clause.notes.split("\n\n"), explained.derivation)))


def _mistakes(explained: Explanation) -> Iterator[Block]:
    if explained.mistakes:
        yield Words(
            "Each of these is a mutant, a right implementation with this one fault, that the clause must catch:"
        )
        yield Items(tuple((f"{one.fault} Seen: {one.seen}", None) for one in explained.mistakes))


def _finding(found: Finding) -> tuple[str, Link | None]:
    backends = f" on {', '.join(found.backends)}" if found.backends else ""
    unseen = f", not in {', '.join(found.unseen)}" if found.unseen else ""
    words = f"{found.package}{backends}, seen in {', '.join(found.seen)}{unseen}: {found.title}"
    anchor = slug(f"{found.clause}: {found.title}")
    return words, Link("public report", found.report) if found.report else Link(
        "reproduction", f"{FINDINGS_PAGE}#{anchor}"
    )


def _contract(explained: Explanation) -> Iterator[Block]:
    if PIPELINE in explained.clause.tied:
        yield Words("A pipeline as it stands, in an audit: no function of the contract.")
    elif explained.signatures:
        yield Code("\n\n".join(explained.signatures))


def _reference(explained: Explanation) -> Iterator[Block]:
    for lines in explained.reference:
        yield Words(f"`{lines.file}`, {lines.place.partition(', ')[2]}:")
        yield Code(lines.text, first=lines.first)


def _check(explained: Explanation) -> Iterator[Block]:
    clause, test = explained.clause, explained.test
    asked = "audit my_audit.py:make" if PIPELINE in clause.tied else "check my_adapter"
    yield Words(f"`{clause.test}` in `{test.file}`, {test.place.partition(', ')[2]}.")
    yield Code(f"convspec {asked} --clause {clause.id}", "sh")


def _vectors(explained: Explanation) -> Iterator[Block]:
    vectors = explained.vectors
    if vectors:
        shown, files = vectors[:MOST_VECTORS], dict.fromkeys(vector.file for vector in vectors)
        yield Items(tuple((f"`{vector.id}`: {vector.note}", None) for vector in shown))
        more = f", and {len(vectors) - len(shown)} more" if len(vectors) > len(shown) else ""
        yield Items(((f"in {', '.join(f'`{file}`' for file in files)}{more}", Link("how they read", VECTORS_PAGE)),))


def _source(source: Source) -> tuple[str, Link | None]:
    if source.part:
        return "", Link(source.title, f"{NOTES_PAGE}#{source.part.anchor}")
    return "", Link(source.title, source.address or CONTRACT_PAGE)
