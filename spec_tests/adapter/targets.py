"""Resolves the name of an implementation on a command line, without importing any of it."""

import importlib.util
import os
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import PackageNotFoundError, entry_points, packages_distributions, version
from pathlib import Path

from .. import PARENT
from ..support.texts import Told

GROUP = "convspec.implementations"  # of entry points: each maps a name to package.module or package.module:object
PORTS = f"{PARENT}fixtures.implementations"
BUILT_IN = {
    "reference": f"{PARENT}reference",
    "reference_fast": f"{PARENT}reference.fast",
    "numpy_port": f"{PORTS}.numpy_port",
    "torch_port": f"{PORTS}.torch_port",
    "jax_port": f"{PORTS}.jax_port",
}
NEEDS = {  # {built-in: (modules, the extra that installs them)}
    "reference": (("keras", "keras_hub", "tensorflow", "kagglehub"), "reference"),
    "reference_fast": (("keras", "keras_hub", "tensorflow", "kagglehub"), "reference"),
    "torch_port": (("torch",), "torch"),
    "jax_port": (("jax", "optax"), "jax"),
}
BACKENDS = ("jax", "tensorflow", "torch")  # of the built-in implementations that have several
ON_BACKENDS = ("reference", "reference_fast")

DEFAULT_IMPLEMENTATION = "reference"
DEFAULT_BACKEND = "jax"


class NoTarget(Told):
    """The implementation that the command line names cannot be checked here."""


def resolved(target: str) -> str:
    """The module that a registered or built-in name stands for; any other target is returned as it is."""
    if target in BUILT_IN:
        return BUILT_IN[target]
    return {entry.name: entry.value for entry in entry_points(group=GROUP)}.get(target, target)


def refuse_missing(target: str, backend: str) -> None:
    """Raise NoTarget for a file, a module that does not exist, an unknown backend, or a missing package."""
    if target.endswith(".py"):
        raise NoTarget(f"{target} is a file: name the module, {Path(target).stem}, from the folder that it is in")
    if target in ON_BACKENDS and backend not in BACKENDS:
        raise NoTarget(f"{target}@{backend}: {target} runs on {', '.join(BACKENDS)}")
    modules, extra = NEEDS.get(target, ((), ""))
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise NoTarget(f"{target} needs {', '.join(missing)}: run pip install 'convspec[{extra}]'")
    if target in ON_BACKENDS and importlib.util.find_spec(backend) is None:
        raise NoTarget(f"{target}@{backend} needs {backend}: run pip install 'convspec[{backend}]'")
    top = resolved(target).partition(":")[0].partition(".")[0]
    if _found(top) is None:
        near = get_close_matches(target, BUILT_IN, n=1)
        meant = f"did you mean {near[0]}?" if near else f"name package.module or one of {', '.join(BUILT_IN)}"
        raise NoTarget(f"{target}: there is no module {top} here; {meant}")


def source_of(target: str) -> Path | None:
    """The source file of a module; None for an object of a module, or if it cannot be found without an import."""
    module, colon, _ = resolved(target).partition(":")
    if colon:
        return None
    top, *parts = module.split(".")
    spec, name = _found(top), top
    for part in parts:
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations) if spec else None
    file = Path(spec.origin) if spec and spec.origin else None
    return file if file and file.suffix == ".py" and file.is_file() else None


def _found(top: str) -> ModuleSpec | None:
    """The spec of a top-level module; the current folder comes first, as in the processes of checks."""
    with suppress(ValueError, ImportError):  # an empty name, and a module without a spec
        return PathFinder.find_spec(top, [os.getcwd()]) or importlib.util.find_spec(top)  # noqa: PTH109 - a str
    return None


@cache
def installed_version(target: str) -> str:
    """The version of the distribution that a module belongs to, without an import; empty if there is none."""
    top = resolved(target).partition(":")[0].partition(".")[0]
    try:
        return version(packages_distributions().get(top, [top])[0])
    except PackageNotFoundError:
        return ""


def default_backend() -> str:
    """The backend that is checked if none is named."""
    return os.environ.get("KERAS_BACKEND") or DEFAULT_BACKEND
