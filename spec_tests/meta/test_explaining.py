"""The pages of the clauses: worked examples that the oracle agrees with, code, mistakes and sources that exist."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from fixtures.mutants import mutants
from spec_tests import cli
from spec_tests.adapter.contract import functions
from spec_tests.adapter.stages import PIPELINE, STAGES
from spec_tests.clauses.catalogue import FAMILIES, all_clauses
from spec_tests.clauses.clause import Clause
from spec_tests.explaining import explanation, page, site, sources, terminal
from spec_tests.explaining.drawings import caption, drawing, windows
from spec_tests.explaining.example import EXAMPLES, WrongExample, agree, grid, number, summed
from spec_tests.explaining.examples import worked
from spec_tests.explaining.explanation import explain
from spec_tests.explaining.grids import html
from spec_tests.explaining.markdown import markdown, safe
from spec_tests.explaining.results import keep, table
from spec_tests.explaining.subjects import functions_of, in_reference, signature, statement_of
from spec_tests.oracles import windows as oracle
from spec_tests.reporting.document import DRAWINGS, caption_of
from spec_tests.reporting.record import FAILURES, Outcome

from . import sample_report

ROOT = Path(cli.__file__).parents[1]
LAYERS = ("DENSE", "CONV", "SEP", "PAD", "STRIDE", "POOL", "GAP", "NORM", "DROP")
BY_NAME = {clause.id: clause for clause in all_clauses()}
CALLS = {name for stage in STAGES for name in functions(stage)}

each_clause = pytest.mark.parametrize("clause", all_clauses(), ids=BY_NAME.keys())


def test_every_clause_of_a_layer_has_a_worked_example() -> None:
    assert EXAMPLES.keys() <= BY_NAME.keys()
    assert [name for name, clause in BY_NAME.items() if clause.family in LAYERS and name not in EXAMPLES] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_worked_out_and_its_numbers_stand_in_the_page(name: str) -> None:
    example = worked(name)
    assert example is not None
    assert all(step.endswith(".") for step in example.steps)
    shown = " ".join(terminal.text([explain(BY_NAME[name])]).split())
    assert [step for step in example.steps if " ".join(step.replace("`", "").split()) not in shown] == []


def test_numbers_of_an_example_are_those_of_the_definition() -> None:
    """Worked out with a pencil, not by this program."""
    told = {name: " ".join(worked(name).steps) for name in EXAMPLES}  # type: ignore[union-attr]
    assert "1 × 1 + 2 × 2 + 6 × 3 + 7 × 4 = 51" in told["PAD-4"]
    assert "(5 + 10) / 2 = 7.5" in told["POOL-4"]
    assert "3 × 1 + 5 × 2" not in told["DENSE-1"]
    assert "9 × 1536 = 13,824" in told["TUNE-1"]
    assert "ceil(2000 / 64) = 32" in told["LOAD-1"]


@pytest.mark.parametrize(
    ("name", "wrong", "noticing"),
    [
        ("same_padding", lambda right: lambda *numbers: right(*numbers)[::-1], "PAD-4"),
        ("output_side", lambda right: lambda *numbers, **more: right(*numbers, **more) + 1, "PAD-1"),
        ("conv2d", lambda right: lambda x, kernel, *more: right(x, kernel[::-1, ::-1], *more), "CONV-1"),
        ("max_pooling2d", lambda right: lambda *numbers: -right(*numbers), "POOL-3"),
        ("average_pooling2d", lambda right: lambda *numbers: right(*numbers) / 2, "POOL-4"),
    ],
)
def test_an_example_that_the_oracle_does_not_agree_with_is_refused(
    name: str, wrong: Callable[[Any], Any], noticing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracle, name, wrong(getattr(oracle, name)))
    with pytest.raises(WrongExample, match="by hand"):
        worked(noticing)


def test_what_does_not_agree_is_refused() -> None:
    agree([1.0, 2], (1, 2))
    for other in ([1.0, 2.001], [1.0, 2, 3], [[1.0, 2]]):
        with pytest.raises(WrongExample):
            agree([1.0, 2], other)
    assert summed([(2, 3), (4, -1)], 7, 5) == "2 × 3 + 4 × (-1) + 5 = 7"
    with pytest.raises(WrongExample):
        summed([(2, 3)], 7)
    assert [number(value) for value in (1000000, 0.5, -2, 1 / 3, 98513)] == [
        "1,000,000",
        "0.5",
        "-2",
        "0.3333",
        "98,513",
    ]


@each_clause
def test_a_page_names_the_functions_that_its_test_calls(clause: Clause) -> None:
    named = set(functions_of(clause))
    assert named <= CALLS
    assert bool(named) != (PIPELINE in clause.tied)
    statement = statement_of(clause)
    called = set(re.findall(r"\bimplementation\.(\w+)", statement.text)) & {*functions(clause.stage)}
    assert called <= named, "say so in spec_tests/explaining/subjects.py"
    assert f'"{clause.id}"' in statement.text
    for name in named:
        lines = in_reference(name)
        assert name in signature(name)
        assert (ROOT / lines.file).read_text(encoding="utf-8").splitlines()[lines.first - 1] in lines.text
        assert name in lines.text.splitlines()[0]


@each_clause
def test_a_clause_has_sources_that_open(clause: Clause) -> None:
    found = sources.sources(clause)
    assert found
    for source in found:
        assert source.part or not source.address or source.address.startswith("https://")


def test_a_source_that_leads_nowhere_is_refused() -> None:
    clause = sample_report.clause("PAD-4")
    clause.source = "notes, code 3; a friend"
    with pytest.raises(sources.UnknownSource, match="a friend"):
        sources.sources(clause)


def test_mistakes_are_the_mutants_that_a_clause_must_catch() -> None:
    told = {(mistake.name, name) for name, clause in BY_NAME.items() for mistake in explanation.mistakes_of(clause)}
    assert told == {(mutant.name, name) for mutant in mutants().values() for name in mutant.caught_by}


def test_symbols_are_those_of_the_sentence_and_what_they_are_defined_by() -> None:
    assert [*explanation.symbols_of(BY_NAME["PAD-3"])] == ["n", "s"]
    assert [*explanation.symbols_of(BY_NAME["PAD-1"])] == ["n", "k", "d", "s", "e"]
    assert [*explanation.symbols_of(BY_NAME["POOL-6"])] == ["a"]
    assert [*explanation.symbols_of(BY_NAME["SEP-1"])] == ["k", "c_in", "c_out"]
    assert explanation.symbols_of(BY_NAME["GET-1"]) == {}


def test_the_tolerance_of_a_sum_is_derived_wherever_it_is_used() -> None:
    using = {name for name, clause in BY_NAME.items() if re.search(r"\bSUM\b", statement_of(clause).text)}
    assert using
    assert sorted(name for name in using if not explain(BY_NAME[name]).derivation) == []


@each_clause
def test_a_page_has_every_section_of_which_there_is_something_to_say(clause: Clause) -> None:
    explained = explain(clause)
    titles = [section.title for section in page.page(explained)]
    assert {"Tolerance, and what is left open", "What it calls", "How it is checked", "Sources"} <= {*titles}
    there = {
        "A worked example": explained.example,
        "How people get it wrong": explained.mistakes,
        "Findings in released libraries": explained.findings,
        "In the reference": explained.reference,
        "Test vectors": explained.vectors,
    }
    assert {title for title in there if title in titles} == {title for title, members in there.items() if members}


def test_a_terminal_and_the_site_say_the_same() -> None:
    explained = explain(BY_NAME["PAD-4"])
    plain, made = terminal.text([explained]), markdown(explained, "a caption")
    assert "\x1b" not in plain
    assert all(len(line) <= terminal.PLAIN_WIDTH for line in plain.splitlines() if not re.match(r" +\d+  ", line))
    for words in (explained.clause.sentence[:60], "[51]", "PAD-4/1", explained.reference[0].place):
        assert words in plain
    assert "![a caption](../drawings/PAD-4.svg)" in made
    assert "[onnxruntime" not in made
    assert "https://github.com/microsoft/onnxruntime/issues/10086" in made
    assert "https://github.com/microsoft/onnxruntime/issues/10086" in plain
    assert "[pytorch/pytorch#67551](https://github.com/pytorch/pytorch/issues/67551)" in made


def test_grids_stand_side_by_side_and_say_what_is_marked() -> None:
    lines = terminal.text([explain(BY_NAME["POOL-1"])]).splitlines()
    names = next(number for number, line in enumerate(lines) if "image" in line and "max pooling" in line)
    assert lines[names + 1].split() == ["[1]", "[2]", "3", "4", "5", "[7]", "9"]
    assert any("[ ] the first window and its output; ( ) the last window and its output" in line for line in lines)


def test_numbers_are_drawn_and_escaped() -> None:
    made = html([grid("a <b> & c", [[1, 2.5], [-3, 1e6]], [(0, 0)], [(1, 1)], [(0, 1)])])
    assert "\n\n" not in made  # which would end a block of HTML in Markdown
    root = ET.fromstring(made)  # noqa: S314 - our own
    assert [element.text for element in root.iter("text")] == ["1", "2.5", "-3", "1,000,000"]
    assert [element.text for element in root.iter("figcaption")] == ["a <b> & c"]
    assert [element.get("class") for element in root.iter("i")] == ["first", "last", "padding"]


def test_markdown_shows_what_is_written() -> None:
    assert safe("a*b [c] `d*e` ~f") == r"a\*b \[c\] `d*e` \~f"


def test_drawings_are_up_to_date() -> None:
    """Their words are: what matplotlib makes of them differs from version to version."""
    made = windows()
    assert {file.stem for file in DRAWINGS.glob("*.svg")} == made.keys(), "python -m spec_tests.explaining --drawings"
    assert {name: caption_of(name) for name in made} == {name: caption(window) for name, window in made.items()}
    assert all(file.stat().st_size < 20_000 for file in DRAWINGS.glob("*.svg"))


def test_a_drawing_has_a_legend_on_white() -> None:
    text = drawing(windows()["PAD-4"])
    assert all(word in text for word in ("first window, 2 × 2", "last window", "padding", "image", "stride 2"))
    assert "fill: #ffffff" in text


def test_the_site_has_a_page_for_each_clause_and_family(tmp_path: Path) -> None:
    folder = tmp_path / "clauses"
    folder.mkdir()
    (folder / "PAD-99.md").write_text("of an earlier version", encoding="utf-8")
    site.write(folder)
    names = {file.stem for file in folder.glob("*.md")}
    assert names == {*BY_NAME, *FAMILIES, "index", "notes", "_families", "_findings", "_matrix"}
    pages = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.md")}
    links = {link for text in pages.values() for link in re.findall(r"\]\(([\w-]+\.md)(?:#[\w-]+)?\)", text)}
    assert links <= pages.keys()
    headings = {line.lower().replace(" ", "-") for line in re.findall(r"^### (.*)$", pages["notes.md"], re.MULTILINE)}
    anchors = {link for text in pages.values() for link in re.findall(r"\]\(notes\.md#([\w-]+)\)", text)}
    assert anchors <= headings
    assert "PAD <clauses/PAD>" in pages["_families.md"] or "PAD: padding <clauses/PAD>" in pages["_families.md"]
    assert pages["_matrix.md"] == ""


def test_the_first_page_shows_the_stacks_that_were_checked(tmp_path: Path) -> None:
    outcomes = {
        "keras | 3": {
            "PAD-3": Outcome.PASSED,
            "PAD-4": Outcome.FAILED,
            "POOL-1": Outcome.PASSED,
            "PAD-99": Outcome.FAILED,
        },
        "other": {"PAD-3": Outcome.EXCUSED, "PAD-4": Outcome.PASSED, "POOL-1": Outcome.NOT_CLAIMED},
        "gone": {"PAD-3": Outcome.NOT_RUN, "PAD-4": Outcome.NOT_RUN, "POOL-1": Outcome.NOT_RUN},
    }
    file = tmp_path / "libraries.json"
    keep(sample_report.report(outcomes), file)
    assert "expected" not in file.read_text(encoding="utf-8")  # no failure, and so no path of a machine
    lines = table([file]).splitlines()
    assert lines[0] == "**libraries**, checked with convspec 0.1 on 2026-01-02:"
    assert lines[2] == "| stack | [PAD](clauses/PAD.md) | [POOL](clauses/POOL.md) |"
    assert lines[4:7] == [
        "| keras&nbsp;&#124;&nbsp;3 | [✗4](clauses/PAD-4.md) ✗99 | ✓ |",  # 99 has been withdrawn
        "| other | [≈3](clauses/PAD-3.md) | – |",
        "| gone | · | · |",
    ]
    assert "✗ this one does not" in lines[-1]
    assert table([]) == ""


def test_every_clause_that_fails_on_a_stack_has_its_reason() -> None:
    page = (ROOT / "docs" / "matrix.md").read_text(encoding="utf-8")
    reasons, stacks = list[tuple[list[str], set[str]]](), list[str]()
    for first, second in re.findall(
        r"^\| (.*?) ?\| (.*?) \|.*\|$", page.partition("## What fails, and why")[2], re.MULTILINE
    ):
        stacks = re.findall(r"`(.*?)`", first) or stacks
        reasons.append((stacks, set(re.findall(r"[A-Z]+-\d+", second))))
    failing = [
        (stack["label"], clause)
        for file in (ROOT / "docs" / "results").glob("*.json")
        for stack in json.loads(file.read_text(encoding="utf-8"))["stacks"]
        for outcome in (*FAILURES, Outcome.BROKEN)
        for clause in stack["outcomes"].get(outcome, "").split()
    ]
    assert len(failing) > 50
    without = {
        (label, clause)
        for label, clause in failing
        if not any(clause in named and any(fnmatch(label, stack) for stack in of) for of, named in reasons)
    }
    assert without == set(), "docs/matrix.md does not say why they fail"


def test_explain_prints_clauses_and_families(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(("explain", "gap-1", "FLIP")) == 0
    printed = capsys.readouterr().out
    assert re.findall(r"^([A-Z]+-\d+)  ", printed, re.MULTILINE) == ["GAP-1", "FLIP-1", "FLIP-2"]


def test_an_unknown_clause_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(("explain", "PAD-4", "PADD-4")) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "error: PADD-4: no such clause; did you mean PAD-4, PAD-7, PAD-6?\n"


def test_a_terminal_has_colours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal.show([explain(BY_NAME["GAP-1"])])
    printed = capsys.readouterr().out
    assert "\x1b[1;36mGAP-1" in printed
    assert "325 / 25 = 13" in printed
