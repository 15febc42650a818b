"""Accuracy of the whole pipeline (notes, code 8 and 10; "내가 이해한 핵심").

A trial trains on 60 images per class in every way, and is judged on 100 other images per class. It is compared
with the reference's own trials, at least 20 seeds per backend, in ``spec_tests/cases/records.json``: an
implementation that is equally good crosses a bound once in a million times, if accuracies are normal around
their mean. Differences are taken within a seed.
"""

from ..cases.records import highest, lowest
from ..cases.trials import Trial
from ..judging.checks import expect
from ..judging.statistics import ALPHA
from .clause import Level, clause

KEY_POINTS = 'notes, "내가 이해한 핵심"'
Recorded = list[Trial]


@clause("ACC-1", Level.STOCHASTIC, "tuning", "notes, code 8", tied="base head optimizer")
def test_feature_extraction_reaches_the_reference(trial: Trial, recorded: Recorded) -> None:
    """Feature extraction reaches the reference accuracy for its data set and base.

    False alarms: 1e-6. Power, as recorded on the embedded drawings: at least 0.999 where 0.15 of the predictions are
    inverted.

    If this fails, check preprocessing, the weights of the base, batch normalisation in inference mode, and the
    checkpoint.
    """
    bound = lowest([past.features for past in recorded])
    expect(trial.features >= bound, "test accuracy", expected=f"at least {bound:.3f}", got=trial.features)


@clause("ACC-2", Level.STOCHASTIC, "tuning", "notes, code 10", tied="base head optimizer")
def test_fine_tuning_does_not_fall_below(trial: Trial, recorded: Recorded) -> None:
    """The accuracy after fine-tuning does not fall below that of feature extraction by more than the margin of the recorded trials.

    False alarms: 1e-6. Power, as recorded on the embedded drawings: at least 0.999 where fine-tuning inverts 0.1 of the
    predictions.

    If this fails, check the learning rate, and check for batch normalisation that is trained or updates its statistics.
    """
    bound = lowest([past.tuned - past.features for past in recorded])
    gained = trial.tuned - trial.features
    expect(gained >= bound, "accuracy gained by fine-tuning", expected=f"at least {bound:.3f}", got=gained)


@clause("ACC-3", Level.STOCHASTIC, "tuning", 'notes, "전이학습과 사전학습 모델"', tied="base head optimizer")
def test_a_pretrained_base_beats_none(trial: Trial) -> None:
    """A pretrained base is more accurate than the same base with random weights, and than a convnet trained from scratch on equally few images.

    False alarms: below 1e-6, because the differences in the recorded trials are that far above zero. Power: only 0.5
    against a base whose weights are not loaded, which may by chance be better than another random one; ACC-1 detects
    that fault.

    If this fails, check that the weights of the base are loaded and are not overwritten.
    """
    rivals = {"a convnet from scratch": trial.convnet}
    if trial.random is not None:
        rivals["a random base"] = trial.random
    for name, accuracy in rivals.items():
        expect(
            trial.features > accuracy,
            f"accuracy of features beside {name}",
            expected=f"above {accuracy}",
            got=trial.features,
        )


@clause("ACC-4", Level.STOCHASTIC, "tuning", 'notes, "과적합과 데이터 증강"', tied="base head optimizer")
def test_augmentation_and_dropout_narrow_the_gap(trial: Trial, recorded: Recorded) -> None:
    """Augmentation and dropout narrow the gap between training and test accuracy of a convnet that is trained from scratch on few images.

    Each image counts with the predicted probability of its true class, which varies less than the share of correct
    answers. The bound computed from the recorded trials is above zero. False alarms: 1e-6. Power, as recorded on the
    embedded drawings: at least 0.999 where 0.7 of the narrowing is lost.

    If this fails, check that ``fit`` augments, and that dropout is on in training.
    """
    bound = lowest([past.gap - past.augmented_gap for past in recorded])
    got = trial.gap - trial.augmented_gap
    expect(got >= bound, "narrowing of the gap", expected=f"at least {bound:.3f}", got=got)


@clause("ACC-5", Level.STOCHASTIC, "tuning", KEY_POINTS, tied="base head optimizer")
def test_shuffled_labels_teach_nothing(trial: Trial, recorded: Recorded) -> None:
    """A model trained on shuffled labels is at chance on the test set, so no test label leaks into training.

    The result is the mean of two heads, one trained on shuffled labels and one on their opposites, so that what one
    gains by chance the other loses. Each image counts with the predicted probability of its true class, which varies
    less than the share of correct answers. False alarms: 1e-6. Power, as recorded on the embedded drawings: at least
    0.999 where the labels of 0.3 of the test images leak, and where one of the heads was trained on the right labels
    after all.

    If this fails, check that test images and their labels never reach training, in the head or in the features.
    """
    off = [past.shuffled - 0.5 for past in recorded]
    bound = highest([*off, *(-one for one in off)], alpha=ALPHA / 2)
    expect(
        abs(trial.shuffled - 0.5) <= bound,
        "mean probability of the right class",
        expected=f"0.5 ± {bound:.3f}",
        got=trial.shuffled,
    )


@clause("ACC-6", Level.STOCHASTIC, "tuning", 'notes, "합성곱 신경망 (CNNs)"', tied="base head optimizer")
def test_a_shift_rarely_changes_the_class(trial: Trial, recorded: Recorded) -> None:
    """Shifting a test image by a few pixels rarely changes its predicted class.

    Each image is shifted by 4 of 128 pixels down and to the right. False alarms: 1e-6. Power, as recorded on the
    embedded drawings: at least 0.999 where another 0.15 of the images change class.

    If this fails, check that pooling is global, and that no layer flattens the features.
    """
    bound = highest([past.changed for past in recorded])
    expect(
        trial.changed <= bound, "share of images that change class", expected=f"at most {bound:.3f}", got=trial.changed
    )


@clause("ACC-7", Level.SHOULD, "tuning", 'notes, "특징 추출 vs 파인튜닝"', tied="base head optimizer")
def test_an_epoch_over_features_costs_little(trial: Trial) -> None:
    """An epoch on cached features costs a small fraction of an epoch through the base: less than one, even for a base as small as the embedded one."""
    expect(
        trial.epochs_ratio < 1,
        "epoch over features / pass through the base",
        expected="below 1",
        got=trial.epochs_ratio,
    )
