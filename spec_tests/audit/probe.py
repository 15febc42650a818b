"""What is observed of a pipeline, whatever it is written in. Clauses judge these records and nothing else.

An observation that a pipeline does not provide for raises ``NotClaimed`` with the line that says what to give.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from ..adapter.contract import Variable
from .pipeline import Expects

Array = NDArray[Any]


@dataclass(frozen=True)
class Run:
    """Some training: the variables before it and after.

    ``every``: whether each trainable variable must have moved, as by Adam. With another optimizer a small gradient can
    be lost in rounding, and a dead unit has none: some must have.
    """

    before: list[Variable]
    after: list[Variable]
    every: bool = True


@dataclass(frozen=True)
class Compared:
    """Two answers that must be one."""

    what: str
    got: Any
    expected: Any
    tolerance: float


@dataclass(frozen=True)
class Scored:
    """What validation reported, and what follows from the model's outputs for the same images."""

    reported: dict[str, float]
    computed: dict[str, float]


@dataclass(frozen=True)
class Modes:
    """Whether each dropout was on, by name, while training, while validating, and in the epoch after a validation."""

    training: dict[str, bool]
    validating: dict[str, bool]
    afterwards: dict[str, bool]


@dataclass(frozen=True)
class Held:
    """The paths of trainable variables that no optimizer has, and how many it has that the model does not."""

    trainable: int
    forgotten: set[str]
    foreign: int


@dataclass(frozen=True)
class Line:
    """What pixels become: value = scale × pixel + offset in each channel, and the colour that each channel is."""

    scale: tuple[float, ...]
    offset: tuple[float, ...]
    order: str


@dataclass(frozen=True)
class Prepared:
    """The preprocessing before the base in validation and training (None if not linear), and what the base expects."""

    validation: Line
    training: Line | None
    expects: Expects


@dataclass(frozen=True)
class Passes:
    """Digests of the images of two passes, in one order, and an image that differs, for a picture.

    ``pair``: what it was in either, (2, height, width, 3) from 0 to 255, small; None if there is none to show.
    """

    first: Array
    second: Array
    pair: Array | None = None


@dataclass(frozen=True)
class Subsets:
    """The digests of the images of each subset, with a name for each; the order of classes of each."""

    training: dict[str, str] = field(default_factory=dict)
    validation: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outputs:
    """What a model returns, as its loss takes it: ``kind`` is probabilities, logits or log-probabilities."""

    loss: str
    wanted: str
    values: Array  # (n, outputs), of images and of features far from any


@dataclass(frozen=True)
class Extracted:
    """Features as the author extracts them, with the labels beside them, and of their images alone.

    ``own`` are the labels that came with the images.
    """

    rows: Array  # (n, ...)
    labels: Array  # (n,)
    images: Array  # (m, ...), each once
    alone: Array  # (m, ...)
    own: Array  # (m,)


@dataclass(frozen=True)
class Repeated:
    """Two runs from the same beginning with the same seed, and what else must be the same of both."""

    start: list[Variable]
    one: list[Variable]
    other: list[Variable]
    same: list[Compared]
    seeds: tuple[float, float] | None = None  # losses of two seeds, which must not be the same


@dataclass(frozen=True)
class Extraction:
    """Features in one batch and in another, and the variables around it."""

    compared: list[Compared]
    run: Run


class Probe(Protocol):
    """The observations. Each is made once; an observation that changes a pipeline gets a new one."""

    framework: str

    def frozen_runs(self) -> list[Run]:
        """An epoch of the author's training, with the base frozen."""

    def base_in_training(self) -> list[Compared]:
        """What a frozen base gave in a training step, and what it gives for the same images in inference."""

    def tuned_runs(self) -> list[Run]:
        """An epoch after ``unfreeze``."""

    def around_unfreezing(self) -> Compared:
        """Predictions before it and after."""

    def predictor(self) -> tuple[Callable[[Array], Array], Array, float]:
        """The model as a function in inference mode, images that it takes, and what rounding may change."""

    def validation_runs(self) -> list[Run]:
        """The variables around a validation."""

    def scores(self) -> list[Scored]:
        """What validation reported, and what is true."""

    def modes(self) -> Modes:
        """Of the head's dropouts."""

    def held(self) -> list[Held]:
        """What the optimizers hold, as built and after ``unfreeze``."""

    def two_makes(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """The base's variables of two models."""

    def used(self) -> tuple[list[int], int]:
        """How often each batch of training was taken in one epoch, and the number of epochs."""

    def passes(self) -> Passes:
        """Of validation images."""

    def training_passes(self) -> Passes:
        """Of training images."""

    def subsets(self) -> Subsets:
        """By content."""

    def class_orders(self) -> tuple[list[str], list[str]]:
        """Names of classes of training and of validation, in the order of their labels."""

    def labels(self) -> dict[str, list[list[int]]]:
        """{subset: the labels that the images of each class come with}."""

    def restored(self) -> Compared:
        """Predictions of a trained model, and of what is loaded once it is saved."""

    def extraction(self) -> Extraction:
        """Of the author's features, in his batches and alone."""

    def rows(self) -> list[Compared]:
        """Labels beside his features, and those of the images that these were made from."""

    def through_features(self) -> Compared:
        """What the head says of his features, and what the model says of the images."""

    def repeated(self) -> Repeated:
        """Two pipelines, each made and trained for an epoch."""

    def outputs(self) -> Outputs:
        """Of the model, beside the loss."""

    def prepared(self) -> Prepared:
        """What reaches the base."""

    def kept(self) -> tuple[list[float], float]:
        """The validation losses of a training, and that of the model that was kept."""

    def paired(self) -> tuple[float, float]:
        """Accuracy of the author's predictions with the labels beside them, and that of the model."""
