"""The clauses that look at the message of a refusal see one that leaves the numbers out, and nothing else of it."""

from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from spec_tests.adapter.implementation import Implementation
from spec_tests.cases.windows import Window
from spec_tests.clauses.test_padding import (
    test_a_valid_window_that_does_not_fit_is_refused as is_refused,
)
from spec_tests.clauses.test_padding import test_that_refusal_gives_both_sides as gives_both
from spec_tests.clauses.test_pooling import (
    test_a_pooling_window_that_does_not_fit_is_refused as pooling_is_refused,
)
from spec_tests.clauses.test_pooling import test_that_refusal_of_pooling_gives_both_sides as pooling_gives_both
from spec_tests.judging.checks import Violation

LARGE, DILATED = Window((2, 13), (3, 3)), Window((4, 13), (3, 3), dilation=(2, 1))
NAMES = ("conv2d", "separable_conv2d", "max_pooling2d", "average_pooling2d")
WORDS = "a window of {e} does not fit into {n}"


def refusing(words: str) -> Implementation:
    """Says ``words`` of each window, with its span and the image's height in place of {e} and {n}."""

    def refuse(images: Any, *kernels: Any, pool_size: int = 0, dilation_rate: Any = 1, **_: Any) -> NoReturn:
        side = kernels[0].shape[0] if kernels else pool_size
        dilation = dilation_rate if isinstance(dilation_rate, int) else dilation_rate[0]
        raise ValueError(words.format(e=(side - 1) * dilation + 1, n=images.shape[1], k=side))

    return Implementation("refusing", SimpleNamespace(**dict.fromkeys(NAMES, refuse)))


def judge(clause: Any, implementation: Implementation) -> None:
    """Check the two windows alone."""
    cases = {"large": LARGE} | ({"dilated": DILATED} if "padding" in clause.clause.module else {"name": NAMES[2]})
    clause.hypothesis.inner_test(implementation=implementation, **cases)


@pytest.mark.parametrize("clause", [is_refused, gives_both, pooling_is_refused, pooling_gives_both])
def test_a_refusal_with_both_numbers_holds(clause: Any) -> None:
    judge(clause, refusing(WORDS))


@pytest.mark.parametrize(("clause", "words"), [
    (gives_both, "it does not fit"),
    (gives_both, "a window of {e} does not fit"),
    (gives_both, "an image of {n} is too small"),
    (gives_both, "a window of {k} does not fit into {n}"),  # the kernel's side, which is not that of the dilated window
    (pooling_gives_both, "it does not fit"),
])  # fmt: skip
def test_a_message_that_lacks_a_number_is_seen(clause: Any, words: str) -> None:
    with pytest.raises(Violation, match="the message"):
        judge(clause, refusing(words))


@pytest.mark.parametrize("clause", [is_refused, pooling_is_refused])
def test_that_it_is_refused_is_enough_for_the_others(clause: Any) -> None:
    judge(clause, refusing("it does not fit"))
