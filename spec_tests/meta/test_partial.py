"""An adapter answers for what it offers, whatever it lacks, does not support, or has that cannot be called."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import spec_tests
from spec_tests.cli import main
from spec_tests.reporting.record import Outcome, Result, Verdict, read_report, unclaimed_stages

ROOT = Path(spec_tests.__file__).parents[1]
CONVOLUTION = """
from fixtures.implementations.numpy_port import conv2d as convolve

def conv2d(images, kernel, bias=None, *, strides=1, padding="valid", dilation_rate=1):
    return convolve(images, kernel, bias, strides=strides, padding=padding, dilation_rate=dilation_rate)
"""
WITHOUT_DILATION = """
from spec_tests.support.unsupported import Unsupported
from fixtures.implementations.numpy_port import conv2d as convolve

def conv2d(images, kernel, bias=None, *, strides=1, padding="valid", dilation_rate=1):
    if dilation_rate not in (1, (1, 1)) and padding == "same":
        raise Unsupported("dilation with same padding")
    return convolve(images, kernel, bias, strides=strides, padding=padding, dilation_rate=dilation_rate)
"""
Check = Callable[..., tuple[int, dict[str, Result], str, Verdict]]
LAYERS = "from fixtures.implementations.numpy_port import *\nCLAIMS = ('layers',)\n"


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Check an adapter of this source: the exit code, the results by clause, and what the terminal says."""

    def check(source: str, *clauses: str) -> tuple[int, dict[str, Result], str, Verdict]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(ROOT)
        (tmp_path / "adapter.py").write_text(source, encoding="utf-8")
        options = ("--workers=1", "--profile=quick", "--json=report.json", "--clause")
        code = main(("check", "adapter", *options, *clauses))
        report = read_report(tmp_path / "report.json")
        results = {result.clause.id: result for result in report.results}
        return code, results, " ".join(capsys.readouterr().out.split()), report.verdict("adapter")

    return check


def test_an_adapter_of_one_function_is_checked(check: Check) -> None:
    code, results, said, verdict = check(CONVOLUTION, "PAD", "CONV", "STRIDE", "DENSE", "PURE-1")
    assert (code, verdict) == (0, Verdict.CONFORMS)
    outcomes = Counter(result.outcome for result in results.values())
    assert set(outcomes) == {Outcome.PASSED, Outcome.NOT_CLAIMED}
    claimed = {name for name, result in results.items() if result.outcome is Outcome.PASSED}
    assert {"PAD-1", "PAD-6", "STRIDE-1", "STRIDE-2", "CONV-1", "PURE-1"} <= claimed
    assert not [name for name in claimed if name.startswith("DENSE")]
    assert results["DENSE-1"].reason == "dense: not offered"
    assert "dense: not offered" in said
    assert unclaimed_stages([*results.values()]) == []  # some of the stage is offered


def test_what_is_not_offered_has_its_reason(check: Check) -> None:
    source = LAYERS + "NOT_OFFERED = {'dropout': 'inference only', 'average_pooling2d': 'removed in version 3'}\n"
    code, results, said, _ = check(source, "DROP", "POOL", "PURE-1")
    assert code == 0
    assert {results[name].outcome for name in ("DROP-1", "DROP-2", "POOL-4", "POOL-6")} == {Outcome.NOT_CLAIMED}
    assert results["DROP-1"].reason == "dropout: inference only"
    assert {results[name].outcome for name in ("POOL-1", "POOL-7", "POOL-8", "PURE-1")} == {Outcome.PASSED}
    assert "dropout: inference only" in said


def test_examples_that_are_not_supported_are_discarded_and_counted(check: Check) -> None:
    code, results, said, _ = check(WITHOUT_DILATION, "PAD", "CONV-1", "CONV-3")
    assert code == 0
    assert {result.outcome for result in results.values()} == {Outcome.PASSED}
    (reason,) = {reason for result in results.values() for reason in result.discarded}
    assert reason == "dilation with same padding"
    assert sum(sum(result.discarded.values()) for result in results.values()) > 0
    assert "dilation with same padding" in said


def test_a_clause_with_no_example_left_is_not_decided(check: Check) -> None:
    source = WITHOUT_DILATION.replace('dilation_rate not in (1, (1, 1)) and padding == "same"', "True")
    code, results, _, verdict = check(source, "PAD-1", "CONV-1")
    assert (code, verdict) == (3, Verdict.NOTHING)
    assert {result.outcome for result in results.values()} == {Outcome.NOT_DECIDED}
    assert results["CONV-1"].reason == "no example is left: dilation with same padding"


def test_what_is_not_supported_counts_as_no_refusal(check: Check) -> None:
    source = WITHOUT_DILATION.replace('dilation_rate not in (1, (1, 1)) and padding == "same"', "images.shape[1] < 9")
    _, results, _, _ = check(source, "PAD-6")
    assert results["PAD-6"].outcome is not Outcome.FAILED


def test_a_broken_function_does_not_stop_its_stage(check: Check) -> None:
    source = LAYERS + "def dense(features, kernel, bias=None):\n    return None\n"
    code, results, said, verdict = check(source, "DENSE", "GAP", "PAD-1")
    assert (code, verdict) == (3, Verdict.BROKEN)
    assert results["DENSE-1"].outcome is Outcome.NOT_DECIDED
    assert results["DENSE-1"].reason == "dense returned None: return a NumPy array"
    assert {results[name].outcome for name in ("GAP-1", "PAD-1")} == {Outcome.PASSED}
    assert said.count("dense returned None") == 1


def test_a_template_of_which_one_function_is_filled_in_is_checked(check: Check) -> None:
    from spec_tests.reporting.template import template

    begun = template(("layers", "data")).replace(
        "def dense(self, features: Array, kernel: Array, bias: Array | None = None) -> Array:", "def dense(*_):"
    )
    filled = begun + "\ndef global_average_pooling2d(images):\n    return images.mean(axis=(1, 2))\n"
    code, results, said, _ = check(filled, "GAP-1", "DENSE-1", "SUB-1")
    assert code == 0, said
    assert results["GAP-1"].outcome is Outcome.PASSED
    assert results["DENSE-1"].outcome is Outcome.NOT_CLAIMED
    assert results["DENSE-1"].reason == "dense: not filled in yet"
    assert results["SUB-1"].outcome is Outcome.NOT_CLAIMED


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("NOT_OFFERED = ['dropout']", "must be a dict of functions and reasons"),
        (
            "NOT_OFFERED = {'dropuot': 'inference only'}",
            "names dropuot, which is not in the contract: did you mean dropout?",
        ),
        ("NOT_OFFERED = {'dropout': ''}", "no reason for dropout"),
    ],
)
def test_a_wrong_declaration_is_one_line(check: Check, declared: str, words: str) -> None:
    code, _, said, _ = check(LAYERS + declared, "DROP-1")
    assert code == 3
    assert words in said


def test_a_name_that_is_nearly_one_of_the_contract_is_told(check: Check) -> None:
    _, results, _, _ = check(
        CONVOLUTION.replace("def conv2d", "def conv_2d") + "\nfrom fixtures.implementations.numpy_port import dense\n",
        "PAD-1",
    )
    assert results["PAD-1"].reason == "conv2d: not offered; conv_2d is not a name of the contract"
