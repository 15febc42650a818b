"""Which outputs the loss of a compiled Keras model takes, and loss and accuracy computed from outputs in NumPy."""

from typing import Any

import numpy as np

from ..judging.checks import Undecided
from .probe import Array
from .scoring import ACCURACY, LOSS, share_right

KNOWN = ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy")


def taken(model: Any) -> tuple[str, str]:
    """The loss's name, and whether it takes logits or probabilities; raises Undecided for an unknown loss."""
    loss = _loss(model)
    name = loss if isinstance(loss, str) else getattr(loss, "name", type(loss).__name__)
    if str(name) not in KNOWN:
        raise Undecided(f"it is not known what outputs the loss {name} takes")
    return str(name), "logits" if _from_logits(loss) else "probabilities"


def _loss(model: Any) -> Any:
    """The loss as it was given to ``compile``."""
    loss = getattr(model, "loss", None)
    if loss is None or isinstance(loss, dict | list | tuple):
        raise Undecided("the model is compiled with no loss, or with several")
    return loss


def _from_logits(loss: Any) -> bool:
    if getattr(loss, "from_logits", None) is not None:
        return bool(loss.from_logits)
    options = getattr(loss, "_fn_kwargs", None) or {}
    return bool(options.get("from_logits", False))


def computed(model: Any, outputs: Array, labels: Array) -> dict[str, float]:
    """The mean cross-entropy over images and the share of right answers. A smoothed loss is left out."""
    _, wanted = taken(model)
    logits = wanted == "logits"
    found = {ACCURACY: share_right(outputs, labels, logits=logits)}
    options = getattr(_loss(model), "_fn_kwargs", None) or {}
    if not options.get("label_smoothing") and not model.losses and _is_mean(_loss(model), outputs, logits):
        found[LOSS] = crossentropy(outputs.astype(np.float64), labels, logits=logits)
    return found


def _is_mean(loss: Any, outputs: Array, logits: bool) -> bool:
    """Whether the loss is surely a mean over images: no sum, one label for each, no probability rounded to 0 or 1."""
    name = loss if isinstance(loss, str) else loss.name
    if name == "binary_crossentropy" and outputs.reshape(len(outputs), -1).shape[1] > 1:
        return False
    if getattr(loss, "reduction", "sum_over_batch_size") not in ("sum_over_batch_size", "mean"):
        return False
    return logits or float(np.minimum(outputs, 1 - outputs).min()) > 1e-5


def crossentropy(outputs: Array, labels: Array, *, logits: bool) -> float:
    """The binary cross-entropy if there is one output, otherwise the cross-entropy of the right class."""
    flat = outputs.reshape(len(outputs), -1)
    if flat.shape[1] == 1:
        values = flat[:, 0]
        if logits:
            return float(np.logaddexp(0, np.where(labels == 1, -values, values)).mean())
        p = np.clip(values, 1e-7, 1 - 1e-7)  # Keras clips in the same way
        return float(-np.where(labels == 1, np.log(p), np.log1p(-p)).mean())
    if logits:
        largest = flat.max(1, keepdims=True)
        flat = np.exp(flat - largest)
    p = flat / flat.sum(1, keepdims=True)
    return float(-np.log(np.clip(p[np.arange(len(p)), labels], 1e-7, 1)).mean())
