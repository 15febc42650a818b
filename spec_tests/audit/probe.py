"""The observations of a pipeline, the same for every framework. Clauses judge these records and nothing else.

An observation that a pipeline does not provide for raises ``NotClaimed`` with the argument to add.
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
    """Some training: the variables before and after.

    ``every``: whether each trainable variable must have moved, as with Adam. With other optimizers small gradients can
    be lost in rounding, and a dead unit has none, so only some variables must have moved.
    """

    before: list[Variable]
    after: list[Variable]
    every: bool = True


@dataclass(frozen=True)
class Compared:
    """Two answers that must be equal."""

    what: str
    got: Any
    expected: Any
    tolerance: float


@dataclass(frozen=True)
class Scored:
    """The loss and accuracy that validation reported, and those computed from the outputs for the same images."""

    reported: dict[str, float]
    computed: dict[str, float]


@dataclass(frozen=True)
class Modes:
    """Whether each dropout was on, by name: while training, while validating, and in the epoch after a validation."""

    training: dict[str, bool]
    validating: dict[str, bool]
    afterwards: dict[str, bool]


@dataclass(frozen=True)
class Held:
    """Paths of trainable variables that no optimizer holds, and the number of variables of no model that one holds."""

    trainable: int
    forgotten: set[str]
    foreign: int


@dataclass(frozen=True)
class Line:
    """The preprocessing of pixels: value = scale × pixel + offset in each channel, and the colour of each channel."""

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
    """Digests of the images of two passes in one order, and an image that differs, for a picture.

    ``pair``: small copies of that image in both passes, (2, height, width, 3) from 0 to 255; None if there are none.
    """

    first: Array
    second: Array
    pair: Array | None = None


@dataclass(frozen=True)
class Subsets:
    """Digests of the images of each subset, with a name for each, and the order of classes of each subset."""

    training: dict[str, str] = field(default_factory=dict)
    validation: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outputs:
    """Outputs of a model as its loss takes them. ``kind`` is probabilities, logits or log-probabilities."""

    loss: str
    wanted: str
    values: Array  # (n, outputs), for images and for features far from those of any image


@dataclass(frozen=True)
class Extracted:
    """Features as the author extracts them, with their labels, and the features of the same images alone.

    ``own`` holds the labels that came with the images.
    """

    rows: Array  # (n, ...)
    labels: Array  # (n,)
    images: Array  # (m, ...), each image once
    alone: Array  # (m, ...)
    own: Array  # (m,)


@dataclass(frozen=True)
class Repeated:
    """Two runs from the same start with the same seed, and other values that must agree in both."""

    start: list[Variable]
    one: list[Variable]
    other: list[Variable]
    same: list[Compared]
    seeds: tuple[float, float] | None = None  # losses with two seeds, which must differ


@dataclass(frozen=True)
class Extraction:
    """Features of the same images in two kinds of batches, and the variables before and after."""

    compared: list[Compared]
    run: Run


class Probe(Protocol):
    """The observations. Each is made once, and one that changes a pipeline gets a new pipeline."""

    framework: str

    def frozen_runs(self) -> list[Run]:
        """The variables around an epoch of the author's training with the base frozen."""

    def base_in_training(self) -> list[Compared]:
        """The frozen base's outputs in a training step, and its outputs for the same images in inference."""

    def tuned_runs(self) -> list[Run]:
        """The variables around an epoch after ``unfreeze``."""

    def around_unfreezing(self) -> Compared:
        """Predictions before and after ``unfreeze``."""

    def predictor(self) -> tuple[Callable[[Array], Array], Array, float]:
        """The model as a function in inference mode, images that it takes, and the error that rounding may cause."""

    def validation_runs(self) -> list[Run]:
        """The variables before and after a validation."""

    def scores(self) -> list[Scored]:
        """The reported and the true scores of validation."""

    def modes(self) -> Modes:
        """The modes of the head's dropouts."""

    def held(self) -> list[Held]:
        """The variables that the optimizers hold, as built and after ``unfreeze``."""

    def two_makes(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """The variables of the bases of two models, {path: value} each."""

    def used(self) -> tuple[list[int], int]:
        """How often each training batch was taken in one epoch, and the number of epochs."""

    def passes(self) -> Passes:
        """Two passes over validation images."""

    def training_passes(self) -> Passes:
        """Two passes over training images."""

    def subsets(self) -> Subsets:
        """The images of training and of validation, compared by content."""

    def class_orders(self) -> tuple[list[str], list[str]]:
        """The class names of training and of validation, in the order of their labels."""

    def labels(self) -> dict[str, list[list[int]]]:
        """{subset: the labels that occur with the images of each class}."""

    def restored(self) -> Compared:
        """Predictions of a trained model, and of the same model saved and loaded."""

    def extraction(self) -> Extraction:
        """The author's features, in the author's batches and of each image alone."""

    def rows(self) -> list[Compared]:
        """The labels next to the author's features, and those of the images that the features were made from."""

    def through_features(self) -> Compared:
        """The head's predictions from the author's features, and the model's predictions for the images."""

    def repeated(self) -> Repeated:
        """Two pipelines, each made and trained for an epoch with the same seed."""

    def outputs(self) -> Outputs:
        """The model's outputs, and the loss that takes them."""

    def prepared(self) -> Prepared:
        """The preprocessing of the images that reach the base."""

    def kept(self) -> tuple[list[float], float]:
        """The validation losses of a training, and the loss of the model that was kept."""

    def paired(self) -> tuple[float, float]:
        """The accuracy of the author's predictions with their labels, and the accuracy of the model."""
