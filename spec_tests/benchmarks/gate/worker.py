"""A subject's process: it prepares a piece of work with one checkout's implementation and times it on request.

It reads and writes lines of JSON. The first input is an ``Order``, each later one {"runs": n}. The answers are
{"seconds": [...]}, one duration for each run, or {"error": "a line"}. The end of the input ends the process. All
subjects use the gate's own harness; only the implementation comes from the checkout.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from ...adapter.implementation import BrokenAdapter, Implementation, load, one_line
from ...adapter.targets import resolved
from ...cases.trials import EMBEDDED_PRESET
from ..work import WORK, Settings, Work, lacking

WARM_RUNS = 2  # before timing: frameworks compile in the first; the fastest timed run counts
VALUES = np.linspace(1.0, 2.0, 512)  # a unit of extra work takes their square roots, in a microsecond
INSTALLED = "convspec"  # the package that contains a checkout's folders in a wheel
HARNESS = Path(__file__).parents[3]


@dataclass(frozen=True)
class Order:
    """The work that a process times."""

    folder: str  # from which the implementation is imported
    implementation: str
    backend: str | None
    benchmark: str
    image_size: int
    batch_size: int
    seed: int
    preset: str = str(EMBEDDED_PRESET)  # the base of a classifier
    extra: int = 0  # units of extra work in each run: see ``worked``

    def line(self) -> bytes:
        """The line that is sent."""
        return json.dumps(asdict(self)).encode() + b"\n"


class Refused(Exception):  # noqa: N818 - told as a line
    """An order cannot be carried out; the text is a line."""


def stopwatch(work: Work, extra: int = 0) -> Callable[[], float]:
    """A function that runs the work and the extra work once and returns the seconds; warmed up."""

    def seconds() -> float:
        if work.renew:
            work.renew()
        begun = time.perf_counter_ns()
        work.run()
        worked(extra)
        return (time.perf_counter_ns() - begun) / 1e9

    for _ in range(WARM_RUNS):
        seconds()
    return seconds


def worked(units: int) -> None:
    """Do work in proportion to the units."""
    for _ in range(units):
        np.sqrt(VALUES, out=VALUES)


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until the input ends. A request that fails gets an error as the last answer."""

    def answer(**content: Any) -> None:
        answers.write(json.dumps(content).encode() + b"\n")
        answers.flush()

    try:
        order = Order(**json.loads(requests.readline()))
        settings = Settings(Path(order.preset), (order.image_size,) * 2, order.batch_size, order.seed)
        implementation = imported(order.folder, order.implementation, order.backend)
        if lacks := lacking(implementation, order.benchmark):
            raise Refused(f"{order.implementation} has no {lacks}: leave out {order.benchmark}")
        seconds = stopwatch(WORK[order.benchmark](implementation, settings), order.extra)
        answer(seconds=[])
        for line in requests:
            answer(seconds=[seconds() for _ in range(json.loads(line)["runs"])])
    except (BrokenAdapter, Refused) as error:
        answer(error=str(error))
    except Exception as error:
        answer(error=one_line(error))


def imported(folder: str, target: str, backend: str | None) -> Implementation:
    """The named implementation from the folder of a checkout or of an unpacked wheel.

    The harness has imported its own ``fixtures``, which must not take the place of the folder's. Raises Refused
    if the module was found elsewhere.
    """
    for name in [name for name in sys.modules if name.partition(".")[0] in ("fixtures", "reference")]:
        del sys.modules[name]
    places = [place for place in sys.path if Path(place).resolve() != HARNESS]
    sys.path[:] = [folder, *places]
    importlib.invalidate_caches()
    module = resolved(target)
    in_wheel = Path(folder, INSTALLED).is_dir() and not Path(folder, module.partition(".")[0]).exists()
    if in_wheel:
        module = f"{INSTALLED}.{module}"
    implementation = load(module if in_wheel else target, backend)
    file = getattr(sys.modules[module.partition(":")[0]], "__file__", None)
    if not file or not Path(file).resolve().is_relative_to(Path(folder).resolve()):
        raise Refused(f"{target} was imported from {file}, which is not in {folder}: it would be compared with itself")
    return implementation


def main() -> None:
    """Serve on the standard streams. All other output is redirected to the standard error stream."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    serve(requests, answers)
    sys.stderr.flush()
    os._exit(0)  # skips the seconds that some frameworks take to shut down


if __name__ == "__main__":
    main()
