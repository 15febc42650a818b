"""Fixtures of the reference's own tests: the backend, image folders in Kaggle's layout, small models."""

import gc
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reference.backend import DEFAULT_BACKEND, select_backend
from spec_tests.cases.presets import random_arrays, write_preset
from spec_tests.oracles.xception import Xception

BACKEND = os.environ.get("KERAS_BACKEND", DEFAULT_BACKEND)
SHARED = Path(os.environ.get("CONVSPEC_SHARED", Path(__file__).parents[3] / "shared"))
SMALL = (48, 48)  # an image size that is large enough for every pooling of the embedded base
# All kinds of layers of the embedded base, but few of each, so that it compiles in a fraction of the time.
FEW_LAYERS = Xception(((16, 16), (32, 32), (32, 32)), (False, True, False))

select_backend(BACKEND)
gc.freeze()  # imported objects are not examined again by each collection

MakeImages = Callable[[Path, range], Path]


class Terminal(io.StringIO):
    """A text stream that keeps its output and reports that it is a terminal."""

    def isatty(self) -> bool:
        """True, so that progress bars are drawn."""
        return True


@pytest.fixture(scope="session")
def make_images() -> MakeImages:
    """A function that writes cat.i.png (reddish) and dog.i.png (bluish), 20×16 noise, all of them different."""

    def make(folder: Path, indices: range) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for label, (name, tint) in enumerate({"cat": (120, 0, 0), "dog": (0, 0, 120)}.items()):
            for index in indices:
                noise = np.random.default_rng([label, index]).integers(0, 136, (16, 20, 3))
                Image.fromarray((noise + tint).astype(np.uint8)).save(folder / f"{name}.{index}.png")
        return folder

    return make


@pytest.fixture(scope="session")
def small_preset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Xception of few layers with random weights, scaled so that its features differ between images."""
    folder = tmp_path_factory.mktemp("presets") / "small"
    return write_preset(folder, FEW_LAYERS, random_arrays(FEW_LAYERS, seed=1)).folder


@pytest.fixture
def class_folders(tmp_path: Path, make_images: MakeImages) -> Path:
    """A folder with ten images of each class in the folders cat and dog."""
    folder = make_images(tmp_path / "classes", range(10))
    for name in ("cat", "dog"):
        (folder / name).mkdir()
        for file in folder.glob(f"{name}.*.png"):
            file.rename(folder / name / file.name)
    return folder


@pytest.fixture
def classifier() -> Any:
    """A new classifier on the embedded base, frozen, for images of 48×48."""
    from reference.classifier import build_classifier
    from reference.presets import EMBEDDED_PRESET

    return build_classifier(EMBEDDED_PRESET, image_size=SMALL, seed=3)


@pytest.fixture(scope="session")
def batch() -> tuple[Any, Any]:
    """Twelve images of noise (12, 48, 48, 3), tinted by class, and their labels."""
    rng = np.random.default_rng(5)
    labels = np.arange(12, dtype=np.int32) % 2
    images = rng.uniform(0, 200, (12, *SMALL, 3)) + 55 * labels[:, None, None, None]
    return images.astype(np.float32), labels
