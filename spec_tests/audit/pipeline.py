"""What an author says of his pipeline: the model, the batches, and his own functions that train and validate it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Scores = Any  # a loss, (loss, accuracy), or a dict of both
Files = tuple[list[Path], list[Path]]  # of training and of validation


@dataclass(frozen=True)
class Expects:
    """What a base was pretrained with: (pixel × scale + offset) of each channel, in this order of channels.

    ``scale`` and ``offset`` are for pixels from 0 to 255; ``order`` is "rgb" or "bgr", and says which colour the first
    channel is.
    """

    scale: tuple[float, float, float]
    offset: tuple[float, float, float]
    order: str = "rgb"
    source: str = "the author"

    @classmethod
    def normalized(cls, mean: Any, std: Any, source: str = "the author") -> "Expects":
        """(pixel / 255 - mean) / std, as torchvision and timm write it."""
        scale = tuple(1 / (255 * float(s)) for s in std)
        offset = tuple(-float(m) / float(s) for m, s in zip(mean, std, strict=True))
        return cls(scale, offset, source=source)  # type: ignore[arg-type]


@dataclass(kw_only=True)
class Pipeline:
    """A model with its batches, and the code that trains it. Only what is given is asked for.

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
    fit: Mapping[str, Any] = field(default_factory=dict)  # of Keras
    unfreeze: Callable[[], Any] | None = None  # begins fine-tuning; may return the optimizer
    load: Callable[[Path], tuple[Any, Any]] | None = None  # train and validation of another folder
    files: Files | None = None
    best: Callable[[], tuple[list[float], Any]] | None = None  # trains; the losses, and the model kept
    reload: Callable[[Path], Any] | None = None  # saves the model to this path, and returns the one loaded from it
    features: Callable[[Any], tuple[Any, Any]] | None = None  # of batches: the base's features, and labels
    repeats: bool | None = None  # whether make sets all seeds, so that two runs are the same
    predictions: Callable[[], tuple[Any, Any]] | None = None  # of all of validation, and labels
    augments: bool | None = None  # whether training images are augmented
    expects: Expects | None = None  # the preprocessing that the base was pretrained with
    excused: Mapping[str, str] = field(default_factory=dict)
    module: Any = None
    datamodule: Any = None
    trainer: Mapping[str, Any] = field(default_factory=dict)
