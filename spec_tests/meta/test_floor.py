"""The floor trains the same networks as the reference, and as the oracles say, in every framework that is installed."""

import importlib.util
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import reference
from reference.base import calibrate
from spec_tests.adapter.contract import Array, Labels
from spec_tests.adapter.implementation import load
from spec_tests.benchmarks import floor
from spec_tests.benchmarks.floor import BACKENDS, Trainer, trainer_of
from spec_tests.benchmarks.floor.bases import STATISTICS, UnreadableBase, read_base
from spec_tests.benchmarks.floor.networks import Network, classifier, convnet
from spec_tests.benchmarks.work import WORK, Settings
from spec_tests.cases.models import DROPOUT, SIZE, SMALL, moved, tinted
from spec_tests.cases.presets import Preset, UnreadablePreset, random_arrays, write_preset
from spec_tests.oracles import training as oracle
from spec_tests.oracles import xception
from spec_tests.oracles.images import preprocess

CONVNET_SIZE = (80, 78)
MOBILENET_SIZE = (48, 40)  # its blocks with strides pad odd sides and even ones
MOBILENET_WIDTH = 0.05  # blocks of equal widths: what is compiled for one serves the next
COUNT, STEPS, LEARNING_RATE = 6, 4, 1e-4
HEAD = {"hidden/kernel", "hidden/bias", "output/kernel", "output/bias"}


@dataclass(frozen=True)
class Case:
    """A network without dropout, what is to be trained of it, and the losses of the reference's first steps."""

    network: Network
    trained: set[str]
    images: Array
    labels: Labels
    losses: list[float]


@pytest.fixture(params=[os.environ["KERAS_BACKEND"]] if "KERAS_BACKEND" in os.environ else BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """That of $KERAS_BACKEND alone, or each framework that is installed."""
    name = str(request.param)
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Preset:
    """A small Xception with random weights."""
    return write_preset(tmp_path_factory.mktemp("presets") / "small", SMALL, random_arrays(SMALL, seed=1))


@pytest.fixture(scope="module")
def mobilenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A narrow MobileNetV2 with random weights whose features have a spread."""
    keras.utils.set_random_seed(1)
    base = keras.applications.MobileNetV2((*MOBILENET_SIZE, 3), MOBILENET_WIDTH, include_top=False, weights=None)
    rng = np.random.default_rng(1)
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(rng.uniform(0.5, 1.5, layer.gamma.shape))
            layer.beta.assign(rng.uniform(-0.2, 0.2, layer.beta.shape))
    calibrate(base, rng.uniform(-1, 1, (8, *MOBILENET_SIZE, 3)).astype(np.float32))
    path = tmp_path_factory.mktemp("bases") / "mobilenet.keras"
    base.save(path)
    return path


def on_xception(small: Preset, mobilenet: Path, *, tuned: bool) -> Case:
    """The classifier on the small Xception."""
    trained = HEAD | set(small.config.top_kernels() if tuned else ())
    return classifier_case(small.folder, *tinted(COUNT, seed=2), trained, tuned=tuned)


def on_mobilenet(small: Preset, mobilenet: Path) -> Case:
    """The classifier on the narrow MobileNetV2."""
    return classifier_case(mobilenet, *noise(MOBILENET_SIZE), HEAD | {"Conv_1/kernel"}, tuned=True)


def from_scratch(small: Preset, mobilenet: Path) -> Case:
    """The convnet."""
    network, (images, labels) = convnet(dropout=0.0, seed=3), noise(CONVNET_SIZE)
    model = reference.build_convnet(image_size=CONVNET_SIZE)
    model.set_weights([*network.arrays.values()])
    return Case(network, set(network.arrays), images, labels, reference_losses(model, images, labels))


def classifier_case(preset: Path, images: Array, labels: Labels, trained: set[str], *, tuned: bool) -> Case:
    """With the floor's head in the reference."""
    network = replace(classifier(read_base(preset), tuned=tuned, seed=3), dropout=0.0)
    model = reference.build_classifier(preset, image_size=images.shape[1:3])
    model = reference.unfreeze_top(model) if tuned else model
    hidden, dropout, output = model.layers[-3:]
    for name, layer in (("hidden", hidden), ("output", output)):
        layer.set_weights([network.arrays[f"{name}/kernel"], network.arrays[f"{name}/bias"]])
    dropout.rate = 0
    return Case(network, trained, images, labels, reference_losses(model, images, labels))


def reference_losses(model: Any, images: Array, labels: Labels) -> list[float]:
    """Of its first steps."""
    return [reference.train_step(model, images, labels, learning_rate=LEARNING_RATE)[1]["loss"] for _ in range(STEPS)]


def noise(size: tuple[int, int]) -> tuple[Array, Labels]:
    """A small batch."""
    return Settings(image_size=size, batch_size=COUNT).batch


CASES: dict[str, Callable[[Preset, Path], Case]] = {
    "xception frozen": partial(on_xception, tuned=False),
    "xception last four": partial(on_xception, tuned=True),
    "mobilenet last four": on_mobilenet,
    "convnet": from_scratch,
}


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest, small: Preset, mobilenet: Path) -> Case:
    """Every kind of step on every base."""
    return CASES[request.param](small, mobilenet)


def test_steps_are_those_of_the_reference_and_change_what_is_trained_alone(case: Case, backend: str) -> None:
    trainer = trainer_of(case.network, backend, LEARNING_RATE, seed=0)
    before = trainer.arrays()
    assert moved(case.network.arrays, before) == set()
    losses = [trainer.train_step(case.images, case.labels)["loss"] for _ in range(STEPS)]
    np.testing.assert_allclose(losses, case.losses, rtol=1e-3)
    assert abs(losses[-1] / losses[0] - 1) > 0.01
    assert moved(before, trainer.arrays()) == case.trained


def frozen_trainer(small: Preset, backend: str, *, dropout: float, learning_rate: float) -> tuple[Trainer, Array]:
    """The classifier on the small Xception, and the features of COUNT images."""
    network = replace(classifier(read_base(small.folder), tuned=False, seed=3), dropout=dropout)
    images, _ = tinted(COUNT, seed=2)
    features = xception.features(small.config, small.arrays, preprocess(images, SIZE))
    return trainer_of(network, backend, learning_rate, seed=0), features.astype(np.float32)


def test_loss_accuracy_and_adam_are_those_of_the_oracles(small: Preset, backend: str) -> None:
    trainer, features = frozen_trainer(small, backend, dropout=0.0, learning_rate=LEARNING_RATE)
    images, labels = tinted(COUNT, seed=2)
    offsets, gradients = [0.0], []
    for _ in range(STEPS):
        head = trainer.arrays()
        kernel, bias, last = head["hidden/kernel"], head["hidden/bias"], head["output/kernel"][:, 0]
        p = oracle.head(features, kernel, bias, last, head["output/bias"].item())
        gradients.append(float((p - labels).mean()))
        logs = trainer.train_step(images, labels)
        assert logs["loss"] == pytest.approx(oracle.crossentropy(p, labels), rel=1e-4)
        assert logs["accuracy"] == pytest.approx(oracle.accuracy(p, labels))
        offsets.append(trainer.arrays()["output/bias"].item())
    np.testing.assert_allclose(np.diff(offsets), oracle.adam(gradients, LEARNING_RATE), rtol=1e-2)


def test_dropout_spreads_losses_as_the_oracle_says(small: Preset, backend: str) -> None:
    trainer, features = frozen_trainer(small, backend, dropout=DROPOUT, learning_rate=0)
    images, labels = tinted(COUNT, seed=2)
    head, rng = trainer.arrays(), np.random.default_rng(0)
    hidden = features @ head["hidden/kernel"] + head["hidden/bias"]
    expected, got = (
        np.array(losses)
        for losses in (
            [
                oracle.dropped_losses(hidden, head["output/kernel"][:, 0], 0, labels, DROPOUT, rng).mean()
                for _ in range(400)
            ],
            [trainer.train_step(images, labels)["loss"] for _ in range(400)],
        )
    )
    assert got.mean() == pytest.approx(expected.mean(), abs=5 * expected.std() * np.sqrt(2 / 400))
    assert got.std() == pytest.approx(expected.std(), rel=0.25)


@pytest.mark.parametrize("name", ["train_from_scratch", "train_frozen", "train_last_four"])
def test_training_steps_are_work_that_can_be_timed(name: str, small: Preset, backend: str) -> None:
    work = WORK[name](load(f"{floor.__name__}:{backend}"), Settings(small.folder, CONVNET_SIZE, batch_size=2))
    logs = work.run()
    assert work.images == 2
    assert isinstance(logs, dict)
    assert {name: type(value) for name, value in logs.items()} == {"loss": float, "accuracy": float}


def test_the_floor_trains_four_layers_of_a_classifier_or_none() -> None:
    model = floor.tensorflow.build_convnet(image_size=CONVNET_SIZE, dropout=0.0, seed=0)
    with pytest.raises(ValueError, match="last four layers of a classifier"):
        floor.tensorflow.unfreeze_top(model)


def test_statistics_of_a_base_are_there_and_never_trained(small: Preset, mobilenet: Path) -> None:
    for path in (small.folder, mobilenet):
        base = read_base(path)
        statistics = {name for name in base.arrays if name.rpartition("/")[2] in STATISTICS}
        assert statistics
        assert not statistics & base.top


def test_another_base_is_refused_in_one_line(tmp_path: Path) -> None:
    inputs = keras.Input((None, None, 3))
    keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs)).save(tmp_path / "other.keras")
    with zipfile.ZipFile(tmp_path / "damaged.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": [{}]}}))
    (tmp_path / "torn.keras").write_bytes(b"PK")
    for name, words in (("other", "no MobileNetV2"), ("damaged", "cannot be read"), ("torn", "cannot be read")):
        with pytest.raises(UnreadableBase, match=words):
            read_base(tmp_path / f"{name}.keras")
    with pytest.raises(UnreadablePreset, match="no Xception"):
        read_base(tmp_path)
