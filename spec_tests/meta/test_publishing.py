"""What is published of a matrix: a page, a badge for each stack, and the runs before."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from spec_tests.reporting.merging import merged
from spec_tests.reporting.record import Failure, Outcome, Report, read_report
from spec_tests.stacks.matrix import not_run
from spec_tests.stacks.plan import Stack
from spec_tests.stacks.publishing import MOST, SHOWN, TREND, WrongTrend, badge_of, publish, run, table

STACKS = ("Keras 3.8.0, jax", "<b>library</b>")


def report(failing: int, started: str) -> Report:
    """Two stacks: of the first so many clauses fail and the others hold, the second could not be installed."""
    first, second = (
        not_run(Stack(label, implementation="mine", stages=("layers",)), "no such package", 0) for label in STACKS
    )
    failure = Failure(violated="padding", expected="1", got="0")
    results = tuple(
        replace(one, outcome=Outcome.FAILED, reason="", failure=failure)
        if place < failing
        else replace(one, outcome=Outcome.PASSED, reason="")
        for place, one in enumerate(first.results)
    )
    return replace(merged([replace(first, results=results), second]), started=started)


def test_each_stack_has_a_badge_and_a_row_of_all_runs(tmp_path: Path) -> None:
    publish(report(0, "2026-01-05T00:00:00+00:00"), tmp_path)
    publish(report(3, "2026-01-12T00:00:00+00:00"), tmp_path)
    badges = {label: json.loads((tmp_path / badge_of(label)).read_text()) for label in STACKS}
    count = len(read_report(tmp_path / "report.json").clauses)
    assert badges[STACKS[0]]["message"] == f"3 of {count} fail"
    assert badges[STACKS[0]]["label"] == STACKS[0]
    assert badges[STACKS[1]]["message"] == "nothing checked"
    page = (tmp_path / "trend.html").read_text()
    before, after = page.index(f"✓ 0 of {count}"), page.index(f"✗ 3 of {count}")
    assert page.index("2026-01-05") < page.index("2026-01-12") < before < after
    assert "<b>library" not in page
    assert "&lt;b&gt;library" in page
    assert "not run" in page
    assert STACKS[0] in (tmp_path / "index.html").read_text()


def test_runs_of_a_year_are_kept_and_the_newest_shown(tmp_path: Path) -> None:
    old = run(report(1, "2025-01-01T00:00:00+00:00"))
    (tmp_path / TREND).write_text(json.dumps({"runs": [old] * MOST}))
    publish(report(0, "2026-02-01T00:00:00+00:00"), tmp_path)
    kept = json.loads((tmp_path / TREND).read_text())["runs"]
    assert len(kept) == MOST
    assert kept[-1]["started"].startswith("2026-02-01")
    assert (tmp_path / "trend.html").read_text().count("2025-01-01") == SHOWN - 1


def test_a_stack_that_is_new_has_no_cell_before() -> None:
    one, other = run(report(0, "2026-01-05T00:00:00+00:00")), run(report(0, "2026-01-12T00:00:00+00:00"))
    del one["stacks"][STACKS[0]]
    assert table([one, other]).count("<td>–") == 1


@pytest.mark.parametrize("text", ["", "[]", '{"runs": [{}]}', '{"runs": [{"started": "x", "stacks": {}}]}'])
def test_a_file_that_is_no_trend_is_one_line_and_nothing_is_written(text: str, tmp_path: Path) -> None:
    (tmp_path / TREND).write_text(text)
    with pytest.raises(WrongTrend, match=r"holds no earlier runs: remove it"):
        publish(report(0, "2026-01-05T00:00:00+00:00"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [TREND]
