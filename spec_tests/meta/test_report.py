"""The record of a run: written, read, put together with others, and its texts made fit to be shown."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from spec_tests.meta.sample_report import clause, report, reports, texts
from spec_tests.reporting.merging import labels_of, merged
from spec_tests.reporting.record import Failure, Outcome, Report, UnreadableReport, read_report, validator
from spec_tests.support.files import write_text
from spec_tests.support.texts import cut, one_line, printable

SMALL = {"port": {"PAD-1": Outcome.PASSED, "PAD-2": Outcome.FAILED}}

Content = dict[str, Any]
slowly = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@slowly
@given(reports())
def test_a_report_is_what_is_read_of_its_json(given: Report) -> None:
    content = json.loads(json.dumps(given.to_json()))
    assert [error.message for error in validator().iter_errors(content)] == []
    assert Report.from_json(content) == given


@slowly
@given(made=reports())
def test_a_report_is_what_is_read_of_its_file(made: Report, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    write_text(file, json.dumps(made.to_json(), ensure_ascii=False))
    assert read_report(file) == made


def test_the_arguments_of_the_last_call_do_not_make_it_another_clause() -> None:
    called, again = clause("PAD-1"), clause("PAD-1")
    called.arguments, again.arguments = {"image": np.zeros(3)}, {"image": np.ones(3)}
    assert called == again


def damaged(change: Callable[[Content], object]) -> str:
    """The JSON of a report in which something was changed."""
    content = json.loads(json.dumps(report(SMALL).to_json()))
    change(content)
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "is not JSON (Expecting value", id="empty"),
        pytest.param("{", "is not JSON", id="half"),
        pytest.param("[" * 100_000, "is not JSON (maximum recursion depth", id="endless"),
        pytest.param('{"a":' * 990 + "1" + "}" * 990, "no", id="deep"),
        pytest.param("NaN", "is not JSON (NaN is not a finite float)", id="NaN"),
        pytest.param("9" * 400, "is not JSON (99999999999999999999 is not a finite float)", id="huge"),
        pytest.param("1e999", "is not JSON (1e999 is not a finite float", id="infinite"),
        pytest.param("[1]", "is not a report (the whole: [1] is not of type 'object')", id="list"),
        pytest.param('{"version": "3.0"}', "is not a report (the whole: 'format' is a required", id="other"),
        pytest.param(damaged(lambda c: c.update(version=1)), "has version 1, and this program reads 2", id="version"),
        pytest.param(damaged(lambda c: c.pop("seed")), "is not a report (the whole: 'seed' is a required", id="part"),
        pytest.param(damaged(lambda c: c.update(seed="1")), "is not a report (seed: '1' is not", id="type"),
        pytest.param(damaged(lambda c: c.update(started="today")), "is not a report (started: 'today' does", id="time"),
        pytest.param(
            damaged(lambda c: c["clauses"][0].update(id="PAD-" + "9" * 5000)), "(clauses/0/id: 'PAD-9999", id="number"
        ),
        pytest.param(damaged(lambda c: c["results"][0].update(seconds=-1)), "(results/0/seconds: -1 is less", id="low"),
        pytest.param(
            damaged(lambda c: c["implementations"][0]["packages"].update({"x\n\x1b[31m": 1})),
            r"(implementations/0/packages/x \x1b[31m: 1 is not of type 'string')",
            id="hostile",
        ),
        pytest.param(
            damaged(lambda c: c["results"][0].update(clause="PAD-9")),
            "has results of PAD-9, which is not among its clauses: write a new one",
            id="unknown clause",
        ),
        pytest.param(
            damaged(lambda c: c["results"][0].update(implementation="x")),
            "has results of x, which is not among its implementations",
            id="unknown implementation",
        ),
        pytest.param(damaged(lambda c: c["clauses"].append(c["clauses"][0])), "has PAD-1 2 times", id="clauses"),
        pytest.param(
            damaged(lambda c: c["implementations"].append(c["implementations"][0])), "has port 2 times", id="columns"
        ),
        pytest.param(
            damaged(lambda c: c["results"].append(c["results"][0])), "has PAD-1 with port 2 times", id="results"
        ),
    ],
)
def test_a_file_that_is_no_report_is_told_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "report.json"
    file.write_text(text)
    line = told_of(file)
    assert line.startswith(f"{file} ")
    assert said in line
    assert line.isprintable()
    assert len(line) < 400


def test_a_file_that_cannot_be_read_is_told_in_a_line(tmp_path: Path) -> None:
    assert told_of(tmp_path / "none") == f"{tmp_path / 'none'} does not exist: name a report made with --json"
    assert told_of(tmp_path) == f"{tmp_path} cannot be read: Is a directory"
    (tmp_path / "image").write_bytes(b"\x89PNG\r\n")
    assert "is not JSON ('utf-8' codec can't decode" in told_of(tmp_path / "image")


def told_of(file: Path) -> str:
    """What is said of it."""
    with pytest.raises(UnreadableReport) as raised:
        read_report(file)
    return str(raised.value)


def test_a_report_of_before_there_were_other_failures_is_read() -> None:
    content = json.loads(json.dumps(report(SMALL).to_json()))
    for result in content["results"]:
        del result["failure"]["also"]
    assert [error.message for error in validator().iter_errors(content)] == []
    assert Report.from_json(content) == report(SMALL)


def test_other_ways_to_fail_are_told_after_the_first() -> None:
    other = Failure("size", "1", "2", counterexample=("a = 2",))
    failure = Failure("sum", "3", "4", counterexample=("a = 1",), also=(other,))
    assert failure.facts() == [
        ("violated", "sum"), ("expected", "3"), ("got", "4"), ("counterexample", "a = 1"),
        ("also", "violated: size\nexpected: 1\ngot: 2\ncounterexample: a = 2"),
    ]  # fmt: skip


def test_reports_are_put_together_and_none_is_lost() -> None:
    passed, failed = Outcome.PASSED, Outcome.FAILED
    first = report({"a": {"POOL-1": passed}, "b": {"POOL-1": passed}}, seed=1, started="2026-01-02T00:00:00Z")
    second = report({"b": {"PAD-1": failed}, "c": {"PAD-1": passed}}, seed=2, started="2026-01-01T00:00:00Z")
    reworded = replace(clause("POOL-1"), sentence="Other words.")
    third = report({"d": {"POOL-1": passed}}, started="2025-01-01T00:00:00Z", clauses=(reworded,))
    both = merged([first, second, third], ["monday", "tuesday", "old"])
    columns = ["a", "b, monday", "b, tuesday", "c", "d"]
    assert [implementation.column for implementation in both.implementations] == columns
    assert [given.id for given in both.clauses] == ["PAD-1", "POOL-1"]
    assert both.clauses[1] == reworded
    assert [(r.clause, r.implementation, r.outcome) for r in both.results] == [
        (reworded, "a", passed),
        (reworded, "b, monday", passed),
        (clause("PAD-1"), "b, tuesday", failed),
        (clause("PAD-1"), "c", passed),
        (reworded, "d", passed),
    ]
    assert (both.seed, both.started) == (1, first.started)
    assert both.seconds == pytest.approx(3 * first.seconds)
    assert merged([first]) == first


@pytest.mark.parametrize(
    ("versions", "labels", "columns"),
    [
        (("1.0", "1.1"), ("monday", "tuesday"), ["port, 1.0", "port, 1.1"]),
        (("1.0", "1.0"), ("monday", "tuesday"), ["port, monday", "port, tuesday"]),
        (("1.0", ""), ("monday", "tuesday"), ["port, monday", "port, tuesday"]),
        (("1.0", "1.0"), ("same", "same"), ["port, same", "port, same (2)"]),
    ],
)
def test_columns_of_one_name_are_told_apart(
    versions: tuple[str, ...], labels: tuple[str, ...], columns: list[str]
) -> None:
    made = report(SMALL)
    given = [
        replace(made, implementations=(replace(made.implementations[0], version=version),)) for version in versions
    ]
    together = merged(given, labels)
    assert [implementation.column for implementation in together.implementations] == columns
    assert [len(together.of(column)) for column in columns] == [2, 2]
    assert [error.message for error in validator().iter_errors(json.loads(json.dumps(together.to_json())))] == []


def test_files_are_called_by_their_names_or_by_their_paths() -> None:
    assert labels_of(["a/monday.json", "b/tuesday.json"]) == ["monday", "tuesday"]
    assert labels_of(["a/report.json", "b/report.json", "c.json"]) == ["a/report.json", "b/report.json", "c"]


@given(texts)
def test_a_text_is_made_printable(text: str) -> None:
    assert one_line(text).isprintable()
    assert printable(printable(text)) == printable(text)
    ElementTree.fromstring(f"<a>{escape(printable(text))}</a>")  # noqa: S314


def test_what_cannot_be_printed_is_written_as_python_writes_it() -> None:
    assert (
        printable("\x00 \x1b[1m \udc80 \u202e é\t猫\r\nnext\rover")
        == "\\x00 \\x1b[1m \\udc80 \\u202e é\t猫\nnext\\rover"
    )
    assert one_line(" a\n b ") == "a b"
    assert cut("a" * 1500, 100) == "a" * 100 + "… (1,400 more characters)"


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    with pytest.raises(IsADirectoryError):
        write_text(tmp_path / "report", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
