"""The command line of the gate, and its execution."""

import argparse
import math
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from ...adapter.targets import DEFAULT_IMPLEMENTATION, default_backend
from ...cases.trials import EMBEDDED_PRESET
from ...support.files import write_text
from ...support.texts import Told, one_line
from ..work import WORK
from .deadline import Clock, Deadline, Late
from .numbers import count, new_file, percent, positive, seed
from .process import Start, spawned
from .progress import Progress
from .record import Comparison, json_text
from .session import Measured, least_minutes, measured, tried
from .subjects import Checkout, checkout
from .terminal import show
from .verdict import AGAIN, BASE, HEAD, LEVEL, MOST_ROUNDS, TOLERATED, Outcome, decided, in_minutes
from .worker import HARNESS, Order

DEFAULT_BENCHMARKS = ("train_from_scratch", "train_frozen", "predict", "augment")
IMAGE_SIZE, BATCH_SIZE = 96, 4  # small, since many short rounds carry more information than a few long ones
MINUTES = 4.5  # for each benchmark
EXIT_CODES = {Outcome.PASS: 0, Outcome.REGRESSION: 1, Outcome.INCONCLUSIVE: 3}  # a session returns its worst

EPILOG = """exit codes:
  0  head is not slower than is tolerated, or nothing is gated
  1  it is, in one benchmark at least
  2  the command cannot be carried out, as one line says
  3  nothing is sure in one benchmark at least, and none is known to be slower"""


def main(
    arguments: Sequence[str] | None = None,
    start: Start = spawned,
    clock: Clock = time.monotonic,
    begun: float | None = None,
) -> int:
    """Carry out the command, with workers from ``start`` and the time from ``clock`` in seconds; returns the exit code.

    The allowed time counts from ``begun``, or else from this call.
    """
    begun = clock() if begun is None else begun
    options = parser().parse_args(arguments)
    try:
        return _compare(options, start, clock, begun)
    except Told as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {one_line(f'{error.filename or error}: {error.strerror}')}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The parser of the options."""
    top = argparse.ArgumentParser(
        prog="python -m spec_tests.benchmarks.gate",
        description="Whether head is slower than base: pass, regression or inconclusive.",
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add, either = top.add_argument, top.add_mutually_exclusive_group(required=True)
    subject = "REVISION|FOLDER|WHEEL"
    either.add_argument("--base", metavar=subject, help="the revision that head is compared with")
    either.add_argument("--against", metavar="NAME", help="compare with head's implementation of that name: not gated")
    add(
        "--head",
        metavar=subject,
        default=str(HARNESS),
        help="the revision that may be slower (default: this working tree)",
    )
    add("--implementation", metavar="NAME", default=DEFAULT_IMPLEMENTATION,
        help=f"or package.module, in both (default: {DEFAULT_IMPLEMENTATION})")  # fmt: skip
    add("--backend", default=default_backend(), metavar="NAME",
        help="for implementations that run on several (default: %(default)s)")  # fmt: skip
    add("--benchmark", nargs="+", choices=list(WORK), default=DEFAULT_BENCHMARKS, metavar="NAME",
        help=f"of {', '.join(WORK)} (default: {', '.join(DEFAULT_BENCHMARKS)})")  # fmt: skip
    add("--image-size", type=count, default=IMAGE_SIZE, metavar="N", help=f"in pixels (default: {IMAGE_SIZE})")
    add("--batch-size", type=count, default=BATCH_SIZE, metavar="N", help=f"in images (default: {BATCH_SIZE})")
    add("--preset", type=Path, default=EMBEDDED_PRESET, metavar="FILE", help="the base (default: the embedded one)")
    add("--slowdown", type=percent, default=TOLERATED, metavar="PERCENT",
        help=f"that is to be found, if there is one (default: {100 * TOLERATED:g})")  # fmt: skip
    add("--minutes", type=positive, metavar="M",
        help=f"for everything, after which it ends (default: {MINUTES} for each benchmark)")  # fmt: skip
    add("--seed", type=seed, default=0, help="the seed of every random choice (default: 0)")
    add("--json", type=new_file, metavar="FILE", help="write all durations and decisions")
    return top


def _compare(options: argparse.Namespace, start: Start, clock: Clock, begun: float) -> int:
    """Measure, decide and report; returns the exit code."""
    benchmarks = list(dict.fromkeys(options.benchmark))
    minutes = options.minutes or MINUTES * len(benchmarks)
    progress = Progress(clock, begun)
    with ExitStack() as stack:
        head = stack.enter_context(checkout(options.head, HARNESS))
        base = stack.enter_context(checkout(options.base, HARNESS)) if options.base else head
        titles = _titles(options, base, head)
        progress.phase(f"{titles[HEAD]} compared with {titles[BASE]}: {in_minutes(minutes)} at most")
        orders = {benchmark: _orders(options, base, head, benchmark) for benchmark in benchmarks}
        deadline = Deadline(clock, begun + 60 * minutes - clock())
        session = _Session(orders, start, deadline, np.random.default_rng(options.seed), progress, begun)
        found = session.held(options.slowdown, gated=bool(options.base))
    comparisons = _decided(benchmarks, found, gated=bool(options.base))
    show(Console(), comparisons, f"{titles[HEAD]} compared with {titles[BASE]}")
    if said := advice(comparisons, session.trying):
        print(said)
    if options.json:
        write_text(options.json, json_text(comparisons, titles, _settings(options) | {"minutes": minutes}))
        print(options.json)
    return exit_code(comparisons)


@dataclass
class _Session:
    """All benchmarks of a command, which share its time."""

    orders: dict[str, dict[str, Order]]
    start: Start
    deadline: Deadline
    rng: np.random.Generator
    progress: Progress
    begun: float
    trying: float = 0.0  # minutes before the first measurement

    def held(self, tolerated: float, gated: bool) -> list[Measured]:
        """The measurements of each benchmark. Each has the same share of the time, and time that others leave."""
        clock, level = self.deadline.clock, LEVEL / len(self.orders)
        slowest = self._tried()
        self.trying = (clock() - self.begun) / 60
        found = list[Measured]()
        for benchmark, subjects in self.orders.items():
            share = Deadline(clock, self.deadline.left() / (len(self.orders) - len(found)))
            if share.left():
                progress = self.progress.about(benchmark)
                found.append(measured(subjects, self.start, level, share, self.rng, tolerated, gated, progress))
            else:
                found.append(Measured(minutes_needed=least_minutes(slowest, level)))
        return found

    def _tried(self) -> float:
        """The most seconds until all subjects of a benchmark were ready.

        The time may be too short for all benchmarks.
        """
        clock, slowest = self.deadline.clock, 0.0
        for benchmark, subjects in self.orders.items():
            since = clock()
            self.progress.about(benchmark).phase("trying each subject once")
            with suppress(Late):
                tried(subjects, self.start, self.rng, self.deadline)
            slowest = max(slowest, clock() - since)
            if not self.deadline.left():
                break
        return slowest


def _orders(options: argparse.Namespace, base: Checkout, head: Checkout, benchmark: str) -> dict[str, Order]:
    """The order of each subject."""
    of_head = Order(
        str(head.folder), options.implementation, options.backend, benchmark,
        options.image_size, options.batch_size, options.seed, str(options.preset.resolve()),
    )  # fmt: skip
    of_base = replace(of_head, folder=str(base.folder), implementation=options.against or options.implementation)
    return {BASE: of_base, AGAIN: of_base, HEAD: of_head}


def _titles(options: argparse.Namespace, base: Checkout, head: Checkout) -> dict[str, str]:
    """The descriptions of base and head."""
    return {
        HEAD: f"{options.implementation} of {head.title}",
        BASE: f"{options.against or options.implementation} of {base.title}",
    }


def _settings(options: argparse.Namespace) -> dict[str, str | int | float]:
    """The settings of the measurement, other than the subjects."""
    names = ("backend", "image_size", "batch_size", "minutes", "seed")
    return {name: getattr(options, name) for name in names} | {"preset": options.preset.name}


def _decided(benchmarks: Sequence[str], found: Sequence[Measured], gated: bool) -> list[Comparison]:
    decisions = decided([one.evidence() for one in found]) if gated else [None] * len(found)
    return [Comparison(*row) for row in zip(benchmarks, found, decisions, strict=True)]


def exit_code(comparisons: Sequence[Comparison]) -> int:
    """That of a regression if there is one, otherwise that of an inconclusive result, otherwise 0."""
    outcomes = {comparison.decision.outcome for comparison in comparisons if comparison.decision}
    worst = next((one for one in (Outcome.REGRESSION, Outcome.INCONCLUSIVE) if one in outcomes), Outcome.PASS)
    return EXIT_CODES[worst]


def advice(comparisons: Sequence[Comparison], trying: float) -> str:
    """How to decide what the time was too short for.

    ``trying`` is the number of minutes before the first measurement.
    """
    short = [one for one in comparisons if one.decision and not one.measured.complete]
    short = [one for one in short if one.decision and one.decision.outcome is Outcome.INCONCLUSIVE]
    if not short:
        return ""
    each = max(one.measured.minutes_needed or one.measured.minutes for one in comparisons)
    plans = [one.measured.plan for one in short]
    words = f"to decide: --minutes {math.ceil(trying + len(comparisons) * each)}"
    if not all(plan and plan.needed < MOST_ROUNDS for plan in plans):
        words += " or more"
    findable = max(plan.findable if plan else math.inf for plan in plans)
    if math.isfinite(findable) and all(plan and not plan.rounds for plan in plans):
        words += f", or --slowdown {100 * findable:.0f} in the same time"
    return words
