"""The checks: what they let pass, and what they say of the rest."""

from collections.abc import Callable

import numpy as np
import pytest

from spec_tests.judging import checks
from spec_tests.judging.checks import Violation, expect, expect_close, expect_equal, expect_error, expect_same


def violation(check: Callable[..., object], *arguments: object, **options: object) -> Violation:
    with pytest.raises(Violation) as caught:
        check(*arguments, **options)
    return caught.value


def test_every_check_is_counted() -> None:
    tally = checks.start_tally()
    expect(True, "truth", expected=True, got=True)
    expect_equal(1, 1, "ones")
    expect_same([1, 2], [1, 2], "lists")
    expect_close([1.0], [1.0], "numbers", rtol=0)
    expect_error(lambda: 1 / 0, "division", "zero")
    assert tally.count >= 5


@pytest.mark.parametrize(
    ("expected", "got", "texts"),
    [
        (np.float64(5.239196053133577), np.float32(0.5), ("5.2392", "0.5")),
        (1.0, 1 + 1e-7, ("1", "1.0000001")),  # as many digits as tell them apart
        (0.509405, 0.5094, ("0.509405", "0.5094")),
        ((np.int64(3), 2), (3,), ("(3, 2)", "(3,)")),
        ({"b", "a"}, set(), ("{'a', 'b'}", "set()")),
        (np.True_, False, ("True", "False")),
        ("an error", None, ("an error", "None")),
    ],
)
def test_values_are_shown_plainly(expected: object, got: object, texts: tuple[str, str]) -> None:
    told = violation(expect_equal, got, expected, "values")
    assert (told.expected, told.got) == texts


def test_arrays_are_shown_at_their_worst() -> None:
    expected = np.array([[1.0, 2.0], [3.0, 4.0]])
    told = violation(expect_close, expected + np.array([[0.1, 0], [0, -1]]), expected, "sums", rtol=1e-6)
    assert told.what == "sums at (1, 1), 2 of 4 values wrong"
    assert told.expected == "4, in\n[[1., 2.],\n [3., 4.]]"
    assert told.got.startswith("3 (off by 1, tolerance 4e-06), in\n")
    assert violation(expect_same, np.ones(100), np.zeros(100), "many").got == "1"


@pytest.mark.parametrize(
    ("expected", "got", "rtol", "texts"),
    [
        # 5 digits differ in the last one alone: rounded they are 1e-5 apart, and in truth 5.3e-6
        (0.5094055, 0.5094002, 1e-6, ("0.5094055", "0.5094002 (off by 5.3e-06, tolerance 5.09e-07)")),
        (2.0, 2.5, 1e-3, ("2", "2.5 (off by 0.5, tolerance 0.002)")),
        (2.0, 2.5, 0, ("2", "2.5")),  # exact ones have no tolerance
        (2.0, np.nan, 1e-3, ("2", "nan")),
    ],
)
def test_numbers_that_are_near_are_shown_apart(
    expected: float, got: float, rtol: float, texts: tuple[str, str]
) -> None:
    told = violation(expect_close, [got], [expected], "a number", rtol=rtol)
    assert (told.expected, told.got) == texts


@pytest.mark.parametrize("got", [[1.0, np.nan], [1.0, np.inf], [1.0], [[1.0, 2.0]], [1.0, 2.1]])
def test_arrays_that_differ_are_told(got: list[float]) -> None:
    violation(expect_close, got, [1.0, 2.0], "numbers", rtol=1e-3, atol=1e-3)


def test_tolerance_is_relative_to_a_scale() -> None:
    expect_close([0.1], [0.0], "cancelled", rtol=0.01, scale=[10.0])
    violation(expect_close, [0.2], [0.0], "cancelled", rtol=0.01, scale=[10.0])


def test_an_error_is_demanded_and_what_it_names() -> None:
    def refuse() -> None:
        raise ValueError("a window of 5 does not fit into 3")

    assert expect_error(refuse, "a large window", 5, 3) == "a window of 5 does not fit into 3"
    assert violation(expect_error, refuse, "a large window", "height").expected == "one that names height"
    assert violation(expect_error, lambda: 7, "a large window").got == "no error, but 7"


def test_what_is_not_implemented_is_no_refusal() -> None:
    def unfinished() -> None:
        raise NotImplementedError("later")

    with pytest.raises(NotImplementedError):
        expect_error(unfinished, "anything")


def test_tolerance_used_is_the_largest_share() -> None:
    tally = checks.start_tally()
    expect_same([1.0], [1.0], "exact")
    assert tally.used is None
    expect_close([1.1, 2.0], [1.0, 2.0], "a number", rtol=0, atol=0.4)
    expect_close([1.0], [1.0], "another", rtol=0.1)
    assert tally.used == pytest.approx(0.25)


def test_a_factor_widens_tolerances_and_nothing_else() -> None:
    checks.start_tally(factor=10)
    expect_close([1.5], [1.0], "a number", rtol=0, atol=0.1)
    violation(expect_close, [3.0], [1.0], "a number", rtol=0, atol=0.1)
    violation(expect_same, [1.5], [1.0], "an exact one")
    checks.start_tally()
    violation(expect_close, [1.5], [1.0], "a number", rtol=0, atol=0.1)


def test_of_many_names_the_first_are_shown_and_how_they_differ() -> None:
    names = {f"w{i}" for i in range(10)}
    with pytest.raises(Violation) as raised:
        expect_equal(names, set(), "moved")
    assert str(raised.value) == "moved\nexpected: none\ngot:      10 of them: w0, w1, w2, w3, w4, w5, …"
    with pytest.raises(Violation) as raised:
        expect_equal(names - {"w3"} | {"x"}, names, "moved")
    assert raised.value.got == "1 besides: x; 1 missing: w3"
    expect_equal(names, set(names), "moved")
