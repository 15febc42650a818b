"""Training, checkpoint, saving and evaluation (notes, code 8), and the images that reach the model (code 5, 6)."""

from pathlib import Path

import numpy as np

from ..adapter.contract import Array, Labels, Model, Variable
from ..adapter.implementation import Implementation
from ..audit.probe import Compared, Repeated, Scored
from ..cases.evidence import keep_curves
from ..cases.models import (
    EPOCHS,
    IDLE_EPOCHS,
    SIZE,
    head_of,
    in_batches,
    moved,
    offset_of,
    tinted,
    trainable,
    values,
)
from ..cases.presets import Preset
from ..cases.trials import CONVNET_SIZE
from ..judging.checks import Undecided, expect, expect_close, expect_equal, expect_same
from ..oracles import training as oracle
from ..oracles import xception
from ..oracles.images import preprocess
from .clause import Level, clause
from .conftest import Fit, Looks, Steps, take_steps
from .observations import Trace

CODE = "notes, code 8"
LEAST = (20, 20)  # pixels, for what does not look at them
KERAS = "Keras documentation"


def joined(batches: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """All images and all labels."""
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


@clause("TRAIN-1", Level.MUST, "training", f"{CODE}; {KERAS} of BinaryCrossentropy and BinaryAccuracy")
def test_loss_and_accuracy_are_means_over_samples(scores: list[Scored]) -> None:
    """The loss is the mean binary cross-entropy, and the accuracy is the fraction of samples whose label equals (p > 0.5); both are means over samples and not over batches.

    The batches are uneven. The models are sure, unsure, as close to 0.5 as is known, and a little above 0.5. Tolerance
    of the loss: 1e-4.

    If this fails, check for a mean of batch means, for (n,) against (n, 1), which broadcasts, and for p >= 0.5.
    """
    for scored in scores:
        for name in scored.reported.keys() & scored.computed.keys():
            rtol = {"loss": 1e-4, "accuracy": 1e-6}[name]
            expect_close(scored.reported[name], scored.computed[name], f"{name} of validation", rtol=rtol)


@clause("TRAIN-2", Level.MUST, "training", f"{CODE}; arXiv 1412.6980; {KERAS} of Adam", tied="base head optimizer")
def test_steps_are_those_of_adam(
    implementation: Implementation, frozen_steps: Steps, silent: Preset, seed: int
) -> None:
    """A training step moves each trainable variable as Adam's formula says (beta 0.9 and 0.999, epsilon 1e-7).

    A first step moves each weight by the learning rate, whatever its gradient, but leaves a weight without a gradient
    unchanged: a last layer that starts at zero gives none to the layers before it. The last bias is followed over steps
    whose gradients are known, first small and then large: for features of zero only the weights of the head decide.
    Tolerance: 3 % of the learning rate, which dropout may add. An epsilon below 1e-6 is not detected.

    If this fails, check the bias correction of both moments and their decay, and check for weight decay.
    """
    first, second = (values(variables, "head") for variables in frozen_steps.variables[:2])
    starts_at_zero = any(value.ndim > 1 and not value.any() for value in first.values())
    for path in moved(first, second) if starts_at_zero else first:
        expect_close(np.median(np.abs(second[path] - first[path])), 3e-3, f"first step of {path}", rtol=5e-3)
    model = implementation.build_classifier(silent.folder, image_size=LEAST, seed=seed)
    images, nothing = np.zeros((64, *LEAST, 3), np.float32), np.zeros((1, 24))
    heads, gradients = [head_of(implementation, model, 24)], []
    for ones in (*(24, 40) * 12, *[64] * 8, 0, 0, 64, 0, 0):
        labels = (np.arange(64) < ones).astype(np.int32)
        gradients.append(heads[-1].probabilities(nothing).item() - ones / 64)
        model, _ = implementation.train_step(model, images, labels, learning_rate=1e-3)
        heads.append(head_of(implementation, model, 24))
    steps = np.diff([head.offset for head in heads])
    expect_close(steps, oracle.adam(gradients, 1e-3), "steps of the last bias", rtol=0, atol=3e-5)
    expect_same(heads[-1].kernel, heads[0].kernel, "weights without a gradient, after these steps")


@clause("TRAIN-3", Level.MUST, "training", CODE, tied="base head optimizer")
def test_one_small_batch_can_be_learnt(
    implementation: Implementation, untrained: Model, frozen_steps: Steps, seed: int
) -> None:
    """Training on one small batch drives its loss near zero, starting at the loss of the predictions before the first step.

    Forty steps at a learning rate of 3e-3 on 32 images of two tints take the loss from 0.7 to below 0.05. Dropout
    spreads the first loss by 1.5 %. Tolerance: 10 %, half of what a step changes.

    If this fails, check the sign of the step, that images keep their labels, and that the reported loss is the mean
    before the step.
    """
    images, labels = tinted(32, seed)
    expected = oracle.crossentropy(implementation.predict(untrained, images), labels)
    expect_close(frozen_steps.losses[0], expected, "loss before the first step", rtol=0.1)
    expect(frozen_steps.losses[-1] < 0.05, "loss after forty steps", expected="below 0.05", got=frozen_steps.losses[-1])


@clause("TRAIN-4", Level.MUST, "training", f"{CODE}; {KERAS} of ModelCheckpoint")
def test_the_checkpoint_holds_the_best_epoch(implementation: Implementation, fits: tuple[Fit, Fit, Fit]) -> None:
    """The checkpoint holds the epoch with the lowest validation loss; ``fit`` returns the model of the last epoch.

    The validation loss of the run falls and rises again. Tolerance: 1e-4.

    If this fails, check for the last epoch, the highest value or the training loss, and for best weights that are kept
    without a copy.
    """
    run = fits[0]
    keep_curves("a run under augmentation", run.history)
    losses = run.history["val_loss"]
    best, last = implementation.load(run.checkpoint), run.model
    expect_close(
        implementation.evaluate(best, run.validation)["loss"], min(losses), "loss of the checkpoint", rtol=1e-4
    )
    expect_close(implementation.evaluate(last, run.validation)["loss"], losses[-1], "loss of the last epoch", rtol=1e-4)
    if not min(losses) < min(losses[0], losses[-1]):
        raise Undecided(f"the validation loss does not fall and rise ({losses}): see TRAIN-16")


@clause("TRAIN-5", Level.MUST, "training", CODE, tied="base head optimizer")
def test_a_loaded_model_goes_on_as_it_would_have(
    implementation: Implementation, silent: Preset, small: Preset, tmp_path: Path, seed: int
) -> None:
    """A saved and loaded model gives the same predictions and has the same trainable variables, and training continues as if the model had not been saved.

    The last bias of a model whose features are zero is followed: its next step shows whether the moments of Adam were
    saved. Tolerance: 1e-6 of a probability; 3 % of the learning rate.

    If this fails, check that the file holds the state of the optimiser and the flags of what is frozen.
    """
    images, labels = tinted(64, seed)[0], np.ones(64, np.int32)
    for preset, change in ((silent, implementation.freeze_base), (small, implementation.unfreeze_top)):
        model = change(implementation.build_classifier(preset.folder, image_size=SIZE, seed=seed))
        model = take_steps(implementation, model, images, labels, count=3, learning_rate=1e-3).model
        implementation.save(model, tmp_path / "model.keras")
        loaded = implementation.load(tmp_path / "model.keras")
        expected, got = (implementation.predict(one, images) for one in (model, loaded))
        expect_close(got, expected, "predictions of the loaded model", rtol=0, atol=1e-6)
        expected, got = (next_step(implementation, one, images, 1 - labels) for one in (model, loaded))
        expect_close(got, expected, "trainable variables, and the last bias after a step", rtol=0, atol=3e-5)


def next_step(implementation: Implementation, model: Model, images: Array, labels: Labels) -> tuple[int, float]:
    """The number of trainable variables, and the last bias after one more step at 1e-3."""
    steps = take_steps(implementation, model, images, labels, count=1, learning_rate=1e-3)
    offset = values(steps.variables[1])[offset_of(implementation, model)]
    return len(trainable(steps.variables[0])), offset.item()


@clause("TRAIN-6", Level.MUST, "training", f"{CODE}; notes, code 5")
def test_a_seed_repeats_a_run(repeated: Repeated) -> None:
    """The same seed gives the same training run, even with a parallel input pipeline; another seed gives another run.

    Both runs use one machine and one backend, with augmentation and dropout. Tolerance, because sums may be taken in
    another order: 1e-3 of a loss, and 1 % of the distance that a variable moved. Another dropout mask changes a loss by
    1e-2, and the distance by a quarter.

    If this fails, check for a parallel map over seeded layers, and for dropout or shuffling with a separate seed.
    """
    for one in repeated.same:
        expect_close(one.got, one.expected, one.what, rtol=1e-3)
    expect_same_way(repeated.start, repeated.one, repeated.other, "after a second run")
    if repeated.seeds:
        expect(repeated.seeds[0] != repeated.seeds[1], "losses of two seeds", expected="two", got=repeated.seeds)


@clause("TRAIN-7", Level.MUST, "training", CODE)
def test_validation_leaves_no_trace(traces: list[Trace]) -> None:
    """Validation images never change a variable: another validation set gives the same weights in the end.

    Tolerance, because sums may be taken in another order: 1 % of the distance that a variable moved.

    If this fails, check that validation runs in inference mode, and does not draw from the random generator of
    training.
    """
    for trace in traces:
        plain, other = trace.losses
        expect(other != plain, "losses on another set", expected="others", got="the same")
        when = "after training with another validation set, or after validation alone"
        expect_same_way(trace.start, trace.expected, trace.got, when)


def expect_same_way(before: list[Variable], expected: list[Variable], got: list[Variable], when: str) -> None:
    """Two runs moved each variable alike; one that did not move is bit-identical."""
    for start, end, other in zip(before, expected, got, strict=True):
        if other.value.tobytes() == end.value.tobytes():
            expect(True, f"distance of {end.path} {when}", expected=0, got=0)
            continue
        way = np.linalg.norm((end.value - start.value).astype(np.float64))
        apart = np.linalg.norm((other.value - end.value).astype(np.float64))
        expect_close(apart, 0, f"distance of {end.path} {when}", rtol=0, atol=0.01 * float(way))


@clause("TRAIN-8", Level.MUST, "training", CODE)
def test_the_history_has_four_values_an_epoch(fits: tuple[Fit, Fit, Fit]) -> None:
    """The history has loss, accuracy, val_loss and val_accuracy for each epoch."""
    got = {name: len(history) for name, history in fits[0].history.items()}
    expect_equal(got, dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy"), EPOCHS), "values by name")
    everything = np.array(list(fits[0].history.values()))
    expect(np.isfinite(everything).all(), "values of the history", expected="finite", got=everything)


@clause("TRAIN-9", Level.MUST, "training", CODE)
def test_every_training_image_is_used_once(uses: list[Compared]) -> None:
    """Every training image is used once in each epoch, and counts once in the training loss and accuracy.

    A confident model that learns next to nothing is right on 13 of 20 images, in batches of 8, 8 and 4 with 2, 2 and 3
    wrong labels. Leaving out a batch, or counting an image twice, gives another share. Dropout spreads the mean loss of
    its epochs by 1.2 %. Tolerance: 10 %, half of what the mean over batches would add.

    If this fails, check for a last batch that is dropped, repeated or filled up, and for a mean of batch means.
    """
    for seen in uses:
        expect_close(seen.got, seen.expected, seen.what, rtol=0, atol=seen.tolerance)


@clause("TRAIN-10", Level.MUST, "training", 'notes, "과적합과 데이터 증강"; code 7', tied="head")
def test_dropout_is_on_in_training_and_off_in_validation(
    idle_fit: Fit, implementation: Implementation, confident: Path
) -> None:
    """Dropout is on in training steps and off in validation.

    A model that learns next to nothing is trained and validated on the same images. In each of four epochs, its
    validation loss is that of its predictions, within 1e-4. Of its training losses, which dropout spreads by 1.6 %, no
    three are within 1e-5 of each other; chance causes that once in two million runs.

    If this fails, check for a training flag that does not follow the phase (in torch, validation leaves it off), and
    for masks that are the same in each epoch.
    """
    images, labels = joined(list(idle_fit.validation))
    p = implementation.predict(implementation.load(confident), images)
    losses, expected = sorted(idle_fit.history["loss"]), oracle.crossentropy(p, labels)
    expect_close(idle_fit.history["val_loss"], [expected] * IDLE_EPOCHS, "validation loss", rtol=1e-4)
    closest = min(third - first for first, third in zip(losses, losses[2:], strict=False)) / expected
    expect(closest > 1e-5, "training losses under dropout", expected=f"apart, around {expected:.4f}", got=losses)


@clause("TRAIN-11", Level.MUST, "features", f"{CODE}; {KERAS} of ModelCheckpoint")
def test_the_head_of_the_best_epoch_is_kept_and_returned(
    implementation: Implementation, fits: tuple[Fit, Fit, Fit], confident: Path, tmp_path: Path
) -> None:
    """Training on features returns the model of the epoch with the lowest validation loss, and its checkpoint holds the same model.

    The first epoch of the run is the best, because the model then grows surer of wrong labels. Tolerance: 1e-4.

    If this fails, check for the last epoch, and for a best epoch that is saved but not loaded again.
    """
    run = fits[0]
    model, path = implementation.load(confident), tmp_path / "best.keras"
    images, labels = joined(list(run.validation))
    features, rights = implementation.extract_features(model, images), np.arange(len(labels)) % 2
    train, validation = in_batches(features, rights.astype(np.int32), 8), in_batches(features, labels, 8)
    options = {"epochs": 3, "learning_rate": 1e-2, "checkpoint": path, "seed": 1}
    model, history = implementation.fit_head(model, train, validation, **options)
    losses = history["val_loss"]
    for best in (model, implementation.load(path)):
        expect_close(implementation.evaluate(best, run.validation)["loss"], min(losses), "loss of the head", rtol=1e-4)
    if not min(losses) < losses[-1]:
        raise Undecided(f"the validation loss over features does not rise ({losses})")


@clause("TRAIN-12", Level.MUST, "features", f"{CODE}; code 7", tied="head")
def test_dropout_is_on_over_features(
    implementation: Implementation, confident: Path, tmp_path: Path, seed: int
) -> None:
    """Training on features applies dropout at a rate of 0.25: each sample has its own mask, and kept values are scaled.

    Over 4,096 samples of the same features, which leave the head undecided, the loss equals that of such a dropout,
    within six standard errors, in each of four epochs.

    If this fails, check for a head that is called without its training flag, for one mask for a whole batch, and for a
    rate that is used as the share to keep.
    """
    model, rng = implementation.load(confident), np.random.default_rng(seed)
    head, labels = head_of(implementation, model, 24), np.arange(4096, dtype=np.int32) % 2
    features = np.repeat(head.undecided(rng.normal(0, 6, (1, 24))), 4096, axis=0)
    dropped = head.dropped_losses(np.tile(features, (4, 1)), np.tile(labels, 4), rng)
    batches = in_batches(features, labels, 4096)
    options = {"epochs": 4, "learning_rate": 1e-9, "checkpoint": tmp_path / "best.keras", "seed": 1}
    _, history = implementation.fit_head(model, batches, in_batches(features[:8], labels[:8], 8), **options)
    error = dropped.std() * np.sqrt(1 / len(features) + 1 / len(dropped))
    expect_close(history["loss"], [dropped.mean()] * 4, "losses over features", rtol=0, atol=6 * error)


@clause("TRAIN-13", Level.MUST, "convnet", 'notes, "과적합과 데이터 증강"')
def test_dropout_is_on_in_the_convnet(implementation: Implementation, seed: int) -> None:
    """The convnet is trained with the dropout rate that it is built with.

    At a rate of 0.5, the losses of steps that learn next to nothing differ; at 0 they are the same (AUG-8).

    If this fails, check that the rate reaches the layer.
    """
    images = np.random.default_rng(seed).uniform(0, 255, (4, *CONVNET_SIZE, 3)).astype(np.float32)
    model = implementation.build_convnet(image_size=CONVNET_SIZE, dropout=0.5, seed=seed)
    losses = take_steps(implementation, model, images, np.arange(4) % 2, count=3, learning_rate=1e-9).losses
    expect(max(losses) - min(losses) > 1e-5, "losses of a convnet under dropout", expected="apart", got=losses)


@clause("AUG-8", Level.MUST, "training", 'notes, "과적합과 데이터 증강"; code 5', tied="base head optimizer")
def test_augmentation_touches_the_training_set_only(
    implementation: Implementation, fits: tuple[Fit, Fit, Fit], looks: Looks
) -> None:
    """Augmentation changes only the training set, only on request, and differently in each epoch; validation and test images reach the model unchanged.

    In a run with augmentation, the validation loss of the best epoch equals that of the checkpoint's predictions for
    the unchanged images. Tolerance: 1e-4. The training loss of a convnet without dropout that learns next to nothing
    equals that of its predictions, within 1e-5; with augmentation it differs in each epoch. Red and blue images can
    still be learnt with augmentation.

    If this fails, check that validation, evaluation and prediction do not run the augmenting layers and that ``fit``
    does; check for images that are cached after augmentation, and that they keep their labels and their range.
    """
    run = fits[0]
    best = implementation.load(run.checkpoint)
    images, labels = joined(list(run.validation))
    expected = oracle.crossentropy(implementation.predict(best, images), labels)
    expect_close(min(run.history["val_loss"]), expected, "validation loss", rtol=1e-4)
    expect_close(implementation.evaluate(best, run.validation)["loss"], expected, "loss of evaluate", rtol=1e-4)
    expect(run.history["accuracy"][-1] > 0.9, "training accuracy", expected="above 0.9", got=run.history["accuracy"])
    expect_close(looks.plain, looks.predicted, "training loss without augmentation", rtol=1e-5)
    losses = sorted([looks.predicted, *looks.augmented])
    expect(min(np.diff(losses)) > 1e-6, "training losses under augmentation", expected="other ones", got=losses)


@clause("PRE-2", Level.MUST, "base", "notes, code 6", tied="base head")
def test_preprocessing_is_applied_once(
    implementation: Implementation, idle_fit: Fit, confident: Path, small: Preset
) -> None:
    """Preprocessing is applied exactly once between the file and the base, in training, validation and prediction alike.

    Prediction and validation are compared with float64 arithmetic on images scaled once (tolerance 1e-4). In training,
    a confident model keeps its accuracy, and its loss stays within the 10 % that dropout may change.

    If this fails, check for a model that scales its inputs and is also given scaled ones, and for one that does
    neither.
    """
    model = implementation.load(confident)
    images, labels = joined(list(idle_fit.validation))
    pooled = xception.features(small.config, small.arrays, preprocess(images, SIZE))
    expected = head_of(implementation, model, 24).probabilities(pooled)
    expect_close(implementation.predict(model, images), expected, "predictions", rtol=0, atol=1e-4)
    loss = oracle.crossentropy(expected, labels)
    expect_close(idle_fit.history["val_loss"], [loss] * IDLE_EPOCHS, "validation loss", rtol=1e-3)
    expect_close(
        idle_fit.history["accuracy"], [oracle.accuracy(expected, labels)] * IDLE_EPOCHS, "training accuracy", rtol=1e-6
    )
    expect_close(np.mean(idle_fit.history["loss"]), loss, "mean training loss", rtol=0.1)
