"""Annotations for GitHub: one a failure, at its line where that is known, and nothing else of what is said."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from spec_tests.meta.sample_report import HOSTILE, clause, detailed, report, reports, texts
from spec_tests.reporting.annotations import annotations, command
from spec_tests.reporting.record import FAILURES, Failure, Outcome, Report

slowly = settings(suppress_health_check=[HealthCheck.too_slow])


def test_a_failure_gives_one_annotation() -> None:
    outcomes = dict(zip((f"PAD-{number}" for number in range(20)), Outcome, strict=False))
    given = detailed(report({"port": outcomes}), "PAD-1", failure=Failure("50% of it", "1", "2"))
    assert annotations(detailed(given, "PAD-10", reason="no dense")).splitlines() == [
        "::error title=PAD-1 failed::What PAD-1 says.%0Aviolated: 50%25 of it%0Aexpected: 1%0Agot: 2",
        "::error title=PAD-2 timed out::What PAD-2 says.",
        "::error title=PAD-3 crashed::What PAD-3 says.",
        "::error title=PAD-4 out of memory::What PAD-4 says.",
        "::error title=broken adapter::no dense",
    ]


def test_several_implementations_are_named() -> None:
    given = report({"a,b": {"PAD-1": Outcome.FAILED}, "c": {"PAD-1": Outcome.PASSED}})
    assert annotations(given) == "::error title=PAD-1 failed a%2Cb::What PAD-1 says.\n"


def test_a_broken_adapter_is_told_once() -> None:
    given = report({"port": {"PAD-1": Outcome.BROKEN, "PAD-2": Outcome.BROKEN}})
    results = tuple(replace(result, reason="port has no dense") for result in given.results)
    assert annotations(replace(given, results=results)) == "::error title=broken adapter::port has no dense\n"


@pytest.mark.parametrize(
    ("at", "place"),
    [
        ("src/port.py:7 in dense: f()\nsrc/port.py:3 in f: raise", "file=sub/src/port.py,line=3,"),
        ("src/port.py:7 in dense: f()\nnumpy/core.py:3 in f: raise", "file=sub/src/port.py,line=7,"),
        ("../outside.py:7 in dense: f()", ""),
        ("numpy/core.py:3 in f: raise", ""),
        ("a\x00b.py:3 in f: raise", ""),
        ("", ""),
    ],
)
def test_the_line_is_the_last_one_of_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, place: str
) -> None:
    file = tmp_path / "sub" / "src" / "port.py"
    file.parent.mkdir(parents=True)
    file.touch()
    (tmp_path / "outside.py").touch()
    monkeypatch.chdir(tmp_path / "sub")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    given = detailed(report({"port": {"PAD-1": Outcome.FAILED}}), "PAD-1", failure=Failure(raised="ValueError", at=at))
    assert annotations(given) == f"::error {place}title=PAD-1 failed::What PAD-1 says.%0Araised: ValueError\n"


def test_what_is_said_is_escaped_as_github_asks() -> None:
    assert command({"title": "a: b, 5%\n"}, "1%\n::error::x, y") == "::error title=a%3A b%2C 5%25::1%25%0A::error::x, y"


@slowly
@given(reports())
def test_nothing_that_an_implementation_says_is_a_command(given: Report) -> None:
    lines = annotations(given).split("\n")
    assert lines.pop() == ""
    failures = sum(result.outcome in FAILURES for result in given.results)
    broken = {(r.implementation, r.reason) for r in given.results if r.outcome is Outcome.BROKEN}
    assert len(lines) == failures + len(broken)
    assert all(line.startswith("::error ") and line.isprintable() for line in lines)


@given(texts)
def test_a_command_can_be_read_back(text: str) -> None:
    made = command({"title": text}, HOSTILE)
    (title, _, message) = made.removeprefix("::error title=").partition("::")
    assert "," not in title
    assert "\n" not in message


def test_a_sentence_is_never_cut() -> None:
    long = "said " * 1000 + "done."
    made = report({"port": {"PAD-1": Outcome.FAILED}})
    stated = replace(clause("PAD-1"), sentence=long)
    results = tuple(replace(result, clause=stated, failure=Failure("x" * 10_000)) for result in made.results)
    text = annotations(replace(made, clauses=(stated,), results=results))
    assert long in text
    assert "more characters)" in text
