"""The recorded trials, and the bounds that are made of them."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from spec_tests.cases.records import EMBEDDED, RECORDS, highest, job, lowest, name_of, record, recorded_trials
from spec_tests.cases.trials import COUNTS, SIZE, Trial, photographs
from spec_tests.clauses.conftest import FIRST_UNRECORDED
from spec_tests.jobs.results import Results
from spec_tests.jobs.runner import Runner


def test_at_least_twenty_seeds_are_recorded_on_each_backend_with_versions() -> None:
    runs = [run for run in json.loads(RECORDS.read_text())["runs"] if run["name"] == EMBEDDED]
    assert Counter(run["backend"] for run in runs) == {"jax": 1, "tensorflow": 1, "torch": 1}
    for run in runs:
        assert len(run["trials"]) >= 20
        assert max(map(int, run["trials"])) < FIRST_UNRECORDED
        assert {"keras", "keras-hub", "numpy", run["backend"]} <= set(run["versions"])


@pytest.mark.parametrize(
    "difference",
    [
        pytest.param(lambda trial: trial.features - (trial.random or 0), id="random base"),
        pytest.param(lambda trial: trial.features - trial.convnet, id="convnet"),
        pytest.param(lambda trial: trial.gap - trial.augmented_gap, id="gap"),
    ],
)
def test_what_must_be_above_zero_lies_so_far_above_that_no_alarm_is_false(
    difference: Callable[[Trial], float],
) -> None:
    bound = lowest([difference(trial) for trial in recorded_trials(EMBEDDED)])
    assert bound > 0, f"one time in a million it falls below {bound:.3f}"


def test_bounds_by_hand() -> None:
    values = [0.9, 0.8, 1.0, 0.9]  # mean 0.9, standard deviation sqrt(0.02 / 3)
    width = stats.t.isf(0.025, 3) * np.sqrt(0.02 / 3) * np.sqrt(1 / 2 + 1 / 4)
    assert lowest(values, new=2, alpha=0.025) == pytest.approx(0.9 - width)
    assert highest(values, new=2, alpha=0.025) == pytest.approx(0.9 + width)


def test_a_new_trial_falls_below_the_bound_as_often_as_stated() -> None:
    draws = np.random.default_rng(0).normal(size=(4000, 21))
    alarms = sum(new < lowest(list(past), alpha=0.01) for *past, new in draws)
    assert 15 < alarms < 70  # 40 ± 4 standard deviations


def test_trials_are_filed_by_data_and_base(tmp_path: Path) -> None:
    assert name_of(None, None) == EMBEDDED
    assert name_of(Path("somewhere/train.zip"), Path("b/mobilenet.keras")) == "train.zip with mobilenet.keras"
    assert recorded_trials("nothing of the kind") == []
    assert recorded_trials(EMBEDDED, tmp_path / "no such file") == []


def test_trials_are_added_as_they_come_and_each_once(tmp_path: Path) -> None:
    """Existing results replace trials, which take minutes."""
    file, trials = tmp_path / "records.json", recorded_trials(EMBEDDED)[:2]
    runner = Runner(tmp_path / "results", workers=1, resume=True)
    for seed, made in enumerate(trials):
        Results(runner.folder).keep(job("jax", seed, None, None), {"result": asdict(made)})
    for _ in range(2):
        record("jax", range(2), None, None, file, runner)
        assert recorded_trials(EMBEDDED, file) == trials
    (run,) = json.loads(file.read_text())["runs"]
    assert (run["name"], run["backend"], [*run["trials"]]) == (EMBEDDED, "jax", ["0", "1"])


def test_photographs_are_read_from_a_folder_and_from_a_zip(tmp_path: Path) -> None:
    total = sum(COUNTS.values())
    with zipfile.ZipFile(tmp_path / "train.zip", "w") as archive:
        for label, name in enumerate(("cat", "dog")):
            for index in range(total):
                file = io.BytesIO()
                Image.new("RGB", (8, 6), (index, 100 * label, 0)).save(file, "JPEG", quality=95)
                archive.writestr(f"train/{name}.{index}.jpg", file.getvalue())
        archive.extractall(tmp_path / "folder")
    for path in (tmp_path / "train.zip", tmp_path / "folder"):
        splits = photographs(path)
        assert {name: images.shape for name, (images, _) in splits.items()} == {
            name: (2 * count, *SIZE, 3) for name, count in COUNTS.items()
        }
        images, labels = splits["validation"]
        np.testing.assert_array_equal(images[..., 1].mean((1, 2)) > 50, labels == 1)
        np.testing.assert_allclose(images[::2, 0, 0, 0], np.arange(COUNTS["train"], COUNTS["train"] + 30), atol=6)
