"""Clauses about a whole pipeline: its subsets, its outputs and loss, its optimizer, and the model that it keeps."""

from collections.abc import Mapping

import numpy as np

from ..audit.probe import Array, Compared, Held, Modes, Outputs, Passes, Prepared, Subsets
from ..cases.evidence import keep_images, keep_preprocessing
from ..cases.models import require_some
from ..judging.checks import Undecided, expect, expect_close, expect_equal
from .clause import Level, clause

TWO_WAYS = 'notes, "특징 추출 vs 파인튜닝"'
SEVERAL_LABELS = {
    "BCELoss",
    "BCEWithLogitsLoss",
    "binary_crossentropy",
}  # losses with a probability of its own for each
PIXELS = 255  # the range of a pixel


@clause("LOAD-17", Level.MUST, "data", "notes, code 4; torchvision's and Keras's folders", tied="pipeline")
def test_subsets_agree_on_their_classes(class_orders: tuple[list[str], list[str]]) -> None:
    """Training and validation give the same number to the same class.

    If this fails, check for a class that a subset lacks, and for a listing that is not sorted.
    """
    training, validation = class_orders
    both = set(training) & set(validation)
    got, right = ({name: names.index(name) for name in names if name in both} for names in (validation, training))
    expect_equal(got, right, "labels of the classes of validation")


@clause(
    "LOAD-18", Level.MUST, "data", "notes, code 4; Keras documentation of image_dataset_from_directory", tied="pipeline"
)
def test_images_come_with_the_label_of_their_class(labels_of_classes: dict[str, list[list[int]]]) -> None:
    """Each image comes with the label of its own class.

    The test sends images in a grey of their class through the author's own loader.

    If this fails, check for labels that are listed or shuffled separately from their images.
    """
    for subset, labels in labels_of_classes.items():
        mixed = [found for found in labels if len(found) > 1]
        expect_equal(mixed, [], f"labels within one class of {subset}")
        expect_equal(len({found[0] for found in labels}), len(labels), f"labels of the classes of {subset}")


@clause("SUB-11", Level.MUST, "data", "notes, code 3", tied="pipeline")
def test_training_and_validation_share_no_image(subsets: Subsets) -> None:
    """Training and validation share no image, whatever the names of the files.

    Images are compared by the bytes of their files.

    If this fails, check for slices that overlap, for a split of a listing that is not sorted, and for copies.
    """
    shared = sorted(subsets.validation[one] for one in subsets.training.keys() & subsets.validation.keys())
    many = f"{len(shared)} of {len(subsets.validation)}: {', '.join(shared[:3])}{', …' if len(shared) > 3 else ''}"
    expect(not shared, "validation images that are training images too", expected="none", got=many)


@clause("AUG-13", Level.MUST, "augmentation", 'notes, "과적합과 데이터 증강"', tied="pipeline")
def test_validation_images_are_the_same_in_each_pass(passes: Passes) -> None:
    """Validation images are the same in each pass: nothing random happens to them.

    If this fails, check for a validation set that was split from the augmented one.
    """
    first, second = passes.first, passes.second
    if passes.pair is not None:
        title, (one, other) = "the first image that differs, stretched to 0 to 255", passes.pair[:, None]
        keep_images(title, one, other, ("pass one", "pass two"))
    differ = int((first != second).sum()) if first.shape == second.shape else len(first)
    expect_equal(differ, 0, f"of {len(first)} validation images, those that differ between two passes")


@clause("AUG-14", Level.MUST, "augmentation", 'notes, "과적합과 데이터 증강"', tied="pipeline")
def test_augmented_images_differ_from_epoch_to_epoch(training_passes: Passes) -> None:
    """Augmented training images differ from one epoch to the next.

    At least one of the images must differ, because each one may be left unchanged by chance.

    If this fails, check for a cache after the augmentation, and for a seed that is set for each image.
    """
    first, second = training_passes.first, training_passes.second
    differ = int((first != second).sum()) if first.shape == second.shape else len(first)
    expect(
        differ > 0, f"of {len(first)} augmented images, those that differ between two epochs", expected="some", got=0
    )


@clause("PRE-3", Level.MUST, "base", f"{TWO_WAYS}; the documentation of each pretrained base", tied="pipeline")
def test_the_base_receives_what_it_was_pretrained_with(prepared: Prepared) -> None:
    """The base receives pixels as in its pretraining, with the same scale, shift and order of channels, in validation and in training.

    The test sends images of one colour through the author's own loader. Tolerance: 1e-3 of what 255 becomes.

    If this fails, check for a missing or an extra division by 255, for the mean and deviation of another family, and
    for blue before red.
    """
    expects = prepared.expects
    tolerance = 1e-3 * PIXELS * max(expects.scale)
    for what, line in (("validation", prepared.validation), ("training", prepared.training or prepared.validation)):
        keep_preprocessing("what the base receives", what, line, expects)
        expect_equal(line.order, expects.order, f"order of channels in {what}")
        for pixel in (0, PIXELS):
            got, right = (np.multiply(one.scale, pixel) + one.offset for one in (line, expects))
            expect_close(
                got, right, f"what pixel {pixel} becomes in {what}, beside {expects.source}", rtol=0, atol=tolerance
            )


@clause("BASE-5", Level.MUST, "base", TWO_WAYS, tied="pipeline")
def test_a_pretrained_base_is_no_fresh_one(two_makes: tuple[Mapping[str, Array], Mapping[str, Array]]) -> None:
    """A pretrained base has its pretrained weights: two models that are made one after the other have the same base.

    Weights that are drawn again differ. Weights that are drawn with the same seed each time are not detected.

    If this fails, check that pretrained weights are requested, and that they are loaded into the base that the model
    uses.
    """
    one, other = two_makes
    require_some(dict(one), "the model has no base")
    differ = {path for path in one if path not in other or one[path].tobytes() != other[path].tobytes()}
    expect_equal(differ, set(), "variables of the base that differ between two models")


@clause("HEAD-4", Level.MUST, "base", "documentation of the losses of PyTorch and Keras", tied="pipeline")
def test_outputs_are_what_the_loss_takes(outputs: Outputs) -> None:
    """The model returns what its loss expects: logits, log-probabilities or probabilities.

    The outputs are inspected for images, and for features ten thousand times as large, where logits leave the range of
    probabilities.

    If this fails, check for a softmax or a sigmoid before a loss that includes one, and for one that is missing.
    """
    got = kind_of(outputs)
    right = {"logits": ("logits", "log-probabilities")}.get(
        outputs.wanted, (outputs.wanted,)
    )  # softmax leaves logarithms
    expect(got in right, f"what the model returns to {outputs.loss}", expected=outputs.wanted, got=got)


def kind_of(outputs: Outputs) -> str:
    """Probabilities, log-probabilities or logits; Undecided if the outputs do not show which."""
    values = outputs.values.astype(np.float64)
    values = values[np.isfinite(values).all(1)]  # features that are far may overflow
    if not len(values) or np.ptp(values) == 0:
        raise Undecided("the outputs are the same for all features, or no numbers: the head may start at zero")
    several = values.shape[1] > 1
    within = bool(((values >= 0) & (values <= 1)).all())
    if not several and within and np.abs(values - 0.5).max() < 0.49:
        raise Undecided(
            "no output leaves the middle of [0, 1], whatever the features: it may be a logit or a probability"
        )
    each = not several or outputs.loss in SEVERAL_LABELS
    if within and (each or np.abs(values.sum(1) - 1).max() < 1e-4):
        return "probabilities"
    if several and (values <= 0).all() and np.abs(np.exp(values).sum(1) - 1).max() < 1e-4:
        return "log-probabilities"
    return "logits"


@clause("HEAD-5", Level.MUST, "training", "notes, code 8", tied="pipeline")
def test_predictions_come_in_the_order_of_their_labels(paired: tuple[float, float]) -> None:
    """Predictions are paired with the labels of their own images, so their accuracy is that of the model.

    Tolerance: 1e-6.

    If this fails, check for batches that are shuffled again between predicting and reading the labels.
    """
    got, right = paired
    expect_close(got, right, "accuracy of the predictions with the labels beside them", rtol=0, atol=1e-6)


@clause("TRAIN-18", Level.MUST, "training", TWO_WAYS, tied="pipeline")
def test_the_optimizer_has_all_that_is_trainable(held: list[Held]) -> None:
    """The optimizer has every trainable variable, and none that the model does not have.

    Frozen variables in the optimizer do no harm.

    If this fails, check for an optimizer that was made before the head was replaced or the base unfrozen.
    """
    for one in held:
        expect_equal(one.forgotten, set(), f"of {one.trainable} trainable variables, those that no optimizer has")
        expect_equal(one.foreign, 0, "variables of the optimizer that are not the model's")


@clause("TRAIN-19", Level.MUST, "training", "notes, code 7 and 8", tied="pipeline")
def test_dropout_follows_the_phase(modes: Modes) -> None:
    """Dropout in the head is on in training, off in validation, and on again in the epoch after a validation.

    If this fails, check for ``train()`` and ``eval()``, or the training flag, at the start of each phase.
    """
    on = set(modes.training)
    expect_equal({name for name in on if not modes.training[name]}, set(), "dropouts that are off in training")
    expect_equal(
        {name for name, is_on in modes.validating.items() if is_on}, set(), "dropouts that are on in validation"
    )
    off = {name for name, is_on in modes.afterwards.items() if not is_on}
    expect_equal(off, set(), "dropouts that are off in the epoch after a validation")


@clause("TRAIN-20", Level.MUST, "training", "notes, code 8; Keras documentation of ModelCheckpoint", tied="pipeline")
def test_the_model_that_is_kept_is_the_best(kept: tuple[list[float], float]) -> None:
    """Training keeps the model of the epoch with the lowest validation loss.

    Tolerance: 1e-3. Choosing the best accuracy instead is legitimate, and can be excused by name.

    If this fails, check for weights that are kept without a copy, and for the last epoch.
    """
    losses, loss = kept
    expect_close(loss, min(losses), f"validation loss of the model that is kept, of {len(losses)} epochs", rtol=1e-3)


@clause("TRAIN-21", Level.MUST, "training", "notes, code 8; PyTorch documentation of load_state_dict", tied="pipeline")
def test_a_model_that_is_loaded_predicts_as_the_one_that_was_saved(restored: Compared) -> None:
    """A model that is saved and loaded gives the same predictions.

    The model is trained for an epoch before it is saved. Tolerance: a thousand times the resolution of its outputs.

    If this fails, check for names that do not match and are ignored (``strict=False``, ``skip_mismatch=True``), and for
    parts of the model that are not saved.
    """
    expect_close(restored.got, restored.expected, restored.what, rtol=0, atol=restored.tolerance)
