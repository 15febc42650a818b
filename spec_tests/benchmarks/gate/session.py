"""A session: a pilot of base against its copy, a plan based on it, and the rounds of the plan.

A deadline limits the session and ends running processes. Rounds that were complete by then count.
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

# Approximate time of the runs of a turn; short, so that all subjects meet the same state of the machine.
TURN_SECONDS = 0.005
MOST_RUNS = 50  # in a turn
SOUNDING_RUNS = 3  # to find the duration of a run
# In a round; other processes slow a machine down for a quarter of a second and more.
LEAST_BLOCKS, MOST_BLOCKS = 5, 16
# If the fewest blocks of both copies of base take longer than this, there are fewer blocks.
LEAST_SECONDS = 3
PILOT_ROUNDS, LEAST_PILOT_ROUNDS = 8, 4
PILOT_SHARE = 1 / 3  # of the allowed time, after which a pilot with enough rounds ends
FEWEST_PILOT_ROUNDS = 2  # fewest that a plan can be based on if time is short
RESERVE = 1.1  # factor on the time that a session is said to need


@dataclass(frozen=True)
class Shape:
    """The composition of a round, the same for all rounds of a session."""

    runs: int  # in a turn
    blocks: int


@dataclass(frozen=True)
class Measured:
    """The session of a benchmark with all durations that were measured in time."""

    shape: Shape | None = None
    pilot: tuple[Round, ...] = ()
    plan: Plan | None = None
    rounds: tuple[Round, ...] = ()
    minutes: float = 0.0
    minutes_needed: float | None = None  # for all needed rounds; without a plan, the least for any result

    @property
    def complete(self) -> bool:
        """Whether all needed rounds were made."""
        return self.plan is not None and len(self.rounds) >= self.plan.needed

    def evidence(self, head: str = HEAD) -> Evidence:
        """The evidence for the decision."""
        estimates = (self.estimate(versus_base(head)), self.estimate(CONTROL))
        return Evidence(self.plan, *estimates, made=len(self.rounds), minutes_needed=self.minutes_needed)

    def estimate(self, weights: dict[str, float]) -> Estimate | None:
        """The estimate of a contrast; None without rounds."""
        return estimated(contrasts(self.rounds, weights)) if self.rounds else None


def measured(
    orders: dict[str, Order], start: Start, level: float, deadline: Deadline, rng: np.random.Generator,
    tolerated: float = TOLERATED, gated: bool = True, progress: Progress = SILENT,
) -> Measured:  # fmt: skip
    """Measure the subjects of ``orders``, which are BASE, AGAIN and at least one head, until ``deadline``.

    ``level`` is the level of this benchmark's test. If it is ``gated``, and the pilot shows that the time
    is too short to find the slowdown ``tolerated``, head is not measured. Raises Lost if a process is lost.
    """
    clock, begun = deadline.clock, deadline.clock()
    pair = {name: orders[name] for name in (BASE, AGAIN)}
    more = len(orders) / len(pair)  # processes in a round with head, for each one of the pilot
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
    if len(rounds) < plan.rounds:  # rounds took longer than those of the pilot
        pace = max(pace, (clock() - since) / (len(rounds) + 1) / more)
    needed = RESERVE * (pilot.starting + pace * (PILOT_ROUNDS + more * plan.needed))
    minutes_needed = None if len(rounds) >= plan.needed else needed / 60
    return Measured(shape, tuple(pilot.rounds), plan, rounds, (clock() - begun) / 60, minutes_needed)


def least_minutes(pace: float, level: float, more: float = 1.0) -> float:
    """The fewest minutes for any result, if processes are ready, or rounds done, after ``pace`` seconds."""
    return pace * (1 + FEWEST_PILOT_ROUNDS + more * steady_rounds(level)) / 60


@dataclass(frozen=True)
class _Pilot:
    """The rounds of base and its copy that were done in time."""

    shape: Shape | None
    rounds: list[Round]
    starting: float  # seconds until the shape was known
    pace: float  # seconds of a round; without rounds a lower bound


def _piloted(
    pair: dict[str, Order], start: Start, deadline: Deadline, rng: np.random.Generator, hopeless: float,
    progress: Progress,
) -> _Pilot:  # fmt: skip
    """The pilot. It ends early if the remaining time allows fewer than ``hopeless`` rounds at its pace."""
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
            # the pace of few rounds may be a coincidence
            over = len(rounds) >= FEWEST_PILOT_ROUNDS and left < hopeless / 2
        if over:
            break
    pace = clock() - since if ended is None else (ended - since) / len(rounds)
    return _Pilot(shape, rounds, since - begun, pace)


def _in_time(rounds: Iterator[Round], most: int, name: str, progress: Progress) -> Iterator[Round]:
    """At most so many rounds, as far as they end in time."""
    with suppress(Late):
        for number, one in enumerate(islice(rounds, most), 1):
            progress.step(f"{name} {number} of {most}")
            yield one


def tried(orders: dict[str, Order], start: Start, rng: np.random.Generator, deadline: Deadline = FOREVER) -> None:
    """Start each subject once, so that files are cached and Lost is raised before any measurement."""
    with _workers(orders, start, rng, deadline):
        pass


def sounded(orders: dict[str, Order], start: Start, rng: np.random.Generator, deadline: Deadline) -> Shape:
    """The shape with which measuring in a round takes about as long as starting its processes.

    It has some blocks at least. Whatever the noise between and within processes is, such rounds take at most twice the
    time of the best ones.
    """
    clock, begun = deadline.clock, deadline.clock()
    with _workers(orders, start, rng, deadline) as workers:
        starting, since = clock() - begun, clock()
        run = min(min(worker.turn(SOUNDING_RUNS)) for worker in workers.values())
        all_in_all = (clock() - since) / SOUNDING_RUNS / len(workers)  # including work that is not timed
    runs = int(np.clip(TURN_SECONDS / run, 1, MOST_RUNS))
    block = 2 * len(orders) * runs * all_in_all
    least = int(np.clip(LEAST_SECONDS / block, 1, LEAST_BLOCKS))
    blocks = int(np.clip(starting / block, least, MOST_BLOCKS))
    return Shape(runs, blocks)


def played(
    orders: dict[str, Order], start: Start, shape: Shape, rng: np.random.Generator, deadline: Deadline = FOREVER
) -> Iterator[Round]:
    """Rounds until Late is raised, each with new processes."""
    sequence = sequences(list(orders), rng)
    while True:
        with _workers(orders, start, rng, deadline) as workers:
            blocks = tuple(_block(workers, next(sequence), shape.runs, deadline) for _ in range(shape.blocks))
        yield blocks


def sequences(names: Sequence[str], rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """Endless orders of turns, each forwards and backwards, so that no subject is earlier on average."""
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
    """Warm processes, started together in random order, since the place may matter; ended afterwards."""
    names, workers = list(orders), dict[str, Worker]()
    with deadline.enforced(workers):
        try:
            for index in rng.permutation(len(names)):
                workers[names[index]] = start(names[index], orders[names[index]])
                deadline.check()  # a worker started after the others were ended would never be ended
            for worker in workers.values():
                worker.ready()
                deadline.check()
            yield workers
        finally:
            for worker in workers.values():
                worker.end()
