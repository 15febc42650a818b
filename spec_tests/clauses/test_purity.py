"""Functions of arrays change nothing but their result: layers and augmentation."""

from dataclasses import replace
from functools import partial

from hypothesis import given

from ..adapter.implementation import Implementation
from ..cases.layers import PURE_LAYERS, layer_call
from ..cases.pictures import ONCE, TRANSFORMATIONS, Pictures, transform_labelled
from ..cases.purity import expect_pure
from ..cases.windows import SEEDS
from .clause import Level, clause

SOURCE = "contract"


@clause("PURE-1", Level.MUST, "layers", SOURCE)
@ONCE
@given(seed=SEEDS)
def test_layers_change_nothing_but_their_result(implementation: Implementation, seed: int) -> None:
    """A layer leaves its arguments as they were, its result is the caller's own, and how its arguments lie in memory does not matter.

    The bytes of the arguments are the same after the call. A result stays as it is after the next call, and after the
    caller changes the arguments; these then count with their new values. Read-only arrays, views of others and arrays
    in Fortran's order give what a fresh copy gives. Tolerance of the last two: 1e-4 of the largest value, since sums may
    be taken in another order. What is returned unchanged (dropout in inference) may be the array that was given.

    If this fails, check for operations in place, for a buffer that is kept for the results of one shape, for memory
    that is shared with the caller's arrays, for weights that are kept by ``id()``, and for bytes that are read without
    regard to strides.
    """
    for name in PURE_LAYERS:
        function, arrays = layer_call(implementation, name, seed)
        others = layer_call(implementation, name, seed + 100)[1]
        expect_pure(function, arrays, others, name)


@clause("PURE-2", Level.MUST, "augmentation", SOURCE)
@ONCE
@given(seed=SEEDS)
def test_augmentation_changes_nothing_but_its_result(implementation: Implementation, seed: int) -> None:
    """Augmentation leaves images and labels as they were, its images are the caller's own, and how its arguments lie in memory does not matter.

    As PURE-1 says of layers; labels, which are returned as they are, may be the array that was given. Tolerance: 1e-4 of
    the largest value.

    If this fails, check for images that are flipped in place, and for a buffer that is kept for the results of one shape.
    """
    case = Pictures((8, 8), 24, seed=seed)
    other = replace(case, seed=seed + 100)
    for name in TRANSFORMATIONS:
        function = partial(transform_labelled, implementation, name, seed=seed)
        arrays, others = ({"images": each.images, "labels": each.labels} for each in (case, other))
        expect_pure(function, arrays, others, name)
