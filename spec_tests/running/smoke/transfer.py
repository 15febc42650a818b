"""The first calls of the pretrained base, the classifier on it, and training."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ...adapter.implementation import Implementation
from ...cases.models import in_batches, tinted
from ...cases.presets import random_arrays, write_preset
from ...cases.trials import CONVNET_SIZE
from ...oracles.xception import Xception
from .answers import a_history, a_model, an_array, anything, numbers, several, the_variables
from .calling import call

SMALLEST = Xception(((4, 8), (8, 12)), (False, False))  # the smallest with a last convolution to unfreeze


def trials(implementation: Implementation, folder: Path) -> Iterator[Callable[[], Any]]:
    """The first calls, with the smallest Xception, from its preset to a loaded checkpoint.

    Calls that need a model follow only if one was built.
    """
    use, (images, labels) = partial(call, implementation), tinted(8, seed=0, size=implementation.image_size)
    yield partial(use, "preprocess", an_array, images, image_size=implementation.image_size)
    preset = write_preset(folder / "preset", SMALLEST, random_arrays(SMALLEST, seed=1)).folder
    yield partial(use, "build_convnet", a_model, image_size=CONVNET_SIZE, dropout=0.5, seed=0)
    made: list[Any] = []
    yield lambda: made.append(use("build_classifier", a_model, preset, image_size=implementation.image_size, seed=0))
    if not made:
        return
    model, path = made[0], folder / "model.keras"
    yield partial(use, "variables", the_variables, model)
    yield partial(use, "predict", an_array, model, images)
    yield partial(use, "evaluate", numbers("loss", "accuracy"), model, in_batches(images, labels, 8))
    yield lambda: made.append(use("freeze_base", a_model, model))
    step = several(a_model, numbers("loss", "accuracy"))
    yield lambda: made.append(use("train_step", step, made[-1], images, labels, learning_rate=1e-3)[0])
    yield partial(use, "save", anything, made[-1], path)
    if path.exists():
        yield partial(use, "load", a_model, path)
    options = {"epochs": 1, "learning_rate": 1e-3, "checkpoint": folder / "best.keras", "seed": 0}
    trained = several(a_model, a_history)
    features: list[Any] = []  # their width depends on the base
    yield lambda: features.extend(in_batches(use("extract_features", an_array, made[-1], images), labels, 8))
    if features:
        yield lambda: made.append(use("fit_head", trained, made[-1], features, features, **options)[0])
    seen = in_batches(images, labels, 8)
    yield lambda: made.append(use("fit", trained, made[-1], seen, seen, **options, augment=True)[0])
    yield lambda: use("unfreeze_top", a_model, made[-1], layers=4)
