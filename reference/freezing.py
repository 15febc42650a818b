"""Stages 6 and 9: the parts of the base that are trained (notes, code 6 and 9).

Freezing keeps the pretrained representation. Partial fine-tuning lets its last layers adapt,
except for batch normalisation, whose statistics small batches would spoil.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from .base import BASE
from .training import FINE_TUNING_RATE, LEARNING_RATE, compile_classifier

TOP_LAYERS = 4


@dataclass(frozen=True)
class Variable:
    """One variable of a model, with the layer that owns it and the part it belongs to."""

    path: str
    layer: str
    layer_type: str
    part: str  # "base" or "head"
    trainable: bool
    value: NDArray[Any]


def freeze_base(model: Any) -> Any:
    """Make only the head trainable, and compile again; returns the model."""
    set_trainable(model.get_layer(BASE), False)
    return compile_classifier(model, LEARNING_RATE)


def unfreeze_top(model: Any, layers: int = TOP_LAYERS) -> Any:
    """Make the head and the last ``layers`` layers of the base trainable, except for batch normalisation.

    The model is compiled again at the fine-tuning rate. Otherwise the change takes effect on no backend, and
    on TensorFlow no message says so.
    """
    base = model.get_layer(BASE)
    set_trainable(base, True)  # first: afterwards it would undo what follows
    normalisations = [layer for layer in _leaves(base) if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in (*base.layers[:-layers], *normalisations):
        set_trainable(layer, False)
    return compile_classifier(model, FINE_TUNING_RATE)


def set_trainable(layer: Any, trainable: bool) -> None:
    """Freeze or unfreeze a layer and all layers inside it."""
    # On TensorFlow assigning the value that the flag already has is a no-op that leaves the
    # sublayers as they are, and `trainable=False` in a constructor never reaches them.
    layer.trainable = not trainable
    layer.trainable = trainable


def variables(model: Any) -> list[Variable]:
    """Every weight of the model without the optimiser's, in the model's order."""
    return [
        Variable(
            path=variable.path,
            layer=layer.name,
            layer_type=type(layer).__name__,
            part="base" if outer.name == BASE else "head",
            trainable=any(variable is trained for trained in model.trainable_variables),
            value=np.array(keras.ops.convert_to_numpy(variable)),
        )
        for outer in model.layers
        for layer in _leaves(outer)
        for variable in layer.weights
    ]


def _leaves(layer: Any) -> list[Any]:
    """The layers of a model, with nested models replaced by their layers; for a plain layer the layer itself."""
    if not isinstance(layer, keras.Model):
        return [layer]
    return [leaf for inner in layer.layers for leaf in _leaves(inner)]
