"""Accuracies that the reference reached, and the bounds on new trials that follow from them.

The bounds limit what an implementation may reach: an implementation that is as good as the reference goes beyond a
bound in one of a million trials. ``python -m spec_tests.cases.records --backend jax`` adds trials.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import scipy  # scipy.stats is loaded on first use, which takes a second or two

from ..adapter.implementation import load
from ..jobs.job import GIB, Job
from ..jobs.options import add_options, runner
from ..jobs.runner import Runner
from ..judging.statistics import ALPHA
from ..support.files import write_text
from ..support.texts import Told
from .trials import EMBEDDED_PRESET, Split, Trial, drawn_splits, photographs, trial

RECORDS = Path(__file__).with_name("records.json")
EMBEDDED = "embedded"
PACKAGES = ("keras", "keras-hub", "jax", "tensorflow", "torch", "numpy")


def name_of(data: Path | None, preset: Path | None) -> str:
    """The name under which records of this data and this base are filed."""
    return f"{data.name} with {preset.name}" if data and preset else EMBEDDED


def lowest(recorded: Sequence[float], new: int = 1, alpha: float = ALPHA) -> float:
    """The value that the mean of ``new`` trials falls below at the rate ``alpha``, if they resemble the recorded ones.

    It is the lower end of Student's prediction interval, for values that are distributed normally around their mean.
    """
    n = len(recorded)
    spread = np.std(recorded, ddof=1) * np.sqrt(1 / new + 1 / n)
    return float(np.mean(recorded) + scipy.stats.t.ppf(alpha, n - 1) * spread)


def highest(recorded: Sequence[float], new: int = 1, alpha: float = ALPHA) -> float:
    """The value that the mean of ``new`` trials exceeds at the rate ``alpha``, if they resemble the recorded ones."""
    return -lowest([-value for value in recorded], new, alpha)


def recorded_trials(name: str, file: Path = RECORDS) -> list[Trial]:
    """The reference's trials on a data set with a base, on all backends."""
    runs = json.loads(file.read_text())["runs"] if file.is_file() else []
    return [Trial(**numbers) for run in runs if run["name"] == name for numbers in run["trials"].values()]


def record(
    backend: str, seeds: Iterable[int], data: Path | None, preset: Path | None, file: Path, runner: Runner
) -> None:
    """Run trials of the reference and add each to ``file`` as soon as it is done."""
    name = name_of(data, preset)
    for done in runner.whole([job(backend, seed, data, preset) for seed in seeds]):
        seed, measures = str(done.job.arguments["seed"]), done.result
        runs = json.loads(file.read_text())["runs"] if file.is_file() else []
        run = next((run for run in runs if (run["name"], run["backend"]) == (name, backend)), None)
        if run is None:
            run = {"name": name, "backend": backend, "versions": versions(), "trials": {}}
            runs.append(run)
        run["trials"][seed] = {
            measure: value if value is None else round(value, 4) for measure, value in measures.items()
        }
        run["trials"] = dict(sorted(run["trials"].items(), key=lambda item: int(item[0])))
        write_text(file, json.dumps({"runs": runs}, indent=1) + "\n")
        print(f"seed {seed}: {Trial(**measures)}", flush=True)


def job(backend: str, seed: int, data: Path | None, preset: Path | None) -> Job:
    """The job that runs one trial."""
    paths = {name: str(path.resolve()) if path else "" for name, path in (("data", data), ("preset", preset))}
    given = {"backend": backend, "seed": seed, **paths}
    return Job(f"{backend}-{seed}", f"{__spec__.name}:tried", given, cores=2, memory=4 * GIB, apart=True)


def tried(backend: str, seed: int, data: str, preset: str) -> dict[str, float | None]:
    """Run one trial and return its measures, {name: value}."""
    return asdict(trial(load("reference", backend), _splits(data), Path(preset) if preset else EMBEDDED_PRESET, seed))


@cache
def _splits(data: str) -> dict[str, Split]:
    return photographs(Path(data)) if data else drawn_splits()


def versions() -> dict[str, str]:
    """{package: version} of those of ``PACKAGES`` that are installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def main() -> None:
    """Record trials."""
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description="Record trials of the reference.")
    parser.add_argument("--backend", required=True, help="jax, tensorflow or torch")
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 20), metavar=("FIRST", "END"), help="default: 0 20")
    parser.add_argument("--data", type=Path, help="zip or folder of photographs (default: the embedded drawings)")
    parser.add_argument("--preset", type=Path, help="preset of the base to use with them")
    add_options(parser, "runs/records", workers=1)
    parser.add_argument("--output", type=Path, default=RECORDS, help="the file to add to (default: the package's own)")
    options = parser.parse_args()
    if (options.data is None) != (options.preset is None):
        parser.error("--data and --preset go together")
    try:
        record(options.backend, range(*options.seeds), options.data, options.preset, options.output, runner(options))
    except Told as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
