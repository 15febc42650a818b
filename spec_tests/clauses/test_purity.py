"""Purity of layers, augmentation, prediction and feature extraction."""

from dataclasses import replace
from functools import partial

import numpy as np
from hypothesis import given

from ..adapter.contract import Model
from ..adapter.implementation import Implementation
from ..cases.examples import once
from ..cases.layers import PURE_LAYERS, layer_call
from ..cases.models import tinted
from ..cases.pictures import TRANSFORMATIONS, Pictures, transform_labelled
from ..cases.presets import Preset
from ..cases.purity import expect_pure
from ..cases.windows import SEEDS
from ..judging.checks import expect, expect_same
from .clause import Level, clause
from .conftest import take_steps

SOURCE = "contract"


@clause("PURE-1", Level.MUST, "layers", SOURCE)
@once()
@given(seed=SEEDS)
def test_layers_change_nothing_but_their_result(implementation: Implementation, seed: int) -> None:
    """A layer does not modify its arguments, its result belongs to the caller, and the memory layout of its arguments does not matter.

    The bytes of the arguments are the same after the call. A result stays unchanged after the next call, and after the
    caller changes the arguments; the next call uses the new values. Read-only arrays, views of others and arrays in
    Fortran order give the same result as a fresh copy. Tolerance of the last two checks: 1e-4 of the largest value,
    because sums may be taken in another order. A layer that returns its input unchanged (dropout in inference) may
    return the array that it was given.

    If this fails, check for in-place operations, a buffer that is reused for the results of one shape, memory that is
    shared with the caller's arrays, weights cached by ``id()``, and bytes read without regard to strides.
    """
    for name in implementation.offered(PURE_LAYERS):
        function, arrays = layer_call(implementation, name, seed)
        others = layer_call(implementation, name, seed + 100)[1]
        expect_pure(function, arrays, others, name)


@clause("PURE-2", Level.MUST, "augmentation", SOURCE)
@once()
@given(seed=SEEDS)
def test_augmentation_changes_nothing_but_its_result(implementation: Implementation, seed: int) -> None:
    """Augmentation does not modify images or labels, its images belong to the caller, and the memory layout of its arguments does not matter.

    The details are those of PURE-1. Labels are returned as they are, and may be the array that was given. Tolerance:
    1e-4 of the largest value.

    If this fails, check for images that are flipped in place, and for a buffer that is reused for the results of one
    shape.
    """
    case = Pictures((8, 8), 24, seed=seed)
    other = replace(case, seed=seed + 100)
    for name in implementation.offered(TRANSFORMATIONS):
        function = partial(transform_labelled, implementation, name, seed=seed)
        arrays, others = ({"images": each.images, "labels": each.labels} for each in (case, other))
        expect_pure(function, arrays, others, name)


@clause("PURE-3", Level.MUST, "training", SOURCE)
def test_models_change_nothing_but_themselves(
    implementation: Implementation, untrained: Model, small: Preset, seed: int
) -> None:
    """Prediction and feature extraction are pure, as layers are; a training step does not modify images, labels or earlier results, and later calls use the new weights.

    The details are those of PURE-1. The values of variables are snapshots: a step does not change values that were read
    before it. Two kernels of the base are unfrozen, so that a step changes both predictions and features.

    If this fails, check for images that are scaled in place, for values of variables that are views of the weights, and
    for features that are cached for images seen before.
    """
    (images, labels), (others, _) = (tinted(8, seed + i, size=implementation.image_size) for i in (0, 1))
    for name in implementation.offered(("predict", "extract_features")):
        expect_pure(partial(getattr(implementation, name), untrained), {"images": images}, {"images": others}, name)
    model = implementation.build_classifier(small.folder, image_size=implementation.image_size, seed=seed)
    model = implementation.unfreeze_top(model)
    read = implementation.variables(model)
    answers = [implementation.predict(model, images), implementation.extract_features(model, images)]
    given = [images, labels, *answers, *(variable.value for variable in read)]
    before = [array.copy() for array in given]
    # Two, since a last layer that starts at zero lets the base move in the second.
    model = take_steps(implementation, model, images, labels, count=2, learning_rate=1e-2).model
    for array, kept in zip(given, before, strict=True):
        expect_same(array, kept, "what was given or read before a training step, after it")
    after = [implementation.predict(model, images), implementation.extract_features(model, images)]
    for what, new, old in zip(("predictions", "features"), after, answers, strict=True):
        expect(np.abs(new - old).max() > 1e-3, f"{what} after a training step", expected="other ones", got="the same")
