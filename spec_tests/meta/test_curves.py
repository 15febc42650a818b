"""Faults of a known size, and what the recorded curves say of the clauses' promises."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from spec_tests.adapter.implementation import Implementation, load
from spec_tests.proof import curves
from spec_tests.proof.__main__ import main
from spec_tests.proof.curve_figure import described, figures
from spec_tests.proof.curves import SURE, Curve, Point, detects, measured, read, shortcomings, stochastic
from spec_tests.proof.faults import (
    FAULTS,
    FLIP_AND_ANGLE,
    PROMISES,
    Fault,
    Promise,
    drawn,
    leaning,
    records,
    toggled,
    with_the_draw_before,
)
from spec_tests.reporting.figures import PIXELS_AN_INCH

UNUSED = 10**8  # seeds that no curve was made with begin here
TELEPHONE = 390  # CSS pixels
RECORDED = read()
N = 20_000


@pytest.fixture(scope="module")
def base() -> Implementation:
    """One that conforms."""
    return load("numpy_port")


def fault_of(promise: Promise) -> Fault:
    return next(fault for fault in FAULTS if (fault.clause, fault.name) == (promise.clause, promise.fault))


def changed(clause: str, fault: str, **point: Any) -> list[Curve]:
    """The recorded curves, with something else at the first point of one of them, which is that of no fault."""
    return [
        replace(curve, points=(replace(curve.points[0], **point), *curve.points[1:]))
        if (curve.clause, curve.fault) == (clause, fault)
        else curve
        for curve in RECORDED
    ]


# What is promised


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: f"{promise.clause}-{promise.fault}-{promise.size:g}")
def test_a_fault_of_the_size_that_is_promised_is_found(promise: Promise, base: Implementation) -> None:
    """By the clause itself, with other seeds and in another implementation than those of the curves."""
    seeds = range(UNUSED, UNUSED + (2 if promise.power >= SURE else 40))
    found = sum(detects(promise.clause, fault_of(promise).spoilt(base, promise.size, seed)) for seed in seeds)
    assert found == len(seeds) if promise.power >= SURE else found >= promise.power * len(seeds) / 2


def test_acc_1_finds_the_base_that_acc_3_may_miss(base: Implementation) -> None:
    fault = next(fault for fault in FAULTS if fault.clause == "ACC-3")
    assert all(detects("ACC-1", {**fault.spoilt(base, 1, seed), "recorded": records()}) for seed in range(50))


def test_the_recorded_curves_keep_every_promise_and_show_no_false_alarm() -> None:
    assert not shortcomings(RECORDED)


def test_every_stochastic_clause_has_a_curve_and_a_promise() -> None:
    for claimed in (RECORDED, PROMISES, FAULTS):
        assert {one.clause for one in claimed} == set(stochastic())
    assert all("Power" in test.clause.notes for test in stochastic().values())


@pytest.mark.parametrize(("clause", "sizes"), [("ROT-1", {18, 30, 34}), ("FLIP-2", {0.4, 0.45}), ("ZOOM-1", {0.15})])
def test_sizes_that_are_of_interest_were_measured(clause: str, sizes: set[float]) -> None:
    assert sizes <= {point.size for curve in RECORDED if curve.clause == clause for point in curve.points}


def test_there_are_more_runs_where_there_is_no_fault() -> None:
    for clause in stochastic():
        points = [curve.at(curve.none) for curve in RECORDED if curve.clause == clause]
        assert max(point.runs for point in points if point) >= 100, clause


# What would be wrong


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            lambda: [c for c in RECORDED if c.clause != "FLIP-2"],
            "FLIP-2 has no curve: add a fault to faults.py and run",
        ),
        (lambda: changed("ROT-1", "limit", detected=1), "ROT-1, angles too small 36: 1 found in"),
        (lambda: changed("ROT-1", "limit", detected=-1), "-1 found in"),
        (lambda: changed("ROT-1", "limit", runs=0), "0 found in 0 runs cannot be"),
        (lambda: changed("ROT-1", "limit", size=35.5), "ROT-1, angles too small: no point at 36; run"),
    ],
)
def test_curves_that_cannot_be_or_show_a_fault_of_a_clause_are_told(
    given: Callable[[], list[Curve]], said: str
) -> None:
    assert any(said in shortcoming for shortcoming in shortcomings(given()))


def test_a_promise_that_is_not_kept_is_told() -> None:
    points = (Point(0.5, 100, 0), Point(0.4, 100, 90), Point(0.3, 100, 99))
    flips = [replace(curve, points=points) if curve.clause == "FLIP-2" else curve for curve in RECORDED]
    said = [shortcoming for shortcoming in shortcomings(flips) if "promises" in shortcoming]
    assert said == [
        "FLIP-2 promises a power of 0.999 at probability 0.4: 90 found in 100 runs, a power of 0.9510 at most",
        "FLIP-2 promises a power of 0.999 at probability 0.4: a larger one, 0.3, was missed 1 times",
    ]


@pytest.mark.parametrize("wrong", [{"words": "a probability of 0.45"}, {"power": 0.9}, {"clause": "FLIP-9"}])
def test_a_promise_that_the_text_does_not_state_is_told(wrong: dict[str, Any]) -> None:
    promise = replace(next(promise for promise in PROMISES if promise.clause == "FLIP-2"), **wrong)
    assert any("which its text does not state" in said for said in shortcomings(RECORDED, promises=[promise]))


def test_a_clause_that_promises_nothing_is_told() -> None:
    kept = [promise for promise in PROMISES if promise.clause != "ACC-6"]
    assert shortcomings(RECORDED, promises=kept) == [
        "ACC-6 promises nothing: state its power in its text and in PROMISES"
    ]


# The faults


@pytest.mark.parametrize("correlation", [0.0, 0.2])
def test_draws_that_lean_have_the_correlation_that_is_stated(correlation: float) -> None:
    """And the distribution that they should have."""
    images = np.zeros((N, 1, 1, 1), np.float32)
    flips = np.random.default_rng(0).random(N) < 0.5

    def uniform(images: Any, *, seed: int) -> Any:
        return np.random.default_rng(seed).uniform(-1, 1, images.shape)

    draws = leaning(uniform, images, np.ravel, flips, correlation / FLIP_AND_ANGLE, 1).ravel()
    assert np.corrcoef(flips, draws)[0, 1] == pytest.approx(correlation, abs=0.03)  # four standard deviations
    np.testing.assert_allclose(np.histogram(draws, 8, (-1, 1))[0], N / 8, rtol=0.1)


@pytest.mark.parametrize("axis", [0, 3])
def test_a_share_of_neighbours_has_one_draw(axis: int) -> None:
    shape = (400, 2, 2, 100)
    rng = np.random.default_rng(0)
    per_line = rng.random([side if place == axis else 1 for place, side in enumerate(shape)])
    draws = np.broadcast_to(per_line, shape).astype(np.float32)
    got = np.moveaxis(
        with_the_draw_before(lambda inputs: inputs + draws, np.zeros(shape, np.float32), axis, 0.3, 1), axis, -1
    )
    same = got[..., 1::2] == got[..., ::2]
    assert same.mean() == pytest.approx(0.3, abs=0.13)
    np.testing.assert_array_equal(got[..., ::2], np.moveaxis(draws, axis, -1)[..., ::2])
    assert axis or all(len(np.unique(image)) == 1 for image in np.moveaxis(got, -1, 0))


def test_trials_are_drawn_as_the_recorded_ones_are() -> None:
    features = [trial.features for trial in drawn(np.random.default_rng(0), 2000)]
    assert np.mean(features) == pytest.approx(0.906, abs=0.002)
    assert np.std(features) == pytest.approx(0.011, abs=0.002)
    rng = np.random.default_rng(0)
    assert np.mean([toggled(rng, 0.9, 0.1) for _ in range(2000)]) == pytest.approx(0.9 - 0.1 * 0.8, abs=0.002)
    assert toggled(rng, 0.9, 0) == 0.9
    assert toggled(rng, 0.9, 1) == pytest.approx(0.1)


# Counting, and writing down


def test_the_same_seeds_give_the_same_counts() -> None:
    fault = next(fault for fault in FAULTS if fault.clause == "ACC-3")
    curve = measured(fault, "numpy_port", seeds=20)
    assert curve.points == measured(fault, "numpy_port", seeds=20).points
    assert curve.points[0].runs == 200
    assert {point.runs for point in curve.points[1:]} == {20}
    assert 0 < curve.points[-1].detected < 20


def test_a_clause_that_checks_nothing_finds_nothing_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "tests", lambda: {"ACC-9": lambda: None})
    with pytest.raises(ValueError, match="ACC-9 checked nothing"):
        detects("ACC-9", {"seed": 0})


def test_only_the_clauses_named_are_counted_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "curves.json"
    curves.merge(changed("ACC-3", "lost", runs=7), file)
    monkeypatch.setattr(curves, "FILE", file)
    results = tmp_path / "results"
    main(["curves", "ACC-3", "--seeds", "2", "--implementation", "numpy_port", "--results", str(results)])
    made = {(curve.clause, curve.fault): curve for curve in read(file)}
    assert [point.runs for point in made.pop(("ACC-3", "lost")).points] == [20, 2, 2, 2, 2, 2]
    assert made == {(c.clause, c.fault): c for c in RECORDED if c.clause != "ACC-3"}
    assert {file.name for file in tmp_path.iterdir()} == {"curves.json", "results"}
    assert len(list(results.iterdir())) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ROT-9"], "ROT-9: no such clause"),
        (["PAD-4"], "PAD-4: no such clause"),
        (["ACC-3", "--implementation", "nothing_such"], "nothing_such cannot be imported"),
    ],
)
def test_what_cannot_be_counted_is_said(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(curves, "FILE", tmp_path / "curves.json")
    assert main(["curves", *words]) == 2
    assert said in capsys.readouterr().err


def test_intervals_by_hand() -> None:
    assert Point(1, 10, 10).interval == pytest.approx((0.025**0.1, 1))
    assert Point(1, 1000, 0).upper_bound == pytest.approx(1 - 0.05**0.001)
    assert Point(1, 4, 3).rate == 0.75


# The pictures


def test_there_is_a_picture_of_each_clause_that_a_telephone_shows_whole() -> None:
    made = figures(RECORDED)
    assert made == figures(RECORDED)
    assert set(made) == set(stochastic())
    for text in made.values():
        root = ElementTree.fromstring(text)  # noqa: S314 - our own
        assert float(root.attrib["width"].removesuffix("pt")) / 72 * PIXELS_AN_INCH <= TELEPHONE
    assert "promised: 0.999 at 18, 35" in made["ROT-1"]


def test_a_curve_is_told_in_words() -> None:
    (curve,) = (curve for curve in RECORDED if curve.clause == "ACC-1")
    points = (Point(0, 1000, 0), Point(0.1, 200, 50))
    assert described(replace(curve, points=points)) == (
        "ACC-1, predictions inverted (share of the test images): found in 25% of 200 at 0.1. "
        "False alarms without a fault: 0 of 1,000, at most 0.003 a run. "
        "Trials are drawn from the normal distribution fitted to the recorded ones, and made worse by the size."
    )
