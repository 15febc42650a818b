"""Failures of one cause are told in one block, and in the order of SPEC.md, in each form of a report."""

import re
from dataclasses import replace
from typing import Any

import pytest

from spec_tests.meta.reports import report_of_one
from spec_tests.meta.sample_report import detailed, report
from spec_tests.reporting.causes import Place, causes, key, places
from spec_tests.reporting.markdown import markdown
from spec_tests.reporting.page import page
from spec_tests.reporting.record import Failure, Outcome, Report
from spec_tests.reporting.terminal import failures, matrix, summary

AT = "port.py:7 in conv2d: _check(x)\nport.py:3 in _check: raise ValueError(x)"
RAISED = Failure(raised="ValueError: (1, 2)", at=AT)


def failing(**failures: Failure) -> Report:
    """A report in which clauses fail so: PAD_1 is PAD-1."""
    named = {name.replace("_", "-"): failure for name, failure in failures.items()}
    made = report({"port": dict.fromkeys(named, Outcome.FAILED)})
    for name, failure in named.items():
        made = detailed(made, name, failure=failure)
    return made


def groups(made: Report) -> list[list[str]]:
    """The clauses of each cause."""
    return [[clause.id for clause in cause.clauses] for cause in causes(made.results)]


def test_what_one_line_raised_is_one_cause_in_the_order_of_the_document() -> None:
    wrong = Failure("sum", "1", "2")
    made = failing(POOL_1=RAISED, PAD_10=wrong, PAD_2=replace(RAISED, raised="ValueError: (3, 4)"), PAD_9=wrong)
    assert groups(made) == [["PAD-2", "POOL-1"], ["PAD-9"], ["PAD-10"]]
    assert causes(made.results)[0].words == "ValueError in conv2d breaks 2 clauses"


@pytest.mark.parametrize(
    "other",
    [
        replace(RAISED, raised="TypeError: (1, 2)"),
        replace(RAISED, at=AT.replace("conv2d", "dense")),
        replace(RAISED, at=AT.replace(":3", ":4")),
        replace(RAISED, at=""),
        Failure("sum", "1", "2"),
    ],
)
def test_what_differs_in_kind_function_or_line_is_another_cause(other: Failure) -> None:
    assert groups(failing(PAD_1=RAISED, PAD_2=other)) == [["PAD-1"], ["PAD-2"]]


def test_wrong_answers_have_no_cause_in_common() -> None:
    assert groups(failing(PAD_1=Failure("sum", "1", "2"), PAD_2=Failure("sum", "1", "2"))) == [["PAD-1"], ["PAD-2"]]


def test_one_message_in_place_of_an_answer_is_one_cause() -> None:
    said = [Failure(what, "no error", f"cannot open {number} files") for what, number in (("one", 3), ("other", 12))]
    assert groups(failing(PAD_1=said[0], PAD_2=said[1])) == [["PAD-1", "PAD-2"]]


def test_what_a_fixture_raised_for_many_stands_with_the_one_that_says_where() -> None:
    made = failing(PAD_1=Failure(raised="ValueError, as under POOL-1"), POOL_1=RAISED)
    (cause,) = causes(made.results)
    assert (cause.first.clause.id, cause.told.clause.id) == ("PAD-1", "POOL-1")
    assert groups(failing(PAD_1=Failure(raised="ValueError, as under NET-1"), POOL_1=RAISED)) == [["PAD-1"], ["POOL-1"]]


def test_causes_are_of_one_implementation_and_excuses_are_told_apart() -> None:
    made = report({name: {"PAD-1": Outcome.FAILED, "PAD-2": Outcome.EXCUSED} for name in ("a", "b")})
    both = replace(made, results=tuple(replace(result, failure=RAISED) for result in made.results))
    assert [(cause.told.implementation, len(cause.results)) for cause in causes(both.results)] == [("a", 1), ("b", 1)]


def test_places_are_read_of_any_text() -> None:
    assert places(RAISED) == [Place("port.py", 7, "conv2d"), Place("port.py", 3, "_check")]
    assert places(Failure(at="nothing\n...\n:1 in x\na:b in c: d")) == []
    assert key(Failure(raised="no place")) == ()


def test_the_terminal_tells_a_cause_once() -> None:
    text = failures(report_of_one().results, 100, colour=False)
    assert [line for line in text.splitlines() if "──" in line] == [
        line.ljust(100, "─") for line in ("PAD-4, 5 my_port ", "POOL-1 MUST my_port ")
    ]
    assert text.count("ValueError: (") == 1
    assert "ValueError in conv2d breaks 2 clauses:\nPAD-4 MUST  The odd zero is at the end.\n" in text
    assert "PAD-5 MUST  The axes are independent." in text
    assert re.search(r"^also +violated: pooling: shape$", text, re.M)


def test_markdown_tells_a_cause_once_and_begins_with_it() -> None:
    text = markdown(report_of_one())
    assert text.count("<details>") == 2
    assert "<summary><b>PAD-4, 5</b> my_port: ValueError in conv2d breaks 2 clauses</summary>" in text
    assert "- **PAD-5** MUST failed: The axes are independent.\n" in text
    assert text.index("### Clauses that do not hold") < text.index("### By family")
    assert "| augmentation | not claimed | – |\n| training | not claimed | – |\n| tuning | not claimed | – |" in text


def test_the_page_tells_a_cause_once_and_begins_with_it() -> None:
    text = page(report_of_one())
    assert text.index('id="failing"') < text.index('id="clauses"') < text.index('id="holding"')
    articles = re.findall(r'<(article|details) class="clause" id="([A-Z]+-\d+)"', text)
    assert articles[:3] == [("article", "PAD-4"), ("details", "PAD-5"), ("article", "POOL-1")]
    assert 'told under <a href="#PAD-4.0">PAD-4</a>' in text
    assert text.count("ValueError in conv2d breaks 2 clauses:</p>") == 1


def test_the_page_folds_stages_that_are_not_claimed() -> None:
    text = page(report_of_one())
    folded = re.findall(r'<details class="left-out" data-stage="(\w+)">', text)
    assert folded == ["augmentation", "training", "tuning"] * 2
    assert "Stage augmentation: not claimed, 2 clauses" in text


def test_what_is_told_of_several_comes_in_the_order_of_the_document() -> None:
    outcomes: dict[str, Any] = {"POOL-1": Outcome.REPORTED, "PAD-10": Outcome.REPORTED, "PAD-9": Outcome.REPORTED}
    made = report({"a": outcomes, "b": dict.fromkeys(outcomes, Outcome.NOT_CLAIMED)})
    for text in (summary(made.of("a"), "a", 100, colour=False), matrix(made, 100, colour=False)):
        assert re.findall(r"reported ([A-Z]+-\d+)", text) == ["PAD-9", "PAD-10", "POOL-1"]


@pytest.mark.parametrize("form", [markdown, page, lambda made: failures(made.results, 100, colour=False)])
def test_a_sentence_is_never_cut(form: Any) -> None:
    long = "This is said " + "and said " * 300 + "and done."
    made = report_of_one()
    clauses = {clause.id: replace(clause, sentence=long) for clause in made.clauses}
    results = tuple(replace(result, clause=clauses[result.clause.id]) for result in made.results)
    text = " ".join(form(replace(made, clauses=tuple(clauses.values()), results=results)).split())
    assert long.rpartition(" and said ")[2] in text
    assert "more characters" not in text
