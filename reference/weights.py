"""Checks of weight files. Keras loads the arrays that the architecture needs and ignores missing or additional ones."""

import zipfile
from pathlib import Path
from typing import Any

import h5py

WEIGHTS = "model.weights.h5"  # in a preset's folder and in a .keras file
OPTIMIZER = "optimizer/"


def refuse_misfit(source: Path, model: Any, optimizer: Any = None) -> None:
    """Raise ValueError unless a preset folder or .keras file has as many arrays as the model and the optimiser."""
    names = _arrays(source)
    of_optimizer = sum(name.startswith(OPTIMIZER) for name in names)
    counts = [("architecture", len(names) - of_optimizer, len(model.weights))]
    if optimizer is not None:
        counts.append(("optimiser", of_optimizer, len(optimizer.variables)))
    for owner, found, expected in counts:
        if found != expected:
            raise ValueError(f"{found} arrays for an {owner} of {expected}")


def _arrays(source: Path) -> list[str]:
    """The names of all arrays, without links."""
    if source.is_dir():
        return _names(source / WEIGHTS)
    with zipfile.ZipFile(source) as archive, archive.open(WEIGHTS) as member:
        return _names(member)


def _names(file: Any) -> list[str]:
    names: list[str] = []
    with h5py.File(file) as stored:
        stored.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names
