"""A session: a pilot of base against its copy, a plan made of it, and the rounds of the plan.

All of it has a deadline, which ends processes in whatever they are at; what was over in time counts.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice, permutations

import numpy as np

from .deadline import FOREVER, Deadline, Late
from .process import Start, Worker
from .progress import SILENT, Progress
from .verdict import (
    AGAIN,
    BASE,
    CONTROL,
    HEAD,
    TOLERATED,
    Block,
    Estimate,
    Evidence,
    Plan,
    Round,
    Turn,
    contrasts,
    estimated,
    in_minutes,
    planned,
    steady_rounds,
    versus_base,
)
from .worker import Order

TURN_SECONDS = 0.005  # about what the runs of a turn take together; short, so that all meet the same state of a machine
MOST_RUNS = 50  # of a turn
SOUNDING_RUNS = 3  # to find how long a run takes
LEAST_BLOCKS, MOST_BLOCKS = 5, 16  # of a round; others slow a machine down for a quarter of a second and more
LEAST_SECONDS = 3  # that the fewest blocks of both copies of base may take, or there are fewer
PILOT_ROUNDS, LEAST_PILOT_ROUNDS = 8, 4
PILOT_SHARE = 1 / 3  # of the time allowed, after which a pilot of the fewest rounds ends
FEWEST_PILOT_ROUNDS = 2  # that a plan can be made of, where there is no time for more
RESERVE = 1.1  # of the time that a session is said to need


@dataclass(frozen=True)
class Shape:
    """What a round is made of, the same for all rounds of a session."""

    runs: int  # of a turn
    blocks: int


@dataclass(frozen=True)
class Measured:
    """A benchmark's session, with all its durations: as far as it came in time."""

    shape: Shape | None = None
    pilot: tuple[Round, ...] = ()
    plan: Plan | None = None
    rounds: tuple[Round, ...] = ()
    minutes: float = 0.0
    minutes_needed: float | None = None  # with all rounds that are needed; without a plan, for any result, at least

    @property
    def complete(self) -> bool:
        """Whether it has the rounds that are needed."""
        return self.plan is not None and len(self.rounds) >= self.plan.needed

    def evidence(self, head: str = HEAD) -> Evidence:
        """What it is decided on."""
        estimates = (self.estimate(versus_base(head)), self.estimate(CONTROL))
        return Evidence(self.plan, *estimates, made=len(self.rounds), minutes_needed=self.minutes_needed)

    def estimate(self, weights: dict[str, float]) -> Estimate | None:
        """Of a contrast; None if there are no rounds."""
        return estimated(contrasts(self.rounds, weights)) if self.rounds else None


def measured(
    orders: dict[str, Order], start: Start, level: float, deadline: Deadline, rng: np.random.Generator,
    tolerated: float = TOLERATED, gated: bool = True, progress: Progress = SILENT,
) -> Measured:  # fmt: skip
    """Measure the subjects of ``orders``, which are BASE, AGAIN and one head or several, until ``deadline``.

    ``level`` is what the test of this benchmark must reach. If it is ``gated``, and the pilot shows that the time
    is too short to find the slowdown ``tolerated``, head is not measured. Lost is raised if a process is.
    """
    clock, begun = deadline.clock, deadline.clock()
    pair = {name: orders[name] for name in (BASE, AGAIN)}
    more = len(orders) / len(pair)  # processes of a round with head, for each of the pilot's
    least = steady_rounds(level)
    pilot = _piloted(pair, start, deadline, rng, more * least if gated else 0, progress)
    shape, pace = pilot.shape, pilot.pace
    if shape is None or len(pilot.rounds) < FEWEST_PILOT_ROUNDS:
        return Measured(
            shape, tuple(pilot.rounds), minutes=(clock() - begun) / 60, minutes_needed=least_minutes(pace, level, more)
        )
    affordable = int(deadline.left() / (more * pace))
    plan = planned(contrasts(pilot.rounds, CONTROL), level, affordable, tolerated, gated)
    if plan.rounds:
        progress.phase(f"{plan.rounds} rounds with head, about {in_minutes(plan.rounds * more * pace / 60)}")
    since = clock()
    rounds = tuple(_in_time(played(orders, start, shape, rng, deadline), plan.rounds, "round", progress))
    if len(rounds) < plan.rounds:  # they took longer than the pilot's
        pace = max(pace, (clock() - since) / (len(rounds) + 1) / more)
    needed = RESERVE * (pilot.starting + pace * (PILOT_ROUNDS + more * plan.needed))
    minutes_needed = None if len(rounds) >= plan.needed else needed / 60
    return Measured(shape, tuple(pilot.rounds), plan, rounds, (clock() - begun) / 60, minutes_needed)


def least_minutes(pace: float, level: float, more: float = 1.0) -> float:
    """What any session takes at least where processes are ready, or rounds are over, after ``pace`` seconds."""
    return pace * (1 + FEWEST_PILOT_ROUNDS + more * steady_rounds(level)) / 60


@dataclass(frozen=True)
class _Pilot:
    """Rounds of base and its copy, as far as they came in time."""

    shape: Shape | None
    rounds: list[Round]
    starting: float  # seconds until the shape was known
    pace: float  # seconds of a round; at least, if there are none


def _piloted(
    pair: dict[str, Order], start: Start, deadline: Deadline, rng: np.random.Generator, hopeless: float,
    progress: Progress,
) -> _Pilot:  # fmt: skip
    """The pilot; it ends early where the time left is for fewer than ``hopeless`` rounds like its own."""
    clock, begun, allowed = deadline.clock, deadline.clock(), deadline.left()
    progress.phase("starting base and its copy")
    try:
        shape = sounded(pair, start, rng, deadline)
    except Late:
        return _Pilot(None, [], clock() - begun, clock() - begun)
    since, ended, rounds = clock(), None, list[Round]()
    for one in _in_time(played(pair, start, shape, rng, deadline), PILOT_ROUNDS, "round of the pilot", progress):
        rounds.append(one)
        ended = clock()
        left = deadline.left() * len(rounds) / (ended - since)
        if len(rounds) >= LEAST_PILOT_ROUNDS:
            over = left < hopeless or ended - begun > PILOT_SHARE * allowed
        else:
            over = len(rounds) >= FEWEST_PILOT_ROUNDS and left < hopeless / 2  # their pace may be by chance
        if over:
            break
    pace = clock() - since if ended is None else (ended - since) / len(rounds)
    return _Pilot(shape, rounds, since - begun, pace)


def _in_time(rounds: Iterator[Round], most: int, name: str, progress: Progress) -> Iterator[Round]:
    """So many rounds, or those that are over before the time is."""
    with suppress(Late):
        for number, one in enumerate(islice(rounds, most), 1):
            progress.step(f"{name} {number} of {most}")
            yield one


def tried(orders: dict[str, Order], start: Start, rng: np.random.Generator, deadline: Deadline = FOREVER) -> None:
    """Start each subject once: Lost is raised before anything is measured, and files are read from a disk."""
    with _workers(orders, start, rng, deadline):
        pass


def sounded(orders: dict[str, Order], start: Start, rng: np.random.Generator, deadline: Deadline) -> Shape:
    """The shape that measures in a round for about as long as starting its processes takes, with some blocks at least.

    Whatever the noise between and within processes is, rounds as long as that take at most twice the time of the
    best ones.
    """
    clock, begun = deadline.clock, deadline.clock()
    with _workers(orders, start, rng, deadline) as workers:
        starting, since = clock() - begun, clock()
        run = min(min(worker.turn(SOUNDING_RUNS)) for worker in workers.values())
        all_in_all = (clock() - since) / SOUNDING_RUNS / len(workers)  # with what is not timed
    runs = int(np.clip(TURN_SECONDS / run, 1, MOST_RUNS))
    block = 2 * len(orders) * runs * all_in_all
    least = int(np.clip(LEAST_SECONDS / block, 1, LEAST_BLOCKS))
    blocks = int(np.clip(starting / block, least, MOST_BLOCKS))
    return Shape(runs, blocks)


def played(
    orders: dict[str, Order], start: Start, shape: Shape, rng: np.random.Generator, deadline: Deadline = FOREVER
) -> Iterator[Round]:
    """Rounds until Late is raised, each with processes of its own."""
    sequence = sequences(list(orders), rng)
    while True:
        with _workers(orders, start, rng, deadline) as workers:
            blocks = tuple(_block(workers, next(sequence), shape.runs, deadline) for _ in range(shape.blocks))
        yield blocks


def sequences(names: Sequence[str], rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """Orders of turns without end: forth and back, so that nobody is early on the whole, and each way as often."""
    ways = list(permutations(names))
    while True:
        for index in rng.permutation(len(ways)):
            yield ways[index] + ways[index][::-1]


def _block(workers: dict[str, Worker], sequence: Sequence[str], runs: int, deadline: Deadline) -> Block:
    block = tuple(Turn(name, tuple(workers[name].turn(runs))) for name in sequence)
    deadline.check()
    return block


@contextmanager
def _workers(
    orders: dict[str, Order], start: Start, rng: np.random.Generator, deadline: Deadline
) -> Iterator[dict[str, Worker]]:
    """Warm processes, started side by side, in random order since the place may matter; ended afterwards."""
    names, workers = list(orders), dict[str, Worker]()
    with deadline.enforced(workers):
        try:
            for index in rng.permutation(len(names)):
                workers[names[index]] = start(names[index], orders[names[index]])
                deadline.check()  # one that was started when the others were ended has nobody to end it
            for worker in workers.values():
                worker.ready()
                deadline.check()
            yield workers
        finally:
            for worker in workers.values():
                worker.end()
