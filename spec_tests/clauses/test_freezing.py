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
    """With a frozen base, the whole model trains the four variables of the head and no others. With every layer except batch normalisation unfrozen, it also trains the kernels of the base (74 in xception_41).

    The model that is trained counts: base.trainable_weights of Keras can be empty while training changes all 154
    variables.

    If this fails, check that freezing reaches the layers inside the base, and that the flag is not merely set on the
    base.
    """
    for state in states:
        kernels = sum(map(is_kernel, state.preset.arrays))
        for listed, expected in ((state.built, 0), (state.unfrozen, kernels), (state.frozen, 0)):
            expect_equal(len(trainable(listed, "head")), 4, "trainable variables of the head")
            expect_equal(len(trainable(listed, "base")), expected, "trainable variables of the base")


@clause("FRZ-2", Level.MUST, "tuning", SOURCE)
def test_a_frozen_base_stays_bit_identical(frozen_runs: list[Run]) -> None:
    """After any number of training steps every variable of a frozen base is bit-identical, moving statistics included.

    If this fails, check that layers are frozen before the training step is built; check for weight decay, and for batch
    normalisation that updates its statistics.
    """
    for run in frozen_runs:
        got = moved(values(run.before, "base"), values(run.after, "base"))
        keep_movement("how far layers of the base moved", run.before, run.after, "base")
        expect_equal(got, set(), "variables of the base that moved")


@clause("FRZ-3", Level.MUST, "tuning", SOURCE)
def test_a_frozen_base_runs_in_inference_mode(base_in_training: list[Compared]) -> None:
    """A frozen base runs in inference mode during training.

    If the inside of the base cannot be observed, a batch of one class decides: normalised by the statistics of that
    batch, its features would lose what distinguishes the class. A confident, correct model must report a small loss; a large one means that batch
    statistics were used. Tolerance of features: 1e-3 of the largest.

    If this fails, check whether the base runs in training mode: a training flag that reaches it, or ``model.train()``.
    """
    for seen in base_in_training:
        expect_close(seen.got, seen.expected, seen.what, rtol=0, atol=seen.tolerance)


@clause("FRZ-4", Level.MUST, "tuning", SOURCE)
def test_the_head_changes(frozen_runs: list[Run]) -> None:
    """Training changes the variables of the head.

    If this fails, check that the optimiser was given the head's variables.
    """
    for run in frozen_runs:
        head = trainable(run.before, "head")
        expect(len(head) > 0, "trainable variables of the head", expected="some", got=len(head))
        still = head - moved(values(run.before, "head"), values(run.after, "head"))
        expect_equal(
            still if run.every or still == head else set(), set(), "trainable variables of the head that did not move"
        )
