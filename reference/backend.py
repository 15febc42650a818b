"""Stage 1: choose a backend before Keras is imported (notes, code 1).

Keras reads ``KERAS_BACKEND`` once, on import. A later request for another backend has no
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
    """Make Keras use the backend ``name`` in this process; raises PipelineError if ``check_backend`` does."""
    check_backend(name)
    os.environ["KERAS_BACKEND"] = name
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if name == "torch":
        # Before TensorFlow: in the other order the process can crash, since both TensorFlow and triton, which comes
        # with PyTorch for CUDA, contain LLVM.
        for module in filter(importlib.util.find_spec, ("torch", "triton")):
            importlib.import_module(module)
    _import_tensorflow()
    register_magic()


def check_backend(name: str) -> None:
    """Raise PipelineError for an unknown or missing backend, or if Keras already runs on another one.

    Nothing is imported by the check.
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
    """Import TensorFlow, which reads the images on every backend, without its start-up messages.

    C++ prints them before any logging option is read, so the file descriptor is redirected.
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
    """Register ``%%backend`` in the running IPython shell; False if there is none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return False

    def backend(line: str, cell: str) -> None:
        """Run the cell if NAME in ``%%backend NAME`` is the current backend, otherwise say so."""
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
