"""A session: a pilot of base against its copy, a plan made of it, and the rounds of the plan."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, permutations

import numpy as np

from .process import Start, Worker
from .verdict import (
    AGAIN,
    BASE,
    CONTROL,
    HEAD,
    Block,
    Estimate,
    Evidence,
    Plan,
    Round,
    Turn,
    contrasts,
    estimated,
    planned,
    versus_base,
)
from .worker import Order

TURN_SECONDS = 0.005  # about what the runs of a turn take together; short, so that all meet the same state of a machine
MOST_RUNS = 50  # of a turn
SOUNDING_RUNS = 3  # to find how long a run takes
LEAST_BLOCKS, MOST_BLOCKS = 5, 16  # of a round; others slow a machine down for a quarter of a second and more
LEAST_SECONDS = 3  # that the fewest blocks of both copies of base may take, or there are fewer
PILOT_ROUNDS, LEAST_PILOT_ROUNDS = 8, 4
PILOT_SHARE = 1 / 3  # of the time allowed, after which a pilot of the fewest rounds ends; any, when all is over

Clock = Callable[[], float]


@dataclass(frozen=True)
class Shape:
    """What a round is made of, the same for all rounds of a session."""

    runs: int  # of a turn
    blocks: int


@dataclass(frozen=True)
class Measured:
    """A benchmark's session, with all its durations."""

    shape: Shape
    pilot: tuple[Round, ...]
    plan: Plan
    rounds: tuple[Round, ...]
    minutes: float

    def evidence(self, head: str = HEAD) -> Evidence:
        """What it is decided on."""
        return Evidence(self.plan, self.estimate(versus_base(head)), self.estimate(CONTROL))

    def estimate(self, weights: dict[str, float]) -> Estimate | None:
        """Of a contrast; None if there are no rounds."""
        return estimated(contrasts(self.rounds, weights)) if self.rounds else None


def measured(
    orders: dict[str, Order], start: Start, level: float, minutes: float, rng: np.random.Generator,
    clock: Clock,
) -> Measured:  # fmt: skip
    """Measure the subjects of ``orders``, which are BASE, AGAIN and one head or several, for about so many minutes.

    ``clock`` gives seconds, ``level`` is what the test of this benchmark must reach. Lost is raised if a process is.
    """
    begun, seconds = clock(), 60 * minutes
    pair = {name: orders[name] for name in (BASE, AGAIN)}
    shape = sounded(pair, start, rng, clock)
    since, pilot = clock(), list[Round]()
    for one in islice(played(pair, start, shape, rng), PILOT_ROUNDS):
        pilot.append(one)
        share = PILOT_SHARE if len(pilot) >= LEAST_PILOT_ROUNDS else 1
        if len(pilot) > 1 and clock() - begun > share * seconds:
            break
    cost = (clock() - since) / len(pilot) * len(orders) / len(pair)  # of a round with head
    affordable = int((seconds - (clock() - begun)) / cost)
    plan = planned(contrasts(pilot, CONTROL), level, affordable)
    rounds = islice(played(orders, start, shape, rng), plan.rounds)
    return Measured(shape, tuple(pilot), plan, tuple(rounds), (clock() - begun) / 60)


def tried(orders: dict[str, Order], start: Start, rng: np.random.Generator) -> None:
    """Start each subject once: Lost is raised before anything is measured, and files are read from a disk."""
    with _workers(orders, start, rng):
        pass


def sounded(orders: dict[str, Order], start: Start, rng: np.random.Generator, clock: Clock) -> Shape:
    """The shape that measures in a round for about as long as starting its processes takes, with some blocks at least.

    Whatever the noise between and within processes is, rounds as long as that take at most twice the time of the
    best ones.
    """
    begun = clock()
    with _workers(orders, start, rng) as workers:
        starting, since = clock() - begun, clock()
        run = min(min(worker.turn(SOUNDING_RUNS)) for worker in workers.values())
        all_in_all = (clock() - since) / SOUNDING_RUNS / len(workers)  # with what is not timed
    runs = int(np.clip(TURN_SECONDS / run, 1, MOST_RUNS))
    block = 2 * len(orders) * runs * all_in_all
    least = int(np.clip(LEAST_SECONDS / block, 1, LEAST_BLOCKS))
    blocks = int(np.clip(starting / block, least, MOST_BLOCKS))
    return Shape(runs, blocks)


def played(orders: dict[str, Order], start: Start, shape: Shape, rng: np.random.Generator) -> Iterator[Round]:
    """Rounds without end, each with processes of its own."""
    sequence = sequences(list(orders), rng)
    while True:
        with _workers(orders, start, rng) as workers:
            blocks = tuple(_block(workers, next(sequence), shape.runs) for _ in range(shape.blocks))
        yield blocks


def sequences(names: Sequence[str], rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """Orders of turns without end: forth and back, so that nobody is early on the whole, and each way as often."""
    ways = list(permutations(names))
    while True:
        for index in rng.permutation(len(ways)):
            yield ways[index] + ways[index][::-1]


def _block(workers: dict[str, Worker], sequence: Sequence[str], runs: int) -> Block:
    return tuple(Turn(name, tuple(workers[name].turn(runs))) for name in sequence)


@contextmanager
def _workers(orders: dict[str, Order], start: Start, rng: np.random.Generator) -> Iterator[dict[str, Worker]]:
    """Warm processes, started side by side, in random order since the place may matter; ended afterwards."""
    names, workers = list(orders), dict[str, Worker]()
    try:
        for index in rng.permutation(len(names)):
            workers[names[index]] = start(names[index], orders[names[index]])
        for worker in workers.values():
            worker.ready()
        yield workers
    finally:
        for worker in workers.values():
            worker.end()
