"""Bad checkpoints and presets: refused in one line, or loaded exactly. No code runs, and no other file is read."""

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from reference.base import load_base, load_preprocessor
from reference.errors import PipelineError
from reference.training import compile_classifier, load, predict, save, train_step
from spec_tests.cases.archives import folder, tree
from spec_tests.cases.presets import random_arrays, write_preset
from spec_tests.damage import hdf5, payloads
from spec_tests.damage.bytes import (
    Damage,
    Forged,
    Mutation,
    change_json,
    change_member,
    damaged,
    damages,
    forgeries,
    json_bytes,
    mutated,
    mutations,
    zipped,
)
from spec_tests.oracles.xception import Xception
from spec_tests.pipeline.conftest import SMALL
from spec_tests.pipeline.outcomes import REFUSED, nothing_written, outcome

TINY = Xception(((2, 2), (3, 3), (3,)), (False, True, False))
WEIGHTS = "model.weights.h5"
IMAGES = np.random.default_rng(0).uniform(0, 1, (4, 4, 4, 3)).astype(np.float32)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Keras warns in addition to raising errors


def a_few(share: int = 6) -> settings:
    """A share of the profile's examples, since loading is slow."""
    return settings(max_examples=max(settings().max_examples // share, 3))


@cache
def checkpoint() -> bytes:
    """A trained model with few weights and its optimiser, as the bytes of a file."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4, 4, 3))
    x = layers.BatchNormalization(name="normalisation")(layers.GlobalAveragePooling2D(name="pooling")(inputs))
    model = compile_classifier(keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="dense")(x)))
    train_step(model, IMAGES, np.array([0, 1, 0, 1], np.int32))
    with folder() as here:
        save(model, here / "model.keras")
        return (here / "model.keras").read_bytes()


@cache
def base_file() -> bytes:
    """A base of one convolution, as the bytes of a file."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    with folder() as here:
        keras.Model(inputs, layers.Conv2D(2, 3, name="convolution")(inputs)).save(here / "base.keras")
        return (here / "base.keras").read_bytes()


@cache
def expected() -> Any:
    """The predictions of the undamaged checkpoint for some images."""
    with folder() as here:
        (here / "model.keras").write_bytes(checkpoint())
        return predict(load(here / "model.keras"), IMAGES)


def loaded(data: bytes) -> Any:
    """The model that a checkpoint holds, or REFUSED. Asserts that nothing is written."""
    with folder() as here:
        file = here / "model.keras"
        file.write_bytes(data)
        with nothing_written(here):
            return outcome(lambda: load(file))


@pytest.mark.any_backend
@a_few()
@given(damages(), st.booleans())
def test_damaged_bytes_of_a_checkpoint(changes: tuple[Damage, ...], twice: bool) -> None:
    got = loaded(damaged(checkpoint(), changes) + checkpoint() * twice)
    if got is not REFUSED:
        np.testing.assert_array_equal(predict(got, IMAGES), expected())
        assert int(got.optimizer.iterations) == 1


@pytest.mark.any_backend
@a_few()
@given(forgeries())
def test_forged_members_of_a_checkpoint(forged: Forged) -> None:
    got = loaded(forged.of(checkpoint()))
    if got is not REFUSED:
        np.testing.assert_array_equal(predict(got, IMAGES), expected())


@pytest.mark.any_backend
@a_few()
@given(mutations())
def test_changed_configurations_of_a_checkpoint(changes: tuple[Mutation, ...]) -> None:
    """The right predictions of a changed architecture are unknown, but the model must run."""
    with folder() as here:
        file = here / "model.keras"
        file.write_bytes(checkpoint())
        change_member(file, "config.json", lambda data: json_bytes(mutated(json.loads(data), changes)))
        with nothing_written(here):
            got = outcome(lambda: load(file))
        if got is not REFUSED:
            assert got.optimizer is not None
            assert hdf5.arrays(member(file, WEIGHTS)).keys() == hdf5.arrays(member_of(checkpoint())).keys()


def member(file: Path, name: str) -> bytes:
    """One member of a .keras file, as bytes."""
    found: list[bytes] = []
    change_member(file, name, lambda data: found.append(data) or data)  # type: ignore[func-returns-value]
    return found[0]


def member_of(data: bytes) -> bytes:
    """The weights in a .keras file, as bytes."""
    with folder() as here:
        (here / "x.keras").write_bytes(data)
        return member(here / "x.keras", WEIGHTS)


ARRAYS = ("layers/dense/vars/0", "layers/batch_normalization/vars/3", "optimizer/vars/3")


@pytest.mark.any_backend
@pytest.mark.parametrize("kind", hdf5.CHANGES)
@pytest.mark.parametrize("name", ARRAYS)
def test_weights_that_are_not_those_of_a_checkpoint(kind: str, name: str, tmp_path: Path) -> None:
    outside = secret(tmp_path)
    data = hdf5.changed(member_of(checkpoint()), kind, name, outside)
    file = tmp_path / "model.keras"
    file.write_bytes(checkpoint())
    change_member(file, WEIGHTS, lambda _: data)
    with nothing_written(tmp_path):
        assert outcome(lambda: load(file)) is REFUSED


def secret(here: Path) -> Path:
    """A file that no checkpoint may read."""
    with h5py.File(here / "secret.h5", "w") as file:
        file["secret"] = np.ones((3, 1), np.float32)
        file["vars/0"] = file["vars/1"] = np.ones((3, 1), np.float32)
    return here / "secret.h5"


@pytest.mark.parametrize("payload", payloads.PAYLOADS)
def test_nothing_in_a_checkpoint_or_a_base_is_run(
    payload: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = tmp_path / "canary"
    monkeypatch.syspath_prepend(payloads.lay_module(canary))
    config = payloads.PAYLOADS[payload](canary)

    def as_layer(model: Any) -> None:
        place = model["config"]["layers"][-1]
        place |= config | {"config": config["config"] | {"name": place["name"]}}

    def as_whole(model: Any) -> None:
        model |= config

    def as_loss(model: Any) -> None:
        model["compile_config"]["loss"] = config

    cases: list[Any] = [(checkpoint(), load, change) for change in (as_layer, as_whole, as_loss)]
    cases += [(base_file(), load_base, change) for change in (as_layer, as_whole)]
    for data, loader, change in cases:
        file = tmp_path / "model.keras"
        file.write_bytes(data)
        change_json(file, "config.json", change)
        with nothing_written(tmp_path):
            assert outcome(lambda loader=loader, file=file: loader(file)) is REFUSED  # type: ignore[misc]
    assert not canary.exists()


@pytest.mark.parametrize("name", ["model.keras", WEIGHTS, "model.weights.npz", "config.json"])
@pytest.mark.parametrize("loader", [load, load_base])
def test_pickled_bytes_are_not_unpickled(name: str, loader: Any, tmp_path: Path) -> None:
    canary, file = tmp_path / "canary", tmp_path / "model.keras"
    data = payloads.pickled(canary)
    file.write_bytes(checkpoint())
    if name == "model.keras":
        file.write_bytes(data)
    elif name.endswith("npz"):
        change_member(file, WEIGHTS, lambda _: b"")
        file.write_bytes(file.read_bytes().replace(WEIGHTS.encode(), b"model.weights.XX"))
        change_member(file, name, lambda _: zipped([("layers/dense.npy", data), ("__root__.npy", data)]))
    else:
        change_member(file, name, lambda _: data)
    with nothing_written(tmp_path):
        assert outcome(lambda: loader(file)) is REFUSED
    assert not canary.exists()


@pytest.mark.parametrize("name", ["../outside.txt", "/tmp/convspec-outside.txt", "assets/../../outside.txt"])  # noqa: S108
def test_surplus_members_of_a_checkpoint_go_nowhere(name: str, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "model.keras"
    file.parent.mkdir()
    file.write_bytes(checkpoint())
    change_member(file, name, lambda _: b"outside")
    with nothing_written(tmp_path):
        got = outcome(lambda: load(file))
    assert got is REFUSED or np.array_equal(predict(got, IMAGES), expected())
    assert not Path("/tmp/convspec-outside.txt").exists()  # noqa: S108


# Presets.


@cache
def preset_files() -> dict[str, bytes]:
    """The files of a preset with a tiny Xception."""
    with folder() as here:
        write_preset(here / "preset", TINY, random_arrays(TINY, seed=0))
        return {name: bytes(data) for name, data in tree(here / "preset").items()}  # type: ignore[call-overload]


def write(here: Path, changes: dict[str, bytes] | None = None) -> Path:
    """Write the preset to a folder, with changed contents of some files."""
    preset = here / "preset"
    preset.mkdir()
    for name, data in (preset_files() | (changes or {})).items():
        (preset / name).write_bytes(data)
    return preset


def both(preset: Path) -> Any:
    """The base and its preprocessor."""
    return load_base(preset), load_preprocessor(preset, image_size=SMALL)


@pytest.mark.any_backend
@a_few(12)
@given(st.sampled_from(("config.json", "image_converter.json", "metadata.json", WEIGHTS)), damages())
def test_damaged_bytes_of_a_preset(name: str, changes: tuple[Damage, ...]) -> None:
    data = damaged(preset_files()[name], changes)
    with folder() as here:
        preset = write(here, {name: data})
        with nothing_written(here):
            got = outcome(lambda: both(preset))
        if got is not REFUSED:
            stored = hdf5.arrays((preset / WEIGHTS).read_bytes())
            numbers = [sorted(map(float, np.ravel(array))) for array in stored.values()]
            for weight in got[0].weights:
                assert sorted(map(float, np.ravel(keras.ops.convert_to_numpy(weight)))) in numbers or name != WEIGHTS


@pytest.mark.any_backend
@a_few(12)
@given(st.sampled_from(("config.json", "image_converter.json")), mutations())
def test_changed_configurations_of_a_preset(name: str, changes: tuple[Mutation, ...]) -> None:
    with folder() as here:
        data = json_bytes(mutated(json.loads(preset_files()[name]), changes))
        preset = write(here, {name: data})
        with nothing_written(here):
            outcome(lambda: both(preset))


PRESET_ARRAYS = ("layers/conv2d/vars/0", "layers/batch_normalization_1/vars/2")


@pytest.mark.any_backend
@pytest.mark.parametrize("kind", hdf5.CHANGES)
def test_weights_that_are_not_those_of_a_preset(kind: str, tmp_path: Path) -> None:
    outside = secret(tmp_path)
    name = PRESET_ARRAYS[len(kind) % 2]
    preset = write(tmp_path, {WEIGHTS: hdf5.changed(preset_files()[WEIGHTS], kind, name, outside)})
    with nothing_written(tmp_path):
        assert outcome(lambda: load_base(preset)) is REFUSED


@pytest.mark.parametrize("payload", payloads.PAYLOADS)
def test_nothing_in_a_preset_is_run(payload: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = tmp_path / "canary"
    monkeypatch.syspath_prepend(payloads.lay_module(canary))
    config = payloads.PAYLOADS[payload](canary)
    layer, place = config | {"name": "x", "inbound_nodes": []}, [["x", 0, 0]]
    functional = {"name": "base", "layers": [layer], "input_layers": place, "output_layers": place}
    wrapped = {"module": "keras", "class_name": "Functional", "config": functional, "registered_name": "Functional"}
    named = {"registered_name": config["registered_name"] or config["class_name"]}
    for name in ("config.json", "image_converter.json"):
        for content in (config | named, wrapped):
            preset = write(tmp_path, {name: json.dumps(content).encode()})
            with nothing_written(tmp_path):
                assert outcome(lambda preset=preset: both(preset)) is REFUSED  # type: ignore[misc]
            shutil.rmtree(preset)
    assert not canary.exists()


def test_a_preset_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for preset in (tmp_path / "file", tmp_path, tmp_path / "a\nb", Path("\udc80"), tmp_path / ("x" * 300)):
        with pytest.raises(PipelineError, match="cannot be loaded") as caught:
            load_base(preset)
        assert str(caught.value).isprintable()
