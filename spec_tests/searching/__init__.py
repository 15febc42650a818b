"""A search for differences: functions called on whatever can be drawn, and compared with the oracles.

The clauses look where ports are known to differ, on a few dozen inputs each. A search looks anywhere, for as long as it
is given. Hypothesis draws, shrinks, and remembers what it found in a folder.
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
