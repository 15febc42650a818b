"""Freezing the base (notes, "특징 추출 vs 파인튜닝"; code 6)."""

from ..audit.probe import Compared, Run
from ..cases.evidence import keep_movement
from ..cases.models import moved, trainable, values
from ..judging.checks import expect, expect_close, expect_equal
from ..oracles.xception import is_kernel
from .clause import Level, clause
from .conftest import States

SOURCE = 'notes, "특징 추출 vs 파인튜닝"; code 6'


@clause("FRZ-1", Level.MUST, "tuning", SOURCE, tied="base head")
def test_a_frozen_base_leaves_the_four_variables_of_the_head(states: list[States]) -> None:
    """With a frozen base the whole model trains the head's four variables and no other; with every layer unfrozen, batch normalisation excepted, the base's kernels besides (74 of xception_41).

    What counts is the model that is trained: Keras's own base.trainable_weights can be empty while training changes
    all 154.

    If this fails, check that freezing reaches the layers inside the base, and that the flag is not merely set on it.
    """
    for state in states:
        kernels = sum(map(is_kernel, state.preset.arrays))
        for listed, expected in ((state.built, 0), (state.unfrozen, kernels), (state.frozen, 0)):
            expect_equal(len(trainable(listed, "head")), 4, "trainable variables of the head")
            expect_equal(len(trainable(listed, "base")), expected, "trainable variables of the base")


@clause("FRZ-2", Level.MUST, "tuning", SOURCE)
def test_a_frozen_base_stays_bit_identical(frozen_runs: list[Run]) -> None:
    """After any number of training steps every variable of a frozen base is bit-identical, moving statistics included.

    If this fails, check that the change of what is trained came before the training step was built, for weight decay,
    and for batch normalisation that updates its statistics.
    """
    for run in frozen_runs:
        got = moved(values(run.before, "base"), values(run.after, "base"))
        keep_movement("how far layers of the base moved", run.before, run.after, "base")
        expect_equal(got, set(), "variables of the base that moved")


@clause("FRZ-3", Level.MUST, "tuning", SOURCE)
def test_a_frozen_base_runs_in_inference_mode(base_in_training: list[Compared]) -> None:
    """A frozen base runs in inference mode during training.

    Where the base cannot be looked into, by a batch of one class: its own statistics would wipe out what makes it that
    class, and a model that is sure of it and right reports a small loss for it. Tolerance of features: 1e-3 of the largest.

    If this fails, check for a training flag that is handed down to the base.
    """
    for seen in base_in_training:
        expect_close(seen.got, seen.expected, seen.what, rtol=0, atol=seen.tolerance)


@clause("FRZ-4", Level.MUST, "tuning", SOURCE)
def test_the_head_changes(frozen_runs: list[Run]) -> None:
    """The variables of the head do change.

    If this fails, check that the optimiser was given the head's variables.
    """
    for run in frozen_runs:
        head = trainable(run.before, "head")
        expect(len(head) > 0, "trainable variables of the head", expected="some", got=len(head))
        still = head - moved(values(run.before, "head"), values(run.after, "head"))
        expect_equal(
            still if run.every or still == head else set(), set(), "trainable variables of the head that did not move"
        )
