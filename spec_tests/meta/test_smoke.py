"""The smoke check tells an adapter that cannot be called from one that answers wrongly, and says what to fix."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fixtures.implementations import numpy_port
from spec_tests.adapter.contract import functions
from spec_tests.adapter.implementation import Implementation
from spec_tests.adapter.stages import PARTS
from spec_tests.running.smoke import Tried, trials_of, tried

WORKING = {name: getattr(numpy_port, name) for stage in ("data", "layers", "augmentation") for name in functions(stage)}


class Tensor:
    """Somebody's array."""

    __module__ = "torch"


def adapter(**changes: Any) -> Implementation:
    """NumPy's functions, some of them changed."""
    return Implementation("adapter", SimpleNamespace(**WORKING | changes))


def faults(implementation: Implementation, stage: str) -> list[str]:
    """What is said of the functions that cannot be called."""
    return [*tried(implementation, stage).unusable.values()]


def fails(error: Exception) -> Callable[..., Any]:
    """A function that raises."""

    def function(*arguments: Any, **options: Any) -> Any:
        raise error

    return function


@pytest.mark.parametrize("stage", ["data", "layers", "augmentation"])
def test_one_that_works_has_no_faults(stage: str) -> None:
    assert faults(adapter(), stage) == []


def test_wrong_answers_are_for_the_clauses() -> None:
    assert faults(adapter(dense=lambda x, kernel, bias=None: np.zeros((7, 7), np.float32)), "layers") == []


def test_every_stage_is_tried() -> None:
    assert all(callable(trials_of(name)) for name in PARTS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"dense": lambda x, kernel, bias=None: Tensor()},
            "dense returned a torch Tensor: return a NumPy array, tensor.",
        ),
        ({"dense": lambda x, kernel, bias=None: None}, "dense returned None: return a NumPy array"),
        (
            {"dense": lambda x, kernel, bias=None: np.zeros(1, int)},
            "dense returned an array of int64: return float32",
        ),
        (
            {"dense": lambda x: x},
            "dense: too many positional arguments; it must take dense(features, kernel, bias=None)",
        ),
        (
            {"dropout": lambda x, rate, *, training: x},
            "dropout: got an unexpected keyword argument 'seed'; it must take",
        ),
        ({"dense": fails(ValueError("no\nluck"))}, "dense raised ValueError: no luck (at test_smoke.py:"),
        (
            {"batch_normalization": lambda x, *more, **flags: x},
            "batch_normalization returned a numpy ndarray: return a",
        ),
        (
            {"batch_normalization": lambda x, *more, **flags: (x, x, None)},
            "batch_normalization returned None: return",
        ),
    ],
)
def test_a_fault_is_one_line_that_says_what_to_fix(changes: dict[str, Any], words: str) -> None:
    (fault,) = faults(adapter(**changes), "layers")
    assert fault.startswith(words)
    assert "\n" not in fault


def test_a_function_that_is_not_filled_in_or_not_there_is_no_fault() -> None:
    partly = SimpleNamespace(dense=fails(NotImplementedError()), dropout=numpy_port.dropout)
    assert tried(Implementation("adapter", partly), "layers") == Tried(("dense",), {})


@pytest.mark.parametrize(
    ("name", "came", "words"),
    [
        ("extract_archive", None, "extract_archive returned None: return the path of the folder"),
        ("make_subset", "nowhere", "make_subset returned nowhere, which is not a folder"),
        ("load_images", [(1, 2)], "load_images returned a int: return a NumPy array (item 0 of its tuple)"),
        ("load_images", 7, "load_images returned a int that cannot be iterated (TypeError:"),
    ],
)
def test_faults_of_the_data(name: str, came: Any, words: str) -> None:
    (fault,) = faults(adapter(**{name: lambda *arguments, **options: came}), "data")
    assert fault.startswith(words)


def test_all_faults_of_a_stage_are_found_at_once() -> None:
    broken = adapter(dense=fails(OSError("a")), conv2d=fails(OSError("b")))
    assert [fault.partition(" ")[0] for fault in faults(broken, "layers")] == ["conv2d", "dense"]


def test_one_that_knows_jpg_alone_can_be_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """The notes' own cell makes names of class, index and .jpg, as all files of the set are named."""
    monkeypatch.setattr("fixtures.implementations.numpy_port.data.SUFFIXES", {".jpg"})

    def make_subset(source: Path, destination: Path, subset_name: str, start_index: int, end_index: int) -> Path:
        for category in ("cat", "dog"):
            folder = destination / subset_name / category
            folder.mkdir(parents=True)
            for name in (f"{category}.{i}.jpg" for i in range(start_index, end_index)):
                shutil.copyfile(source / name, folder / name)
        return destination / subset_name

    assert faults(adapter(make_subset=make_subset), "data") == []
