"""Loss and accuracy: those that the author's validation reports, and those computed from each image's outputs."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..judging.checks import NotClaimed, Undecided
from .probe import Array

LOSS, ACCURACY = "loss", "accuracy"
BINARY, SEVERAL = {"BCELoss", "BCEWithLogitsLoss"}, {"CrossEntropyLoss", "NLLLoss"}
NAMES = {
    LOSS: ("val_loss", "valid_loss", "validation_loss", "loss"),
    ACCURACY: (
        "accuracy",
        "acc",
        "val_accuracy",
        "val_acc",
        "binary_accuracy",
        "sparse_categorical_accuracy",
        "categorical_accuracy",
    ),
}


def scores_of(returned: Any) -> dict[str, float]:
    """{"loss": …, "accuracy": …} from what ``validate`` returned. Accuracies in per cent become shares."""
    if returned is None:
        raise NotClaimed("validate returns nothing: have it return loss, accuracy, or both")
    if isinstance(returned, Mapping):
        lower = {str(name).lower(): value for name, value in returned.items()}
        found = {kind: lower[name] for kind, names in NAMES.items() for name in reversed(names) if name in lower}
    elif isinstance(returned, tuple | list) and len(returned) >= 2:
        found = {LOSS: returned[0], ACCURACY: returned[1]}
    else:
        found = {LOSS: returned}
    try:
        numbers = {name: float(value) for name, value in found.items()}
    except (TypeError, ValueError):
        numbers = {}
    if not numbers:
        raise NotClaimed(f"validate returns {type(returned).__name__}: have it return loss, accuracy, or both")
    if numbers.get(ACCURACY, 0) > 1:
        numbers[ACCURACY] /= 100
    return numbers


def oriented(reported: dict[str, float], true: dict[str, float]) -> dict[str, float]:
    """The reported values under the names that fit: (accuracy, loss) is also allowed, and one number may be either."""
    loss, right = reported.get(LOSS), true.get(ACCURACY, np.nan)
    if loss is None or min(abs(loss - right), abs(loss / 100 - right)) > 1e-6:
        return reported
    share = loss if abs(loss - right) <= 1e-6 else loss / 100
    if ACCURACY not in reported:
        return {ACCURACY: share}
    if reported[ACCURACY] == right:
        return reported
    losses = (reported[ACCURACY], 100 * reported[ACCURACY])  # a value above 1 was read as per cent
    return {ACCURACY: share, LOSS: min(losses, key=lambda one: abs(one - true.get(LOSS, one)))}


def rounding(outputs: Array) -> float:
    """The largest difference that another order of sums may cause: 1000 times the resolution of the type."""
    kind = outputs.dtype if outputs.dtype.kind == "f" else np.dtype(np.float32)
    return float(1000 * np.finfo(kind).eps * max(1.0, float(np.abs(outputs).max())))


def computed(criterion: Any, outputs: Array, labels: Array) -> dict[str, float]:
    """The mean over images of the author's loss, and the share of right answers.

    A loss with class weights is left out.
    """
    kinds = {kind.__name__ for kind in type(criterion).mro()}
    found = {}
    if outputs.reshape(len(outputs), -1).shape[1] > 1 or kinds & BINARY:  # otherwise the threshold is unknown
        found[ACCURACY] = share_right(outputs, labels, logits="BCELoss" not in kinds)
    if kinds & (BINARY | SEVERAL) and (mean := _mean_loss(criterion, outputs, labels)) is not None:
        found[LOSS] = mean
    return found


def share_right(outputs: Array, labels: Array, *, logits: bool) -> float:
    """The share of right answers. A single output is judged by its sign, or by 0.5; several by the largest."""
    flat = outputs.reshape(len(outputs), -1)
    if flat.shape[1] > 1:
        return float((flat.argmax(1) == labels).mean())
    return float(((flat[:, 0] > (0 if logits else 0.5)) == (labels == 1)).mean())


def _mean_loss(criterion: Any, outputs: Array, labels: Array) -> float | None:
    """The mean of the author's loss over images, each computed alone; None if it cannot be computed."""
    if getattr(criterion, "reduction", "mean") not in ("mean", "sum_over_batch_size"):
        return None
    if any(getattr(criterion, name, None) is not None for name in ("weight", "pos_weight")):
        return None
    if getattr(criterion, "label_smoothing", 0):  # for training; validation may have none
        return None
    import torch  # only criterions of torch reach this line

    values = torch.as_tensor(outputs)
    flat = values.reshape(len(values), -1)
    rights = torch.as_tensor(labels)
    try:
        if flat.shape[1] == 1:
            pairs = [(values[i : i + 1], rights[i : i + 1].to(values.dtype).reshape(values[i : i + 1].shape))
                     for i in range(len(values))]  # fmt: skip
        else:
            pairs = [(values[i : i + 1], rights[i : i + 1].long()) for i in range(len(values))]
        return float(np.mean([float(criterion(one, right)) for one, right in pairs]))
    except Exception as error:  # the author's criterion may take other arguments
        raise Undecided(f"the criterion cannot be called with outputs and labels: {error}") from error
