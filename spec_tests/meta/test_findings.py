"""Findings in released libraries: each is there in the version that is installed, or is to be recorded as gone."""

import importlib
from importlib.metadata import version
from pathlib import Path

import pytest

from fixtures import findings
from fixtures.findings import MODULES, Finding
from spec_tests.clauses.catalogue import all_clauses
from spec_tests.explaining import explanation

PAGE = Path(findings.__file__).parents[2] / "docs" / "findings.md"
MOST = 10  # lines of a reproduction

here = [
    pytest.param(one, id=f"{one.package}-{one.reproduce.__name__}")
    for module in MODULES
    if findings.readable(module)
    for one in findings.findings(module)
]


@pytest.mark.parametrize("one", here)
def test_a_finding_is_there_in_the_versions_that_it_names(one: Finding) -> None:
    module = one.reproduce.__module__.rpartition(".")[2]
    if not findings.installed(module):
        pytest.skip(f"{', '.join(MODULES[module])}: not installed; it is run in an environment of the matrix")
    if one.cpu and one.cpu not in findings.cpu():
        pytest.skip(f"the fault needs a CPU with {one.cpu}; this one lacks it, or does not list what it has")
    installed = version(one.package)
    backend = importlib.import_module("keras").backend.backend() if one.backends else ""
    if one.backends and backend not in one.backends:
        assert not one.reproduce(), f"it is there on {backend} too: add it to the backends"
        return
    is_there = one.reproduce()
    if installed in one.seen:
        assert is_there, f"{one.title} It is recorded for {installed}, and it is not there: correct the record"
    elif installed in one.unseen:
        assert not is_there, f"{one.title} It is there in {installed}, where it is recorded as not seen"
    else:
        assert is_there, f"gone in {one.package} {installed}: add it to unseen. {one.title}"


@pytest.mark.parametrize("one", here)
def test_a_finding_says_all_there_is_to_say(one: Finding) -> None:
    assert one.clause in {clause.id for clause in all_clauses()}
    assert one.title.endswith(".")
    assert one.seen
    assert one.why
    assert len(one.lines.splitlines()) <= MOST
    text = PAGE.read_text(encoding="utf-8")
    assert findings._section(one) in text, "the page is out of date: python -m fixtures.findings"


def test_the_page_has_every_finding() -> None:
    page = PAGE.read_text(encoding="utf-8")
    sources = [(Path(findings.__file__).parent / f"{module}.py").read_text(encoding="utf-8") for module in MODULES]
    assert page.count("\n### ") == sum(source.count("\n@finding(") for source in sources)
    if all(map(findings.readable, MODULES)):
        everything = [one for module in MODULES for one in findings.findings(module)]
        assert page == findings.document(everything)


def test_the_records_are_those_of_the_page() -> None:
    page, recorded = PAGE.read_text(encoding="utf-8"), explanation.FINDINGS.read_text(encoding="utf-8")
    assert recorded == findings.records(page), "they are out of date: python -m fixtures.findings"
    found = {(one.clause, one.title): one for one in explanation.findings()}
    assert len(found) == page.count("\n### ")
    readable = [one for module in MODULES if findings.readable(module) for one in findings.findings(module)]
    for one in readable:
        same = found[one.clause, one.title]
        assert (same.package, same.seen, same.unseen) == (one.package, one.seen, one.unseen)
        assert (same.backends, same.report) == (one.backends, one.report)
