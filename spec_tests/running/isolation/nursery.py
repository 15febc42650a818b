"""Workers forked from one process that has imported what most of them need.

Starting Python and importing SciPy, Hypothesis and a framework takes longer than most clauses. Not imported before are
clauses, which take the profile of examples when they are. Of TensorFlow, Keras and JAX nothing is run: they start their
threads with the first operation. Keras runs on TensorFlow in such a worker, and on nothing else.
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
        "torch._dynamo",  # which the first step of an optimiser imports, for two seconds
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
MOST = ("torch", "tensorflow", "jax", "optax", "keras-hub")  # of them
KERAS = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
LOCK = Lock()


class Nursery:
    """Starts workers, by forking where the system can."""

    def __init__(self, frameworks: Iterable[str] = MOST) -> None:
        shared = [*OURS, *(module for name, of in FRAMEWORKS.items() if name in set(frameworks) for module in of)]
        self._forks = "forkserver" in multiprocessing.get_all_start_methods()
        if self._forks:
            self._context = multiprocessing.get_context("forkserver")
            modules = [module for module in shared if find_spec(module.partition(".")[0])]
            modules += ["ray"] if "ray" in sys.modules else []  # of its worker, each fork would import the main module
            self._context.set_forkserver_preload(
                [*modules, f"{specification}.plugin", f"{specification}.running.isolation.worker"]
            )
            before = dict(os.environ)
            os.environ.update(KERAS)
            forkserver.ensure_running()  # with the environment of now
            os.environ.clear()
            os.environ.update(before)

    def __call__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Started:
        """A worker in a new session, whose output goes to ``log``."""
        if not self._forks:
            return spawned(arguments, environment, log)
        log.touch()
        process = self._context.Process(target=_work, args=(arguments, dict(environment), log))
        process.start()
        return _Forked(process)


def nursery(frameworks: tuple[str, ...] = MOST) -> Nursery:
    """The one of this process."""
    with LOCK:  # its first start has the environment of the process changed for a while
        return _nursery(frameworks)


_nursery = cache(Nursery)


class _Forked:
    """Such a process, as ``subprocess`` would have it."""

    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """How it ended; None before."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended; subprocess.TimeoutExpired after so many seconds."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("worker", timeout or 0)
        return self._process.exitcode


def _work(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    """What becomes of a fork."""
    gc.freeze()  # what was imported is not looked at again by each collection, of which pytest makes five at its end
    os.setsid()
    nothing, output = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for file, descriptor in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(file, descriptor)
    os.environ.clear()
    os.environ.update(environment)
    code = int(pytest.main(list(arguments)))
    sys.stdout.flush()
    os._exit(code)  # without a second spent on taking apart all that was imported
