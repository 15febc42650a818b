"""A clause that cannot tell says so: it is not decided, and no failure."""

from pathlib import Path

import pytest

import spec_tests
from spec_tests.cli import main
from spec_tests.meta.test_isolation import HANGING_FIT
from spec_tests.reporting.record import Outcome, Verdict, read_report

ROOT = Path(spec_tests.__file__).parents[1]


def test_a_head_of_other_arrays_is_not_decided_where_it_is_read_and_fails_where_it_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """TRAIN-17 reads the head of the notes, HEAD-1 says what it is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT)
    adapter = HANGING_FIT.replace("time.sleep(3600)", "pass")
    (tmp_path / "adapter.py").write_text(adapter, encoding="utf-8")
    options = ("--workers=1", "--profile=quick", "--json=report.json", "--clause")
    assert main(("check", "adapter", *options, "TRAIN-17", "PRE-1")) == 0
    report = read_report(tmp_path / "report.json")
    found = {result.clause.id: result for result in report.results}
    assert found["PRE-1"].outcome is Outcome.PASSED
    assert found["TRAIN-17"].outcome is Outcome.NOT_DECIDED
    assert "there are 0 kernels and 1 biases, and this clause reads 2 of each" in found["TRAIN-17"].reason
    assert report.verdict(report.implementations[0].column) is Verdict.CONFORMS
    assert "not decided TRAIN-17" in " ".join(capsys.readouterr().out.split())
