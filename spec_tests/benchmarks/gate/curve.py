"""The operating curve of the gate: how often sessions find a slowdown of each size, and one that is not there.

``python -m spec_tests.benchmarks.gate.curve`` holds short sessions of the gate's own code, in which head does real
work on top of its own, and adds them to ``curve.json``. Beside it stands what a stored baseline would have said of
the same durations: fail if the mean is 5 % above the mean of base in another session.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, astuple, dataclass, fields, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import stats

from ...reporting.record import write_text
from .process import Worker
from .record import circumstances
from .session import Measured, measured
from .verdict import AGAIN, BASE, HEAD, HEAD_WEIGHTS, LEVEL, PILOT_WEIGHTS, Outcome, Round, decided
from .worker import HARNESS, Order, serve

FILE = Path(__file__).with_name("curve.json")
ORDER = Order(str(HARNESS), "numpy_port", None, "augment", image_size=24, batch_size=4, seed=0)  # 1.5 milliseconds
SLOWDOWNS = (0.0, 0.02, 0.05, 0.1, 0.2)
SESSIONS = 300  # without a slowdown, and half as many of each size
MINUTES = 0.5  # for a session, of which most need less
STORED_LIMIT = 1.05  # mean:5%
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Session:
    """What was found in a session: shifts in log time, mean durations in milliseconds; None without any rounds."""

    slowdown: float
    seed: int
    outcome: Outcome
    head: float | None
    high: float | None
    control: float | None
    noise: float
    needed: int
    rounds: int
    seconds: float  # that the session took
    base_mean: float | None  # of all runs
    head_mean: float | None
    base_first: float | None  # of the runs of the first process, all that a stored baseline rests on as a rule
    head_first: float | None


@dataclass(frozen=True)
class Point:
    """The sessions of a size of slowdown, counted."""

    slowdown: float
    sessions: int
    passed: int
    regressions: int
    inconclusive: int
    stored: int  # failed by a stored baseline of all runs of another session
    stored_first: int  # by one of a single process of another session

    def interval(self, count: int) -> tuple[float, float]:
        """Clopper and Pearson's, of the probability that was counted."""
        found = stats.binomtest(count, self.sessions).proportion_ci(CONFIDENCE, "exact")
        return float(found.low), float(found.high)


class _Forked:
    """A process of ``multiprocessing``, as ``subprocess`` would have it."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def wait(self) -> None:
        """Until it has ended."""
        self._process.join()


def forked(name: str, order: Order) -> Worker:
    """A worker forked from this process, which has imported NumPy and the harness, but no implementation."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_work, args=(there,))
    process.start()
    there.close()
    with here:
        requests, answers = (os.fdopen(os.dup(here.fileno()), mode) for mode in ("wb", "rb"))
    log = tempfile.TemporaryFile()  # noqa: SIM115 - the worker's, which closes it
    return Worker(name, order, _Forked(process), requests, answers, log)


def _work(connection: Connection) -> None:
    requests, answers = (os.fdopen(os.dup(connection.fileno()), mode) for mode in ("rb", "wb"))
    serve(requests, answers)
    os._exit(0)


def held(key: tuple[float, int]) -> Session:
    """A session of the gate with a slowdown of head and a seed."""
    slowdown, seed = key
    orders = {BASE: ORDER, AGAIN: ORDER, HEAD: replace(ORDER, slowdown=slowdown)}
    rng = np.random.default_rng((seed, round(1000 * slowdown)))
    return _session(slowdown, seed, measured(orders, forked, LEVEL, MINUTES, rng, time.monotonic))


def _session(slowdown: float, seed: int, found: Measured) -> Session:
    """The numbers of a session, rounded to what they are worth."""
    head, control = found.estimate(HEAD_WEIGHTS), found.estimate(PILOT_WEIGHTS)
    first = found.rounds[:1]
    return Session(
        slowdown=slowdown,
        seed=seed,
        outcome=decided([found.evidence])[0].outcome,
        head=_rounded(head.shift) if head else None,
        high=_rounded(head.high) if head else None,
        control=_rounded(control.shift) if control else None,
        noise=_rounded(found.plan.noise),
        needed=found.plan.needed,
        rounds=len(found.rounds),
        seconds=_rounded(60 * found.minutes),
        base_mean=_milliseconds(found.rounds, BASE),
        head_mean=_milliseconds(found.rounds, HEAD),
        base_first=_milliseconds(first, BASE),
        head_first=_milliseconds(first, HEAD),
    )


def _milliseconds(rounds: Iterable[Round], subject: str) -> float | None:
    """The mean of all of a subject's runs; None of no rounds."""
    turns = [turn for blocks in rounds for block in blocks for turn in block if turn.subject == subject]
    seconds = [value for turn in turns for value in turn.seconds]
    return _rounded(1e3 * float(np.mean(seconds))) if seconds else None


def _rounded(value: float) -> float:
    return round(float(value), 5)


def points(sessions: Sequence[Session]) -> list[Point]:
    """The sessions of each size, counted; each has one other, drawn from a fixed seed, for its stored baseline."""
    rng, counted = np.random.default_rng(0), [session for session in sessions if session.rounds]
    found = []
    for slowdown in sorted({session.slowdown for session in sessions}):
        own = [session for session in sessions if session.slowdown == slowdown]
        outcomes, stored, stored_first = Counter(session.outcome for session in own), 0, 0
        for session in own:
            others = [other for other in counted if other is not session]
            if session.head_mean and session.head_first and others:
                other = others[rng.integers(len(others))]
                stored += session.head_mean > STORED_LIMIT * (other.base_mean or np.inf)
                stored_first += session.head_first > STORED_LIMIT * (other.base_first or np.inf)
        passed, regressions, unsure = (outcomes[outcome] for outcome in Outcome)
        found.append(Point(slowdown, len(own), passed, regressions, unsure, int(stored), int(stored_first)))
    return found


def read(file: Path = FILE) -> list[Session]:
    """The sessions in a file; none if there is no file."""
    if not file.is_file():
        return []
    content = json.loads(file.read_text(encoding="utf-8"))
    return [Session(**dict(zip(content["columns"], row, strict=True))) for row in content["sessions"]]


def write(sessions: Sequence[Session], file: Path) -> None:
    """Write all sessions, a line each, and what they were counted as."""
    columns = [field.name for field in fields(Session)]
    head = {**circumstances(), "order": asdict(ORDER) | {"folder": ""}, "columns": columns}
    rows = ",\n  ".join(json.dumps(astuple(session)) for session in sessions)
    counts = json.dumps([asdict(point) for point in points(sessions)])
    write_text(file, f'{json.dumps(head, indent=1)[:-2]},\n "points": {counts},\n "sessions": [\n  {rows}\n ]\n}}\n')


def record(count: int, workers: int, file: Path) -> Iterator[list[Session]]:
    """Hold the sessions that the file lacks, sizes mixed, and add each to it at once; all so far, after each one."""
    sessions = read(file)
    done = {(session.slowdown, session.seed) for session in sessions}
    wanted = [(size, seed) for seed in range(count) for size in SLOWDOWNS if size == 0 or seed % 2 == 0]
    keys = [key for key in wanted if key not in done]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, max_tasks_per_child=1) as pool:  # each session has a new Python
        for task in as_completed([pool.submit(held, key) for key in keys]):
            sessions.append(task.result())
            write(sorted(sessions, key=lambda session: (session.slowdown, session.seed)), file)
            yield sessions


def show(console: Console, counted: Sequence[Point]) -> None:
    """The curve, and what a stored baseline does beside it."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    heads = ("slowdown", "sessions", "regression", "95 % interval", "pass", "inconclusive", "mean:5%", "of one process")
    for head in heads:
        table.add_column(head, justify="right")
    for point in counted:
        low, high = point.interval(point.regressions)
        shares = (point.passed, point.inconclusive, point.stored, point.stored_first)
        table.add_row(
            f"{point.slowdown:.0%}", str(point.sessions), f"{point.regressions / point.sessions:.1%}",
            f"{low:.1%} to {high:.1%}", *(f"{count / point.sessions:.1%}" for count in shares),
        )  # fmt: skip
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Hold sessions and show what all of them say."""
    top = argparse.ArgumentParser(prog="python -m spec_tests.benchmarks.gate.curve", description=__doc__)
    top.add_argument("--sessions", type=int, default=SESSIONS, metavar="N",
        help=f"without a slowdown, and half as many of each size (default: {SESSIONS})")  # fmt: skip
    top.add_argument("--workers", type=int, default=1, metavar="N", help="sessions side by side (default: 1)")
    top.add_argument("--file", type=Path, default=FILE, help="to add to (default: the committed one)")
    options = top.parse_args(arguments)
    for sessions in record(options.sessions, options.workers, options.file):
        last = sessions[-1]
        print(f"{last.slowdown:.0%}, seed {last.seed}: {last.outcome}, {last.seconds:.1f} s", file=sys.stderr)
    show(Console(), points(read(options.file)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
