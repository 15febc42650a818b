"""The strategies of the layers draw the corners at which ports differ, within the default number of examples."""

from collections.abc import Callable
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from spec_tests.cases.windows import Batch, Matrix, Window, batches, matrices, misfits, windows
from spec_tests.clauses.catalogue import all_clauses
from spec_tests.clauses.catalogue import tests as clauses
from spec_tests.oracles.windows import ONE
from spec_tests.running.profiles import PROFILES

ENOUGH = settings(max_examples=PROFILES["default"], database=None, deadline=None)


def axes(case: Window) -> list[tuple[int, int, int]]:
    """Side of the image, kernel and stride of each axis."""
    return list(zip(case.image, case.size, case.strides, strict=True))


def same(case: Window) -> bool:
    return case.padding == "same"


def uneven(case: Window) -> bool:
    """Same padding adds more zeros at the end of an axis."""
    return same(case) and any(before < after for before, after in case.pads)


# what windows() draws: conv2d's cases; poolings and separable convolutions have no dilation
CORNERS: dict[str, Callable[[Window], object]] = {
    "an even kernel with same padding": lambda c: same(c) and any(k % 2 == 0 for k in c.size),
    "stride 2 with same padding on an even side": lambda c: (
        uneven(c) and any(s == 2 and n % 2 == 0 for n, _, s in axes(c))
    ),
    "stride 2 with same padding on an odd side": lambda c: same(c) and any(s == 2 and n % 2 for n, _, s in axes(c)),
    "a rectangular image": lambda c: c.image[0] != c.image[1],
    "a rectangular kernel": lambda c: c.size[0] != c.size[1],
    "strides of two sizes": lambda c: c.strides[0] != c.strides[1],
    "a kernel as large as the image": lambda c: c.image == c.size != ONE,
    "a kernel larger than the image": lambda c: same(c) and not c.fits,
    "one pixel": lambda c: c.image == ONE,
    "one sample": lambda c: c.batch == 1,
    "several samples": lambda c: c.batch > 1,
    "one channel": lambda c: c.channels == 1,
    "several channels": lambda c: c.channels > 1,
    "same max pooling of negative inputs": lambda c: same(c) and c.values == "negative" and np.any(c.pads),
    "same average pooling with uneven padding": lambda c: uneven(c) and max(c.size) > 2 and c.dilation == ONE,
    "strides beyond the kernel": lambda c: any(s > k for _, k, s in axes(c)),
    "a last window that would not be whole": lambda c: not same(c) and any((n - k) % s for n, k, s in axes(c)),
    "outputs one pixel wide, with a greater stride across": lambda c: (
        c.sides[1] == 1 < c.sides[0] and c.strides[0] < c.strides[1]
    ),
    "values that are equal": lambda c: c.values == "ties",
}
DILATED: dict[str, Callable[[Window], object]] = {
    "dilation with same padding": lambda c: same(c) and min(c.dilation) > 1,
    "dilation with valid padding": lambda c: not same(c) and min(c.dilation) > 1,
    "dilations of two sizes": lambda c: c.dilation[0] != c.dilation[1],
}


def drawn(strategy: st.SearchStrategy[Any], seed: int) -> list[Any]:
    """What a clause with ``--seed seed`` is tried on."""
    cases = []

    @hypothesis.seed(seed)
    @ENOUGH
    @given(strategy)
    def collect(case: Any) -> None:
        cases.append(case)

    collect()
    return cases


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("strategy", "corners"), [(windows(), CORNERS | DILATED), (windows(dilated=False), CORNERS)], ids=["any", "plain"]
)
def test_every_corner_is_drawn(
    strategy: st.SearchStrategy[Window], corners: dict[str, Callable[[Window], object]], seed: int
) -> None:
    cases = drawn(strategy, seed)
    assert [name for name, met in corners.items() if not any(map(met, cases))] == []


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_every_corner_of_a_padding_is_drawn(padding: Any, seed: int) -> None:
    cases = drawn(windows(padding), seed)
    assert {case.padding for case in cases} == {padding}
    other = {"same": ("valid", "last window"), "valid": ("same", "larger than the image")}[padding]
    corners = {name: met for name, met in (CORNERS | DILATED).items() if not any(words in name for words in other)}
    assert [name for name, met in corners.items() if not any(map(met, cases))] == []


@pytest.mark.parametrize("dilated", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_a_valid_window_fits_and_a_misfit_does_not_along_one_axis(seed: int, dilated: bool) -> None:
    assert all(case.fits for case in drawn(windows("valid"), seed))
    short = [
        [n - e for n, e in zip(case.image, case.spans, strict=True)] for case in drawn(misfits(dilated=dilated), seed)
    ]
    assert {(height < 0, width < 0) for height, width in short} == {(True, False), (False, True)}
    assert {min(pair) for pair in short} == {-1}
    assert all((case.dilation != ONE) is dilated for case in drawn(misfits(dilated=dilated), seed))


@pytest.mark.parametrize("seed", range(6))
def test_dense_layers_and_batches_of_every_shape_are_drawn(seed: int) -> None:
    cases: list[Matrix] = drawn(matrices(), seed)
    assert any(case.inputs == 1 for case in cases)
    assert any(case.units == 1 for case in cases)
    assert any(case.samples == 1 for case in cases)
    assert any((case.kernel == 0).any() for case in cases)
    assert any(case.inputs == case.units > 1 for case in cases)  # where a transposed kernel fits
    shapes = {case.shape for case in drawn(batches(), seed)}
    assert {len(shape) for shape in shapes} == {2, 4}
    assert any(len(shape) == 2 and shape[0] == 1 for shape in shapes)  # one value a channel


def test_an_impulse_is_one_value_of_one_pixel() -> None:
    case = Window((2, 3), (1, 1), channels=2)
    impulses = case.impulses(8)
    assert impulses.shape == (6, 2, 3, 2)
    for pixel, (row, column) in enumerate(np.ndindex(2, 3)):
        assert np.argwhere(impulses[pixel]).tolist() == [[row, column, pixel % 2]]
    assert impulses.sum() == 6 * 8


@given(case=windows())
def test_a_case_can_be_pasted(case: Window) -> None:
    again: Window = eval(repr(case))  # noqa: S307
    np.testing.assert_array_equal(again.images, case.images)
    np.testing.assert_array_equal(again.kernel, case.kernel)
    assert case.images.shape == (case.batch, *case.image, case.channels)
    assert {kind.__name__ for kind in (Batch, Matrix)} <= set(globals())


@pytest.mark.parametrize("name", [clause.id for clause in all_clauses()])
def test_a_property_takes_its_settings_from_the_profile_of_the_plugin(name: str) -> None:
    """A module that makes settings before the plugin is configured would give it the 200 ms of Hypothesis's own."""
    made = getattr(clauses()[name], "_hypothesis_internal_use_settings", None)
    assert made is None or (made.deadline is None and Phase.explain not in made.phases)
