"""The prose of the pages has the style of ``docs/prose.toml``, and ``docs/prose.py`` finds what has not."""

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import spec_tests

pytest.importorskip("proselint", reason="it checks the prose, and the extra test installs it")

DOCS = Path(spec_tests.__file__).parents[1] / "docs"
STYLE: dict[str, Any] = tomllib.loads((DOCS / "prose.toml").read_text(encoding="utf-8"))
PAGES = [file for pattern in STYLE["files"] for file in sorted(DOCS.parent.glob(pattern))]
LONG = STYLE["longest_sentence"]


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    """``docs/prose.py``, which belongs to no package, with its checks registered."""
    source = importlib.util.spec_from_file_location("prose", DOCS / "prose.py")
    assert source is not None
    assert source.loader is not None
    module = importlib.util.module_from_spec(source)
    source.loader.exec_module(module)
    module.register(STYLE["instead"])
    return module


def messages(checker: ModuleType, folder: Path, text: str) -> list[tuple[int, str]]:
    """(line, message) of each finding in a page of this text."""
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return [(one.line, one.message) for one in checker.findings(page, STYLE)]


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(DOCS.parent)) for page in PAGES])
def test_pages_have_the_style(checker: ModuleType, page: Path) -> None:
    assert checker.findings(page, STYLE) == []


@pytest.mark.parametrize(
    ("planted", "instead"),
    [
        ("The link is mended.", "fix"),
        ("Faults told from each other", "describe, distinguish from"),
        ("That which moves is wrong.", "what"),
        ("A port stands in for the reference.", "is in, is next to"),
        ("A port comes along.", "include"),
        ("The labels are turned\nround.", "invert, reverse"),
        ("No test had honest orders.", "correct"),
        ("It runs in a process of its own.", "its own, separate"),
        ("This is no fault.", "is not a"),
    ],
)
def test_a_planted_phrase_is_found(checker: ModuleType, tmp_path: Path, planted: str, instead: str) -> None:
    for before, place in (("A line.\n\n", "{}"), ("- An item.\n- ", "{}"), ("| a |\n|---|\n| ", "{} |")):
        text = before + place.format(planted.replace("\n", " ") if place != "{}" else planted)
        found = messages(checker, tmp_path, text)
        assert [(line, message.startswith(f"write {instead!r}")) for line, message in found] == [
            (before.count("\n") + 1, True)
        ], text


def test_what_is_like_a_phrase_is_left(checker: ModuleType, tmp_path: Path) -> None:
    prose = "There is no fault, and it is no longer there. Each has the label of its own class: `that which`."
    text = f"{prose}\n\n```text\nmended\n```\n"
    assert messages(checker, tmp_path, text) == []


def test_a_long_sentence_is_found(checker: ModuleType, tmp_path: Path) -> None:
    longest = " ".join(f"{'ABCDEFGHIJ'[n // 10]}{'klmnopqrst'[n % 10]}" for n in range(LONG))  # no word twice
    assert messages(checker, tmp_path, f"{longest}. {longest}.") == []
    ((line, message),) = messages(checker, tmp_path, f"A line.\n\n{longest} `code`.")
    assert (line, message.split(":")[0]) == (3, f"a sentence of {LONG + 1} words")


def test_a_word_twice_is_found_by_proselint(checker: ModuleType, tmp_path: Path) -> None:
    ((line, message),) = messages(checker, tmp_path, "It changes the the image.")
    assert (line, "lexical illusion" in message) == (1, True)


def test_the_command_prints_findings_and_fails(
    checker: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "register", lambda phrases: None)  # it was, once for the process
    page = tmp_path / "page.md"
    page.write_text("The link is mended.\n", encoding="utf-8")
    assert checker.main([str(page)]) == 1
    assert capsys.readouterr().out == f"{page}:1: write 'fix' instead of 'mended'\n"
    page.write_text("The link is fixed.\n", encoding="utf-8")
    assert checker.main([str(page)]) == 0
