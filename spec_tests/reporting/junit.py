"""A report as JUnit XML, for CI servers: a suite for each implementation, a case for each clause."""

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ..clauses.catalogue import order
from ..support.texts import one_line, printable
from .record import FAILURES, LOST, TOLD, Implementation, Outcome, Report, Result

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
ERRORS = (*LOST, Outcome.BROKEN)  # no answer was returned: JUnit separates errors from failures
MESSAGE = 300  # characters; the text of the element is complete


def junit(report: Report) -> str:
    """JUnit XML, to be written in UTF-8."""
    suites = Element("testsuites", {"name": "convspec", **_counts(report.results)})
    suites.extend(_suite(report, implementation) for implementation in report.implementations)
    indent(suites)
    return DECLARATION + tostring(suites, encoding="unicode") + "\n"


def _suite(report: Report, implementation: Implementation) -> Element:
    results = sorted(report.of(implementation.column), key=lambda result: order(result.clause))
    named = {"name": one_line(implementation.column), "timestamp": report.started[: len("2000-01-01T00:00:00")]}
    suite = Element("testsuite", {**named, **_counts(results)})
    told = ("target", "backend", "name", "version", "python", "platform")
    about = [(name, getattr(implementation, name)) for name in told]
    run = [("specification", report.specification), ("seed", str(report.seed)), ("profile", report.profile)]
    packages = [(f"package {name}", version) for name, version in implementation.packages.items()]
    verdict = ("verdict", report.verdict(implementation.column))
    _add_properties(suite, [verdict, *about, *packages, *run])
    suite.extend(map(_case, results))
    return suite


def _counts(results: Sequence[Result]) -> dict[str, str]:
    outcomes = [result.outcome for result in results]
    failures, errors = outcomes.count(Outcome.FAILED), sum(outcome in ERRORS for outcome in outcomes)
    return {
        "tests": str(len(outcomes)),
        "failures": str(failures),
        "errors": str(errors),
        "skipped": str(len(outcomes) - failures - errors - outcomes.count(Outcome.PASSED)),
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _case(result: Result) -> Element:
    """The case of a result.

    Readers distinguish cases by class and name alone, so the class names the implementation.
    """
    clause = result.clause
    case = Element(
        "testcase",
        {
            "classname": one_line(f"{result.implementation}.{clause.stage}.{clause.family}"),
            "name": one_line(clause.id),
            "time": f"{result.seconds:.3f}",
        },
    )
    _add_properties(case, _about(result))
    if result.outcome is not Outcome.PASSED:
        _add_outcome(case, result)
    return case


def _about(result: Result) -> list[tuple[str, str]]:
    clause, tolerance = result.clause, result.tolerance
    about = [("sentence", clause.sentence), ("level", clause.level), ("source", clause.source)]
    if tolerance.factor > 1:
        about += [("tolerance factor", f"{tolerance.factor:g}"), ("tolerance reason", tolerance.reason)]
    if result.outcome is Outcome.PASSED and result.reason:
        about.append(("excuse that was not needed", result.reason))
    return about


def _add_outcome(case: Element, result: Result) -> None:
    """Add the reason for an outcome other than a pass: a one-line message, and the full text of a failure."""
    failure = result.failure
    if result.outcome in FAILURES or result.outcome is Outcome.BROKEN:
        tag = "error" if result.outcome in ERRORS else "failure"
        said = result.reason or failure.violated or failure.raised
        message = one_line(said, MESSAGE) if said else one_line(result.clause.sentence)  # a sentence is never cut
        told = SubElement(case, tag, {"type": result.outcome, "message": message})
    else:
        message = f"{result.outcome}: {result.reason or failure.violated or failure.raised}".removesuffix(": ")
        told = SubElement(case, "skipped", {"message": one_line(message, MESSAGE)})
    if result.outcome in (*TOLD, Outcome.EXCUSED):
        told.text = printable(failure.text(result.clause))


def _add_properties(element: Element, properties: Iterable[tuple[str, str]]) -> None:
    parent = SubElement(element, "properties")
    for name, value in properties:
        if value:
            SubElement(parent, "property", {"name": one_line(name), "value": one_line(value)})
