"""Partial fine-tuning: the last four layers except batch normalisation (notes, "부분 파인튜닝"; code 9, 10)."""

from pathlib import Path

import numpy as np

from ..adapter.contract import Model, Variable
from ..adapter.implementation import Implementation
from ..audit.probe import Compared, Run
from ..cases.models import SIZE, SMALL, moved, named, offset_of, require_some, tinted, trainable, values
from ..cases.presets import Preset
from ..judging.checks import expect, expect_close, expect_equal
from ..oracles.training import LARGEST_STEP
from ..oracles.xception import is_kernel
from .clause import Level, clause
from .conftest import Fit, States, Steps, take_steps

SOURCE = 'notes, "부분 파인튜닝"; code 9'
LAST = f"block{len(SMALL.filters)}_sepconv"  # the convolutions of the last block
RATE, FIT_RATE = 1e-5, 1e-4


@clause("TUNE-1", Level.MUST, "tuning", SOURCE, tied="base head")
def test_the_last_four_layers_hold_two_kernels(
    implementation: Implementation, states: list[States], small: Preset
) -> None:
    """Unfreezing the last four layers of the base except batch normalisation makes exactly two of its variables trainable, in addition to the 4 of the head. In xception_41 they are the depthwise and the pointwise kernel of block14_sepconv2, with 3,159,552 weights.

    The last two layers hold no kernel, the last three and the last five hold two, and the last six hold the kernels of
    two convolutions.

    If this fails, check that the four layers (activation, convolution, normalisation, activation) are counted from the
    end of the base, not of the whole model. Check that batch normalisation is frozen after the other layers are
    unfrozen.
    """
    for state, weights in zip(states, (9 * 16 + 16 * 24, 3_159_552), strict=True):
        expect_equal(trainable(state.tuned, "base"), state.top_kernels, "trainable variables of the base")
        expect_equal(len(trainable(state.tuned, "head")), 4, "trainable variables of the head")
        tuned = sum(v.size for v in state.tuned if v.trainable and v.part == "base")
        expect_equal((len(state.top_kernels), tuned), (2, weights), "trainable variables and weights of the base")
    model = implementation.build_classifier(small.folder, image_size=SIZE, seed=0)
    for layers, kernels in ((2, 0), (3, 2), (5, 2), (6, 4)):
        model = implementation.unfreeze_top(model, layers=layers)
        got = len(trainable(implementation.variables(model), "base"))
        expect_equal(got, kernels, f"trainable variables in the last {layers} layers of the base")


@clause("TUNE-2", Level.MUST, "tuning", SOURCE, tied="optimizer")
def test_what_is_unfrozen_changes_and_nothing_else(tuned_runs: list[Run]) -> None:
    """After any number of fine-tuning steps or epochs of ``fit``, the unfrozen variables of the base and the variables of the head have changed, and no others.

    If this fails, check that the training step is rebuilt after layers are unfrozen, and which variables the optimiser
    of ``fit`` receives.
    """
    for run in tuned_runs:
        unfrozen = trainable(run.before, "base")
        expect(len(unfrozen) > 0, "trainable variables of the base after unfreezing", expected="some", got=0)
        got = moved(values(run.before), values(run.after)) - statistics_of_unfrozen(run.before)
        right = trainable(run.before)
        excused = set() if run.every or not got & unfrozen else right - got
        expect_equal(got, right - excused, "variables that moved")


def statistics_of_unfrozen(variables: list[Variable]) -> set[str]:
    """The moving statistics of batch normalisations that were unfrozen, which TUNE-3 judges."""
    unfrozen = {
        (v.layer, v.part)
        for v in variables
        if v.layer_type == "BatchNormalization" and (v.trainable or v.part == "head")
    }
    return {v.path for v in variables if (v.layer, v.part) in unfrozen and not v.trainable}


@clause("TUNE-3", Level.MUST, "tuning", f"{SOURCE}; Keras documentation of BatchNormalization")
def test_no_batch_normalisation_moves(tuned_runs: list[Run]) -> None:
    """Fine-tuning does not change the moving statistics, gamma or beta of any batch normalisation in the base, even in the unfrozen layers.

    If this fails, check that each normalisation layer itself is frozen: a flag on the base, or training=False in its
    call, may not hold in training.
    """
    for run in tuned_runs:
        before, after = (
            {v.path: np.array(v.value) for v in variables if v.layer_type == "BatchNormalization" and v.part == "base"}
            for variables in (run.before, run.after)
        )
        require_some(before, "the base has no batch normalisation")
        expect_equal(moved(before, after), set(), "variables of batch normalisation that moved")


@clause("TUNE-4", Level.MUST, "tuning", f"{SOURCE}; notes, code 10")
def test_fine_tuning_starts_where_feature_extraction_ended(around_unfreezing: Compared) -> None:
    """Fine-tuning starts from the final weights of feature extraction: predictions before the first step are the same.

    Tolerance: 1e-6 of a probability, 1e-5 of the largest logit.

    If this fails, check that unfreezing does not rebuild or reload the base.
    """
    seen = around_unfreezing
    expect_close(seen.got, seen.expected, seen.what, rtol=0, atol=seen.tolerance)


@clause("TUNE-5", Level.MUST, "tuning", "notes, code 9; arXiv 1412.6980", tied="head optimizer")
def test_the_optimiser_starts_afresh_and_slowly(implementation: Implementation, tuning_steps: Steps) -> None:
    """Fine-tuning starts with a fresh optimiser at learning rate 1e-5: the first step moves each weight by 1e-5, and no step of Adam moves a weight by more than the bound that its formula gives.

    The bound is (1 - 0.9) / sqrt(1 - 0.999) = 3.16 learning rates, which only an optimiser with a history reaches.
    Tolerance: 1 % of 1e-5, the resolution of float32 near 1. For each array of the base and the head, the median is
    checked.

    If this fails, check that a new optimiser is created, including its moments and its step counter.
    """
    first, second = values(tuning_steps.variables[0]), values(tuning_steps.variables[1])
    offset = offset_of(implementation, tuning_steps.model)
    expect_close(np.abs(second[offset] - first[offset]).item(), RATE, "first step of the last bias", rtol=0.01)
    for path in trainable(tuning_steps.variables[0]):
        expect_close(np.median(np.abs(second[path] - first[path])), RATE, f"first step of {path}", rtol=0.01)
    for before, after in zip(tuning_steps.variables, tuning_steps.variables[1:], strict=False):
        largest = max(np.abs(v.value - values(before)[v.path]).max() for v in after)
        expect(
            largest <= LARGEST_STEP * RATE * 1.01,
            "largest step",
            expected=f"at most {LARGEST_STEP * RATE:.2e}",
            got=largest,
        )


@clause("TUNE-6", Level.MUST, "tuning", SOURCE, tied="base")
def test_a_change_of_what_is_trained_takes_effect_at_once(
    implementation: Implementation, confident: Path, small: Preset, tmp_path: Path, seed: int
) -> None:
    """Changing what is trainable takes effect in the next training run, whatever was trained, saved or loaded before.

    The test unfreezes the last four layers, none, and the last six, which hold two convolutions.

    If this fails, check that the training step is rebuilt, and that the model is saved with the state of its frozen
    layers.
    """
    model = implementation.load(confident)
    kernels = named(implementation, model, small.arrays, small.config.top_kernels())
    of_block = [name for name in small.arrays if name.startswith(LAST) and is_kernel(name)]
    last_two = named(implementation, model, small.arrays, of_block)
    for change, expected in (
        (implementation.unfreeze_top, kernels),
        (implementation.freeze_base, set()),
        (lambda model: tuned_and_loaded(implementation, model, tmp_path / "tuned.keras"), last_two),
        (implementation.freeze_base, set()),
    ):
        model = change(model)
        steps = take_steps(implementation, model, *tinted(8, seed + 8), count=2, learning_rate=1e-3)
        got = moved(values(steps.variables[0], "base"), values(steps.variables[-1], "base"))
        expect_equal(got, expected, "variables of the base that moved")
        model = steps.model


def tuned_and_loaded(implementation: Implementation, model: Model, path: Path) -> Model:
    """The model with six layers unfrozen, after it was saved."""
    implementation.save(implementation.unfreeze_top(model, layers=6), path)
    return implementation.load(path)


@clause("TUNE-7", Level.MUST, "tuning", "notes, code 9; arXiv 1412.6980", tied="head optimizer")
def test_fit_starts_with_a_fresh_optimiser(implementation: Implementation, tuning_fit: Fit) -> None:
    """``fit`` starts with a fresh optimiser, whatever was trained before, and counts its steps from one.

    Two epochs on one batch have gradients of the opposite sign to those of the earlier steps. They move the last bias
    by two learning rates, within 3 %, or by 1.86 if a step is counted twice.

    If this fails, check for moments that are kept, and for a step counter that continues or runs fast.
    """
    path = offset_of(implementation, tuning_fit.model)
    step = values(tuning_fit.after)[path] - values(tuning_fit.before)[path]
    expect_close(step.item(), -2 * FIT_RATE, "two steps of the last bias in fit", rtol=0.03)


@clause("TUNE-8", Level.MUST, "tuning", f"{SOURCE}; notes, code 10")
def test_a_tuned_model_is_used_in_inference_mode(implementation: Implementation, tuning_fit: Fit, seed: int) -> None:
    """A model whose base was fine-tuned predicts in inference mode, as a frozen one does: features and predictions of an image do not depend on the batch, and the loaded checkpoint predicts the same.

    The statistics of a batch of one class differ from those of other batches. Tolerance: 1e-4 of the largest feature,
    1e-5 of a probability.

    If this fails, check for a training flag that unfreezing sets and nothing resets.
    """
    images, _ = tinted(8, seed + 7, labels=np.repeat((0, 1), 4), size=implementation.image_size)
    model, restored = tuning_fit.model, implementation.load(tuning_fit.checkpoint)
    features, p = implementation.extract_features(model, images), implementation.predict(model, images)
    for part in (slice(0, 4), slice(4, 8)):
        alone = implementation.extract_features(model, images[part])
        expect_close(alone, features[part], "features of a batch of one class", rtol=1e-4, scale=features.max())
        expect_close(implementation.predict(model, images[part]), p[part], "their predictions", rtol=0, atol=1e-5)
    best = int(np.argmin(tuning_fit.history["val_loss"]))
    got = implementation.evaluate(restored, tuning_fit.validation)["loss"]
    expect_close(got, tuning_fit.history["val_loss"][best], "loss of the tuned model that was kept", rtol=1e-4)
    kept = len(trainable(implementation.variables(restored), "base"))
    expect_equal(kept, len(trainable(tuning_fit.after, "base")), "trainable variables of its base")
