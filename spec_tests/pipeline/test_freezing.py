"""Stages 6 and 9: freezing, and partial fine-tuning."""

from pathlib import Path
from typing import Any

import keras
import pytest
from keras import layers

from reference.base import BASE
from reference.classifier import classifier_on
from reference.freezing import Variable, freeze_base, set_trainable, unfreeze_top, variables
from reference.training import load, save, train_step

TOP_KERNELS = {"block6_sepconv2/depthwise_kernel", "block6_sepconv2/pointwise_kernel"}


def names(model: Any, changed_from: list[Variable] | None = None, **wanted: Any) -> set[str]:
    """{layer/variable} of the variables with the wanted attributes, or of those that differ in any bit from before."""
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


@pytest.mark.parametrize(("layers", "expected"), [(5, 2), (7, 4), (8, 4)])
def test_another_number_of_top_layers(classifier: Any, layers: int, expected: int) -> None:
    model = unfreeze_top(classifier, layers=layers)
    assert len(names(model, trainable=True, part="base")) == expected
    assert not {v.path for v in variables(model) if v.trainable and v.layer_type == "BatchNormalization"}


@pytest.mark.parametrize("change", [freeze_base, unfreeze_top])
def test_what_is_frozen_survives_saving_and_loading(classifier: Any, batch: Any, tmp_path: Path, change: Any) -> None:
    model = change(classifier)
    save(model, tmp_path / "model.keras")
    loaded = load(tmp_path / "model.keras")
    expected = names(model, trainable=True)
    assert names(loaded, trainable=True) == expected
    before = three_steps(loaded, batch)
    assert names(loaded, changed_from=before) == expected


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
