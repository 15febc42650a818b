"""The fast models compute the same as the reference's models."""

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from reference import classifier as plain
from reference import fast
from reference.base import BASE
from reference.freezing import unfreeze_top, variables
from reference.training import predict, save, train_step
from spec_tests.pipeline.conftest import BACKEND

SIZE = (49, 54)  # odd and even, since same padding differs
STEPS = 3


def mobile(file: Path) -> Path:
    """A small base of layers that Xception lacks: padding, depthwise convolutions, groups, dilation, clipped ReLU."""
    keras.utils.set_random_seed(5)
    inputs = keras.Input((None, None, 3))
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(inputs)
    x = layers.Conv2D(8, 3, strides=2, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", activation="relu")(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(x)
    x = layers.DepthwiseConv2D(3, dilation_rate=2)(x)
    x = layers.AveragePooling2D(2, padding="same")(x)
    y = layers.Conv2D(24, 1, strides=2)(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(layers.SeparableConv2D(24, 3, padding="same")(x))
    x = layers.ReLU(max_value=6.0)(layers.Add()([x, y]))
    x = layers.BatchNormalization(scale=False)(layers.Conv2D(16, 1, groups=2)(x))
    keras.Model(inputs, layers.Activation("relu")(x)).save(file)
    return file


@pytest.fixture(params=["xception", "mobile"])
def preset(request: pytest.FixtureRequest, small_preset: Path, tmp_path: Path) -> Path:
    return small_preset if request.param == "xception" else mobile(tmp_path / "mobile.keras")


def photographs() -> tuple[Any, Any]:
    rng = np.random.default_rng(6)
    return rng.uniform(0, 255, (5, *SIZE, 3)).astype(np.float32), np.array([0, 1, 1, 0, 1], np.int32)


def trained(model: Any, rate: float) -> list[dict[str, float]]:
    return [train_step(model, *photographs(), learning_rate=rate)[1] for _ in range(STEPS)]


@pytest.mark.parametrize("tuned", [False, True])
def test_classifiers_are_the_same_and_learn_the_same(preset: Path, tuned: bool) -> None:
    models = [build(preset, image_size=SIZE, seed=3) for build in (plain.build_classifier, fast.build_classifier)]
    if tuned:
        models = [unfreeze_top(model) for model in models]
    assert len({tuple((v.layer_type, v.part, v.trainable, v.value.shape) for v in variables(m)) for m in models}) == 1
    slow, quick = (predict(model, photographs()[0]) for model in models)
    np.testing.assert_allclose(quick, slow, atol=1e-5)  # another order of summation in float32, layer upon layer
    losses, fast_losses = ([logs["loss"] for logs in trained(model, 1e-3)] for model in models)
    np.testing.assert_allclose(fast_losses, losses, rtol=1e-3)
    for before, after in zip(*map(variables, models), strict=True):
        # Adam's first step depends on the gradient's sign. Where the gradient is nearly zero, rounding may reverse the
        # step.
        np.testing.assert_allclose(after.value, before.value, atol=2e-3)


def test_convnets_learn_the_same() -> None:
    size = (97, 102)
    models = [build(image_size=size, dropout=0.25, seed=3) for build in (plain.build_convnet, fast.build_convnet)]
    rng = np.random.default_rng(7)
    images, labels = rng.uniform(0, 255, (4, *size, 3)).astype(np.float32), np.array([0, 1, 0, 1], np.int32)
    losses = [[train_step(model, images, labels)[1]["loss"] for _ in range(STEPS)] for model in models]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3)


def test_layers_are_others_where_keras_takes_longer(preset: Path) -> None:
    base = fast.build_classifier(preset, image_size=SIZE, seed=3).get_layer(BASE)
    assert base.input_shape[1:].index(3) == (0 if BACKEND == "torch" else 2)
    own = {type(layer).__module__ for layer in base.layers} & {f"reference.fast.on_{BACKEND}"}
    assert own or BACKEND == "tensorflow"


def test_a_saved_one_goes_on_where_none_was_built(
    small_preset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fast.build_classifier(small_preset, image_size=SIZE, seed=3)
    trained(model, 1e-3)
    save(model, tmp_path / "fast.keras")
    for name in [name for name in keras.saving.get_custom_objects() if name.startswith("convspec>")]:
        monkeypatch.delitem(keras.saving.get_custom_objects(), name)  # as in a process that has built no fast model
    monkeypatch.delitem(sys.modules, f"reference.fast.on_{BACKEND}", raising=False)
    again = fast.load(tmp_path / "fast.keras")
    np.testing.assert_array_equal(predict(again, photographs()[0]), predict(model, photographs()[0]))
    assert int(again.optimizer.iterations) == STEPS
