"""Comparison of augmented images with their definition."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..adapter.contract import Array
from ..cases.evidence import keep_images
from ..judging.checks import expect, expect_close
from ..oracles.transformations import comes_from_outside, transformed


def expect_many(values: NDArray[np.float64], digits: int, what: str) -> None:
    """Expect a continuous distribution: more than half of the values differ in these digits."""
    different = np.unique(values.round(digits)).size
    expect(different > values.size / 2, f"different {what}", expected=f"more than {values.size // 2}", got=different)


def expect_transformed(
    got: Array, definition: Callable[[bool], NDArray[np.float64]], matrices: NDArray[np.float64], what: str, atol: float
) -> None:
    """Expect the whole image to equal the definition, inside and in the reflection.

    ``definition`` takes whether a reflection repeats the edge pixel; a batch may use either reading throughout.
    """
    either = [definition(repeated) for repeated in (True, False)]
    expected = min(
        either, key=lambda images: float(np.nanmax(np.abs(got - images))) if got.shape == images.shape else 0
    )
    height, width = expected.shape[1:3]
    outside = comes_from_outside(height, width, matrices)[..., None]
    keep_images(what, expected, got)
    expect_close(np.where(outside, expected, got), expected, f"{what}, from inside the image", rtol=0, atol=atol)
    expect_close(np.where(outside, got, expected), expected, f"{what}, reflected from outside", rtol=0, atol=atol)


def reflecting(images: Array, matrices: NDArray[np.float64], repeated: bool) -> NDArray[np.float64]:
    """One transformation as it is defined, for either reading of a reflection."""
    return transformed(images, matrices, repeated=repeated)
