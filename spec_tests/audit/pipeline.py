"""An author's description of a pipeline: the model, the batches, and the functions that train and validate it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Scores = Any  # a loss, (loss, accuracy), or a dict of both
Files = tuple[list[Path], list[Path]]  # of training and of validation


@dataclass(frozen=True)
class Expects:
    """The preprocessing that a base was pretrained with: pixel × scale + offset of each channel, in this channel order.

    ``scale`` and ``offset`` are for pixels from 0 to 255; ``order`` is "rgb" or "bgr", and says which colour the first
    channel is.
    """

    scale: tuple[float, float, float]
    offset: tuple[float, float, float]
    order: str = "rgb"
    source: str = "the author"

    @classmethod
    def normalized(cls, mean: Any, std: Any, source: str = "the author") -> "Expects":
        """The preprocessing (pixel / 255 - mean) / std, in the notation of torchvision and timm."""
        scale = tuple(1 / (255 * float(s)) for s in std)
        offset = tuple(-float(m) / float(s) for m, s in zip(mean, std, strict=True))
        return cls(scale, offset, source=source)  # type: ignore[arg-type]


@dataclass(kw_only=True)
class Pipeline:
    """A model with its batches, and the code that trains it. An audit asks only for the parts that are given.

    PyTorch: ``model``, ``train``, ``validation``, ``optimizer``, ``criterion``, ``train_epoch`` and ``validate``, both
    called with batches; ``head`` or ``base`` (a module) unless the model has ``get_classifier()``, ``fc``,
    ``classifier``, ``heads`` or ``head``. Keras: ``model``, ``base`` (a layer, or a list of them), ``train`` and
    ``validation``; ``fit`` holds more arguments of ``model.fit``. Lightning: ``module``, ``datamodule``, and arguments
    of a ``trainer``.
    """

    model: Any = None
    base: Any = None
    head: Any = None
    train: Any = None  # batches of (images, labels), iterated again for each epoch
    validation: Any = None
    optimizer: Any = None
    criterion: Any = None
    train_epoch: Callable[[Any], Any] | None = None
    validate: Callable[[Any], Scores] | None = None
    fit: Mapping[str, Any] = field(default_factory=dict)  # further arguments of Keras's ``fit``
    unfreeze: Callable[[], Any] | None = None  # begins fine-tuning; may return a new optimizer
    load: Callable[[Path], tuple[Any, Any]] | None = None  # train and validation batches of another folder
    files: Files | None = None
    best: Callable[[], tuple[list[float], Any]] | None = None  # trains; returns the losses and the model that was kept
    reload: Callable[[Path], Any] | None = None  # saves the model to this path, and returns the one loaded from it
    # takes batches; returns the base's features and the labels
    features: Callable[[Any], tuple[Any, Any]] | None = None
    repeats: bool | None = None  # whether make sets all seeds, so that two runs are the same
    predictions: Callable[[], tuple[Any, Any]] | None = None  # for all of validation, with the labels
    augments: bool | None = None  # whether training images are augmented
    expects: Expects | None = None  # the preprocessing that the base was pretrained with
    excused: Mapping[str, str] = field(default_factory=dict)
    module: Any = None
    datamodule: Any = None
    trainer: Mapping[str, Any] = field(default_factory=dict)
