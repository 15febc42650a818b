"""Augmentation and image folders of released libraries: what is excused beside an adapter fails, and the rest holds."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from fixtures import libraries
from spec_tests.adapter.expectations import read
from spec_tests.adapter.implementation import Implementation
from spec_tests.cases.galleries import EACH_BROKEN, EACH_NAMED, MODES, WITH_A_FOLDER_BETWEEN, Coloured, Gallery, Misfit
from spec_tests.cases.photographs import EACH_EXTRA, EACH_STORED, HIDDEN
from spec_tests.cases.pictures import LARGE_SIZES, Charts, Pictures
from spec_tests.clauses.catalogue import tests as clauses_by_id
from spec_tests.judging.checks import Undecided

FOLDER = Path(libraries.__file__).parent
ADAPTERS = {  # {adapter: the packages that it needs}
    "albumentations_transforms": ("albumentations",),
    "datasets_image_folder": ("datasets", "torchvision"),
    "keras_augmentation": ("keras",),
    "keras_grain_folder": ("keras", "grain"),
    "keras_image_folder": ("keras", "tensorflow"),
    "kornia_augmentation": ("kornia",),
    "pillow_operations": ("PIL",),
    "tf_image": ("tensorflow",),
    "torchvision_image_folder": ("torchvision",),
    "torchvision_transforms": ("torchvision",),
}
NOISE, PLAIN = Pictures((7, 12), count=6), Pictures((9, 9), count=6, plain=True)
CASES: dict[str, list[Any]] = {  # {clause: what it is tried on}
    "FLIP-1": [NOISE],
    "ROT-2": [Charts(count=4), Charts((15, 24), count=4)],
    "ZOOM-2": [Charts(count=4), Charts((15, 24), count=4)],
    "AUG-1": [NOISE],
    "AUG-3": [NOISE],
    "AUG-6": [PLAIN],
    "AUG-9": [Charts(LARGE_SIZES[0], count=4), Charts(LARGE_SIZES[1], count=4)],
    "AUG-10": [NOISE],
    "LOAD-1": [Gallery((3, 2), batch_size=2)],
    "LOAD-2": list(EACH_NAMED),
    "LOAD-3": list(EACH_NAMED),
    "LOAD-4": [Gallery((11, 5)), WITH_A_FOLDER_BETWEEN],
    "LOAD-6": [Coloured(mode) for mode in MODES],
    "LOAD-7": [Misfit("is empty", "cat"), Misfit("is one more, with images", "cow")],
    "LOAD-8": list(EACH_BROKEN),
    "LOAD-10": list(EACH_EXTRA),
    "LOAD-11": [[path] for path in HIDDEN],
    "LOAD-13": list(EACH_STORED),
    "LOAD-15": [Gallery((4, 2), names=("{stem}",), suffixes=("gif", "JPG"))],
}


def fails(name: str, implementation: Implementation, case: Any) -> bool:
    """Whether a clause does; what is not offered or supported counts for nothing."""
    try:
        # What Hypothesis would see of an example that is left out is not needed here.
        body = clauses_by_id()[name].hypothesis.inner_test
        getattr(body, "__wrapped__", body)(implementation=implementation, case=case)
    except Undecided:
        return False
    except Exception:
        return True
    return False


@pytest.mark.parametrize("name", ADAPTERS)
def test_what_is_excused_fails_and_the_rest_holds(name: str) -> None:
    for package in ADAPTERS[name]:
        pytest.importorskip(package, reason=f"{package} is not installed")
    offered = importlib.import_module(f"{libraries.__name__}.{name}")
    known = read(FOLDER / f"{name}.toml").excused.keys() if (FOLDER / f"{name}.toml").exists() else set()
    implementation = Implementation(name, offered)
    failed = {clause for clause, cases in CASES.items() if any(fails(clause, implementation, case) for case in cases)}
    assert failed == known & CASES.keys()
