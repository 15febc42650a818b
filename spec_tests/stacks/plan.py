"""The stacks that a TOML file lists, validated before anything is installed."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from .. import FIXTURES
from ..adapter.stages import NAMES
from ..adapter.targets import DEFAULT_IMPLEMENTATION
from ..running.profiles import PROFILES
from ..support.texts import Told

SHIPPED = FIXTURES / "matrices"
TEXTS, LISTS = ("label", "implementation", "backend", "profile", "expectations"), ("packages", "stages")


class WrongPlan(Told):
    """A file lists no stacks that can be checked."""


@dataclass(frozen=True)
class Stack:
    """Packages, and the implementation that is checked with them: a column of the report."""

    label: str
    packages: tuple[str, ...] = ()  # requirements, as pip takes them
    implementation: str = DEFAULT_IMPLEMENTATION
    backend: str = ""
    stages: tuple[str, ...] = ()  # if none is named, all stages that the implementation offers
    profile: str = "quick"
    expectations: str = ""  # a file, relative to the folder of the plan


@dataclass(frozen=True)
class Plan:
    """The stacks of a file."""

    file: Path
    stacks: tuple[Stack, ...]


def read_plan(name: str) -> Plan:
    """The plan in a file, or one of those that are included: keras, frameworks, libraries.

    Raises WrongPlan if the file holds none.
    """
    file = Path(name)
    if not file.exists() and (SHIPPED / f"{name}.toml").is_file():
        file = SHIPPED / f"{name}.toml"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.toml")))
        raise WrongPlan(f"{name} does not exist: name a TOML file of stacks, or one of {known}") from None
    except (ValueError, OSError) as error:
        raise WrongPlan(f"{name} is not TOML ({error})") from error
    defaults, given = content.get("defaults", {}), content.get("stack", [])
    if unknown := set(content) - {"defaults", "stack"}:
        raise WrongPlan(f"{name}: {min(unknown)} is neither [defaults] nor [[stack]]")
    if not isinstance(defaults, dict) or not isinstance(given, list) or not given:
        raise WrongPlan(f"{name} lists no stack: add [[stack]] with a label and its packages")
    stacks = tuple(_stack(defaults | one, f"{name}, stack {number}") for number, one in enumerate(given, 1))
    labels = [stack.label for stack in stacks]
    if twice := next((label for label in labels if labels.count(label) > 1), ""):
        raise WrongPlan(f"{name}: two stacks have the label {twice}")
    for stack in stacks:
        if stack.expectations and not (file.parent / stack.expectations).is_file():
            raise WrongPlan(
                f"{name}: {stack.label} names {stack.expectations}, which is not in the folder of this file"
            )
    return Plan(file, stacks)


def _stack(given: Mapping[str, Any], where: str) -> Stack:
    """One stack of a plan; raises WrongPlan with the reason if it is wrong."""
    if unknown := given.keys() - {*TEXTS, *LISTS}:
        raise WrongPlan(f"{where}: {min(unknown)} is none of {', '.join((*TEXTS, *LISTS))}")
    if not given.get("label"):
        raise WrongPlan(f"{where} has no label")
    for name, value in given.items():
        right = isinstance(value, str) if name in TEXTS else isinstance(value, list) and {*map(type, value)} <= {str}
        if not right:
            raise WrongPlan(f"{where}: {name} must be {'a text' if name in TEXTS else 'a list of texts'}")
    for package in given.get("packages", ()):
        try:
            Requirement(package)
        except InvalidRequirement:
            raise WrongPlan(f"{where}: {package} is not a requirement such as keras==3.15.1") from None
    for name, one, known in (
        *(("stage", stage, NAMES) for stage in given.get("stages", ())),
        ("profile", given.get("profile", Stack.profile), tuple(PROFILES)),
    ):
        if one not in known:
            raise WrongPlan(f"{where}: there is no {name} {one}: there are {', '.join(known)}")
    fields: dict[str, Any] = {name: tuple(value) if name in LISTS else value for name, value in given.items()}
    return Stack(**fields)
