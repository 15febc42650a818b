"""The record of a session with every duration, as objects and as JSON."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ... import __version__
from .session import Measured
from .verdict import CONTROL, Decision, Round, versus_base

FORMAT, VERSION = "convspec gate", 1
DISTRIBUTIONS = ("numpy", "scipy", "jax", "tensorflow", "torch", "keras", "keras-hub")


@dataclass(frozen=True)
class Comparison:
    """A benchmark with its measurements and decision; without a decision if the implementations are not gated."""

    benchmark: str
    measured: Measured
    decision: Decision | None

    def to_json(self) -> dict[str, Any]:
        """The record as JSON. Durations are in seconds. A round is a list of blocks, a block a list of turns."""
        measured = self.measured
        estimates = {"head": measured.estimate(versus_base()), "control": measured.estimate(CONTROL)}
        return {
            "benchmark": self.benchmark,
            "decision": asdict(self.decision) if self.decision else None,
            "estimates": {name: asdict(estimate) if estimate else None for name, estimate in estimates.items()},
            "plan": asdict(measured.plan) if measured.plan else None,
            "shape": asdict(measured.shape) if measured.shape else None,
            "minutes": measured.minutes,
            "minutes_needed": measured.minutes_needed,
            "pilot": _plain(measured.pilot),
            "rounds": _plain(measured.rounds),
        }


def json_text(comparisons: Sequence[Comparison], subjects: dict[str, str], settings: dict[str, Any]) -> str:
    """All comparisons of a session as JSON; infinite bounds become null."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "subjects": subjects,
        "settings": settings,
        **circumstances(),
        "comparisons": [comparison.to_json() for comparison in comparisons],
    }
    return json.dumps(_finite(content), allow_nan=False) + "\n"


def circumstances() -> dict[str, Any]:
    """The time and the environment of the measurement."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processors": os.cpu_count(),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {"convspec": __version__} | {name: found for name in DISTRIBUTIONS if (found := _version(name))},
    }


def _plain(rounds: Sequence[Round]) -> list[Any]:
    return [[[[turn.subject, list(turn.seconds)] for turn in block] for block in blocks] for blocks in rounds]


def _finite(content: Any) -> Any:
    """The content with null for infinite numbers, which JSON lacks."""
    if isinstance(content, dict):
        return {name: _finite(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and content in (float("inf"), -float("inf")) else content


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
