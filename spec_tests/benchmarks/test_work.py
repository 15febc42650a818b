"""Each piece of work as a benchmark of pytest-benchmark: ``pytest spec_tests/benchmarks``."""

import os
from typing import Any

import pytest

from ..adapter.implementation import Implementation
from ..running.results import backend_of
from .memory import forget_peak, peak
from .work import WORK, Settings, lacking

WARM_UP = 2  # runs: the first compiles, the second meets the state that the first left
ROUNDS = 5  # for work that is set up anew each time


@pytest.mark.parametrize("name", WORK)
def test_work(
    name: str, implementation: Implementation, settings: Settings, benchmark: Any, request: pytest.FixtureRequest
) -> None:
    if lacks := lacking(implementation, name):
        pytest.skip(f"{implementation.name} has no {lacks}")
    backend = backend_of(request.config) if implementation.has_backends else ""
    benchmark.group = name
    work = WORK[name](implementation, settings)
    for _ in range(0 if work.renew else WARM_UP):
        work.run()
    since = "the work began" if forget_peak() else "the process began"
    if work.renew:
        benchmark.pedantic(work.run, setup=work.renew, rounds=ROUNDS, warmup_rounds=0)
    else:
        benchmark(work.run)
    benchmark.extra_info |= {
        "implementation": implementation.name,
        "version": implementation.version,
        "backend": backend,
        "processors": os.cpu_count(),
        "images": work.images,
        "image_size": settings.image_size,
        "preset": settings.preset.name,
        "peak_memory_bytes": peak(),
        "peak_memory_since": since,
    }
    if benchmark.stats:  # none with --benchmark-disable
        benchmark.extra_info["images_per_second"] = work.images / benchmark.stats.stats.median
