"""The worked examples of the clauses, with a module for each part of the pipeline."""

from ..example import EXAMPLES, Example
from . import convolution, data, dense, learning, networks, padding, pictures, pooling, units

__all__ = ["convolution", "data", "dense", "learning", "networks", "padding", "pictures", "pooling", "units", "worked"]


def worked(clause: str) -> Example | None:
    """The example of a clause, computed anew; raises WrongExample if the oracle disagrees."""
    return EXAMPLES[clause]() if clause in EXAMPLES else None
