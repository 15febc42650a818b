"""False alarms: correct implementations checked against every clause, with many seeds.

A run is one implementation with one seed. ``alarms.json`` holds the result of each run, and a repeated run replaces
the earlier one. No correct implementation may fail: an alarm is a fault of the specification.
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scipy import stats

from fixtures.variants import Variant, variants

from .. import __version__
from ..adapter.targets import default_backend
from ..jobs.job import Job, stopped
from ..jobs.runner import Runner
from ..reporting.record import CHECKED, FAILURES, Outcome, Result
from ..running.isolation.process import MEMORY_OF_A_WORKER, spawned
from ..running.isolation.supervisor import check
from ..running.isolation.task import Task
from ..support.files import write_text
from .mutants import LIMITS as OF_MUTANTS
from .mutants import ignored

RECORDED = Path(__file__).with_name("alarms.json")
CORRECT = ("reference@jax", "reference@tensorflow", "reference@torch", "torch_port", "jax_port", "numpy_port")
CONFIDENCE = 0.95
LIMITS = replace(OF_MUTANTS, seconds=1200)  # a clause that is slow on a busy machine is not an alarm


@dataclass(frozen=True)
class Run:
    """The result of a correct implementation with one seed."""

    implementation: str
    seed: int
    specification: str
    date: str
    packages: dict[str, str]
    clauses: int  # number of clauses that were checked
    seconds: float
    alarms: list[str]  # clauses that failed, with their messages

    @property
    def key(self) -> tuple[str, int]:
        """A unique key of the run."""
        return self.implementation, self.seed


def upper_bound(events: int, trials: int) -> float:
    """The one-sided upper bound of an event's probability at 95 %, exact by Clopper and Pearson."""
    return float(stats.beta.ppf(CONFIDENCE, events + 1, trials - events)) if events < trials else 1.0


def read(file: Path = RECORDED) -> list[Run]:
    """The recorded runs."""
    return [Run(**run) for run in json.loads(file.read_text(encoding="utf-8"))["runs"]] if file.is_file() else []


def record(
    names: Sequence[str], seeds: Iterable[int], options: Sequence[str], runner: Runner,
    file: Path, told: Callable[[Run], None],
) -> list[Run]:  # fmt: skip
    """Make runs and save each as soon as it is done; returns the new runs."""
    jobs, made = [_job(name, seed, options) for seed in seeds for name in names], dict[tuple[str, int], Run]()
    for done in runner.whole(jobs):
        run = Run(**done.result)
        made[run.key] = run
        kept = {one.key: one for one in (*read(file), run)}
        content = {"runs": [asdict(kept[key]) for key in sorted(kept)]}
        write_text(file, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        told(run)
    return [made[key] for key in sorted(made)]


def known() -> dict[str, Variant | None]:
    """{name: the variant, or None for an unchanged implementation}."""
    return {**dict.fromkeys(CORRECT), **variants()}


def _job(name: str, seed: int, options: Sequence[str]) -> Job:
    variant = known()[name]
    target, _, backend = (f"fixtures.variants:{name}", "", variant.backend) if variant else name.partition("@")
    given = {"name": name, "target": target, "backend": backend or default_backend(), "seed": seed, "options": options}
    depends = variant.digest if variant else ""
    return Job(f"{name}-{seed}", f"{__name__}:made", given, memory=MEMORY_OF_A_WORKER, depends=depends)


def made(name: str, target: str, backend: str, seed: int, options: Sequence[str]) -> dict[str, Any]:
    """The result of one run as JSON."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes run in parallel, each on one core
    task = Task(name, target, backend, (f"--seed={seed}", *options))
    state = check(task, LIMITS, ignored, spawned, stopped)
    results = list(state.results.values())
    run = Run(
        name,
        seed,
        __version__,
        datetime.now(UTC).date().isoformat(),
        state.implementation.packages,
        sum(result.outcome in CHECKED for result in results),
        round(sum(result.seconds for result in results), 1),
        [_said(result) for result in results if result.outcome in (*FAILURES, Outcome.BROKEN)],
    )
    return asdict(run)


def _said(result: Result) -> str:
    failure = result.failure
    return f"{result.clause.id}: {failure.violated or failure.raised}; expected {failure.expected}, got {failure.got}"
