"""Hooks that record calls of PyTorch's modules, criterions and optimizers while the author's code runs."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from ..judging.checks import Undecided
from .pipeline import Pipeline

DROPOUT = nn.modules.dropout._DropoutNd


@contextmanager
def watched(model: nn.Module, head: nn.Module, seen: list[tuple[Any, ...]]) -> Iterator[None]:
    """Record the first input of the model, and the input that the head then gets."""
    inputs: list[Any] = []

    def note_inputs(_: Any, given: Any) -> None:
        if not inputs:
            inputs.append(tuple(part.detach().clone() if torch.is_tensor(part) else part for part in given))

    def note_features(_: Any, given: Any) -> None:
        if not seen and inputs and given and torch.is_tensor(given[0]):
            rough = torch.is_autocast_enabled() or torch.is_autocast_enabled("cpu")
            modes = {name: module.training for name, module in model.named_modules()}
            seen.append((inputs[0], given[0].detach().clone(), rough, modes))

    with ExitStack() as hooks:
        hooks.callback(model.register_forward_pre_hook(note_inputs).remove)
        hooks.callback(head.register_forward_pre_hook(note_features).remove)
        yield


@contextmanager
def into(made: Pipeline, same: list[bool]) -> Iterator[None]:
    """Record whether the criterion gets the tensor that the model returned."""
    last: list[Any] = []

    def returned(_: Any, __: Any, outputs: Any) -> None:
        if torch.is_tensor(outputs):
            last.append(outputs.detach())

    def taken(_: Any, given: Any) -> None:
        one = given[0] if given else None
        same.append(
            one is not None
            and torch.is_tensor(one)
            and any(torch.equal(one.reshape(-1), out.reshape(-1)) for out in last)
        )

    with ExitStack() as hooks:
        hooks.callback(made.model.register_forward_hook(returned).remove)
        if isinstance(made.criterion, nn.Module):
            hooks.callback(made.criterion.register_forward_pre_hook(taken).remove)
        yield


@contextmanager
def steps(taken: list[Any]) -> Iterator[None]:
    """Record each step of an optimizer, with its largest learning rate."""
    note = lambda one, *_: taken.append((one, max(float(group["lr"]) for group in one.param_groups)))  # noqa: E731
    handle = register_optimizer_step_pre_hook(note)
    try:
        yield
    finally:
        handle.remove()


def require_steps(taken: list[Any]) -> None:
    """Raise Undecided if no optimizer step was due to move a variable."""
    if not any(rate > 0 for _, rate in taken):
        raise Undecided(
            "no step was taken (gradients accumulated over more batches, or a rate of 0?): try more --images"
        )


@contextmanager
def called(model: nn.Module, calls: list[Any]) -> Iterator[None]:
    """Record the inputs of the model, and whether it was called under autocast."""

    def note(_: Any, given: Any) -> None:
        if given and torch.is_tensor(given[0]):
            calls.append((given[0].detach().clone(), torch.is_autocast_enabled() or torch.is_autocast_enabled("cpu")))

    handle = model.register_forward_pre_hook(note)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def dropouts(head: nn.Module) -> Iterator[dict[str, bool]]:
    """Record for each dropout of the head whether it was on in every call."""
    on: dict[str, bool] = {}
    with ExitStack() as hooks:
        for name, module in head.named_modules():
            if isinstance(module, DROPOUT) and module.p > 0:
                label = name or type(module).__name__
                hook = module.register_forward_pre_hook(
                    lambda m, _, key=label: on.__setitem__(key, on.get(key, False) or m.training)
                )
                hooks.callback(hook.remove)
        yield on


@contextmanager
def same_seed() -> Iterator[None]:
    """Restore the author's random state afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
