"""Epochs: how ``fit`` and ``fit_head`` combine steps, augmentation and evaluation."""

from pathlib import Path

import numpy as np

from ..adapter.implementation import Implementation
from ..cases.augmented import augmentation_p_values
from ..cases.epochs import (
    FEATURES,
    LEAST,
    FirstLooks,
    Trainer,
    blank,
    dips,
    labels_of,
    nan_runs,
    train_changing,
    unseeing,
)
from ..cases.models import head_of
from ..cases.presets import Preset
from ..cases.trials import CONVNET_SIZE
from ..judging.checks import expect, expect_close, expect_equal
from ..judging.statistics import ALPHA
from ..oracles.training import Classifier
from .clause import Level, clause

CODE = "notes, code 8"
KERAS = "Keras documentation"
IMAGE = (*CONVNET_SIZE, 3)
UNEVEN = (*[3] * 10, 2, 1)  # images in each batch: more than ten batches, and a last one of one image
MIXED = [int(i % 5 < 3) ^ (i in (3, 20, 32)) for i in range(33)]  # labels
MOSTLY_ONE = [int(i not in (0, 7, 20, 32)) for i in range(33)]
JUDGED = [1, 1, 0, 1, 0]
AS_GIVEN = {"augment": False}


@clause("TRAIN-14", Level.MUST, "training", f"{CODE}; {KERAS} of ModelCheckpoint", tied="base")
def test_nan_is_never_the_lowest_loss(
    implementation: Implementation, silent: Preset, first_looks: FirstLooks, tmp_path: Path
) -> None:
    """An epoch whose validation loss is NaN is never the best one; if no epoch has another loss, training ends with an error that says NaN.

    Validation images, or features, are NaN in the first and the last epoch, or in all epochs. An error that says NaN is
    accepted in each case. Tolerance: 1e-4.

    If this fails, check for a first loss that is accepted without a comparison: no number is less than NaN.
    """
    for trainer, sound, found in nan_runs(implementation, silent.folder, first_looks, tmp_path):
        if found:
            losses = found[1]["val_loss"]
            expect(sound > 0, "training with no validation loss but NaN", expected="an error", got=losses)
            best = implementation.load(trainer.checkpoint)
            got = implementation.evaluate(best, blank([1] * 4, (4,), (*LEAST, 3)))["loss"]
            expect_close(got, np.nanmin(losses), "loss of the checkpoint", rtol=1e-4)


@clause("TRAIN-15", Level.MUST, "training", f"{CODE}; arXiv 1412.6980", tied="optimizer")
def test_an_epoch_is_one_step_for_each_batch(implementation: Implementation, tmp_path: Path) -> None:
    """An epoch is one step of Adam for each batch, in the given order and at exactly the given learning rate. Its training loss and accuracy are those before each step; its validation loss and accuracy are those of the model at its end.

    A convnet without dropout trains for ten epochs on 33 black images in batches of 3, 2 and 1. Because the images are
    black, only its last bias moves, and all four numbers of each epoch follow from the labels. Tolerance: 1e-4 of a
    loss, and none for accuracies.

    If this fails, check for a batch that is stepped twice or left out, an optimiser that counts differently, a schedule
    or decay of the learning rate, and gradients that are clipped or accumulated. Check for smoothed labels, class
    weights, and a short batch that counts as much as a long one.
    """
    train, validation = blank(MIXED, UNEVEN, IMAGE), blank(JUDGED, (2, 2, 1), IMAGE)
    fit = Trainer(implementation.fit, tmp_path / "best.keras", rate=0.02, more=AS_GIVEN)
    _, history = fit(unseeing(implementation), train, validation, 10)
    for name, values in (
        Classifier(np.zeros(0), np.zeros(0), 0).epochs(labels_of(train), labels_of(validation), 10, 0.02).items()
    ):
        expect_close(history[name], values, f"{name} of ten epochs", rtol=1e-4)


@clause("TRAIN-16", Level.MUST, "training", f"{CODE}; {KERAS} of ModelCheckpoint", tied="base optimizer")
def test_the_lowest_of_several_dips_is_kept(
    implementation: Implementation, first_looks: FirstLooks, tmp_path: Path
) -> None:
    """If the validation loss falls and rises more than once, the checkpoint holds the epoch with the lowest loss of all, and replaces an older file.

    The labels of the training images change from epoch to epoch. The last bias of a convnet that sees black images goes
    up and down with them, and the second of three dips is the lowest. Tolerance: 1e-4.

    If this fails, check for the first or the last dip, for patience that runs out, and for an existing file that is not
    replaced.
    """
    fit = Trainer(implementation.fit, tmp_path / "best.keras", more=AS_GIVEN)
    model = unseeing(implementation)
    implementation.save(model, fit.checkpoint)  # the older file
    ones, zeros = (blank([label] * 5, (2, 2, 1), IMAGE) for label in (1, 0))
    epochs = [ones if letter == "1" else zeros for letter in "100111000110"]
    _, history = train_changing(fit, model, first_looks.fit, epochs, [ones] * len(epochs))
    losses = history["val_loss"]
    got = implementation.evaluate(implementation.load(fit.checkpoint), ones)["loss"]
    expect_close(got, min(losses), f"loss of the checkpoint, of epochs with {losses}", rtol=1e-4)
    expect_equal(dips(losses), [1, 6, 10], "epochs in which the validation loss is lower than before and after")


@clause("TRAIN-17", Level.MUST, "features", f"{CODE}; code 7", tied="base head optimizer")
def test_an_epoch_over_features_is_one_step_for_each_batch(
    implementation: Implementation, small: Preset, tmp_path: Path
) -> None:
    """Training on features obeys TRAIN-15: an epoch is one step of Adam for each batch.

    Features are zero, so only the biases and the last weights of the head decide. Tolerance of a loss: 0.025, because
    dropout adds up to 0.015; a batch that is left out or stepped twice changes the loss by at least 0.07.

    If this fails, check the causes that TRAIN-15 lists.
    """
    train, validation = blank(MOSTLY_ONE, UNEVEN, FEATURES), blank(MOSTLY_ONE[-8:], (5, 3), FEATURES)
    fit_head = Trainer(implementation.fit_head, tmp_path / "head.keras", rate=1e-3)
    model = implementation.build_classifier(small.folder, image_size=LEAST, seed=0)
    head = head_of(implementation, model, *FEATURES)
    _, history = fit_head(model, train, validation, 10)
    simulated = Classifier(head.bias.astype(np.float64), head.last.astype(np.float64), head.offset)
    expected = simulated.epochs(labels_of(train), labels_of(validation), 10, 1e-3)
    for name in ("loss", "val_loss"):
        expect_close(history[name], expected[name], f"{name} of ten epochs over features", rtol=0, atol=0.025)


@clause("AUG-12", Level.STOCHASTIC, "training", 'notes, "과적합과 데이터 증강"; code 5')
def test_fit_augments_as_augment_does(implementation: Implementation, tmp_path: Path, seed: int) -> None:
    """``fit`` augments as ``augment`` does: each image gets its own flip, rotation and zoom in each batch and each epoch, with the same fill.

    The augmentation is observed through the losses of a convnet that learns next to nothing, one number per epoch. The
    images have two halves, a disc, or wedges, or are white, so that flip, zoom, rotation and fill show. The tests
    compare the means and spreads of the losses with 200 images from ``augment``; the spread of 64 copies in an epoch is
    an eighth of that of one image. False alarms: fewer than one in 1e6 seeds. Power: at least 0.999 for a rotation that
    is left out. Mutants leave out the other transformations, draw once for a batch or for all batches, and fill with
    black.

    If this fails, check for a pipeline of ``fit`` with a different augmentation, for a cache after the augmentation,
    and for layers that draw once per batch.
    """
    for what, p_value in augmentation_p_values(implementation, tmp_path / "best.keras", seed).items():
        expect(p_value >= ALPHA / 10, what, expected=f"a p-value of at least {ALPHA / 10:.0e}", got=p_value)
