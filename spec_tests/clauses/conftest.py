"""Presets, and the training runs that many clauses inspect."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ..adapter.contract import Array, Batches, History, Labels, Model, Variable
from ..adapter.implementation import Implementation
from ..cases.epochs import FirstLooks, first_looks_of
from ..cases.models import EPOCHS, IDLE_EPOCHS, SMALL, in_batches, named, tinted
from ..cases.presets import Preset, random_arrays, read_preset, write_preset
from ..cases.records import name_of, recorded_trials
from ..cases.trials import CONVNET_SIZE, EMBEDDED_PRESET, Split, Trial, drawn_splits
from ..cases.trials import trial as make_trial
from ..oracles.xception import XCEPTION_41
from .observations import *  # noqa: F403 - fixtures

FIRST_UNRECORDED = 1000  # the seeds of recorded trials are below


@pytest.fixture(scope="session")
def embedded() -> Preset:
    """The embedded base."""
    return read_preset(EMBEDDED_PRESET)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Preset:
    """A small Xception with random weights."""
    return write_preset(tmp_path_factory.mktemp("presets") / "small", SMALL, random_arrays(SMALL, seed=1))


@pytest.fixture(scope="session")
def silent(tmp_path_factory: pytest.TempPathFactory, small: Preset) -> Preset:
    """The same Xception with a last normalisation of zero, so that every feature of every image is zero."""
    last = f"block{len(SMALL.filters)}_sepconv{len(SMALL.filters[-1])}_bn"
    nothing = {f"{last}/{name}": np.zeros(SMALL.filters[-1][-1], np.float32) for name in ("gamma", "beta")}
    return write_preset(tmp_path_factory.mktemp("presets") / "silent", SMALL, small.arrays | nothing)


@pytest.fixture(scope="session")
def xception_41(tmp_path_factory: pytest.TempPathFactory) -> Preset:
    """The architecture of the notes with arbitrary weights, for clauses that count."""
    rng = np.random.default_rng(0)
    arrays = {name: rng.random(shape, np.float32) for name, shape in XCEPTION_41.shapes().items()}
    return write_preset(tmp_path_factory.mktemp("presets") / "xception_41", XCEPTION_41, arrays)


@dataclass(frozen=True)
class Listed:
    """A variable without its value."""

    path: str
    part: str
    trainable: bool
    size: int


@dataclass(frozen=True)
class States:
    """The variables of one model in each state of its base, and the paths of the last convolution's kernels."""

    preset: Preset
    built: list[Listed]
    unfrozen: list[Listed]
    tuned: list[Listed]
    frozen: list[Listed]
    top_kernels: set[str]


@dataclass(frozen=True)
class Steps:
    """Training steps, one by one: the variables before the first and after each, and what the steps reported."""

    model: Model
    variables: list[list[Variable]]
    losses: list[float]


@dataclass(frozen=True)
class Fit:
    """A run of ``fit``."""

    model: Model
    before: list[Variable]
    after: list[Variable]
    history: History
    train: Batches
    validation: Batches
    checkpoint: Path


@dataclass(frozen=True)
class Looks:
    """Training losses of a convnet without dropout that learns next to nothing; they depend only on the images it sees."""

    predicted: float  # for the images as they are
    plain: float
    augmented: list[float]  # of two epochs
    other: float  # with another seed


@pytest.fixture(scope="session")
def states(implementation: Implementation, small: Preset, xception_41: Preset) -> list[States]:
    """States of the small Xception and of xception_41: as built, all unfrozen, last four unfrozen, and frozen again."""

    def listed(model: Model) -> list[Listed]:
        return [Listed(v.path, v.part, v.trainable, v.value.size) for v in implementation.variables(model)]

    found = []
    for preset in (small, xception_41):
        model = implementation.build_classifier(preset.folder, image_size=(75, 75), seed=0)
        top_kernels = named(implementation, model, preset.arrays, preset.config.top_kernels())
        lists = [listed(model)]
        for change in (
            lambda model: implementation.unfreeze_top(model, layers=1000),
            implementation.unfreeze_top,
            implementation.freeze_base,
        ):
            model = change(model)
            lists.append(listed(model))
        built, unfrozen, tuned, frozen = lists
        found.append(States(preset, built, unfrozen, tuned, frozen, top_kernels))
    return found


@pytest.fixture(scope="session")
def untrained(implementation: Implementation, small: Preset, seed: int) -> Model:
    """A classifier on the small Xception, for clauses that do not change it."""
    return implementation.build_classifier(small.folder, image_size=implementation.image_size, seed=seed)


@pytest.fixture(scope="session")
def frozen_steps(implementation: Implementation, small: Preset, seed: int) -> Steps:
    """Forty steps of the head on one batch that is easy to learn; the base is frozen."""
    model = implementation.build_classifier(small.folder, image_size=implementation.image_size, seed=seed)
    return take_steps(
        implementation, model, *tinted(32, seed, size=implementation.image_size), count=40, learning_rate=3e-3
    )


@pytest.fixture(scope="session")
def confident(implementation: Implementation, frozen_steps: Steps, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model after these steps, saved: it distinguishes red from blue with confidence, even with dropout."""
    path = tmp_path_factory.mktemp("confident") / "model.keras"
    implementation.save(frozen_steps.model, path)
    return path


@pytest.fixture(scope="session")
def tuning_steps(implementation: Implementation, confident: Path, seed: int) -> Steps:
    """Four steps of fine-tuning at 1e-5, on a batch of one class whose labels are wrong."""
    model = implementation.unfreeze_top(implementation.load(confident))
    images, labels = tinted(16, seed + 1, labels=np.zeros(16, int), size=implementation.image_size)
    return take_steps(implementation, model, images, 1 - labels, count=4, learning_rate=1e-5)


@pytest.fixture(scope="session")
def tuning_fit(
    implementation: Implementation, tuning_steps: Steps, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> Fit:
    """Two more epochs of this model at 1e-4, on one batch of the other class whose labels are wrong."""
    batches = in_batches(
        tinted(16, seed + 1, labels=np.ones(16, int), size=implementation.image_size)[0], np.zeros(16, np.int32), 16
    )
    model = tuning_steps.model
    return run_fit(
        implementation, model, batches, batches, tmp_path_factory, epochs=2, learning_rate=1e-4, augment=False
    )


@pytest.fixture(scope="session")
def idle_fit(
    implementation: Implementation, confident: Path, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> Fit:
    """Epochs that learn next to nothing, in batches of 8, 8 and 4; the labels of 7 images of 20 are wrong."""
    images, labels = tinted(20, seed + 2, size=implementation.image_size)
    wrong = np.isin(np.arange(20), (1, 2, 8, 9, 16, 17, 18))
    batches = in_batches(images, np.where(wrong, 1 - labels, labels).astype(np.int32), 8)
    model = implementation.load(confident)
    return run_fit(
        implementation, model, batches, batches, tmp_path_factory, epochs=IDLE_EPOCHS, learning_rate=1e-9, augment=False
    )


@pytest.fixture(scope="session")
def fits(
    implementation: Implementation, small: Preset, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> tuple[Fit, Fit, Fit]:
    """Two identical runs of ``EPOCHS`` with augmentation, and a third with another validation set.

    The model first takes a few steps in the wrong direction, and a quarter of the validation labels is wrong. The
    validation loss therefore falls while the model learns, and rises again when it becomes overconfident,
    whatever the initial weights of the head.
    """
    learnt, rights = tinted(40, seed + 3, size=implementation.image_size)
    train = in_batches(learnt, rights, 16)
    images, labels = tinted(24, seed + 4, size=implementation.image_size)
    validation = in_batches(images, np.where(np.arange(24) % 8 < 2, 1 - labels, labels).astype(np.int32), 16)
    other = in_batches(*tinted(10, seed + 5, size=implementation.image_size), 4)
    model = implementation.build_classifier(small.folder, image_size=implementation.image_size, seed=seed)
    model = take_steps(implementation, model, learnt, 1 - rights, count=4, learning_rate=3e-3).model
    saved = tmp_path_factory.mktemp("fits") / "start.keras"
    implementation.save(model, saved)
    first, again, elsewhere = (
        run_fit(
            implementation, implementation.load(saved), train, chosen, tmp_path_factory,
            epochs=EPOCHS, learning_rate=3e-3, augment=True,
        )
        for chosen in (validation, validation, other)
    )  # fmt: skip
    return first, again, elsewhere


@pytest.fixture(scope="session")
def first_looks(implementation: Implementation, silent: Preset, tmp_path_factory: pytest.TempPathFactory) -> FirstLooks:
    """Calls that ``fit`` and ``fit_head`` make before their first epoch."""
    return first_looks_of(implementation, silent.folder, tmp_path_factory.mktemp("looks"))


@pytest.fixture(scope="session")
def looks(implementation: Implementation, tmp_path_factory: pytest.TempPathFactory, seed: int) -> Looks:
    """Losses on images of noise; each run has a new convnet."""
    images = np.random.default_rng(seed).uniform(0, 255, (4, *CONVNET_SIZE, 3)).astype(np.float32)
    batches, found = in_batches(images, np.array([0, 1, 1, 1], np.int32), 4), []
    for epochs, augment, fit_seed in ((1, False, 1), (2, True, 1), (1, True, 2)):
        model = implementation.build_convnet(image_size=CONVNET_SIZE, dropout=0.0, seed=seed)
        predicted = implementation.evaluate(model, batches)["loss"]
        run = run_fit(
            implementation, model, batches, batches, tmp_path_factory,
            epochs=epochs, learning_rate=1e-9, augment=augment, seed=fit_seed,
        )  # fmt: skip
        found.append(run.history["loss"])
    return Looks(predicted, found[0][0], found[1], found[2][0])


def take_steps(
    implementation: Implementation, model: Model, images: Array, labels: Labels, *, count: int, learning_rate: float
) -> Steps:
    """Train ``count`` steps on one batch."""
    variables, losses = [implementation.variables(model)], []
    for _ in range(count):
        model, logs = implementation.train_step(model, images, labels, learning_rate=learning_rate)
        variables.append(implementation.variables(model))
        losses.append(logs["loss"])
    return Steps(model, variables, losses)


def run_fit(
    implementation: Implementation,
    model: Model,
    train: Batches,
    validation: Batches,
    folders: pytest.TempPathFactory,
    *,
    epochs: int,
    learning_rate: float,
    augment: bool,
    seed: int = 1,
) -> Fit:
    """Train, and keep everything that clauses inspect."""
    checkpoint = folders.mktemp("fit") / "best.keras"
    before = implementation.variables(model)
    model, history = implementation.fit(
        model,
        train,
        validation,
        epochs=epochs,
        learning_rate=learning_rate,
        checkpoint=checkpoint,
        seed=seed,
        augment=augment,
    )
    return Fit(model, before, implementation.variables(model), history, train, validation, checkpoint)


@pytest.fixture(scope="session")
def splits(photographs: dict[str, Split] | None) -> dict[str, Split]:
    """Training, validation and test images of the clauses of accuracy."""
    return photographs or drawn_splits()


@pytest.fixture(scope="session")
def trial(implementation: Implementation, splits: dict[str, Split], request: pytest.FixtureRequest, seed: int) -> Trial:
    """One trial of all kinds of training, with a seed that no recorded trial used."""
    preset = request.config.option.preset or EMBEDDED_PRESET
    return make_trial(implementation, splits, preset, FIRST_UNRECORDED + seed)


@pytest.fixture(scope="session")
def recorded(request: pytest.FixtureRequest) -> list[Trial]:
    """The trials of the reference on the same data."""
    name = name_of(request.config.option.data, request.config.option.preset)
    trials = recorded_trials(name)
    if not trials:
        pytest.skip(
            f"no trials of the reference on {name} are recorded: make them with python -m spec_tests.cases.records"
        )
    return trials
