"""The command line of the gate: ``python -m spec_tests.benchmarks.gate --base REVISION``."""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console

from ...adapter.implementation import DEFAULT_IMPLEMENTATION, default_backend
from ...cases.trials import EMBEDDED_PRESET
from ...support.files import write_text
from ...support.texts import Told, one_line
from ..work import WORK
from .numbers import count, new_file, positive, seed
from .process import Start, spawned
from .record import Comparison, json_text
from .session import Clock, Measured, measured, tried
from .subjects import Checkout, checkout
from .terminal import show
from .verdict import AGAIN, BASE, HEAD, LEVEL, Outcome, decided
from .worker import HARNESS, Order

DEFAULT_BENCHMARKS = ("train_from_scratch", "train_frozen", "predict", "augment")
IMAGE_SIZE, BATCH_SIZE = 96, 4  # small: many rounds say more than long ones
MINUTES = 4.5  # a benchmark
EXIT_CODES = {Outcome.PASS: 0, Outcome.REGRESSION: 1, Outcome.INCONCLUSIVE: 3}  # the worst of a session's is returned

EPILOG = """exit codes:
  0  head is not slower than is tolerated, or nothing is gated
  1  it is, in one benchmark at least
  2  the command cannot be carried out, as one line says
  3  nothing is sure in one benchmark at least, and none is known to be slower"""


def main(arguments: Sequence[str] | None = None, start: Start = spawned, clock: Clock = time.monotonic) -> int:
    """Carry out the command, with workers from ``start`` and the time of ``clock``, in seconds; the exit code."""
    options = parser().parse_args(arguments)
    try:
        return _compare(options, start, clock)
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
    """The options."""
    top = argparse.ArgumentParser(
        prog="python -m spec_tests.benchmarks.gate",
        description="Whether head is slower than base: pass, regression or inconclusive.",
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add, either = top.add_argument, top.add_mutually_exclusive_group(required=True)
    subject = "REVISION|FOLDER|WHEEL"
    either.add_argument("--base", metavar=subject, help="what head is compared with")
    either.add_argument("--against", metavar="NAME", help="compare with head's implementation of that name: not gated")
    add("--head", metavar=subject, default=str(HARNESS), help="what may be slower (default: this working tree)")
    add("--implementation", metavar="NAME", default=DEFAULT_IMPLEMENTATION,
        help=f"or package.module, in both (default: {DEFAULT_IMPLEMENTATION})")  # fmt: skip
    add("--backend", default=default_backend(), metavar="NAME",
        help="for implementations that run on several (default: %(default)s)")  # fmt: skip
    add("--benchmark", nargs="+", choices=list(WORK), default=DEFAULT_BENCHMARKS, metavar="NAME",
        help=f"of {', '.join(WORK)} (default: {', '.join(DEFAULT_BENCHMARKS)})")  # fmt: skip
    add("--image-size", type=count, default=IMAGE_SIZE, metavar="N", help=f"in pixels (default: {IMAGE_SIZE})")
    add("--batch-size", type=count, default=BATCH_SIZE, metavar="N", help=f"in images (default: {BATCH_SIZE})")
    add("--preset", type=Path, default=EMBEDDED_PRESET, metavar="FILE", help="the base (default: the embedded one)")
    add("--minutes", type=positive, default=MINUTES, metavar="M", help=f"a benchmark (default: {MINUTES})")
    add("--seed", type=seed, default=0, help="of every random choice (default: 0)")
    add("--json", type=new_file, metavar="FILE", help="write all durations and what is said of them")
    return top


def _compare(options: argparse.Namespace, start: Start, clock: Clock) -> int:
    """Measure, decide, say so."""
    benchmarks = list(dict.fromkeys(options.benchmark))
    with ExitStack() as stack:
        head = stack.enter_context(checkout(options.head, HARNESS))
        base = stack.enter_context(checkout(options.base, HARNESS)) if options.base else head
        rng = np.random.default_rng(options.seed)
        orders = {benchmark: _orders(options, base, head, benchmark) for benchmark in benchmarks}
        for subjects in orders.values():
            tried(subjects, start, rng)
        found = []
        for benchmark in benchmarks:
            print(f"measuring {benchmark}", file=sys.stderr)
            found.append(measured(orders[benchmark], start, LEVEL / len(benchmarks), options.minutes, rng, clock))
    comparisons = _decided(benchmarks, found, gated=bool(options.base))
    titles = _titles(options, base, head)
    show(Console(), comparisons, f"{titles[HEAD]}, beside {titles[BASE]}")
    if options.json:
        write_text(options.json, json_text(comparisons, titles, _settings(options)))
        print(options.json)
    return exit_code(comparisons)


def _orders(options: argparse.Namespace, base: Checkout, head: Checkout, benchmark: str) -> dict[str, Order]:
    """What each subject is to time."""
    of_head = Order(
        str(head.folder), options.implementation, options.backend, benchmark,
        options.image_size, options.batch_size, options.seed, str(options.preset.resolve()),
    )  # fmt: skip
    of_base = replace(of_head, folder=str(base.folder), implementation=options.against or options.implementation)
    return {BASE: of_base, AGAIN: of_base, HEAD: of_head}


def _titles(options: argparse.Namespace, base: Checkout, head: Checkout) -> dict[str, str]:
    """What base and head are, in words."""
    return {
        HEAD: f"{options.implementation} of {head.title}",
        BASE: f"{options.against or options.implementation} of {base.title}",
    }


def _settings(options: argparse.Namespace) -> dict[str, str | int | float]:
    """What decides how it is measured, beside the subjects."""
    names = ("backend", "image_size", "batch_size", "minutes", "seed")
    return {name: getattr(options, name) for name in names} | {"preset": options.preset.name}


def _decided(benchmarks: Sequence[str], found: Sequence[Measured], gated: bool) -> list[Comparison]:
    decisions = decided([one.evidence() for one in found]) if gated else [None] * len(found)
    return [Comparison(*row) for row in zip(benchmarks, found, decisions, strict=True)]


def exit_code(comparisons: Sequence[Comparison]) -> int:
    """A regression's if there is one, else that of what is not sure, else 0."""
    outcomes = {comparison.decision.outcome for comparison in comparisons if comparison.decision}
    worst = next((one for one in (Outcome.REGRESSION, Outcome.INCONCLUSIVE) if one in outcomes), Outcome.PASS)
    return EXIT_CODES[worst]


if __name__ == "__main__":
    sys.exit(main())
