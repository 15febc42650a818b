"""Workers forked from one process that has imported what most of them need.

Starting Python and importing SciPy, Hypothesis and a framework takes longer than most clauses. Clauses are not imported
in advance, because they read the profile of examples when they are imported. No operation of TensorFlow, Keras or JAX
is run in advance, because the first one starts threads. In such a worker Keras can run only on TensorFlow.
"""

import gc
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from multiprocessing import forkserver
from pathlib import Path
from threading import Lock

import pytest

from ... import __package__ as specification
from .process import Started, spawned

OURS = ("h5py", "hypothesis.strategies", "PIL.Image", "scipy.ndimage", "scipy.stats")
FRAMEWORKS = {  # {distribution: modules}, in the order in which they are imported
    "torch": (
        "torch._dynamo",  # which the first step of an optimiser imports, in two seconds
        "torch.utils.data",
        "safetensors.torch",
    ),
    "tensorflow": ("tensorflow",),  # after torch: the other order can crash
    "jax": ("jax",),
    "optax": ("optax",),
    "flax": ("flax.nnx",),
    "onnxruntime": ("onnxruntime",),
    "keras-hub": ("keras_hub",),
}
MOST = ("torch", "tensorflow", "jax", "optax", "keras-hub")  # imported unless others are named
KERAS = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
LOCK = Lock()


class Nursery:
    """Starts workers, by forking if the system can."""

    def __init__(self, frameworks: Iterable[str] = MOST) -> None:
        shared = [*OURS, *(module for name, of in FRAMEWORKS.items() if name in set(frameworks) for module in of)]
        self._forks = "forkserver" in multiprocessing.get_all_start_methods()
        if self._forks:
            self._context = multiprocessing.get_context("forkserver")
            modules = [module for module in shared if find_spec(module.partition(".")[0])]
            modules += ["ray"] if "ray" in sys.modules else []  # else a Ray worker's forks import its main module
            self._context.set_forkserver_preload(
                [*modules, f"{specification}.plugin", f"{specification}.running.isolation.worker"]
            )
            before = dict(os.environ)
            os.environ.update(KERAS)
            forkserver.ensure_running()  # which inherits the environment of this moment
            os.environ.clear()
            os.environ.update(before)

    def __call__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Started:
        """Start a worker in a new session; its output goes to ``log``."""
        if not self._forks:
            return spawned(arguments, environment, log)
        log.touch()
        process = self._context.Process(target=_work, args=(arguments, dict(environment), log))
        process.start()
        return _Forked(process)


def nursery(frameworks: tuple[str, ...] = MOST) -> Nursery:
    """The nursery of this process."""
    with LOCK:  # the first one changes the environment of the process for a while
        return _nursery(frameworks)


_nursery = cache(Nursery)


class _Forked:
    """A forked process with the interface of ``subprocess.Popen``."""

    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """The exit code; None while the process runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The exit code; None while the process runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code; subprocess.TimeoutExpired after ``timeout`` seconds."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("worker", timeout or 0)
        return self._process.exitcode


def _work(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    """Run pytest in a fork, and exit."""
    gc.freeze()  # collections skip what was imported; pytest alone makes five of them at its end
    os.setsid()
    nothing, output = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for file, descriptor in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(file, descriptor)
    os.environ.clear()
    os.environ.update(environment)
    code = int(pytest.main(list(arguments)))
    sys.stdout.flush()
    os._exit(code)  # saves a second that the removal of all modules would take
