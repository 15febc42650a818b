"""False alarms: right implementations against every clause, with many seeds.

Each run is one implementation with one seed. What was seen is kept in ``alarms.json``, and a run that is made
again replaces the one before. None of them may be condemned: an alarm is a fault of the specification.
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from scipy import stats

from fixtures.variants import Variant, variants

from .. import __version__
from ..adapter.targets import default_backend
from ..reporting.record import CHECKED, FAILURES, Outcome, Result
from ..running.isolation.supervisor import check
from ..running.isolation.task import Task
from ..support.files import write_text
from .mutants import LIMITS as OF_MUTANTS
from .mutants import ignored

RECORDED = Path(__file__).with_name("alarms.json")
CORRECT = ("reference@jax", "reference@tensorflow", "reference@torch", "torch_port", "jax_port", "numpy_port")
CONFIDENCE = 0.95
LIMITS = replace(OF_MUTANTS, seconds=1200)  # a clause that is slow on a busy machine is no alarm


@dataclass(frozen=True)
class Run:
    """What was said of a right implementation with one seed."""

    implementation: str
    seed: int
    specification: str
    date: str
    packages: dict[str, str]
    clauses: int  # that were checked
    seconds: float
    alarms: list[str]  # clauses that failed, and what they said

    @property
    def key(self) -> tuple[str, int]:
        """One of a kind."""
        return self.implementation, self.seed


def upper_bound(events: int, trials: int) -> float:
    """Of the probability of an event: exact (Clopper and Pearson), one-sided, at 95 %."""
    return float(stats.beta.ppf(CONFIDENCE, events + 1, trials - events)) if events < trials else 1.0


def read(file: Path = RECORDED) -> list[Run]:
    """The recorded runs."""
    return [Run(**run) for run in json.loads(file.read_text(encoding="utf-8"))["runs"]] if file.is_file() else []


def record(
    names: Sequence[str], seeds: Iterable[int], options: Sequence[str], workers: int,
    file: Path, told: Callable[[Run], None],
) -> list[Run]:  # fmt: skip
    """Make the runs and keep each as soon as it is done; those made now."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes side by side, each on one core
    lock = Lock()

    def make(name: str, seed: int) -> Run:
        run = _run(name, seed, options)
        with lock:
            kept = {one.key: one for one in (*read(file), run)}
            content = {"runs": [asdict(kept[key]) for key in sorted(kept)]}
            write_text(file, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
            told(run)
        return run

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda pair: make(*pair), [(name, seed) for seed in seeds for name in names]))


def known() -> dict[str, Variant | None]:
    """{name: the variant, or nothing for an implementation as it is}."""
    return {**dict.fromkeys(CORRECT), **variants()}


def _run(name: str, seed: int, options: Sequence[str]) -> Run:
    variant = known()[name]
    target, _, backend = (f"fixtures.variants:{name}", "", variant.backend) if variant else name.partition("@")
    task = Task(name, target, backend or default_backend(), (f"--seed={seed}", *options))
    state = check(task, LIMITS, ignored)
    results = list(state.results.values())
    return Run(
        name,
        seed,
        __version__,
        datetime.now(UTC).date().isoformat(),
        state.implementation.packages,
        sum(result.outcome in CHECKED for result in results),
        round(sum(result.seconds for result in results), 1),
        [_said(result) for result in results if result.outcome in (*FAILURES, Outcome.BROKEN)],
    )


def _said(result: Result) -> str:
    failure = result.failure
    return f"{result.clause.id}: {failure.violated or failure.raised}; expected {failure.expected}, got {failure.got}"
