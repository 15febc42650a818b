"""Write the specification as a document: ``python -m spec_tests.reporting.document`` makes SPEC.md from the clauses."""

import argparse
import ast
import html
import inspect
import re
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from ..adapter import contract
from ..adapter.contract import PROTOCOLS
from ..clauses.catalogue import FAMILIES, all_clauses
from ..clauses.clause import ADVICE, Clause
from ..support.files import write_text

FILE = Path(__file__).parents[2] / "SPEC.md"
DRAWINGS = FILE.parent / "docs" / "drawings"  # of windows, made by spec_tests.explaining
COMMAND = "python -m spec_tests.reporting.document"
TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.DOTALL)

INTRODUCTION = """\
<!-- Made by `{command}`; edit the clauses in spec_tests/clauses/ instead. -->

# Specification of transfer-learning image classification

This specification says what a program that classifies images on a pretrained convolutional base must do.
It has {count} clauses, and a test checks each of them. The clauses come from study notes on image
classification ("notes", with the numbered cells of their code) and from published definitions. They
apply to any implementation that offers the functions of the [contract](#contract), in any language or framework.

**Levels.** The level of a clause says how it is decided:

| level | clauses | decided by |
| --- | --: | --- |
| MUST | {MUST} | one run, exactly or within the tolerance that the clause states |
| STOCHASTIC | {STOCHASTIC} | a statistical test with a stated false-alarm rate; its seed makes it repeatable |
| SHOULD | {SHOULD} | one run; a failure is reported, and never fails the run |

**Names.** PAD-4 is the fourth clause of the family PAD. A name is never reused and never changes its
meaning, but the wording of a sentence may be improved.

**Running it.** In a checkout:

```sh
pytest spec_tests/clauses                                   # the reference implementation
pytest spec_tests/clauses --implementation package.module   # another implementation; or package.module:object
pytest spec_tests/clauses --backend torch --stage layers    # one backend and one stage
pytest spec_tests/clauses --clause PAD-4 POOL --seed 1      # one clause and one family, with another seed
```

Elsewhere, with convspec installed, `convspec check package.module` runs the same clauses in separate processes and
writes reports; `pytest --pyargs convspec.spec_tests.clauses` takes the options above.

An implementation claims a stage by offering its functions, or by naming it in `CLAIMS`; the clauses of other
stages do not apply to it. It lists known failures in `EXCUSED = {{"PAD-4": "the reason"}}`, and wider tolerances in
`TOLERANCES = {{"BASE-3": (20, "the reason")}}`. A failure shows the smallest counterexample that was found, the
expected value, the actual value, and a few lines of Python that reproduce it.

In the sentences, `n` is the side of an input, `k` the side of a kernel, `d` a dilation, `s` a stride, and
`e = (k - 1) × d + 1` the side of a dilated kernel."""


def document() -> str:
    """The text of SPEC.md."""
    return "\n\n".join(_parts()) + "\n"


def _parts() -> Iterator[str]:
    clauses = all_clauses()
    levels = {level: sum(clause.level == level for clause in clauses) for level in ("MUST", "STOCHASTIC", "SHOULD")}
    yield INTRODUCTION.format(command=COMMAND, count=len(clauses), **levels)
    yield "## Contents"
    yield "\n".join(_contents(clauses))
    for stage, of_stage in groupby(clauses, key=lambda clause: clause.stage):
        yield f"## Stage {stage}"
        for family, members in groupby(of_stage, key=lambda clause: clause.family):
            yield f"### {_heading(family)}"
            for clause in members:
                yield from _clause(clause)
    yield "## Contract"
    yield escaped(inspect.getdoc(contract) or "")
    yield from _contract()


def _contents(clauses: list[Clause]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for stage, of_stage in groupby(clauses, key=lambda clause: clause.stage):
        yield f"- {_link(f'Stage {stage}')}"
        for family, members in groupby(of_stage, key=lambda clause: clause.family):
            names = ", ".join(f"[{clause.id.rpartition('-')[2]}](#{clause.id.lower()})" for clause in members)
            yield f"  - {_link(_heading(family), seen[family])}: {names}"
            seen[family] += 1
    yield f"- {_link('Contract')}"


def _clause(clause: Clause) -> Iterator[str]:
    """The lines of a clause: heading, level and sentence, notes, a drawing, advice, source."""
    yield f"#### {clause.id}"
    yield f"**{clause.level}.** {escaped(clause.sentence)}"
    if clause.notes:
        yield escaped(clause.notes)
    if caption := caption_of(clause.id):
        yield f"![{escaped(caption)}]({DRAWINGS.relative_to(FILE.parent).as_posix()}/{clause.id}.svg)"
    if clause.advice:
        yield f"*If this fails,* check {escaped(clause.advice.removeprefix(ADVICE))}"
    file = f"{clause.module.replace('.', '/')}.py"
    yield f"<sub>Source: {escaped(clause.source)}. Test: [{clause.test}]({file}).</sub>"


def caption_of(clause: str) -> str:
    """A description of the drawing of a clause's window; an empty string if there is no drawing."""
    file = DRAWINGS / f"{clause}.svg"
    found = TITLE.search(file.read_text(encoding="utf-8")) if file.is_file() else None
    return html.unescape(found[1]) if found else ""


def _contract() -> Iterator[str]:
    """The types, then the functions of each stage, in the order of contract.py."""
    lines = inspect.getsource(contract).splitlines()
    types = [lines[node.lineno - 1] for node in ast.parse("\n".join(lines)).body if isinstance(node, ast.Assign)]
    variable = textwrap.indent(members(contract.Variable), "    ")
    yield _code("\n".join([*types, "", "class Variable:", variable]))
    for stage, protocol in PROTOCOLS.items():
        yield f"### Functions of the stage {stage}"
        yield escaped(inspect.getdoc(protocol) or "")
        yield _code(members(protocol))


def members(protocol: type) -> str:
    """The body of a class without its docstring; functions as they are called, without ``self``."""
    source = inspect.getsource(protocol)
    (definition,) = ast.parse(source).body
    documentation, *_ = definition.body  # type: ignore[attr-defined]
    body = textwrap.dedent("\n".join(source.splitlines()[documentation.end_lineno :])).strip("\n")
    return re.sub(r"\n +self,(?=\n)|(?<=[( ])self, |(?<=\()self(?=\))", "", body)


def _code(text: str) -> str:
    return f"```python\n{text}\n```"


def _heading(family: str) -> str:
    return f"{family}: {FAMILIES.get(family, '')}"


def _link(heading: str, earlier: int = 0) -> str:
    """A link to a heading of the document.

    GitHub numbers the anchor after ``earlier`` headings with the same words.
    """
    return f"[{heading}](#{slug(heading)}{f'-{earlier}' if earlier else ''})"


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and the site name it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def escaped(text: str) -> str:
    """Text that Markdown shows unchanged; code in backticks is left alone."""
    pieces = re.split(r"(``.+?``|`.+?`)", text)
    return "".join(piece if piece.startswith("`") else re.sub(r"([*<|])", r"\\\1", piece) for piece in pieces)


def main() -> int:
    """Write SPEC.md, or report whether it is up to date."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Make SPEC.md of the clauses.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if SPEC.md is out of date")
    if parser.parse_args().check:
        fresh = FILE.exists() and FILE.read_text(encoding="utf-8") == document()
        print("SPEC.md is up to date" if fresh else f"SPEC.md is out of date: run `{COMMAND}`")
        return 0 if fresh else 1
    write_text(FILE, document())
    return 0


if __name__ == "__main__":
    sys.exit(main())
