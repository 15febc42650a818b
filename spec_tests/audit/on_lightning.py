"""A pipeline in Lightning: the module is a PyTorch model, and the author's trainer trains and validates it."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..judging.checks import NotClaimed
from .pipeline import Pipeline

LEFT_OUT = {"Checkpoint", "EarlyStopping"}  # they write files, and need metrics that one epoch does not have
PACKAGES = ("lightning", "pytorch_lightning")
QUIET = {
    "logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False,
    "accelerator": "cpu", "num_sanity_val_steps": 0,
}  # fmt: skip


def wired(make: Callable[[], Pipeline]) -> Callable[[], Pipeline]:
    """A ``make`` that returns the same pipeline with functions of PyTorch."""

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
    begun = _begun(module, train, options)
    # A schedule that follows a validation metric needs the metric in each epoch.
    watched = any(one.reduce_on_plateau for one in begun.lr_scheduler_configs)
    beside = {"val_dataloaders": validation} if watched else {}

    def train_epoch(batches: Any) -> None:
        _trainer(options | {"limit_val_batches": 1}).fit(module, train_dataloaders=batches, **beside)

    def validate(batches: Any) -> dict[str, float]:
        found = _trainer(options | {"callbacks": []}).validate(module, dataloaders=batches, verbose=False)
        if not found or not found[0]:
            raise NotClaimed("validation_step logs nothing: log val_loss, val_acc, or both")
        return dict(found[0])

    return replace(
        made, model=module, train=train, validation=validation, optimizer=list(begun.optimizers),
        train_epoch=train_epoch, validate=validate,
    )  # fmt: skip


def _begun(module: Any, train: Any, options: dict[str, Any]) -> Any:
    """A trainer in its state before the first batch, after the hooks at the start of ``fit``, such as freezing."""
    stop = import_module(_package()).Callback()
    stop.on_fit_start = lambda trainer, _: setattr(trainer, "should_stop", True)
    trainer = _trainer(options | {"callbacks": [*options["callbacks"], stop], "min_epochs": 0, "min_steps": 0})
    trainer.fit(module, train_dataloaders=train)
    return trainer


def _listed(given: Any) -> list[Any]:
    return [] if given is None else list(given) if isinstance(given, list | tuple) else [given]


def _names(callback: Any) -> set[str]:
    return {kind.__name__ for kind in type(callback).mro()}


def _package() -> str:
    return next(name for name in PACKAGES if find_spec(name))


def _trainer(options: dict[str, Any]) -> Any:
    return import_module(_package()).Trainer(**(options | {"max_epochs": 1}))
