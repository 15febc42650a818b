"""A search for differences: functions are called on drawn inputs and compared with the oracles.

The clauses try a few dozen inputs each, where ports are known to differ. A search tries any input, for as long as it is
allowed to. Hypothesis draws and shrinks the inputs, and stores those that differed in a folder.
"""

from pathlib import Path

FUNCTIONS = (
    "conv2d",
    "separable_conv2d",
    "max_pooling2d",
    "average_pooling2d",
    "global_average_pooling2d",
    "dense",
    "batch_normalization",
)
MINUTES = 5.0
REMEMBERED = Path(".hypothesis", "convspec-search")  # where examples that differed are kept
