"""The page of a report: what is on it, that it loads nothing, and that nothing of an implementation runs in it."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from spec_tests.cases.evidence import difference
from spec_tests.clauses.catalogue import all_clauses
from spec_tests.judging.checks import Violation, expect_close
from spec_tests.reporting.figures import exhibit
from spec_tests.reporting.page import code, duration, moment, page, used
from spec_tests.reporting.record import Failure, Implementation, Outcome, Report, Result, Tolerance

from .reports import (
    ADVICE,
    BAD,
    CLAUSES,
    CURVES,
    DIFFERENCE,
    HISTOGRAM,
    MOVEMENT,
    PREPROCESSING,
    SNIPPET,
    WINDOW,
    hostile_report,
    images,
    png,
    report,
    report_of_one,
)

EMPTY_ELEMENTS = {"meta", "img", "input", "br", "hr", "link", "base"}
LARGEST = 4_000_000  # characters of a large report
GIF = base64.b64encode(b"GIF89a" + bytes(40)).decode()


class Read(HTMLParser):
    """A page as a reader of HTML has it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}  # {element: its own texts}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag and its attributes."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in EMPTY_ELEMENTS:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag without content."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """Elements are closed in order."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the text of the innermost element."""
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of each of these tags."""
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self) -> str:
        """All text that is to be read, with the words of attributes."""
        texts = [text for tag, texts in self.texts.items() if tag not in ("style", "script") for text in texts]
        return "\n".join([*texts, *(value for _, attributes in self.tags for value in attributes.values())])


@pytest.fixture(scope="module")
def sample() -> str:
    """The page of the report made up."""
    return page(report())


@pytest.fixture(scope="module")
def read(sample: str) -> Read:
    """The same as it is read."""
    return Read(sample)


def svg(evidence: dict[str, Any], number: int = 0) -> str:
    """The text of a picture."""
    return base64.b64decode(exhibit(evidence).pictures[number].source.partition(",")[2]).decode()


# What is said


def test_the_head_says_what_was_checked_and_how(read: Read) -> None:
    for words in ("0.1.0", "2026-11-24 23:15 UTC", "2 min 5 s", "quick", "0.10.2", "3.12.1", "Linux"):
        assert words in read.words


def test_each_implementation_has_a_verdict(sample: str) -> None:
    cards = re.findall(r'<article class="card.*?</article>', sample, re.S)
    for card, words in zip(cards, ("conforms", "does not conform", "adapter broken"), strict=True):
        assert f"</span> {words}</p>" in card
    assert "5 of 6" in cards[0]
    assert "Not claimed: transfer" in cards[1]
    assert "holds, though it is excused: pooling is hard" in cards[0]
    assert "20 times its tolerance: bfloat16" in cards[0]


def test_the_reason_of_a_broken_adapter_is_said_once(sample: str) -> None:
    assert len(re.findall('(?<!title=")dense cannot be called', sample)) == 1


def test_every_clause_has_a_row_and_a_cell_for_each_implementation(read: Read) -> None:
    assert [row["data-clause"] for row in read.all("tr") if "data-clause" in row] == [c.id for c in CLAUSES]
    cells = [cell["data-outcome"] for cell in read.all("td") if "data-outcome" in cell]
    assert len(cells) == 3 * len(CLAUSES)
    assert cells[:3] == ["passed", "failed", "broken-adapter"]


@pytest.mark.parametrize("made", [report, report_of_one], ids=["several", "one"])
def test_every_link_leads_somewhere_on_the_page(made: Callable[[], Report]) -> None:
    read = Read(page(made()))
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [link["href"].removeprefix("#") for link in read.all("a")]
    assert {target for target in targets if "=" not in target} <= set(ids)


def test_a_clause_says_its_sentence_once_however_many_fail() -> None:
    failure = Failure("convolution", "1", "2")
    both = tuple(Result(CLAUSES[0], name, Outcome.FAILED, failure=failure) for name in ("one", "two"))
    implementations = tuple(Implementation(name, name) for name in ("one", "two"))
    text = page(replace(report(), clauses=CLAUSES[:1], implementations=implementations, results=both))
    assert text.count('<p class="statement">The odd zero is at the end.</p>') == 1
    assert text.count(f'<p class="advice">{ADVICE}</p>') == 1
    assert text.count('<dt>got</dt><dd class="said got">2</dd>') == 2


def test_a_failure_is_told_with_what_shows_it_again(read: Read) -> None:
    for words in ("convolution at (0, 1)", "case = (1, 2)", SNIPPET, "614,618 times", "epoch 1\nepoch 2", "flips wait"):
        assert words in read.words
    alts = " ".join(image["alt"] for image in read.all("img"))
    for words in ("Output expected: 5 × 4", "Histogram of angles", "the lowest validation loss after epoch 2"):
        assert words in alts


def test_what_was_not_run_has_its_place_too() -> None:
    read = Read(page(replace(report(), results=())))
    assert {cell["data-outcome"] for cell in read.all("td") if "data-outcome" in cell} == {"not-run"}
    Read(page(replace(report(), results=(), clauses=(), implementations=())))


def test_implementations_of_one_title_are_told_apart() -> None:
    twins = tuple(Implementation(name, name, name="Twin") for name in ("one", "two"))
    assert "Twin (one)" in page(replace(report(), implementations=twins, results=()))


@pytest.mark.parametrize(
    ("tolerance", "words"),
    [
        (Tolerance(), ""),
        (Tolerance(0.0), "0 %"),
        (Tolerance(0.01234), "1.2 %"),
        (Tolerance(1.0), "1e+02 %"),
        (Tolerance(1.5), "1.50 times"),
        (Tolerance(614617.6), "614,618 times"),
        (Tolerance(float("inf")), "inf times"),
        (Tolerance(float("nan")), "not a number"),
    ],
)
def test_the_share_of_a_tolerance_in_words(tolerance: Tolerance, words: str) -> None:
    assert used(tolerance) == words


def test_times_and_code_in_words() -> None:
    assert (duration(0.04), duration(59.96), duration(3725)) == ("0.0 s", "60.0 s", "62 min 5 s")
    assert moment("yesterday") == "yesterday"
    assert code("`a < b` & ``c``") == "<code>a &lt; b</code> &amp; <code>c</code>"


# What it loads and runs


def test_it_loads_nothing(read: Read) -> None:
    assert not {tag for tag, _ in read.tags} & {"link", "base", "iframe", "object", "embed", "video", "audio", "form"}
    for tag, attributes in read.tags:
        for name in ("src", "href", "srcset", "action", "data", "background", "poster"):
            assert re.match(r"#|data:image/(png|svg\+xml);base64,", attributes.get(name, "#")), f"{tag} {name}"
    (style,) = read.texts["style"]
    assert "url(" not in style
    assert "@import" not in style


def test_its_policy_allows_its_own_style_and_script_alone(read: Read) -> None:
    (policy,) = (meta["content"] for meta in read.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256("".join(read.texts[kind]).encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert not [tag for tag, attributes in read.tags if "style" in attributes]


def test_whatever_an_implementation_says_stays_text() -> None:
    made, shown = hostile_report()
    read, harmless = Read(page(made)), Read(page(report()))
    assert len(read.all("script")) == len(read.all("style")) == 1
    assert read.texts["script"] == harmless.texts["script"]
    assert {tag for tag, _ in read.tags} <= {tag for tag, _ in harmless.tags}
    assert not [name for _, attributes in read.tags for name in attributes if name.startswith("on")]
    words = read.words.replace("\n", "")
    assert not [text for text in shown if text.replace("`", "") not in words.replace("`", "")]
    assert "49" not in "".join(re.findall(r"\{\{.*?\}\}", words))


def test_text_that_is_no_text_does_no_harm() -> None:
    evidence = HISTOGRAM | {"unit": "\x00\x1b[31m\ud800\n$x"}
    ElementTree.fromstring(svg(evidence))  # noqa: S314 - our own
    failed = Result(CLAUSES[0], BAD, Outcome.FAILED, failure=Failure(got="\x00\x1b[31m\ud800"), evidence=(evidence,))
    Read(page(replace(report(), results=(failed,))))


def test_a_large_report_is_a_page_of_four_megabytes_at_most() -> None:
    clauses = tuple(all_clauses())
    failure = Failure("a" * 100, "1", "2", at="b" * 300, counterexample=("c" * 150,), snippet="d" * 350)
    seen = {"ROT-1": (HISTOGRAM,) * 3, "ZOOM-1": (HISTOGRAM,) * 3, "TRAIN-4": (CURVES,)}
    names = [f"implementation {number}" for number in range(6)]
    results = tuple(
        Result(clause, name, Outcome.FAILED, 1, failure, evidence=(WINDOW,))
        if (place + number) % 5 == 0
        else Result(clause, name, Outcome.PASSED, 1, tolerance=Tolerance(0.5), evidence=seen.get(clause.id, ()))
        for number, name in enumerate(names)
        for place, clause in enumerate(clauses)
    )
    implementations = tuple(Implementation(name, name) for name in names)
    text = page(replace(report(), clauses=clauses, implementations=implementations, results=results))
    assert len(text) < LARGEST


# Pictures


@pytest.mark.parametrize(
    "evidence", [WINDOW, DIFFERENCE, HISTOGRAM, CURVES, PREPROCESSING, MOVEMENT], ids=lambda evidence: evidence["kind"]
)
def test_a_figure_is_the_same_each_time_whoever_draws_it(
    evidence: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = svg(evidence)
    monkeypatch.setitem(mpl.rcParams, "text.color", "red")
    again = evidence | {"title": "drawn again"}
    assert svg(again) == before
    root = ElementTree.fromstring(before)  # noqa: S314 - our own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert not re.search(r"https?://(?!www\.w3\.org/)", before)
    assert "<script" not in before


def test_a_figure_shows_what_it_is_of() -> None:
    for words in ("stride 2", "first window, 2 × 3", "last window", "padding"):
        assert words in svg(WINDOW)
    for words in ("degrees", "expected: 25", "uniform in -4 to 4"):
        assert words in svg(HISTOGRAM)
    assert "best epoch (2)" in svg(CURVES, 0)
    assert "validation" in svg(CURVES, 1)


def test_a_window_in_words() -> None:
    assert exhibit(WINDOW).caption == (
        "Image 5 × 7, window 2 × 3, dilation 2 × 1, so that it spans 3 × 3, stride 1 × 2, "
        "same padding: 1 above, 1 below, 1 left, 1 right. Output expected: 5 × 4."
    )
    misfit = WINDOW | {"padding": "valid", "pads": [[0, 0], [0, 0]], "image": [2, 7]}
    assert exhibit(misfit).caption.endswith("valid padding. The window does not fit: an error is expected.")
    assert exhibit(misfit).pictures


def test_the_window_of_the_worst_output_is_shown() -> None:
    evidence = WINDOW | {"worst": [4, 3]}
    assert exhibit(evidence).caption.endswith("Most wrong is the output in row 4, column 3 (from 0).")
    assert "window of the worst output" in svg(evidence)
    assert "window of the worst output" not in svg(WINDOW)


def test_a_difference_shows_what_was_expected_what_came_and_what_is_wrong() -> None:
    shown = exhibit(DIFFERENCE)
    assert [picture.label for picture in shown.pictures] == ["expected", "got", "difference"]
    assert shown.caption == (
        "Image 1, channel 0: most wrong in row 1, column 2 (from 0), where 6 was expected and -6.5 came. "
        "2 of 6 values are wrong."
    )
    expected, got, difference = (ElementTree.fromstring(svg(DIFFERENCE, number)) for number in range(3))  # noqa: S314
    texts = [[text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")] for picture in (expected, got)]
    assert texts == [["1", "2", "3", "4", "5", "6"], ["1", "2", "3", "4", "NaN", "-6.5"]]
    white = [path for path in difference if path.attrib.get("fill") == "#fff"]
    assert len(white) == 1
    assert white[0].attrib["d"].count("M") == 4  # what is right


def test_a_part_of_a_large_difference_says_which() -> None:
    part = DIFFERENCE | {"shape": [40, 60], "first": [10, 20], "worst": [11, 22]}
    assert exhibit(part).caption.endswith(
        "2 of 6 values are wrong of the part that is shown, rows 10 to 11 and columns 20 to 22 of 40 × 60."
    )


def test_an_array_that_is_wrong_is_cut_out_around_its_worst_value() -> None:
    expected = np.zeros((2, 5, 40, 3), np.float32)
    got = expected.copy()
    got[1, 4, 39, 2], got[1, 0, 30, 2] = np.nan, 1
    with pytest.raises(Violation) as raised:
        expect_close(got, expected, "zeros", rtol=1)
    assert raised.value.wrong
    (evidence,) = difference(raised.value.wrong)
    assert (evidence["sample"], evidence["channel"], evidence["shape"]) == (1, 2, [5, 40])
    assert (evidence["first"], evidence["worst"]) == ([0, 28], [4, 39])
    assert np.shape(evidence["got"]) == np.shape(evidence["wrong"]) == (5, 12)
    assert (evidence["got"][4][11], evidence["got"][0][2], np.sum(evidence["wrong"])) == (None, 1, 2)
    assert exhibit(evidence).pictures


def test_images_are_shown_with_their_difference() -> None:
    shown = exhibit(images(png(), png(level=90)))
    assert [picture.label for picture in shown.pictures] == ["expected", "got", "difference"]
    assert shown.caption == "24 of 24 pixels differ, by up to 10 of 255 grey levels."
    assert (shown.pictures[0].width, shown.pictures[0].height) == (120, 80)
    assert exhibit(images(png(), png())).caption == "The two are the same in whole grey levels."
    assert "4 × 6 (expected) and 5 × 6 (got)" in exhibit(images(png(), png(5))).caption


def large_png() -> str:
    """A PNG that says it has 100,000 pixels a side."""
    content = bytearray(base64.b64decode(png()))
    content[16:24] = (100_000).to_bytes(4, "big") * 2
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(images(png(), "AAAA"), id="short"),
        pytest.param(images("not base64!", png()), id="no base64"),
        pytest.param(images(png(), png()[:60]), id="cut off"),
        pytest.param(images(png(), GIF), id="GIF"),
        pytest.param(images(png(), large_png()), id="large image"),
        pytest.param(HISTOGRAM | {"counts": [1, 2]}, id="edges and counts"),
        pytest.param(HISTOGRAM | {"edges": [0, 1, 2, 1, 4, 5, 6]}, id="edges back and forth"),
        pytest.param(HISTOGRAM | {"counts": [10**400, 1, 1, 1, 1, 1]}, id="large count"),
        pytest.param(HISTOGRAM | {"low": float("nan")}, id="not a number"),
        pytest.param(HISTOGRAM | {"edges": list(range(100_001)), "counts": [1] * 100_000}, id="many bins"),
        pytest.param(CURVES | {"history": {}}, id="no history"),
        pytest.param(CURVES | {"history": {"loss": [10**400]}}, id="large loss"),
        pytest.param(CURVES | {"history": {"loss": [1.0] * 10_000}}, id="many epochs"),
        pytest.param(DIFFERENCE | {"got": [[1, 2], [3, 4]]}, id="another shape"),
        pytest.param(DIFFERENCE | {"got": [[1, 2, 3], [4]]}, id="uneven rows"),
        pytest.param(DIFFERENCE | {"worst": [2, 0]}, id="worst elsewhere"),
        pytest.param(DIFFERENCE | {name: [[1] * 41] for name in ("expected", "got", "wrong")}, id="wide"),
        pytest.param(WINDOW | {"worst": [5, 0]}, id="no such output"),
        pytest.param(WINDOW | {"strides": [0, 1]}, id="no stride"),
        pytest.param(WINDOW | {"image": [10**9, 10**9]}, id="large window"),
        pytest.param(WINDOW | {"pads": [[0, 10**9], [0, 0]]}, id="much padding"),
    ],
)
def test_what_cannot_be_drawn_is_said(evidence: dict[str, Any]) -> None:
    shown = exhibit(evidence)
    assert not shown.pictures
    assert shown.caption.startswith("This cannot be drawn: ")


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(HISTOGRAM | {"counts": [0] * 6}, id="no draws"),
        pytest.param(DIFFERENCE | {"expected": [[None] * 3] * 2, "got": [[1e308, -1e308, 5]] * 2}, id="huge numbers"),
        pytest.param(DIFFERENCE | {"expected": [[-1e308, 1e308, 1]] * 2, "got": [[1e308, -1e308, 0]] * 2}, id="apart"),
        pytest.param(DIFFERENCE | {name: [[1] * 3] * 2 for name in ("expected", "got")}, id="no difference"),
        pytest.param(CURVES | {"history": {"loss": [None]}}, id="no finite loss"),
        pytest.param(CURVES | {"history": {"val_loss": [1.0] * 1000}}, id="validation alone"),
        pytest.param(WINDOW | {"padding": "valid", "pads": [[0, 0], [0, 0]], "image": [1, 1]}, id="misfit"),
        pytest.param(WINDOW | {"pads": [[0, 0], [0, 0]], "image": [1, 1], "size": [1, 1]}, id="one pixel"),
    ],
)
def test_what_is_unusual_is_drawn(evidence: dict[str, Any]) -> None:
    for number in range(len(exhibit(evidence).pictures)):
        ElementTree.fromstring(svg(evidence, number))  # noqa: S314 - our own
