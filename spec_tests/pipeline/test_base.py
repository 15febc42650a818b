"""Stage 6: the pretrained base and its preprocessing."""

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import keras_hub
import numpy as np
import pytest
from keras import layers
from safetensors.numpy import load_file

from reference.base import calibrate, load_base, load_preprocessor, preprocess
from reference.errors import PipelineError
from reference.presets import EMBEDDED_PRESET
from spec_tests.pipeline.conftest import SMALL


@pytest.fixture(scope="module")
def base() -> Any:
    return load_base(EMBEDDED_PRESET)


def test_the_embedded_preset_is_small_and_complete() -> None:
    files = {file.name: file.stat().st_size for file in EMBEDDED_PRESET.iterdir()}
    preset = sum(size for name, size in files.items() if name != "model.safetensors")
    assert preset <= 1_000_000
    assert {"config.json", "image_converter.json", "metadata.json", "model.weights.h5", "model.safetensors"} <= set(
        files
    )


def test_the_plain_arrays_are_the_weights_of_the_preset(base: Any) -> None:
    arrays = load_file(EMBEDDED_PRESET / "model.safetensors")
    assert len(arrays) == len(base.weights)
    for weight in base.weights:
        np.testing.assert_array_equal(arrays[weight.path], keras.ops.convert_to_numpy(weight))


def test_a_feature_map_follows_from_the_sizes_of_the_poolings(base: Any) -> None:
    for side, expected in ((180, 6), (96, 3), (48, 2)):
        assert base.compute_output_shape((None, side, side, 3)) == (None, expected, expected, 192)


def test_preprocessing_maps_grey_levels_to_minus_one_and_one() -> None:
    images = np.array([0, 127.5, 255], np.float32).reshape(3, 1, 1, 1) * np.ones((1, 4, 4, 3), np.float32)
    np.testing.assert_allclose(preprocess(images, image_size=(4, 4))[:, 0, 0, 0], [-1, 0, 1], atol=1e-6)
    assert preprocess(images, image_size=(8, 6)).shape == (3, 8, 6, 3)


def test_the_preprocessor_of_a_preset_and_of_a_keras_file_agree() -> None:
    images = np.random.default_rng(0).uniform(0, 255, (2, *SMALL, 3)).astype(np.float32)
    expected = preprocess(images, image_size=SMALL)
    for preset in (EMBEDDED_PRESET, "some.keras"):
        got = keras.ops.convert_to_numpy(load_preprocessor(preset, image_size=SMALL)(images))
        np.testing.assert_allclose(got, expected, atol=1e-6)


def test_any_keras_base_will_do(small_preset: Path, tmp_path: Path) -> None:
    base = load_base(small_preset)
    base.save(tmp_path / "base.keras")
    loaded = load_base(tmp_path / "base.keras")
    images = np.random.default_rng(0).uniform(-1, 1, (2, *SMALL, 3)).astype(np.float32)
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), base.predict(images, verbose=0))


@pytest.mark.any_backend
def test_a_preset_in_the_home_folder_is_found_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(EMBEDDED_PRESET.parent))
    base = load_base(f"~/{EMBEDDED_PRESET.name}")
    converter = load_preprocessor(f"~/{EMBEDDED_PRESET.name}", image_size=SMALL)
    assert base(converter(np.zeros((1, 4, 4, 3), np.float32))).shape == (1, 2, 2, 192)


def test_a_model_with_its_top_is_refused(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(1)]).save(tmp_path / "top.keras")
    with pytest.raises(PipelineError, match="not a feature map"):
        load_base(tmp_path / "top.keras")


@pytest.mark.parametrize("preset", ["nothing.keras", "./no_such_preset", "no_such_preset_name"])
def test_a_base_that_cannot_be_had_says_what_to_do_in_one_line(preset: str) -> None:
    with pytest.raises(PipelineError, match=r"cannot be loaded.*--base") as caught:
        load_base(preset)
    assert "\n" not in str(caught.value)


def test_a_preprocessor_that_cannot_be_had_says_what_to_do() -> None:
    with pytest.raises(PipelineError, match=r"cannot be loaded.*--base"):
        load_preprocessor("./no_such_preset", image_size=SMALL)


@pytest.mark.parametrize("fault", ["other architecture", "truncated weights"])
def test_weights_that_do_not_fit_are_refused(tmp_path: Path, fault: str) -> None:
    preset = Path(shutil.copytree(EMBEDDED_PRESET, tmp_path / "preset"))
    if fault == "other architecture":
        config = json.loads((preset / "config.json").read_text())
        config["config"]["stackwise_conv_filters"][1][0] += 8
        (preset / "config.json").write_text(json.dumps(config))
    else:
        weights = preset / "model.weights.h5"
        weights.write_bytes(weights.read_bytes()[:200_000])
    with pytest.raises(PipelineError, match="cannot be loaded"):
        load_base(preset)


def test_a_random_base_gives_features_with_a_spread_only_once_calibrated(small_preset: Path) -> None:
    base = load_base(small_preset, weights=False, seed=1)
    pretrained = load_base(small_preset)
    assert not np.array_equal(*(keras.ops.convert_to_numpy(b.weights[0]) for b in (base, pretrained)))
    images = np.random.default_rng(0).uniform(-1, 1, (16, *SMALL, 3)).astype(np.float32)
    assert base.predict(images, verbose=0).std() < 0.05
    calibrate(base, images)
    assert 0.1 < base.predict(images, verbose=0).std() < 10
    momenta = {layer.momentum for layer in base.layers if isinstance(layer, layers.BatchNormalization)}
    assert momenta == {0.99}


def test_a_seed_repeats_a_random_base(small_preset: Path) -> None:
    first, again, other = (load_base(small_preset, weights=False, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_the_backbone_is_keras_hubs_xception() -> None:
    assert isinstance(keras_hub.models.Backbone.from_preset(str(EMBEDDED_PRESET)), keras_hub.models.XceptionBackbone)
