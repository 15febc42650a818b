"""Stages 6 and 9: freezing, and partial fine-tuning."""

import gc
from pathlib import Path
from typing import Any

import keras
import keras_hub
import numpy as np
import pytest
from keras import layers

from reference.base import BASE
from reference.classifier import classifier_on
from reference.freezing import Variable, freeze_base, set_trainable, unfreeze_top, variables
from reference.training import load, save, train_step

XCEPTION_41 = {
    "stackwise_conv_filters": [
        [32, 64],
        [128, 128],
        [256, 256],
        [728, 728],
        *[[728] * 3] * 8,
        [728, 1024],
        [1536, 2048],
    ],
    "stackwise_pooling": [False, True, True, True, *[False] * 8, True, False],
}
TOP_KERNELS = {"block6_sepconv2/depthwise_kernel", "block6_sepconv2/pointwise_kernel"}


def names(model: Any, changed_from: list[Variable] | None = None, **wanted: Any) -> set[str]:
    """layer/variable of those variables that are as wanted, or that differ in any bit from before."""
    now = variables(model)
    if changed_from is not None:
        now = [v for v, old in zip(now, changed_from, strict=True) if v.value.tobytes() != old.value.tobytes()]
    chosen = [v for v in now if all(getattr(v, name) == value for name, value in wanted.items())]
    return {f"{v.layer}/{v.path.split('/')[-1]}" for v in chosen}


def three_steps(model: Any, batch: Any) -> list[Variable]:
    before = variables(model)
    for _ in range(3):
        model, _ = train_step(model, *batch)
    return before


def test_variables_lists_every_weight_once(classifier: Any) -> None:
    listed = variables(classifier)
    assert len(listed) == len(classifier.weights) == len({v.path for v in listed})
    assert sum(v.value.size for v in listed) == classifier.count_params()
    assert {v.part for v in listed if v.layer.startswith("block")} == {"base"}
    assert {v.layer_type for v in listed if v.part == "head"} == {"Dense"}


def test_a_frozen_base_stays_bit_identical_and_the_head_moves(classifier: Any, batch: Any) -> None:
    head = names(classifier, part="head")
    assert names(classifier, trainable=True) == head
    assert len(head) == 4
    before = three_steps(classifier, batch)
    assert names(classifier, changed_from=before) == head


def test_fine_tuning_moves_the_top_kernels_and_the_head_alone(classifier: Any, batch: Any) -> None:
    model = unfreeze_top(classifier)
    assert names(model, trainable=True, part="base") == TOP_KERNELS
    before = three_steps(model, batch)
    assert names(model, changed_from=before) == TOP_KERNELS | names(model, part="head")


@pytest.mark.parametrize(("layers", "expected"), [(5, 2), (7, 4), (8, 4)])
def test_another_number_of_top_layers(classifier: Any, layers: int, expected: int) -> None:
    model = unfreeze_top(classifier, layers=layers)
    assert len(names(model, trainable=True, part="base")) == expected
    assert not {v.path for v in variables(model) if v.trainable and v.layer_type == "BatchNormalization"}


def test_a_change_takes_effect_in_the_very_next_step_whatever_came_before(classifier: Any, batch: Any) -> None:
    model = classifier
    for change, expected in ((freeze_base, set()), (unfreeze_top, TOP_KERNELS)) * 2:
        model = change(model)
        before = three_steps(model, batch)
        assert names(model, changed_from=before, part="base") == expected


@pytest.mark.parametrize("change", [freeze_base, unfreeze_top])
def test_what_is_frozen_survives_saving_and_loading(classifier: Any, batch: Any, tmp_path: Path, change: Any) -> None:
    model = change(classifier)
    save(model, tmp_path / "model.keras")
    loaded = load(tmp_path / "model.keras")
    expected = names(model, trainable=True)
    assert names(loaded, trainable=True) == expected
    before = three_steps(loaded, batch)
    assert names(loaded, changed_from=before) == expected


def test_fine_tuning_starts_from_the_same_predictions_with_a_fresh_slow_optimiser(classifier: Any, batch: Any) -> None:
    classifier, _ = train_step(classifier, *batch)
    before = classifier.predict(batch[0], verbose=0)
    model = unfreeze_top(classifier)
    np.testing.assert_array_equal(model.predict(batch[0], verbose=0), before)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-5)
    assert int(model.optimizer.iterations) == 0


def test_setting_a_flag_to_its_own_value_reaches_the_sublayers() -> None:
    inner = keras.Sequential([keras.Input((2,)), layers.Dense(1)], trainable=False)
    set_trainable(inner, False)
    assert keras.Sequential([keras.Input((2,)), inner]).trainable_variables == []


def test_batch_normalisation_inside_a_nested_model_stays_frozen_too() -> None:
    inner = keras.Sequential([layers.Conv2D(4, 1), layers.BatchNormalization()])
    inputs = keras.Input((8, 8, 3))
    model = classifier_on(keras.Model(inputs, inner(inputs), name=BASE), layers.Rescaling(1 / 127.5, -1), (8, 8), 0)
    trained = {v.layer_type for v in variables(unfreeze_top(model)) if v.trainable and v.part == "base"}
    assert trained == {"Conv2D"}


def test_counts_of_xception_41_on_the_model_that_is_trained(tmp_path: Path) -> None:
    backbone = keras_hub.models.XceptionBackbone(**XCEPTION_41)
    assert (backbone.count_params(), len(backbone.weights)) == (20_861_480, 234)
    base = keras.Model(backbone.input, backbone.output, name=BASE)
    model = classifier_on(base, layers.Rescaling(1 / 127.5, -1), (71, 71), 0)
    assert model.count_params() == 20_861_480 + 524_801
    for change, expected in ((freeze_base, 4), (unfreeze_top, 6)):
        model = change(model)
        save(model, tmp_path / "model.keras")
        for trained in (model, load(tmp_path / "model.keras")):
            assert len(trained.trainable_variables) == expected
            assert len(trained.optimizer.variables) == 2 + 2 * expected
    top = [v for v in variables(model) if v.trainable and v.part == "base"]
    assert {v.layer for v in top} == {"block14_sepconv2"}
    assert sum(v.value.size for v in top) == 3_159_552
    set_trainable(base, True)
    assert len(model.trainable_variables) == 158
    del model, base, backbone
    gc.collect()
