"""What is known about an implementation beforehand: clauses that it does not meet, and wider tolerances that it needs.

Each has a reason, and is found by the ID of its clause. An adapter declares them as ``EXCUSED`` and ``TOLERANCES``; a
TOML file named on the command line may add others:

    [excused]
    PAD-4 = "padding is symmetric until version 2"

    [tolerances]
    BASE-3 = { factor = 20, reason = "inference in bfloat16" }
"""

import sys
import tomllib
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..support.texts import Told


class WrongExpectations(Told):
    """The declared expectations are malformed, or do not fit the clauses."""


@dataclass(frozen=True)
class Expectations:
    """{clause ID: reason} of excused clauses, {clause ID: (factor, reason)} of wider tolerances."""

    excused: Mapping[str, str] = field(default_factory=dict)
    tolerances: Mapping[str, tuple[float, str]] = field(default_factory=dict)

    def __or__(self, other: "Expectations") -> "Expectations":
        """The expectations of both; ``other`` counts for a clause that both name."""
        return Expectations({**self.excused, **other.excused}, {**self.tolerances, **other.tolerances})

    def factor(self, clause: str) -> float:
        """The factor by which the tolerances of a clause are multiplied."""
        return self.tolerances.get(clause, (1.0, ""))[0]


def declared(excused: Any, tolerances: Any, where: str) -> Expectations:
    """The expectations of an adapter; WrongExpectations if a reason is missing or a factor is invalid."""
    if not isinstance(excused, Mapping) or not isinstance(tolerances, Mapping):
        raise WrongExpectations(f"EXCUSED and TOLERANCES of {where} must be dicts by the ID of a clause")
    if bare := [name for name, reason in excused.items() if not _is_reason(reason)]:
        raise WrongExpectations(f"EXCUSED of {where}: no reason for {', '.join(map(str, bare))}")
    for name, pair in tolerances.items():
        good = isinstance(pair, tuple | list) and len(pair) == 2 and _is_factor(pair[0]) and _is_reason(pair[1])
        if not good:
            raise WrongExpectations(
                f"TOLERANCES of {where}: {name} needs a factor of at least 1 and a reason, such as (20, 'bfloat16')"
            )
    return Expectations(dict(excused), {name: (float(factor), reason) for name, (factor, reason) in tolerances.items()})


def read(file: Path) -> Expectations:
    """The expectations in a file; WrongExpectations if it cannot be understood."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongExpectations(
            f"{file} does not exist: name a TOML file with the tables excused and tolerances"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise WrongExpectations(f"{file} is not TOML: {error}") from error
    if surplus := content.keys() - {"excused", "tolerances"}:
        raise WrongExpectations(f"{file}: unknown table {min(surplus)}; the tables are excused and tolerances")
    tolerances = content.get("tolerances", {})
    if not isinstance(tolerances, dict) or not all(isinstance(entry, dict) for entry in tolerances.values()):
        raise WrongExpectations(f'{file}: a tolerance is written BASE-3 = {{ factor = 20, reason = "bfloat16" }}')
    pairs = {name: (entry.get("factor"), entry.get("reason")) for name, entry in tolerances.items()}
    return declared(content.get("excused", {}), pairs, str(file))


def check_names(expectations: Expectations, where: str, unknown: Callable[[Iterable[str]], str]) -> None:
    """Raise WrongExpectations if ``unknown`` reports that a named clause does not exist."""
    if wrong := unknown([*expectations.excused, *expectations.tolerances]):
        raise WrongExpectations(f"{where}: {wrong}")


def check_tolerances(expectations: Expectations, where: str, stochastic: Container[str]) -> None:
    """Raise WrongExpectations for a STOCHASTIC clause: its tests have rates, and no tolerance to widen."""
    for name in expectations.tolerances:
        if name in stochastic:
            raise WrongExpectations(f"{where}: {name} is decided by a statistical test and has no tolerance; excuse it")


def _is_reason(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_factor(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= sys.float_info.max
