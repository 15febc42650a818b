"""The parts of a PyTorch model: the head that is trained on features, and the variables."""

from typing import Any

from torch import nn

from ..adapter.contract import Variable
from ..judging.checks import NotClaimed
from .common import OneArray
from .pipeline import Pipeline

HEADS = ("fc", "classifier", "heads", "head")  # names that torchvision and timm use
NORMALIZATION = nn.modules.batchnorm._BatchNorm


def head_of(made: Pipeline) -> nn.Module:
    """The module that is trained on features."""
    if isinstance(made.head, nn.Module):
        return made.head
    if made.base is not None:
        own = {id(module) for base in listed(made.base) for module in base.modules()}
        left = [child for child in made.model.children() if id(child) not in own]
        if len(left) == 1:
            return left[0]
        raise NotClaimed("give head=, the module that is trained on the features of the base")
    if callable(getattr(made.model, "get_classifier", None)):
        return made.model.get_classifier()
    for name in HEADS:
        if isinstance(found := getattr(made.model, name, None), nn.Module):
            return found
    raise NotClaimed("give head= or base=, a module of the model")


def variables_of(made: Pipeline) -> list[Variable]:
    """All parameters, and the moving statistics of normalisations."""
    own = {id(module) for module in head_of(made).modules()}
    found: list[Variable] = []
    for layer, module in made.model.named_modules():
        part = "head" if id(module) in own else "base"
        kind = "BatchNormalization" if isinstance(module, NORMALIZATION) else type(module).__name__
        arrays = dict(module.named_parameters(recurse=False)) | {
            name: buffer for name, buffer in module.named_buffers(recurse=False) if buffer.is_floating_point()
        }
        for name, array in arrays.items():
            value = array.detach().cpu().numpy().copy()
            trains = bool(array.requires_grad)
            found.append(OneArray(f"{layer}.{name}".strip("."), layer, kind, part, trains, value))
    return found


def listed(one: Any) -> list[Any]:
    """A list of one object or of several."""
    return list(one) if isinstance(one, list | tuple) else [one]
