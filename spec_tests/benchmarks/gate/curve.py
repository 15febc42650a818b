"""The operating curve of the gate: how often sessions find a slowdown of each size, and how often a false one.

``python -m spec_tests.benchmarks.gate.curve`` runs short sessions with the gate's own code, in which head does extra
work, and adds them to ``curve.json``. It also records how a stored baseline would judge the same durations: it fails
if the mean is 5 % above the mean of base in another session. The work has one thread, and a session stays on one
processor, since two processors can be in different states, for example when others use one.
"""

import argparse
import importlib
import json
import math
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, astuple, dataclass, fields, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import stats

from ...adapter.targets import installed_version
from ...support.files import write_text
from .deadline import Deadline
from .numbers import count
from .process import Worker
from .record import circumstances
from .session import Measured, measured
from .verdict import AGAIN, BASE, HEAD, LEVEL, Outcome, Round, decided
from .worker import HARNESS, Order, serve

FILE = Path(__file__).with_name("curve.json")
ORDER = Order(str(HARNESS), "numpy_port", None, "augment", image_size=24, batch_size=1, seed=0)  # 0.4 milliseconds
SLOWDOWNS = (0.0, 0.02, 0.05, 0.1, 0.2)
SESSIONS = 200
MINUTES = 4.5  # for a session, as for one of the gate
CALIBRATION_ROUNDS, CALIBRATION_RUNS = 15, 100
CALIBRATION_UNITS = 100  # about a fifth of a run
STORED_LIMIT = 1.05  # as the option mean:5% of pytest-benchmark
STORED = {  # {statistic of a stored baseline: where it is found}
    "stored_mean": ("base_mean", "head_mean"),
    "stored_first_mean": ("first_base_mean", "first_head_mean"),
    "stored_first_min": ("first_base_min", "first_head_min"),
}
STORED_HEADS = ("mean:5% of all", "mean:5%", "min:5%")
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Session:
    """The findings of one session: shifts in log time, durations in milliseconds; None if not measured.

    ``first`` holds the processes of the first round, since a stored baseline usually rests on one process.
    """

    slowdown: float
    seed: int
    outcome: Outcome
    head: float | None
    high: float | None
    control: float | None
    noise: float | None
    needed: int | None
    rounds: int
    seconds: float  # duration of the session, with heads of all sizes
    base_mean: float | None
    head_mean: float | None
    first_base_mean: float | None
    first_head_mean: float | None
    first_base_min: float | None
    first_head_min: float | None


@dataclass(frozen=True)
class Point:
    """Counts of the sessions with one size of slowdown. A stored baseline fails them against another session's base."""

    slowdown: float
    sessions: int
    found: float | None  # the median slowdown that sessions estimate; None if none has rounds
    passed: int
    regressions: int
    inconclusive: int
    stored_mean: int  # sessions that fail by the means of all processes
    stored_first_mean: int  # sessions that fail by the means of a single process
    stored_first_min: int  # sessions that fail by the fastest runs of a single process

    def interval(self, count: int) -> tuple[float, float]:
        """Clopper and Pearson's interval of the counted probability."""
        found = stats.binomtest(count, self.sessions).proportion_ci(CONFIDENCE, "exact")
        return float(found.low), float(found.high)


FIRST_FREE = 3  # the descriptor after those of input, output and errors


class _Forked:
    """A process of ``multiprocessing`` with the interface of ``subprocess``."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def wait(self) -> None:
        """Wait until the process has ended."""
        self._process.join()


def forked(name: str, order: Order) -> Worker:
    """A worker forked from this process, which has imported NumPy and the harness but no implementation."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_work, args=(there,))
    process.start()
    there.close()
    with here:
        requests, answers = (os.fdopen(os.dup(here.fileno()), mode) for mode in ("wb", "rb"))
    log = tempfile.TemporaryFile()  # noqa: SIM115 - the worker's, which closes it
    return Worker(name, order, _Forked(process), requests, answers, log)


def _work(connection: Connection) -> None:
    """Run a fork. It closes other processes' ends of pipes, so that each process sees the end of its own."""
    os.dup2(connection.fileno(), FIRST_FREE)
    os.closerange(FIRST_FREE + 1, os.sysconf("SC_OPEN_MAX"))
    requests, answers = (os.fdopen(FIRST_FREE, mode, closefd=False) for mode in ("rb", "wb"))
    serve(requests, answers)
    os._exit(0)


def held(seed: int, extra: Sequence[int]) -> list[Session]:
    """A session with one head of each size, each decided as if it were the only one.

    ``extra`` are units of extra work.
    """
    _prepare()
    heads = {f"{HEAD} {size}": replace(ORDER, extra=units) for size, units in zip(SLOWDOWNS, extra, strict=True)}
    orders = {BASE: ORDER, AGAIN: ORDER, **heads}
    found = measured(orders, forked, LEVEL, Deadline(time.monotonic, 60 * MINUTES), np.random.default_rng(seed))
    return [_session(found, seed, *row) for row in zip(SLOWDOWNS, heads, strict=True)]


def _prepare() -> None:
    """Import and look up once what each worker would otherwise import."""
    importlib.import_module("scipy.ndimage")
    installed_version(ORDER.implementation)


def calibrated() -> list[int]:
    """Units of extra work for each size of slowdown, from their effect on the fastest run of many processes."""
    _prepare()
    fastest = {0: math.inf, CALIBRATION_UNITS: math.inf}
    for _ in range(CALIBRATION_ROUNDS):
        for extra in fastest:
            worker = forked("calibration", replace(ORDER, extra=extra))
            try:
                worker.ready()
                fastest[extra] = min(fastest[extra], *worker.turn(CALIBRATION_RUNS))
            finally:
                worker.end()
    unit = (fastest[CALIBRATION_UNITS] - fastest[0]) / CALIBRATION_UNITS
    return [round(size * fastest[0] / unit) for size in SLOWDOWNS]


def _session(found: Measured, seed: int, slowdown: float, name: str) -> Session:
    """The numbers of a session, rounded to their significant digits."""
    evidence = found.evidence(name)
    head, control = evidence.head, evidence.control
    first = found.rounds[:1]
    return Session(
        slowdown=slowdown,
        seed=seed,
        outcome=decided([evidence])[0].outcome,
        head=_rounded(head.shift) if head else None,
        high=_rounded(head.high) if head else None,
        control=_rounded(control.shift) if control else None,
        noise=_rounded(found.plan.noise) if found.plan else None,
        needed=found.plan.needed if found.plan else None,
        rounds=len(found.rounds),
        seconds=_rounded(60 * found.minutes),
        base_mean=_milliseconds(found.rounds, BASE, np.mean),
        head_mean=_milliseconds(found.rounds, name, np.mean),
        first_base_mean=_milliseconds(first, BASE, np.mean),
        first_head_mean=_milliseconds(first, name, np.mean),
        first_base_min=_milliseconds(first, BASE, np.min),
        first_head_min=_milliseconds(first, name, np.min),
    )


def _milliseconds(rounds: Iterable[Round], subject: str, statistic: Callable[[list[float]], Any]) -> float | None:
    """A statistic of all runs of a subject; None without rounds."""
    turns = [turn for blocks in rounds for block in blocks for turn in block if turn.subject == subject]
    seconds = [value for turn in turns for value in turn.seconds]
    return _rounded(1e3 * statistic(seconds)) if seconds else None


def _rounded(value: float) -> float:
    return round(float(value), 5)


def points(sessions: Sequence[Session]) -> list[Point]:
    """The counts for each size. Each session has another one, drawn with a fixed seed, as its stored baseline."""
    rng, complete = np.random.default_rng(0), [session for session in sessions if session.rounds]
    found = []
    for slowdown in sorted({session.slowdown for session in sessions}):
        own = [session for session in sessions if session.slowdown == slowdown]
        outcomes, failed = Counter(session.outcome for session in own), Counter[str]()
        for session in complete:
            others = [other for other in complete if other.seed != session.seed]
            if session.slowdown == slowdown and others:
                failed.update(_failed_by_baseline(session, others[rng.integers(len(others))]))
        shifts = [session.head for session in own if session.head is not None]
        estimate = _rounded(np.expm1(np.median(shifts))) if shifts else None
        counts = [outcomes[outcome] for outcome in Outcome] + [failed[name] for name in STORED]
        found.append(Point(slowdown, len(own), estimate, *counts))
    return found


def _failed_by_baseline(session: Session, stored: Session) -> list[str]:
    """The statistics by which head is too slow compared with the base of another session."""
    return [
        name for name, (base, head) in STORED.items()
        if getattr(session, head) > STORED_LIMIT * getattr(stored, base)
    ]  # fmt: skip


def read(file: Path = FILE) -> list[Session]:
    """The sessions in a file; empty if there is no file."""
    if not file.is_file():
        return []
    content = json.loads(file.read_text(encoding="utf-8"))
    return [Session(**dict(zip(content["columns"], row, strict=True))) for row in content["sessions"]]


def write(sessions: Sequence[Session], file: Path) -> None:
    """Write all sessions, a line each, and their counts."""
    columns = [field.name for field in fields(Session)]
    head = {**circumstances(), "order": _portable(ORDER), "columns": columns}
    rows = ",\n  ".join(json.dumps(astuple(session)) for session in sessions)
    counts = json.dumps([asdict(point) for point in points(sessions)])
    write_text(file, f'{json.dumps(head, indent=1)[:-2]},\n "points": {counts},\n "sessions": [\n  {rows}\n ]\n}}\n')


def _portable(order: Order) -> dict[str, Any]:
    """The order without paths, which depend on the machine."""
    return asdict(order) | {"folder": "", "preset": Path(order.preset).name}


def record(number: int, workers: int, file: Path) -> Iterator[list[Session]]:
    """Run so many sessions, less those in the file, and add each to it at once; yields all sessions after each."""
    sessions = read(file)
    done = {session.seed for session in sessions}
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(workers, context, max_tasks_per_child=1) as pool:
        free = manager.Queue()  # processors
        for processor in sorted(os.sched_getaffinity(0))[:workers]:
            free.put(processor)
        extra = pool.submit(_on_one, free, calibrated).result()
        left = [seed for seed in range(number) if seed not in done]
        for task in as_completed([pool.submit(_on_one, free, held, seed, extra) for seed in left]):
            sessions.extend(task.result())
            write(sorted(sessions, key=lambda session: (session.slowdown, session.seed)), file)
            yield sessions


def _on_one(free: Any, work: Callable[..., Any], *arguments: Any) -> Any:
    """Run ``work`` on one of the free processors, in a Python process that does nothing else."""
    processor = free.get()
    try:
        os.sched_setaffinity(0, {processor})
        return work(*arguments)
    finally:
        free.put(processor)


def show(console: Console, counted: Sequence[Point]) -> None:
    """Print the curve, and the results of a stored baseline next to it."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    heads = ("slowdown", "found as", "sessions", "regression", "95 % interval", "pass", "inconclusive", *STORED_HEADS)
    for head in heads:
        table.add_column(head, justify="right")
    for point in counted:
        low, high = point.interval(point.regressions)
        shares = (point.passed, point.inconclusive, *(getattr(point, name) for name in STORED))
        table.add_row(
            f"{point.slowdown:.0%}", "" if point.found is None else f"{point.found:.1%}", str(point.sessions),
            f"{point.regressions / point.sessions:.1%}",
            f"{low:.1%} to {high:.1%}", *(f"{count / point.sessions:.1%}" for count in shares),
        )  # fmt: skip
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run sessions and show the results of all."""
    top = argparse.ArgumentParser(prog="python -m spec_tests.benchmarks.gate.curve", description=__doc__)
    top.add_argument(
        "--sessions", type=count, default=SESSIONS, metavar="N", help=f"in the file at the end (default: {SESSIONS})"
    )
    top.add_argument("--workers", type=count, default=1, metavar="N", help="sessions side by side (default: 1)")
    top.add_argument("--file", type=Path, default=FILE, help="to add to (default: the committed one)")
    options = top.parse_args(arguments)
    for sessions in record(options.sessions, options.workers, options.file):
        last = sessions[-len(SLOWDOWNS) :]
        outcomes = ", ".join(f"{session.slowdown:.0%} {session.outcome}" for session in last)
        print(f"seed {last[0].seed}: {outcomes}; {last[0].seconds:.0f} s", file=sys.stderr)
    show(Console(), points(read(options.file)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
