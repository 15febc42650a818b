"""The document is up to date, and the clauses are as clauses should be."""

import ast
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from spec_tests.clauses.catalogue import FAMILIES, collect
from spec_tests.clauses.catalogue import tests as clauses
from spec_tests.clauses.clause import Level, clause
from spec_tests.reporting import document

LONGEST_BODY = 15  # lines
POINTING = {"And", "It", "Its", "Such", "That", "Their", "These", "They", "This", "Those"}  # to a sentence before
NOT_IMPORTED = {"keras", "tensorflow", "torch", "jax", "reference"}
ROOT = Path(document.__file__).parents[2]

each_clause = pytest.mark.parametrize("test", clauses().values(), ids=clauses().keys())


def test_the_document_is_up_to_date() -> None:
    assert document.FILE.exists(), f"run `{document.COMMAND}`"
    written = document.FILE.read_text(encoding="utf-8")
    assert written == document.document(), f"SPEC.md is out of date: run `{document.COMMAND}`"


def test_markdown_shows_what_is_written() -> None:
    assert document.escaped("`a*b` and (k - 1) * d < n | m") == r"`a*b` and (k - 1) \* d \< n \| m"


@each_clause
def test_a_clause_has_a_sentence_and_a_source(test: Any) -> None:
    stated = test.clause
    assert stated.sentence.endswith("."), "the first paragraph of the docstring is a sentence with a full stop"
    assert stated.level in Level
    assert stated.source.strip(), "a clause has a source"
    assert stated.family in FAMILIES, f"give {stated.family} a title and a place in spec_tests/clauses/catalogue.py"


@each_clause
def test_a_sentence_stands_alone(test: Any) -> None:
    first = test.clause.sentence.split()[0]
    assert first not in POINTING, f"{test.clause.id} begins with {first!r}: name what the sentence is about"


@each_clause
def test_a_clause_is_short(test: Any) -> None:
    lines = lines_of_code(test)
    assert lines <= LONGEST_BODY, f"{lines} lines of code: a clause reads alone, in {LONGEST_BODY} lines"


def lines_of_code(test: Any) -> int:
    """Lines of the body without its docstring, blank lines and comments."""
    source = inspect.getsource(test)
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    lines = source.splitlines()[function.body[0].end_lineno : function.end_lineno]
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in lines)


def test_an_id_is_used_once() -> None:
    def stated(name: str) -> Any:
        def test() -> None:
            """It holds."""

        test.__name__ = name
        return clause("PAD-4", Level.MUST, "layers", "nowhere")(test)

    found: dict[str, Any] = {}
    collect({"first": stated("first")}, found)
    with pytest.raises(ValueError, match="PAD-4 is both second and first"):
        collect({"second": stated("second")}, found)


def test_clauses_import_no_framework() -> None:
    load = "import sys; from spec_tests.clauses.catalogue import tests; tests()"
    code = f"{load}; print(*{NOT_IMPORTED} & sys.modules.keys())"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
    assert run.stdout.split() == []


def test_every_clause_of_the_draft_is_checked_or_dropped_for_a_reason() -> None:
    draft = tomllib.loads((ROOT / "spec_tests" / "meta" / "draft.toml").read_text(encoding="utf-8"))
    numbered = {f"{family}-{n}" for family, count in draft["numbered"].items() for n in range(1, count + 1)}
    dropped = draft["dropped"]
    assert all(reason.strip() for reason in dropped.values()), "a clause is dropped for a reason"
    assert not dropped.keys() & clauses().keys(), "these are dropped and checked"
    assert not (missing := sorted(numbered - clauses().keys() - dropped.keys())), f"no clause for {', '.join(missing)}"
