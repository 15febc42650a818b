"""The worked examples of the clauses, with a module for each part of the pipeline."""

from ..example import EXAMPLES, Example
from . import (
    augmenting,
    convolution,
    data,
    dense,
    files,
    frozen,
    learning,
    networks,
    padding,
    pictures,
    pooling,
    runs,
    units,
)

__all__ = [
    "augmenting",
    "convolution",
    "data",
    "dense",
    "files",
    "frozen",
    "learning",
    "networks",
    "padding",
    "pictures",
    "pooling",
    "runs",
    "units",
    "worked",
]


def worked(clause: str) -> Example | None:
    """The example of a clause, computed anew; raises WrongExample if the oracle disagrees."""
    return EXAMPLES[clause]() if clause in EXAMPLES else None
