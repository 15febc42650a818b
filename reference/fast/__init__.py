"""The reference with other layers in its models, for where Keras's own cost most: the same results, and less to read.

On torch Keras turns images about before and after each convolution, and on JAX for CPUs XLA takes several
times as long for a depthwise convolution, and for the gradient of a max pooling, as for the same arithmetic
written another way. TensorFlow has neither fault: there the models are those of the reference.
"""

import importlib
from typing import Any

from .. import __all__ as __all__

NAME = "reference_fast"
OWN = ("build_classifier", "build_convnet", "load")


def __getattr__(name: str) -> Any:
    source = f"{__name__}.models" if name in OWN else __package__.rpartition(".")[0]
    return getattr(importlib.import_module(source), name)
