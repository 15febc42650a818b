"""Test vectors for ports in any language, made from the oracles: ``python -m spec_tests.vectors``.

They state the results of clauses for given numbers. Results that are random, or need files or a training run,
are left to the clauses. fixtures/vectors/README.md describes the format.
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
    """All topics in the order of the pipeline; raises ValueError if an ID occurs twice."""
    topics = [maker() for maker in MAKERS]
    used = Counter(case["id"] for topic in topics for case in topic.cases)
    if twice := [name for name, times in used.items() if times > 1]:
        raise ValueError(f"{', '.join(twice)}: give one a new number")
    return topics
