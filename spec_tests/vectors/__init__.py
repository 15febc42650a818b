"""Test vectors for ports in any language, made of the oracles: ``python -m spec_tests.vectors``.

They hold what the clauses say of given numbers; what is drawn, or needs files or a whole training run,
is left to the clauses. fixtures/vectors/README.md says how they read.
"""

from collections import Counter

from .convolution import convolution, separable
from .integers import counts, sides, split
from .learning import adam_steps, loss_and_accuracy
from .networks import head, xception
from .pictures import preprocessing, resizing, transformations
from .pooling import pooling
from .topic import Topic
from .units import dense, dropout, normalization

MAKERS = (
    split,
    resizing,
    dense,
    convolution,
    separable,
    sides,
    pooling,
    normalization,
    dropout,
    transformations,
    preprocessing,
    xception,
    counts,
    head,
    loss_and_accuracy,
    adam_steps,
)


def make() -> list[Topic]:
    """Every topic, in the order of the pipeline; ValueError for an ID that is used twice."""
    topics = [maker() for maker in MAKERS]
    used = Counter(case["id"] for topic in topics for case in topic.cases)
    if twice := [name for name, times in used.items() if times > 1]:
        raise ValueError(f"{', '.join(twice)}: give one a new number")
    return topics
