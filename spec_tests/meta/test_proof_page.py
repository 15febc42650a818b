"""The page of the proof, and the JSON beside it."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

from spec_tests.meta.reports import HOSTILE
from spec_tests.meta.test_alarms import RUN
from spec_tests.meta.test_mutants import CLAUSES, FAILED, PASSED, death, matrix, mutant
from spec_tests.proof import curves, output
from spec_tests.proof.chart import chart
from spec_tests.proof.mutants import Death, Matrix
from spec_tests.proof.page import page
from spec_tests.reporting.record import Failure, Result

DEATHS = (
    death(mutant("PAD-4", name="pads_wrongly"), FAILED, FAILED, PASSED),
    death(mutant("POOL-3", name="pools_wrongly"), PASSED, PASSED, PASSED),
    death(mutant("GAP-1", name="throws"), PASSED, PASSED, FAILED, failure=Failure(raised="ValueError: no")),
)


def hostile() -> Matrix:
    result = Result(CLAUSES[0], "x", FAILED, 1.0, Failure(violated=HOSTILE, expected=HOSTILE, got=HOSTILE))
    return matrix(Death(mutant("PAD-4"), (result,)))


class Ids(HTMLParser):
    """What can be linked to, and what is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.ids, self.links = list[str](), list[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what it has."""
        given = dict(attrs)
        self.tags.append(tag)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []


def test_every_mutant_is_there_with_what_became_of_it() -> None:
    text = page(matrix(*DEATHS), [RUN], [], whole=True)
    found = Ids(text)
    assert {"pads_wrongly", "pools_wrongly", "throws"} <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))
    assert {link.removeprefix("#") for link in found.links} <= set(found.ids)
    for words in ("survived", "died of itself", "POOL-3 missed it", "0 alarms", "no mutant needs POOL-3, GAP-1"):
        assert words in re.sub(r"<[^>]+>|\s+", " ", text).replace("  ", " "), words


def test_the_chart_has_a_mark_where_there_is_something_to_say() -> None:
    marks = {(mark.mutant, mark.title.rpartition(": ")[2], mark.kind) for mark in chart(matrix(*DEATHS)).marks}
    assert marks == {
        ("pads_wrongly", "PAD-4 caught it, as it must", "own"),
        ("pads_wrongly", "POOL-3 caught it too", "other"),
        ("pools_wrongly", "POOL-3 did not catch it", "missed"),
        ("throws", "GAP-1 met an exception", "raised"),
    }


def test_what_a_mutant_said_is_escaped() -> None:
    text = page(hostile(), [], [], whole=False)
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "onerror=alert(1)&gt;" in text


def test_nothing_is_loaded_and_nothing_runs() -> None:
    text = page(matrix(*DEATHS), [RUN], curves.read(), whole=True)
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:image/svg)""", text)
    assert "script" not in Ids(text).tags
    assert "default-src 'none'" in html.unescape(text)
    assert " style=" not in text  # the policy would forbid it


def test_the_json_says_the_same(tmp_path: Path) -> None:
    output.write_json(matrix(*DEATHS), whole=True, file=tmp_path / "new" / "kill.json")
    content = json.loads((tmp_path / "new" / "kill.json").read_text())
    assert [(one["name"], one["fate"], one["caught"], one["missed"]) for one in content["mutants"]] == [
        ("pads_wrongly", "killed", ["PAD-4", "POOL-3"], []),
        ("pools_wrongly", "survived", [], ["POOL-3"]),
        ("throws", "died of itself", [], ["GAP-1"]),
    ]
    assert content["needed"] == {"PAD-4": ["pads_wrongly"], "POOL-3": [], "GAP-1": []}
    assert len(content["faults"]) == 3


def test_the_page_is_whole_with_what_is_recorded(tmp_path: Path) -> None:
    output.write_html(matrix(*DEATHS), whole=False, file=tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert all(f"Operating curve of {clause}" in text for clause in ("ROT-1", "FLIP-2", "ACC-1"))
    assert text.count('alt="Operating curve') == len(set(re.findall(r'alt="Operating curve of ([^"]+)"', text)))
