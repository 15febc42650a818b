"""The forms that a report takes: the terminal, JUnit, Markdown and a badge."""

from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from spec_tests.meta.sample_report import HOSTILE, clause, detailed, report, reports, texts
from spec_tests.reporting import markdown as markdown_module
from spec_tests.reporting.badge import badge
from spec_tests.reporting.causes import causes
from spec_tests.reporting.junit import junit
from spec_tests.reporting.markdown import LIMIT, markdown
from spec_tests.reporting.record import TOLD, Failure, Outcome, Report, Tolerance
from spec_tests.reporting.terminal import failures, summary
from spec_tests.support.texts import one_line

SMALL = {"port": {"PAD-1": Outcome.PASSED, "PAD-2": Outcome.FAILED}}
OF_MARKDOWN = {"h2", "h3", "p", "em", "strong", "ul", "li", "pre", "code", "table", "thead", "tbody", "tr", "th", "td"}
OF_HTML = {"details", "summary", "b"}

slowly = settings(suppress_health_check=[HealthCheck.too_slow])


# The terminal.


@slowly
@given(reports())
def test_the_terminal_takes_no_orders_from_an_implementation(given: Report) -> None:
    for implementation in given.implementations:
        results = given.of(implementation.column)
        told = failures(results, 100, colour=False) + summary(results, implementation.title, 100, colour=False)
        assert "\x1b" not in told


# JUnit.


def cases(text: str) -> dict[str, ElementTree.Element]:
    """The test cases of a report, by the ID of their clause."""
    suites = ElementTree.fromstring(text.encode())  # noqa: S314
    return {case.attrib["name"]: case for case in suites.iter("testcase")}


def test_junit_tells_failures_errors_and_what_is_skipped() -> None:
    outcomes = {f"PAD-{number}": outcome for number, outcome in enumerate(Outcome)}
    text = junit(detailed(report({"port": outcomes}), "PAD-6", reason="sums are hard"))
    suites = ElementTree.fromstring(text.encode())  # noqa: S314
    (suite,) = suites
    assert suite.attrib == {
        "name": "port", "timestamp": "2026-01-02T03:04:05", "tests": "11", "failures": "1", "errors": "4",
        "skipped": "5", "time": "5.500",
    }  # fmt: skip
    tags = {name: [part.tag for part in case if part.tag != "properties"] for name, case in cases(text).items()}
    assert tags == {
        "PAD-0": [], "PAD-1": ["failure"], "PAD-2": ["error"], "PAD-3": ["error"], "PAD-4": ["error"],
        "PAD-5": ["skipped"], "PAD-6": ["skipped"], "PAD-7": ["skipped"], "PAD-8": ["skipped"], "PAD-9": ["skipped"],
        "PAD-10": ["error"],
    }  # fmt: skip
    messages = [part.attrib["message"] for part in suites.iter("skipped")]
    assert messages == ["reported", "excused: sums are hard", "not decided", "not claimed", "not run"]


def test_junit_tells_a_clause() -> None:
    failure = Failure("sum", "3", "4", counterexample=("a = 1",), snippet="print(1)")
    given = detailed(report(SMALL), "PAD-2", failure=failure, tolerance=Tolerance(0.5, 20, "bfloat16"))
    case = cases(junit(given))["PAD-2"]
    assert case.attrib == {"classname": "port.layers.PAD", "name": "PAD-2", "time": "0.500"}
    assert [(p.attrib["name"], p.attrib["value"]) for p in case.iter("property")] == [
        ("sentence", "What PAD-2 says."),
        ("level", "MUST"),
        ("source", "notes"),
        ("tolerance factor", "20"),
        ("tolerance reason", "bfloat16"),
    ]
    (failed,) = case.iter("failure")
    assert failed.attrib == {"type": "failed", "message": "sum"}
    assert failed.text == failure.text(clause("PAD-2"))


def test_cases_of_two_implementations_are_told_apart_by_their_class() -> None:
    text = junit(report({"a": {"PAD-1": Outcome.PASSED}, "b": {"PAD-1": Outcome.PASSED}}))
    suites = ElementTree.fromstring(text.encode())  # noqa: S314
    assert [case.attrib["classname"] for case in suites.iter("testcase")] == ["a.layers.PAD", "b.layers.PAD"]


@slowly
@given(reports())
def test_junit_is_xml_whatever_an_implementation_prints(given: Report) -> None:
    suites = ElementTree.fromstring(junit(given).encode())  # noqa: S314
    assert len(list(suites.iter("testcase"))) == len(given.results)
    tags = {element.tag for element in suites.iter()}
    assert tags <= {"testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped"}


# Markdown.


class Rendered(HTMLParser):
    """What a reader of Markdown makes of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: set[tuple[str, str | None]] = set()
        self.cells: list[list[str]] = []
        self.code: list[str] = []
        self.open: list[str] = []
        self.feed(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))
        self.close()
        assert not self.open, "every tag that is opened is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag."""
        self.tags[tag] += 1
        self.open.append(tag)
        self.attributes.update(attrs)
        if tag == "tr":
            self.cells.append([])
        elif tag in ("td", "th"):
            self.cells[-1].append("")
        elif tag == "pre":
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        """It must be the one that was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text of a cell or of code."""
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1][-1] += data
        elif "pre" in self.open:
            self.code[-1] += data


def test_markdown_tells_verdicts_and_families() -> None:
    passed, failed, left = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_CLAIMED
    given = report(
        {
            "a": {"PAD-1": passed, "PAD-2": passed, "POOL-1": passed, "FLIP-1": left},
            "b": {"PAD-1": passed, "PAD-2": failed, "POOL-1": Outcome.EXCUSED, "FLIP-1": passed},
            "c": dict.fromkeys(["PAD-1", "PAD-2", "POOL-1", "FLIP-1"], Outcome.BROKEN),
            "d": {},
        }
    )
    assert Rendered(markdown(given)).cells == [
        ["implementation", "name", "verdict", "clauses that hold"],
        ["a", "package.a 1.0", "✓ conforms", "3 of 3"],
        ["b", "package.b 1.0", "✗ does not conform", "2 of 4, 1 excused"],
        ["c", "package.c 1.0", "✗ adapter broken", "0 of 4"],
        ["d", "package.d 1.0", "– nothing was checked", "–"],
        ["stage", "family", "a", "b", "c", "d"],
        ["layers", "PAD", "2", "1 of 2 ✗", "0 of 2 ✗", "–"],
        ["", "POOL", "1", "0 of 1, 1 excused", "0 of 1 ✗", "–"],
        ["augmentation", "FLIP", "–", "1", "0 of 1 ✗", "–"],
    ]


def test_markdown_tells_failures_excuses_and_tolerances() -> None:
    outcomes = dict.fromkeys(["PAD-1", "PAD-3", "PAD-5"], Outcome.PASSED) | {
        "PAD-2": Outcome.FAILED, "PAD-4": Outcome.EXCUSED, "PAD-6": Outcome.NOT_RUN,
    }  # fmt: skip
    given = detailed(report({"port": outcomes}), "PAD-1", reason="not yet")
    given = detailed(given, "PAD-2", failure=Failure("sum", "3", "4", counterexample=("a = `1`",), snippet="print(1)"))
    given = detailed(given, "PAD-3", tolerance=Tolerance(0.5, 20, "bfloat16"))
    given = detailed(detailed(given, "PAD-4", reason="sums are hard"), "PAD-6", reason="no records")
    expected = """\
### Clauses that do not hold

<details>
<summary><b>PAD-2</b> port, MUST failed: What PAD-2 says.</summary>

```text
violated: sum
expected: 3
got: 4
counterexample: a = `1`
advice: If this fails, check it.
source: notes
```

To see it again, in Python:

```python
print(1)
```

</details>

### Likely faults

- port: no known fault matches this failure (PAD-2)

### Excused

- **PAD-4** port: sums are hard

### Excuses that are not needed

- **PAD-1** port: holds, though it is excused: not yet

### Tolerances made wider

- **PAD-3** port: needed 0.5 of tolerances 20 times as wide: bfloat16

### Not run

- **PAD-6** port: no records
"""
    assert f"{expected}\n### By family\n" in markdown(given)


def test_markdown_says_once_why_an_adapter_is_broken() -> None:
    given = report({"port": {"PAD-1": Outcome.BROKEN, "PAD-2": Outcome.BROKEN}})
    results = tuple(replace(result, reason="port has no dense") for result in given.results)
    text = markdown(replace(given, results=results))
    assert "### Broken adapters\n\n- port: port has no dense\n\n### By family\n" in text
    assert text.count("no dense") == 1


@slowly
@given(reports())
def test_markdown_is_harmless_whatever_an_implementation_prints(given: Report) -> None:
    rendered = Rendered(markdown(given))
    assert rendered.tags.keys() <= OF_MARKDOWN | OF_HTML
    assert rendered.attributes <= {("class", "language-text"), ("class", "language-python")}
    told = causes(given.results)
    assert sum(len(cause.results) for cause in told) == sum(r.outcome in TOLD for r in given.results)
    assert [rendered.tags[tag] for tag in ("details", "summary", "b")] == [len(told)] * 3
    assert rendered.tags["pre"] == len(told) + sum(bool(cause.told.failure.snippet) for cause in told)
    assert rendered.tags["h2"] == 1
    widths = [len(cells) for cells in rendered.cells]
    assert set(widths) <= {4, 2 + len(given.implementations)}
    assert rendered.tags["tr"] == widths.count(4) + widths.count(2 + len(given.implementations)) * (
        len(given.implementations) != 2
    )


@given(st.text(st.sampled_from("`~ \n"), max_size=30))
def test_code_cannot_end_its_fence(text: str) -> None:
    assert Rendered(markdown_module.fenced(text, "text")).code == [f"{text}\n"]


@given(texts)
def test_words_are_shown_as_they_are(text: str) -> None:
    (_, row) = Rendered(f"| a |\n| --- |\n| x{markdown_module.words(text, 500)}y |").cells
    assert row == [f"x{one_line(text, 500)}y"]


@given(st.text(st.sampled_from("_* a"), max_size=12))
def test_words_are_not_emphasised(text: str) -> None:
    assert Rendered(f"x {markdown_module.words(text)} y").tags.keys() == {"p"}


def test_words_are_no_links() -> None:
    said = markdown_module.words("see www.example.org, http://example.org: ok. <a@b>")
    assert said == "see www&#46;example.org, http&#58;//example.org: ok. &#60;a&#64;b&#62;"


def test_a_summary_is_never_too_large_for_github() -> None:
    names = [f"PAD-{number}" for number in range(200)]
    given = report({"port": dict.fromkeys(names, Outcome.FAILED)})
    failure = Failure(HOSTILE * 1000, "é" * 10_000, "`" * 10_000, counterexample=("a = 1" * 1000,) * 100)
    text = markdown(replace(given, results=tuple(replace(r, failure=failure) for r in given.results)))
    assert 0.9 * LIMIT < len(text.encode()) < 2**20
    rendered = Rendered(text)
    shown = rendered.tags["details"]
    assert f"*{len(names) - shown:,} more are left out" in text
    assert "more characters)" in text


# The badge.


@pytest.mark.parametrize(
    ("outcomes", "message", "colour", "wrong"),
    [
        ({"a": [Outcome.PASSED] * 3}, "3 of 3 clauses", "brightgreen", False),
        ({"a": [Outcome.PASSED, Outcome.NOT_CLAIMED]}, "1 of 1 clauses", "brightgreen", False),
        ({"a": [Outcome.PASSED, Outcome.EXCUSED, Outcome.EXCUSED]}, "1 of 3, 2 excused", "green", False),
        ({"a": [Outcome.PASSED, Outcome.REPORTED, Outcome.NOT_RUN]}, "1 of 3, 1 reported, 1 not run", "green", False),
        ({"a": [Outcome.PASSED, Outcome.FAILED, Outcome.CRASHED]}, "2 of 3 fail", "red", True),
        ({"a": [Outcome.FAILED, Outcome.EXCUSED]}, "1 of 2 fail, 1 excused", "red", True),
        ({"a": [Outcome.PASSED, Outcome.BROKEN]}, "adapter broken", "red", True),
        ({"a": [Outcome.NOT_CLAIMED]}, "nothing checked", "lightgrey", False),
        ({"a": []}, "nothing checked", "lightgrey", False),
        ({}, "nothing checked", "lightgrey", False),
        ({"a": [Outcome.PASSED], "b": [Outcome.PASSED]}, "2 of 2 conform", "brightgreen", False),
        ({"a": [Outcome.PASSED], "b": [Outcome.EXCUSED]}, "2 of 2 conform, 1 excused", "green", False),
        ({"a": [Outcome.PASSED], "b": [Outcome.FAILED]}, "1 of 2 conform", "red", True),
        ({"a": [Outcome.PASSED], "b": [Outcome.NOT_CLAIMED]}, "1 of 2 conform", "lightgrey", False),
    ],
)
def test_a_badge(outcomes: dict[str, list[Outcome]], message: str, colour: str, wrong: bool) -> None:
    named = {column: {f"PAD-{n}": o for n, o in enumerate(of_column)} for column, of_column in outcomes.items()}
    assert badge(report(named)) == {
        "schemaVersion": 1, "label": "convspec", "message": message, "color": colour, "isError": wrong,
    }  # fmt: skip


def test_a_badge_of_one_of_several() -> None:
    given = report({"a": {"PAD-1": Outcome.PASSED}, "b": {"PAD-1": Outcome.FAILED}})
    assert badge(given, "a")["message"] == "1 of 1 clauses"
    assert badge(given, "b")["message"] == "1 of 1 fail"
    with pytest.raises(ValueError, match="c is not in the report: name one of a, b"):
        badge(given, "c")
