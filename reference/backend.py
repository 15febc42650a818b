"""Stage 1: choose a backend before Keras is imported (notes, code 1).

Keras reads ``KERAS_BACKEND`` once, on import; asking for another backend afterwards has no
effect at all, so here it is an error. In a notebook the cell magic ``%%backend NAME`` runs
its cell only on the backend that the cell needs.
"""

import importlib
import importlib.util
import os
import sys

from .errors import PipelineError

BACKENDS = ("jax", "tensorflow", "torch")
DEFAULT_BACKEND = os.environ.get("KERAS_BACKEND", "jax")


def select_backend(name: str) -> None:
    """Make Keras use the backend ``name`` in this process; PipelineError where ``check_backend`` refuses it."""
    check_backend(name)
    os.environ["KERAS_BACKEND"] = name
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if name == "torch":
        importlib.import_module("torch")  # before TensorFlow: the other order can crash the process
    _import_tensorflow()
    register_magic()


def check_backend(name: str) -> None:
    """Raise PipelineError for an unknown or missing backend, and when Keras already runs on another one.

    Nothing is imported for it.
    """
    if name not in BACKENDS:
        raise PipelineError(f"unknown backend {name!r}: choose one of {', '.join(BACKENDS)}")
    if "keras" in sys.modules:
        current = sys.modules["keras"].backend.backend()
        if current != name:
            raise PipelineError(
                f"Keras already runs on {current}: restart Python, then select {name} before the first import of Keras"
            )
    if importlib.util.find_spec(name) is None:
        raise PipelineError(f"the backend {name} is not installed: run `pip install {name}`, or choose another one")


def _import_tensorflow() -> None:
    """Import TensorFlow, which reads the images on every backend, without its start-up chatter.

    That comes from C++ before any logging option is read: only the file descriptor helps.
    """
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        importlib.import_module("tensorflow").get_logger().setLevel("ERROR")
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


def register_magic() -> bool:
    """Offer ``%%backend`` in the running IPython shell; False where there is none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return False

    def backend(line: str, cell: str) -> None:
        """``%%backend NAME``: run the cell if NAME is the current backend, else say so."""
        current, required = os.environ.get("KERAS_BACKEND", ""), (line.split() or [""])[-1]
        if current == required:
            shell.run_cell(cell)
        else:
            print(
                f"This cell requires the {required} backend, and this is {current or 'none'}. To run it, select "
                f"{required!r} at the top of the notebook, restart the runtime and run the notebook again."
            )

    shell.register_magic_function(backend, magic_kind="cell", magic_name="backend")
    return True
