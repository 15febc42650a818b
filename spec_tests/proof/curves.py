"""Operating curves: how often a clause finds a fault of each size, and how often it gives a false alarm.

``python -m spec_tests.proof curves`` runs the clauses, counts, and writes ``curves.json``. It takes half an
hour. ``shortcomings`` lists the places where the counts contradict the statements of the clauses.
"""

import inspect
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from scipy import stats

from .. import __version__
from ..adapter.implementation import load
from ..clauses.catalogue import selected, tests, unknown
from ..clauses.clause import Level
from ..jobs.job import Job
from ..jobs.runner import Runner
from ..judging import checks
from ..support.files import write_text
from .faults import FAULTS, PROMISES, Fault, Promise, in_words

FILE = Path(__file__).with_name("curves.json")
COMMAND = "python -m spec_tests.proof curves"
CONFIDENCE = 0.95
STEP = 1000  # between seeds, since a clause also uses a few seeds above its own
SEEDS = 30  # for each size, if a run takes a fifth of a second
# by clause or family
CHEAP, DEAR = {"AUG-4": 100, "FLIP-2": 40, "ACC": 1000}, {"AUG-7": 20, "DROP": 15, "AUG-12": 10}
AT_NONE = 10  # factor for runs without a fault, for one fault of each clause
RECORDED = "the recorded trials"
SURE = 0.999  # the power at which no larger fault may be missed even once


@dataclass(frozen=True)
class Point:
    """The number of runs in which a fault of one size was found."""

    size: float
    runs: int
    detected: int

    @property
    def rate(self) -> float:
        """The share of runs in which the fault was found."""
        return self.detected / self.runs

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper and Pearson's interval for the probability of finding the fault."""
        found = stats.binomtest(self.detected, self.runs).proportion_ci(CONFIDENCE, "exact")
        return float(found.low), float(found.high)

    @property
    def upper_bound(self) -> float:
        """The one-sided upper bound of that probability."""
        return float(stats.beta.ppf(CONFIDENCE, self.detected + 1, self.runs - self.detected))


@dataclass(frozen=True)
class Curve:
    """The points of a fault, from no fault to the largest."""

    clause: str
    fault: str
    title: str
    unit: str
    none: float
    subject: str  # the correct implementation that received the fault
    versions: dict[str, str]
    date: str
    points: tuple[Point, ...]

    def at(self, size: float) -> Point | None:
        """The point of this size; None if there is none."""
        return next((point for point in self.points if point.size == size), None)


def stochastic() -> dict[str, Any]:
    """{clause ID: test} of the clauses that a statistical test decides."""
    return {name: test for name, test in tests().items() if test.clause.level is Level.STOCHASTIC}


def detects(clause: str, arguments: dict[str, Any]) -> bool:
    """Whether a clause fails with these arguments."""
    test = tests()[clause]
    tally = checks.start_tally()
    try:
        test(**{name: value for name, value in arguments.items() if name in inspect.signature(test).parameters})
    except checks.Violation:
        return True
    if not tally.count:
        raise ValueError(f"{clause} checked nothing")
    return False


def measured(fault: Fault, subject: str, seeds: int | None = None) -> Curve:
    """The curve of a fault in the named implementation. Except for its date it is reproducible."""
    base = load(subject)
    seeds = seeds or seeds_of(fault.clause)
    first = next(other for other in FAULTS if other.clause == fault.clause)
    points = []
    for size in (fault.none, *fault.sizes):
        runs = seeds * AT_NONE if size == fault.none and fault is first else seeds
        detected = sum(detects(fault.clause, fault.spoilt(base, size, STEP * run)) for run in range(runs))
        points.append(Point(size, runs, detected))
    stated = RECORDED if fault.clause.startswith("ACC") else subject
    versions = {"convspec": __version__, "numpy": np.__version__, "scipy": scipy.__version__}
    date = datetime.now(UTC).date().isoformat()
    return Curve(fault.clause, fault.name, fault.title, fault.unit, fault.none, stated, versions, date, tuple(points))


def seeds_of(clause: str) -> int:
    """The number of seeds for each size, smaller for clauses with slow runs."""
    known = CHEAP | DEAR
    return known.get(clause) or known.get(clause.partition("-")[0]) or SEEDS


def read(file: Path = FILE) -> list[Curve]:
    """The curves in a file; empty if there is no file."""
    if not file.is_file():
        return []
    return [of_json(curve) for curve in json.loads(file.read_text(encoding="utf-8"))["curves"]]


def of_json(curve: Mapping[str, Any]) -> Curve:
    """The curve that ``asdict`` converted."""
    return Curve(**{**curve, "points": tuple(Point(**point) for point in curve["points"])})


def merge(new: Iterable[Curve], file: Path = FILE) -> None:
    """Write curves to a file in the order of the faults, replacing older curves of the same faults."""
    found = {(curve.clause, curve.fault): curve for curve in (*read(file), *new)}
    kept = [found[key] for fault in FAULTS if (key := (fault.clause, fault.name)) in found]
    write_text(file, json.dumps({"curves": [asdict(curve) for curve in kept]}, indent=1) + "\n")


def shortcomings(
    curves: Sequence[Curve],
    clauses: Iterable[str] | None = None,
    faults: Sequence[Fault] = FAULTS,
    promises: Sequence[Promise] = PROMISES,
) -> list[str]:
    """Sentences about curves that contradict the clauses; none if all agree."""
    found = []
    for name in stochastic() if clauses is None else clauses:
        if not any(curve.clause == name for curve in curves):
            found.append(f"{name} has no curve: add a fault to faults.py and run {COMMAND} {name}")
        if not any(promise.clause == name for promise in promises):
            found.append(f"{name} promises nothing: state its power in its text and in PROMISES")
    for fault in faults:
        curve = _of(curves, fault.clause, fault.name)
        sizes = {point.size for point in curve.points} if curve else set()
        if missing := {fault.none, *fault.sizes} - sizes:
            listed = ", ".join(f"{size:g}" for size in sorted(missing))
            found.append(f"{fault.clause}, {fault.title}: no point at {listed}; run {COMMAND} {fault.clause}")
    for curve in curves:
        found.extend(_wrong_counts(curve))
    for promise in promises:
        found.extend(_broken(promise, curves))
    return found


def _of(curves: Iterable[Curve], clause: str, fault: str) -> Curve | None:
    return next((curve for curve in curves if (curve.clause, curve.fault) == (clause, fault)), None)


def _wrong_counts(curve: Curve) -> Iterator[str]:
    """Impossible counts, and false alarms. At a rate of one in a million runs there should be none."""
    for point in curve.points:
        place = f"{curve.clause}, {curve.title} {point.size:g}: {point.detected} found in {point.runs} runs"
        if not 0 <= point.detected <= point.runs or not point.runs:
            yield f"{place} cannot be"
        elif point.size == curve.none and point.detected:
            yield f"{place} where there is no fault"


def _broken(promise: Promise, curves: Iterable[Curve]) -> Iterator[str]:
    """Promises that the curves contradict, and power that the curves show but the clause does not state."""
    promised = f"{promise.clause} promises a power of {promise.power:g} at {promise.fault} {promise.size:g}"
    if not is_stated(promise):
        yield f"{promised}, which its text does not state: it lacks {promise.words!r} with that power"
    curve = _of(curves, promise.clause, promise.fault)
    point = curve.at(promise.size) if curve else None
    if curve is None or point is None:
        yield f"{promised}: no point of that size; run {COMMAND} {promise.clause}"
        return
    if 0 <= point.detected <= point.runs and point.runs and point.interval[1] < promise.power:
        yield f"{promised}: {point.detected} found in {point.runs} runs, a power of {point.interval[1]:.4f} at most"
    for other in curve.points:
        beyond = abs(other.size - curve.none) > abs(promise.size - curve.none)
        if beyond and promise.power >= SURE and other.detected < other.runs:
            yield f"{promised}: a larger one, {other.size:g}, was missed {other.runs - other.detected} times"


def is_stated(promise: Promise) -> bool:
    """Whether the notes of the clause contain the words of a promise and, before their end, its power."""
    notes = tests()[promise.clause].clause.notes if promise.clause in tests() else ""
    power = rf"(?<![\d.]){re.escape(in_words(promise.power))}(?!\d)"
    _, _, stated = notes[: notes.find(promise.words) + len(promise.words)].rpartition("Power")
    return promise.words in notes and re.search(power, stated) is not None


def record(
    clauses: Sequence[str], subject: str, seeds: int | None, runner: Runner, file: Path
) -> Iterator[tuple[Curve, float]]:
    """Measure the curves of these clauses or families, or all curves, and write each as soon as it is done.

    Yields each curve with its seconds of processor time. Raises ValueError for a clause without a curve.
    """
    if wrong := unknown(clauses, [test.clause for test in stochastic().values()]):
        raise ValueError(wrong)
    load(subject)  # fails here if it cannot be loaded
    wanted = [fault for fault in FAULTS if selected(tests()[fault.clause].clause, clauses, ())]
    jobs = [
        Job(f"{fault.clause}-{fault.name}", f"{__name__}:counted", {"clause": fault.clause, "name": fault.name,
            "subject": subject, "seeds": seeds}, apart=True)
        for fault in wanted
    ]  # fmt: skip
    for done in runner.whole(jobs):
        curve = of_json(done.result["curve"])
        merge([curve], file)
        yield curve, done.result["seconds"]


def counted(clause: str, name: str, subject: str, seeds: int | None) -> dict[str, Any]:
    """The curve of a fault, named by clause and name, as JSON, and the seconds of processor time."""
    begun = time.process_time()
    fault = next(fault for fault in FAULTS if (fault.clause, fault.name) == (clause, name))
    return {"curve": asdict(measured(fault, subject, seeds)), "seconds": time.process_time() - begun}
