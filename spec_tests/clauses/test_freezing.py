"""Freezing the base (notes, "특징 추출 vs 파인튜닝"; code 6)."""

from pathlib import Path

import numpy as np

from ..adapter.implementation import Implementation
from ..cases.models import moved, require_sure, tinted, trainable, values
from ..judging.checks import expect, expect_equal
from ..oracles.xception import is_kernel
from .clause import Level, clause
from .conftest import Fit, States, Steps

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
def test_a_frozen_base_stays_bit_identical(frozen_steps: Steps, fits: tuple[Fit, Fit, Fit]) -> None:
    """After any number of training steps every variable of a frozen base is bit-identical, moving statistics included.

    If this fails, check that the change of what is trained came before the training step was built, for weight decay,
    and for batch normalisation that updates its statistics.
    """
    for before, after in ((frozen_steps.variables[0], frozen_steps.variables[-1]), (fits[0].before, fits[0].after)):
        expect_equal(moved(values(before, "base"), values(after, "base")), set(), "variables of the base that moved")


@clause("FRZ-3", Level.MUST, "tuning", SOURCE)
def test_a_frozen_base_runs_in_inference_mode(implementation: Implementation, confident: Path, seed: int) -> None:
    """A frozen base runs in inference mode during training.

    A batch of one class has statistics of its own, which would wipe out what makes it that class: a model that is
    sure of it and right reports a small loss for it, or else its batch normalisation looked at the batch.

    If this fails, check for a training flag that is handed down to the base.
    """
    model = implementation.load(confident)
    for label in (0, 1):
        images, labels = tinted(16, seed + 9, labels=np.full(16, label), size=implementation.image_size)
        require_sure(implementation.predict(model, images))
        model, logs = implementation.train_step(model, images, labels, learning_rate=1e-9)
        expect(logs["loss"] < 0.2, f"loss of a batch of class {label}", expected="below 0.2", got=logs["loss"])


@clause("FRZ-4", Level.MUST, "tuning", SOURCE)
def test_the_head_changes(frozen_steps: Steps, fits: tuple[Fit, Fit, Fit]) -> None:
    """The variables of the head do change.

    If this fails, check that the optimiser was given the head's variables.
    """
    for before, after in ((frozen_steps.variables[0], frozen_steps.variables[-1]), (fits[0].before, fits[0].after)):
        head = trainable(before, "head")
        expect(len(head) > 0, "trainable variables of the head", expected="some", got=len(head))
        expect_equal(moved(values(before, "head"), values(after, "head")), head, "variables of the head that moved")
