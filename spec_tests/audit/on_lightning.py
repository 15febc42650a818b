"""A pipeline in Lightning: the module is a model of PyTorch, and a trainer of the author's trains and validates it."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..judging.checks import NotClaimed
from .pipeline import Pipeline

LEFT_OUT = {"Checkpoint", "EarlyStopping"}  # they write files, and want numbers that one epoch does not have
PACKAGES = ("lightning", "pytorch_lightning")
QUIET = {
    "logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False,
    "accelerator": "cpu", "num_sanity_val_steps": 0,
}  # fmt: skip


def wired(make: Callable[[], Pipeline]) -> Callable[[], Pipeline]:
    """The same as functions of PyTorch."""

    def made() -> Pipeline:
        return _wired(make())

    return made


def _wired(made: Pipeline) -> Pipeline:
    module, data = made.module, made.datamodule
    if data is not None:
        data.setup("fit")
    train = made.train if made.train is not None else data.train_dataloader()
    validation = made.validation if made.validation is not None else data.val_dataloader()
    options = QUIET | dict(made.trainer)
    options["callbacks"] = [one for one in _listed(options.get("callbacks")) if not _names(one) & LEFT_OUT]
    # Callbacks freeze when fit begins: without a batch it changes nothing else.
    _trainer(options | {"limit_train_batches": 0, "limit_val_batches": 0}).fit(module, train_dataloaders=train)
    optimizers = _optimizers(module)

    def train_epoch(batches: Any) -> None:
        _trainer(options).fit(module, train_dataloaders=batches)

    def validate(batches: Any) -> dict[str, float]:
        found = _trainer(options | {"callbacks": []}).validate(module, dataloaders=batches, verbose=False)
        if not found or not found[0]:
            raise NotClaimed("validation_step logs nothing: log val_loss, val_acc, or both")
        return dict(found[0])

    return replace(
        made, model=module, train=train, validation=validation, optimizer=optimizers,
        train_epoch=train_epoch, validate=validate,
    )  # fmt: skip


def _listed(given: Any) -> list[Any]:
    return [] if given is None else list(given) if isinstance(given, list | tuple) else [given]


def _names(callback: Any) -> set[str]:
    return {kind.__name__ for kind in type(callback).mro()}


def _trainer(options: dict[str, Any]) -> Any:
    package = next(name for name in PACKAGES if find_spec(name))
    return import_module(package).Trainer(**(options | {"max_epochs": 1}))


def _optimizers(module: Any) -> Any:
    """As ``configure_optimizers`` gives them, without schedules."""
    found = module.configure_optimizers()
    if isinstance(found, dict):
        return found["optimizer"]
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], list):
        return found[0]
    return found
