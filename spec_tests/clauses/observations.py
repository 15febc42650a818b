"""Observations that clauses make of an implementation of the contract and of an audited pipeline.

The probe of a pipeline observes while the author's own code runs; for an implementation, the records of its training
runs are read. An observation for which the contract has no function is *not claimed*.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from ..adapter.contract import Array, Labels, Model, Variable
from ..adapter.implementation import Implementation
from ..audit.probe import (
    Compared,
    Extraction,
    Held,
    Modes,
    Outputs,
    Passes,
    Prepared,
    Probe,
    Repeated,
    Run,
    Scored,
    Subsets,
)
from ..cases.models import IDLE_EPOCHS, SIZE, head_of, in_batches, require_sure, tinted
from ..judging.checks import NotClaimed
from ..oracles import training

Predictor = tuple[Callable[[Array], Array], Array, float]
AUDIT_ALONE = "the contract has no function for it: it applies only to audited pipelines"


def probe_of(implementation: Implementation) -> Probe | None:
    """The probe of a pipeline; None for an implementation of the contract."""
    return vars(implementation).get("probe")


def audited(implementation: Implementation) -> Probe:
    """The probe of a pipeline; NotClaimed for an implementation of the contract."""
    if probe := probe_of(implementation):
        return probe
    raise NotClaimed(AUDIT_ALONE)


@pytest.fixture(scope="session")
def frozen_runs(implementation: Implementation, request: pytest.FixtureRequest) -> list[Run]:
    """Training runs with a frozen base."""
    if probe := probe_of(implementation):
        return probe.frozen_runs()
    steps, fits = request.getfixturevalue("frozen_steps"), request.getfixturevalue("fits")
    return [Run(steps.variables[0], steps.variables[-1]), Run(fits[0].before, fits[0].after)]


@pytest.fixture(scope="session")
def base_in_training(implementation: Implementation, request: pytest.FixtureRequest) -> list[Compared]:
    """Outputs of a frozen base during training of the head and in inference; without a probe, training losses.

    The statistics of a batch of one class would erase what distinguishes the class. A confident, correct model must
    report a small loss; a large one means that batch statistics were used.
    """
    if probe := probe_of(implementation):
        return probe.base_in_training()
    seed, found = request.getfixturevalue("seed"), []
    model = implementation.load(request.getfixturevalue("confident"))
    for label in (0, 1):
        images, labels = tinted(16, seed + 9, labels=np.full(16, label), size=implementation.image_size)
        if implementation.own:  # forty steps make the notes' model sure, unless its base learns by the batch
            require_sure(implementation.predict(model, images))
        model, logs = implementation.train_step(model, images, labels, learning_rate=1e-9)
        found.append(Compared(f"loss of a training step on class {label}", logs["loss"], 0.0, 0.2))
    return found


@pytest.fixture(scope="session")
def tuned_runs(implementation: Implementation, request: pytest.FixtureRequest) -> list[Run]:
    """Training runs after unfreezing."""
    if probe := probe_of(implementation):
        return probe.tuned_runs()
    steps, fit = request.getfixturevalue("tuning_steps"), request.getfixturevalue("tuning_fit")
    return [Run(steps.variables[0], steps.variables[-1]), Run(fit.before, fit.after)]


@pytest.fixture(scope="session")
def around_unfreezing(implementation: Implementation, request: pytest.FixtureRequest) -> Compared:
    """Predictions before and after unfreezing."""
    if probe := probe_of(implementation):
        return probe.around_unfreezing()
    model = implementation.load(request.getfixturevalue("confident"))
    images, _ = tinted(12, request.getfixturevalue("seed") + 6, size=implementation.image_size)
    before = implementation.predict(model, images)
    got = implementation.predict(implementation.unfreeze_top(model), images)
    return Compared("predictions after unfreezing", got, before, 1e-6)


@pytest.fixture(scope="session")
def predictor(implementation: Implementation, request: pytest.FixtureRequest) -> Predictor:
    """A function from images to predictions, images to try, and a tolerance."""
    if probe := probe_of(implementation):
        return probe.predictor()
    model = request.getfixturevalue("untrained")
    images, _ = tinted(70, request.getfixturevalue("seed"), size=implementation.image_size)
    return lambda images: implementation.predict(model, images), images, 1e-5


@dataclass(frozen=True)
class Trace:
    """Variables before training, after it, and after the same training with another validation set; both losses."""

    start: list[Variable]
    expected: list[Variable]
    got: list[Variable]
    losses: tuple[list[float], list[float]] = ([0.0], [1.0])


@pytest.fixture(scope="session")
def traces(implementation: Implementation, request: pytest.FixtureRequest) -> list[Trace]:
    """Runs that differ in validation alone; for a pipeline, the variables before and after a validation."""
    if probe := probe_of(implementation):
        return [Trace(run.before, run.before, run.after) for run in probe.validation_runs()]
    first, _, other = request.getfixturevalue("fits")
    return [Trace(first.before, first.after, other.after, (first.history["val_loss"], other.history["val_loss"]))]


@pytest.fixture(scope="session")
def scores(implementation: Implementation, request: pytest.FixtureRequest) -> list[Scored]:
    """Reported and true scores of models that are sure, unsure, as close to 0.5 as is known, and a little above 0.5."""
    if probe := probe_of(implementation):
        return probe.scores()
    seed, silent = request.getfixturevalue("seed"), request.getfixturevalue("silent")
    images, labels = tinted(10, seed, np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 1]), size=implementation.image_size)
    labels[8:] = 0  # wrong ones, in the short batch
    undecided = implementation.build_classifier(silent.folder, image_size=implementation.image_size, seed=seed)
    sure = implementation.load(request.getfixturevalue("confident"))
    found = [scored(implementation, m, images, labels) for m in (request.getfixturevalue("untrained"), undecided, sure)]
    leaning, _ = implementation.train_step(undecided, images, np.ones(10, np.int32), learning_rate=1e-2)
    return [*found, scored(implementation, leaning, images, labels)]


def scored(implementation: Implementation, model: Model, images: Array, labels: Labels) -> Scored:
    """Scores from an evaluation in batches of 4, and from all predictions."""
    p = implementation.predict(model, images)
    reported = implementation.evaluate(model, in_batches(images, labels, 4))
    return Scored(reported, {"loss": training.crossentropy(p, labels), "accuracy": training.accuracy(p, labels)})


@pytest.fixture(scope="session")
def uses(implementation: Implementation, request: pytest.FixtureRequest) -> list[Compared]:
    """Uses of each training batch in an epoch; without a probe, the accuracy and loss of a confident model."""
    if probe := probe_of(implementation):
        counts, epochs = probe.used()
        return [Compared("times that each batch was taken in an epoch", counts, [epochs] * len(counts), 0)]
    fit = request.getfixturevalue("idle_fit")
    images, labels = (np.concatenate(parts) for parts in zip(*fit.train, strict=True))
    p = implementation.predict(implementation.load(request.getfixturevalue("confident")), images)
    require_sure(p)
    loss = training.crossentropy(p, labels)
    return [
        Compared("training accuracy", fit.history["accuracy"], [13 / 20] * IDLE_EPOCHS, 1e-6),
        Compared("mean training loss", np.mean(fit.history["loss"]), loss, 0.1 * loss),
    ]


@pytest.fixture(scope="session")
def extraction(implementation: Implementation, request: pytest.FixtureRequest) -> Extraction:
    """Of a contract the features of two classes together, and of each by itself."""
    if probe := probe_of(implementation):
        return probe.extraction()
    model, seed = request.getfixturevalue("untrained"), request.getfixturevalue("seed")
    images, _ = tinted(8, seed, labels=np.repeat((0, 1), 4), size=implementation.image_size)
    before = implementation.variables(model)
    together = implementation.extract_features(model, images)
    allowed = 1e-4 * float(together.max())
    found = []
    for part in (slice(0, 4), slice(4, 8)):
        alone = implementation.extract_features(model, images[part])
        found.append(Compared("features of a batch of one class", alone, together[part], allowed))
    return Extraction(found, Run(before, implementation.variables(model)))


@pytest.fixture(scope="session")
def rows(implementation: Implementation, request: pytest.FixtureRequest) -> list[Compared]:
    """Of features: of a contract those of permuted images."""
    if probe := probe_of(implementation):
        return probe.rows()
    model, seed = request.getfixturevalue("untrained"), request.getfixturevalue("seed")
    images, _ = tinted(70, seed, size=implementation.image_size)
    order = np.random.default_rng(seed).permutation(70)
    expected = implementation.extract_features(model, images)[order]
    got = implementation.extract_features(model, images[order])
    return [Compared("features of permuted images", got, expected, 1e-4 * float(expected.max()))]


@dataclass(frozen=True)
class Through:
    """What a head says of features beside what the model says of images, and the losses of its training on features."""

    losses: list[list[float]]
    compared: list[Compared]


@pytest.fixture(scope="session")
def through_features(implementation: Implementation, request: pytest.FixtureRequest) -> Through:
    """Of a contract a head that was trained on features, and its checkpoint."""
    if probe := probe_of(implementation):
        return Through([], [probe.through_features()])
    preset, seed = request.getfixturevalue("small"), request.getfixturevalue("seed")
    model = implementation.build_classifier(preset.folder, image_size=SIZE, seed=seed)
    images, labels = tinted(24, seed)
    extracted = implementation.extract_features(model, images)
    checkpoint = request.getfixturevalue("tmp_path_factory").mktemp("features") / "best.keras"
    batches, options = in_batches(extracted, labels, 8), {"epochs": 4, "learning_rate": 1e-2, "seed": seed}
    model, history = implementation.fit_head(model, batches, batches, checkpoint=checkpoint, **options)
    found = []
    for trained in (model, implementation.load(checkpoint)):
        expected = head_of(implementation, trained, 24).probabilities(extracted)
        found.append(Compared("predictions for images", implementation.predict(trained, images), expected, 1e-5))
    return Through([history["loss"]], found)


@pytest.fixture(scope="session")
def repeated(implementation: Implementation, request: pytest.FixtureRequest) -> Repeated:
    """Of a contract two runs of ``fit`` with one seed, and the losses of two seeds."""
    if probe := probe_of(implementation):
        return probe.repeated()
    first, again, _ = request.getfixturevalue("fits")
    looks = request.getfixturevalue("looks")
    same = [
        Compared(f"{name} of a second run", again.history[name], first.history[name], 0)
        for name in ("loss", "val_loss")
    ]
    return Repeated(first.before, first.after, again.after, same, (looks.augmented[0], looks.other))


@pytest.fixture(scope="session")
def modes(implementation: Implementation) -> Modes:
    """Modes of the dropout layers in each phase."""
    return audited(implementation).modes()


@pytest.fixture(scope="session")
def held(implementation: Implementation) -> list[Held]:
    """Variables that the optimizers hold."""
    return audited(implementation).held()


@pytest.fixture(scope="session")
def two_makes(implementation: Implementation) -> Any:
    """The base of two models that are made one after the other."""
    return audited(implementation).two_makes()


@pytest.fixture(scope="session")
def passes(implementation: Implementation) -> Passes:
    """Two passes over the validation set."""
    return audited(implementation).passes()


@pytest.fixture(scope="session")
def training_passes(implementation: Implementation) -> Passes:
    """Two passes over the training set."""
    return audited(implementation).training_passes()


@pytest.fixture(scope="session")
def subsets(implementation: Implementation) -> Subsets:
    """Training and validation images by content."""
    return audited(implementation).subsets()


@pytest.fixture(scope="session")
def class_orders(implementation: Implementation) -> Any:
    """The class names of both subsets, in order."""
    return audited(implementation).class_orders()


@pytest.fixture(scope="session")
def labels_of_classes(implementation: Implementation) -> dict[str, list[list[int]]]:
    """The labels of each class in each subset."""
    return audited(implementation).labels()


@pytest.fixture(scope="session")
def restored(implementation: Implementation) -> Compared:
    """Predictions of a model before saving and after loading."""
    return audited(implementation).restored()


@pytest.fixture(scope="session")
def outputs(implementation: Implementation) -> Outputs:
    """Outputs of the model, and the loss that receives them."""
    return audited(implementation).outputs()


@pytest.fixture(scope="session")
def prepared(implementation: Implementation) -> Prepared:
    """Pixels as they reach the base."""
    return audited(implementation).prepared()


@pytest.fixture(scope="session")
def kept(implementation: Implementation) -> Any:
    """Validation losses of a whole training, and the loss of the model that is kept."""
    return audited(implementation).kept()


@pytest.fixture(scope="session")
def paired(implementation: Implementation) -> Any:
    """The accuracy from predictions with their labels, and the accuracy of the model."""
    return audited(implementation).paired()
