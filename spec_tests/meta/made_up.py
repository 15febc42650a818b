"""A made-up machine for tests of the paired gate."""

import numpy as np

from spec_tests.benchmarks.gate.process import Worker
from spec_tests.benchmarks.gate.verdict import AGAIN, BASE, HEAD
from spec_tests.benchmarks.gate.worker import HARNESS, Order

RUN = 0.01  # seconds of a made-up run
ORDER = Order(str(HARNESS), "numpy_port", None, "augment", image_size=16, batch_size=1, seed=0)
ORDERS = {BASE: ORDER, AGAIN: ORDER, HEAD: ORDER}


class Machine:
    """A machine on which time passes only with the work of made-up workers."""

    def __init__(
        self, seed: int, slowdown: float = 0.0, process: float = 0.02, run: float = 0.02, drift: float = 0.0,
        heavy: bool = False, copy: float = 0.0,
    ) -> None:  # fmt: skip
        self.rng, self.now = np.random.default_rng(seed), 0.0
        self.slowdowns = {BASE: 0.0, AGAIN: copy, HEAD: slowdown}
        self.process, self.run, self.drift, self.heavy = process, run, drift, heavy
        self.started: list[str] = []
        self.alive = 0

    def __call__(self, name: str, order: Order) -> "MadeUp":
        """A worker: how fast its process is is settled for as long as it lives."""
        self.now += 0.05
        self.alive += 1
        self.started.append(name)
        luck = self.rng.standard_t(2.5) if self.heavy else self.rng.normal()
        return MadeUp(self, np.log(RUN) + np.log1p(self.slowdowns[name]) + self.process * luck)

    def clock(self) -> float:
        """Its time, in seconds."""
        return self.now


class MadeUp(Worker):
    """A worker without a process."""

    def __init__(self, machine: Machine, log: float) -> None:
        self.machine, self.log = machine, log

    def ready(self) -> None:
        """It is."""

    def turn(self, runs: int) -> list[float]:
        """Durations about its own speed, on a machine that grows slower."""
        logs = self.log + self.machine.drift * self.machine.now + self.machine.run * self.machine.rng.normal(size=runs)
        seconds = np.exp(logs)
        self.machine.now += float(seconds.sum())
        return [float(value) for value in seconds]

    def end(self) -> None:
        """It is gone."""
        self.machine.alive -= 1
