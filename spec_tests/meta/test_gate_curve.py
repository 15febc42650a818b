"""The recorded operating curve of the paired gate, and how its sessions are counted."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from rich.console import Console

from spec_tests.benchmarks.gate import curve
from spec_tests.benchmarks.gate.verdict import Outcome
from spec_tests.benchmarks.gate.worker import HARNESS

SESSION = curve.Session(
    slowdown=0.1, seed=0, outcome=Outcome.REGRESSION, head=0.095, high=0.12, control=0.0, noise=0.01, needed=28,
    rounds=28, seconds=20.0, base_mean=1.0, head_mean=1.1, first_base_mean=1.0, first_head_mean=1.04,
    first_base_min=0.9, first_head_min=0.99,
)  # fmt: skip
SESSIONS = [
    SESSION,
    replace(SESSION, seed=1, outcome=Outcome.INCONCLUSIVE, head=0.09),
    replace(SESSION, slowdown=0.0, outcome=Outcome.PASS, head_mean=1.06, first_head_min=0.9),
    replace(SESSION, slowdown=0.0, seed=1, outcome=Outcome.PASS, head=None, rounds=0, head_mean=None),
]
PROMISED = {0.1: 0.95, 0.05: 0.8}  # of sessions that find a slowdown
ALARMS = 0.01  # of those without one
MINUTES = 5


def test_sessions_are_counted_by_size() -> None:
    none, tenth = curve.points(SESSIONS)
    assert (none.slowdown, none.sessions, none.passed, none.regressions) == (0.0, 2, 2, 0)
    assert (tenth.sessions, tenth.regressions, tenth.inconclusive) == (2, 1, 1)
    assert tenth.found == pytest.approx(0.097, abs=1e-3)


def test_a_stored_baseline_is_the_base_of_another_session() -> None:
    none, tenth = curve.points(SESSIONS)
    assert (none.stored_mean, none.stored_first_mean, none.stored_first_min) == (1, 0, 0)
    assert (tenth.stored_mean, tenth.stored_first_mean, tenth.stored_first_min) == (2, 0, 2)


def test_sessions_are_written_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "curve.json"
    assert curve.read(file) == []
    curve.write(SESSIONS, file)
    assert curve.read(file) == SESSIONS
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content["points"] == [asdict(point) for point in curve.points(SESSIONS)]
    assert content["processors"]
    assert str(HARNESS) not in json.dumps(content)


def test_the_curve_is_shown() -> None:
    console = Console(width=160)
    with console.capture() as captured:
        curve.show(console, curve.points(SESSIONS))
    lines = captured.get().splitlines()
    assert "mean:5%" in lines[0]
    assert lines[2].split()[:4] == ["10%", "9.7%", "2", "50.0%"]


def test_what_is_recorded_is_what_is_promised() -> None:
    sessions = curve.read()
    recorded = {point.slowdown: point for point in curve.points(sessions)}
    assert set(recorded) == set(curve.SLOWDOWNS)
    assert min(point.sessions for point in recorded.values()) >= curve.SESSIONS
    for size, promised in PROMISED.items():
        assert recorded[size].regressions >= promised * recorded[size].sessions
    assert recorded[0.0].regressions <= ALARMS * recorded[0.0].sessions
    assert max(session.seconds for session in sessions) < 60 * MINUTES


def test_the_recorded_counts_are_those_of_the_sessions() -> None:
    content = json.loads(curve.FILE.read_text(encoding="utf-8"))
    assert content["points"] == [asdict(point) for point in curve.points(curve.read())]
