"""The pool of a Ray cluster. Each machine needs the same Ray, specification and frameworks as this one."""

import json
import logging
import platform
import signal
import socket
import subprocess
import sys
from concurrent.futures import Future
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any, Self

from ..support.texts import LONGEST, Told, one_line
from .job import GIB, Job, perform, sources

PACKAGES = ("flax", "hypothesis", "jax", "keras", "keras-hub", "numpy", "optax", "scipy", "tensorflow", "torch")
REMEDY = "install the same versions there as here"
ANSWERS = 5  # seconds within which an address must answer
CONNECTS = 60  # seconds within which Ray must connect
LOOKS = 120  # seconds within which a machine must report its versions


class NoCluster(Told):
    """There is no cluster at an address, or it cannot run the jobs."""


class Cluster:
    """Runs jobs as tasks of Ray, which reserves their cores and their memory."""

    def __init__(self, address: str) -> None:
        self._address = address

    def __enter__(self) -> Self:
        """Connect to the cluster; NoCluster if it does not answer, or if a machine lacks what this one has."""
        self._ray = connected(self._address)
        try:
            self._machines = [machine for machine in self._ray.nodes() if machine["Alive"]]
            refuse_unlike(self._ray, self._machines)
        except BaseException:
            self._ray.shutdown()
            raise
        self._perform = self._ray.remote(max_retries=0)(perform)  # the runner repeats jobs, and counts
        return self

    def submit(self, job: Job) -> Future[str]:
        """Start a job; the future holds the answer of ``perform``, or an error if a process or machine was lost.

        NoCluster if no machine is large enough.
        """
        if not any(fits(job, machine["Resources"]) for machine in self._machines):
            needs = f"{job.cores:g} cores and {job.memory / GIB:.1f} GiB of memory"
            raise NoCluster(f"{job.name} needs {needs}, which no machine of the cluster at {self._address} has")
        reserved = self._perform.options(name=job.name, num_cpus=job.cores, memory=job.memory)
        future: Future[str] = reserved.remote(job.function, json.dumps(job.arguments)).future()
        return future

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the cluster, which ends the jobs that are still running."""
        self._ray.shutdown()


def fits(job: Job, resources: dict[str, float]) -> bool:
    """Whether a machine is large enough for a job."""
    return resources.get("CPU", 0) >= job.cores and resources.get("memory", 0) >= job.memory


def connected(address: str) -> Any:
    """The module of Ray, connected to the cluster; NoCluster if that fails."""
    try:
        import ray
    except ImportError as error:
        raise NoCluster(f"--address needs Ray ({error}): run pip install 'convspec[ray]'") from error
    try:
        _try(address)
        before = signal.getsignal(signal.SIGTERM)  # which Ray replaces
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        signal.signal(signal.SIGTERM, before)
    except (OSError, ValueError, RuntimeError) as error:
        raise NoCluster(f"no Ray cluster answers at {address}: {one_line(str(error), LONGEST // 2)}") from error
    return ray


def _try(address: str) -> None:
    """Raise a short error if nothing answers, or if it is not Ray. Ray itself reports this at length, after minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), ANSWERS).close()
    command = [sys.executable, "-c", f"import ray; ray.init({address!r}, log_to_driver=False)"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CONNECTS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"Ray was not connected within {CONNECTS} seconds") from None
    if done.returncode:
        raise ConnectionError((done.stderr.strip().splitlines() or ["Ray said nothing"])[-1])


def refuse_unlike(ray: Any, machines: list[dict[str, Any]]) -> None:
    """Raise NoCluster for the first machine that lacks what this one has, or has other versions."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def ask(machine: dict[str, Any]) -> Any:
        there = NodeAffinitySchedulingStrategy(machine["NodeID"], soft=False)
        return ray.remote(num_cpus=0, scheduling_strategy=there)(installed).remote()

    own = installed()
    for machine, answer in [(machine["NodeManagerAddress"], ask(machine)) for machine in machines]:
        try:
            there = ray.get(answer, timeout=LOOKS)
        except Exception as error:  # its type depends on what the machine lacks
            why = one_line(str(getattr(error, "cause", error)), LONGEST // 2)
            raise NoCluster(f"the machine {machine} cannot do jobs ({why}): {REMEDY}") from error
        if differs := [name for name in own if there.get(name) != own[name]]:
            has = ", ".join(f"{name} {there[name]}" if name in there else f"no {name}" for name in differs)
            here = ", ".join(f"{name} {own[name]}" for name in differs)
            raise NoCluster(f"the machine {machine} has {has} where this one has {here}: {REMEDY}")


def installed() -> dict[str, str]:
    """{what results depend on: its version} on the machine on which this is called."""
    found = {"Python": platform.python_version(), "modules of convspec": sources()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
