"""Stage 10: accuracy with its interval, confusion, worst mistakes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.evaluation import judge, wilson_interval

pytestmark = pytest.mark.any_backend

PATHS = [Path(f"{index}.jpg") for index in range(6)]
LABELS = np.array([0, 0, 0, 1, 1, 1])


def test_accuracy_confusion_and_mistakes_by_hand() -> None:
    evaluation = judge(np.array([0.1, 0.5, 0.9, 0.9, 0.4, 0.2]), LABELS, PATHS)
    assert evaluation.accuracy == 0.5
    assert evaluation.confusion == [[2, 1], [2, 1]]  # true by row; exactly 0.5 counts as class 0
    assert [mistake.path.name for mistake in evaluation.mistakes] == ["2.jpg", "5.jpg", "4.jpg"]
    assert [mistake.label for mistake in evaluation.mistakes] == [0, 1, 1]


def test_only_the_worst_mistakes_are_kept() -> None:
    evaluation = judge(1 - LABELS.astype(float), LABELS, PATHS, worst=2)
    assert len(evaluation.mistakes) == 2
    assert evaluation.accuracy == 0


def test_wilson_interval_by_hand() -> None:
    z, n, p = 1.959964, 100, 0.9
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    assert wilson_interval(90, 100) == pytest.approx((middle - half, middle + half), abs=1e-6)


@given(total=st.integers(1, 1000), data=st.data())
def test_the_interval_holds_the_accuracy_and_stays_within_0_and_1(total: int, data: st.DataObject) -> None:
    correct = data.draw(st.integers(0, total))
    low, high = wilson_interval(correct, total)
    assert 0 <= low <= correct / total <= high <= 1
    assert high > low
