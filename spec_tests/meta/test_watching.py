"""``check --watch`` judges again what a saved file may have changed, first what did not hold."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import spec_tests
from spec_tests.cli import main
from spec_tests.meta.sample_report import report
from spec_tests.reporting.record import Outcome
from spec_tests.running.watching import SAVED, Sources, renewed

ROOT = Path(spec_tests.__file__).parents[1]
RIGHT = "def dense(features, kernel, bias=None):\n    return features @ kernel + (0 if bias is None else bias)\n"
WRONG = RIGHT.replace("features @ kernel", "2 * features @ kernel")
PATIENCE = 240  # seconds on a busy machine; a quiet one takes a few


class Watched:
    """A running ``check --watch``."""

    def __init__(self, folder: Path) -> None:
        self.said = folder / "said.txt"
        command = [sys.executable, "-u", "-m", "spec_tests", "check", "adapter", "--watch", "--workers=1"]
        with self.said.open("w", encoding="utf-8") as said:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [*command, "--profile=quick", "--clause", "DENSE-1", "DENSE-2"], cwd=folder, stdout=said, stderr=said,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )  # fmt: skip

    def wait(self, words: str, times: int = 1) -> str:
        """Until it has said these words so often; all that it said."""
        until = time.monotonic() + PATIENCE
        while (text := self.said.read_text(encoding="utf-8")).count(words) < times:
            assert self.process.poll() is None, text
            assert time.monotonic() < until, text
            time.sleep(0.1)
        return text


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """Of an adapter whose dense layer is wrong."""
    (tmp_path / "adapter.py").write_text(WRONG, encoding="utf-8")
    running = Watched(tmp_path)
    yield running
    running.process.kill()
    running.process.wait()


def test_a_saved_file_is_checked_again_until_it_is_stopped(watched: Watched, tmp_path: Path) -> None:
    assert "adapter: 1 of 2 clauses hold" in watched.wait("watching: save a file")
    (tmp_path / "adapter.py").write_text(RIGHT, encoding="utf-8")
    said = watched.wait("adapter: all 2 clauses hold")
    assert said.count("adapter: all 1 clauses hold") == 1  # the one that had failed is told first
    (tmp_path / "adapter.py").write_text(WRONG, encoding="utf-8")
    watched.wait("adapter: 1 of 2 clauses hold", times=2)
    watched.process.send_signal(signal.SIGINT)
    assert watched.process.wait(PATIENCE) == 1


def test_one_implementation_is_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "adapter.py").write_text(RIGHT, encoding="utf-8")
    assert main(["check", "numpy_port", "adapter", "--watch", "--clause", "GAP"]) == 2
    assert "--watch takes one implementation" in capsys.readouterr().err


def test_what_counts_as_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "adapter.py").write_text(RIGHT, encoding="utf-8")
    sources = Sources("adapter")
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "other.py").touch()
    assert not sources.changed()
    (tmp_path / "helper.py").touch()
    assert sources.changed()
    sources.look()
    assert not sources.changed()
    (tmp_path / "helper.py").unlink()
    assert sources.changed()


def test_what_a_save_kept_from_being_judged_stays_as_it_was() -> None:
    outcomes = {"DENSE-1": Outcome.FAILED, "DENSE-2": Outcome.PASSED, "GAP-1": Outcome.PASSED}
    before = report({"adapter": outcomes})
    first, second, _ = before.results
    again = replace(first, outcome=Outcome.NOT_DECIDED, reason="anew")
    open_still = replace(second, outcome=Outcome.NOT_RUN, reason=SAVED)
    now = renewed(before, replace(before, results=(again, open_still)))
    assert now.results[:2] == (again, second)
    assert now.results[2:] == before.results[2:]
