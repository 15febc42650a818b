"""What is known of an implementation beforehand: clauses that it does not meet, and tolerances that it needs wider.

Each with a reason, by the ID of the clause. They stand in the adapter, as ``EXCUSED`` and
``TOLERANCES``, or in a TOML file that is named on the command line:

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
    """What is expected cannot be understood."""


@dataclass(frozen=True)
class Expectations:
    """{clause ID: reason} of what is excused, {clause ID: (factor, reason)} of tolerances."""

    excused: Mapping[str, str] = field(default_factory=dict)
    tolerances: Mapping[str, tuple[float, str]] = field(default_factory=dict)

    def __or__(self, other: "Expectations") -> "Expectations":
        """Both; where they name the same clause the other one counts."""
        return Expectations({**self.excused, **other.excused}, {**self.tolerances, **other.tolerances})

    def factor(self, clause: str) -> float:
        """What the tolerances of a clause are multiplied by."""
        return self.tolerances.get(clause, (1.0, ""))[0]


def declared(excused: Any, tolerances: Any, where: str) -> Expectations:
    """Those of an adapter; WrongExpectations where a reason is missing or a factor is none."""
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
    """Those of a file; WrongExpectations if it cannot be understood."""
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
    """Every clause that is named must exist, as ``unknown`` tells."""
    if wrong := unknown([*expectations.excused, *expectations.tolerances]):
        raise WrongExpectations(f"{where}: {wrong}")


def check_tolerances(expectations: Expectations, where: str, stochastic: Container[str]) -> None:
    """The tests of STOCHASTIC clauses have rates, and no tolerance that a factor could widen."""
    for name in expectations.tolerances:
        if name in stochastic:
            raise WrongExpectations(f"{where}: {name} is decided by a statistical test and has no tolerance; excuse it")


def _is_reason(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_factor(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= sys.float_info.max
