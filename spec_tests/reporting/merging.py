"""One report made of several."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..clauses.catalogue import order
from .record import Implementation, Report


def merged(reports: Sequence[Report], labels: Sequence[str] = ()) -> Report:
    """All implementations of several reports. If a clause's wording differs, the later wording is used.

    Columns with the same name are distinguished by version, or else by the label of their report.
    """
    named = {clause.id: clause for report in reports for clause in report.clauses}
    clauses = {clause.id: clause for clause in sorted(named.values(), key=order)}
    columns = list(_columns(reports, labels or [f"report {number}" for number in range(1, len(reports) + 1)]))
    results = [
        replace(result, clause=clauses[result.clause.id], implementation=column)
        for report, implementation, column in columns
        for result in report.of(implementation.column)
    ]
    latest = max(reports, key=lambda report: report.started)
    return Report(
        latest.specification,
        latest.seed,
        latest.profile,
        latest.started,
        sum(report.seconds for report in reports),
        tuple(clauses.values()),
        tuple(replace(implementation, column=column) for _, implementation, column in columns),
        tuple(results),
    )


def _columns(reports: Sequence[Report], labels: Sequence[str]) -> Iterator[tuple[Report, Implementation, str]]:
    """Each report and implementation, with the name of its column in the report of all."""
    pairs = zip(reports, labels, strict=True)
    given = [(report, label, own) for report, label in pairs for own in report.implementations]
    often = Counter(own.column for _, _, own in given)
    versions = {name: [own.version for _, _, own in given if own.column == name] for name in often}
    taken = {name for name, times in often.items() if times == 1}
    for report, label, own in given:
        name = own.column
        if often[name] > 1:
            by_version = all(versions[name]) and len(set(versions[name])) == often[name]
            name = _free(f"{name}, {own.version if by_version else label}", taken)
            taken.add(name)
        yield report, own, name


def _free(name: str, taken: set[str]) -> str:
    """The name, or if it is taken, the name with the first free number."""
    number = 2
    free = name
    while free in taken:
        free, number = f"{name} ({number})", number + 1
    return free


def labels_of(paths: Sequence[str]) -> list[str]:
    """Labels that distinguish files: their names without a suffix, or their paths if the names are equal."""
    stems = [path.replace("\\", "/").rpartition("/")[2].removesuffix(".json") for path in paths]
    often = Counter(stems)
    return [stem if often[stem] == 1 else path for stem, path in zip(stems, paths, strict=True)]
