"""The reference with other layers in its models where Keras's layers are slow, with the same results.

On torch Keras transposes images before and after each convolution. On JAX for CPUs XLA takes several
times as long for a depthwise convolution, and for the gradient of max pooling, as for the same arithmetic
written another way. TensorFlow has neither problem, so its models are those of the reference.
"""

import importlib
from typing import Any

from .. import __all__ as __all__

NAME = "reference_fast"
OWN = ("build_classifier", "build_convnet", "load")


def __getattr__(name: str) -> Any:
    source = f"{__name__}.models" if name in OWN else __package__.rpartition(".")[0]
    return getattr(importlib.import_module(source), name)
