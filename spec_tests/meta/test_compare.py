"""Two reports are compared, and it is said whether the later one is worse."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings

from spec_tests.meta.sample_report import HOSTILE, clause, detailed, report, reports
from spec_tests.reporting.causes import names
from spec_tests.reporting.compare import Change, Kind, compare, kind, text
from spec_tests.reporting.record import FAILURES, Implementation, Outcome, Report, Verdict

PASSED, FAILED, EXCUSED, LEFT = Outcome.PASSED, Outcome.FAILED, Outcome.EXCUSED, Outcome.NOT_CLAIMED
REPORTED, BROKEN, NOT_RUN = Outcome.REPORTED, Outcome.BROKEN, Outcome.NOT_RUN

slowly = settings(suppress_health_check=[HealthCheck.too_slow])


def changed(before: Outcome | None, after: Outcome | None) -> Change:
    """The change of one clause, in reports that have another one that holds."""
    others = {"POOL-1": PASSED}
    old = report({"port": others | ({"PAD-1": before} if before else {})})
    new = report({"port": others | ({"PAD-1": after} if after else {})})
    comparison = compare(old, new)
    (compared,) = comparison.implementations
    (change,) = compared.changes
    assert compared.of(change.kind) == [change]
    assert comparison.worse is change.worse
    return change


@pytest.mark.parametrize(
    ("before", "after", "expected", "worse"),
    [
        (PASSED, FAILED, Kind.BROKE, True),
        (PASSED, Outcome.TIMED_OUT, Kind.BROKE, True),
        (PASSED, REPORTED, Kind.BROKE, False),  # SHOULD never fails a run
        (REPORTED, FAILED, Kind.STILL, True),  # it is a MUST now
        (EXCUSED, FAILED, Kind.UNEXCUSED, True),
        (FAILED, FAILED, Kind.STILL, False),
        (FAILED, Outcome.CRASHED, Kind.STILL, False),
        (REPORTED, REPORTED, Kind.STILL, False),
        (PASSED, EXCUSED, Kind.EXCUSED, False),
        (FAILED, EXCUSED, Kind.EXCUSED, False),
        (FAILED, PASSED, Kind.FIXED, False),
        (EXCUSED, PASSED, Kind.FIXED, False),
        (REPORTED, PASSED, Kind.FIXED, False),
        (PASSED, LEFT, Kind.UNCLAIMED, True),
        (FAILED, LEFT, Kind.UNCLAIMED, False),
        (LEFT, PASSED, Kind.CLAIMED, False),
        (LEFT, FAILED, Kind.CLAIMED, False),
        (LEFT, BROKEN, Kind.CLAIMED, False),
        (PASSED, BROKEN, Kind.UNCHECKED, True),
        (FAILED, BROKEN, Kind.UNCHECKED, True),
        (PASSED, NOT_RUN, Kind.UNCHECKED, False),
        (BROKEN, PASSED, Kind.CHECKED, False),
        (NOT_RUN, FAILED, Kind.CHECKED, False),
        (None, FAILED, Kind.NEW, False),
        (PASSED, None, Kind.REMOVED, False),
    ],
)
def test_what_became_of_a_clause(before: Outcome | None, after: Outcome | None, expected: Kind, worse: bool) -> None:
    change = changed(before, after)
    assert change == Change(clause("PAD-1"), expected, before, after)
    assert change.worse is worse


@pytest.mark.parametrize("outcome", [PASSED, EXCUSED, LEFT, NOT_RUN, BROKEN])
def test_what_is_as_good_as_before_is_not_told(outcome: Outcome) -> None:
    assert kind(outcome, outcome) is None


@pytest.mark.parametrize(("before", "after"), list(product(Outcome, repeat=2)))
def test_what_begins_to_count_against_an_implementation_is_worse_and_what_holds_is_not(
    before: Outcome, after: Outcome
) -> None:
    worse = Change(clause("PAD-1"), Kind.NEW, before, after).worse
    if before in (PASSED, EXCUSED, REPORTED) and after in FAILURES:
        assert worse
    if (before in FAILURES and after in FAILURES) or after in (PASSED, EXCUSED, REPORTED, NOT_RUN):
        assert not worse
    if worse:
        assert kind(before, after) in (Kind.BROKE, Kind.UNEXCUSED, Kind.STILL, Kind.UNCHECKED, Kind.UNCLAIMED)


@pytest.mark.parametrize("outcome", [BROKEN, LEFT, NOT_RUN])
def test_an_implementation_of_which_nothing_is_checked_any_longer_is_worse(outcome: Outcome) -> None:
    old, new = report({"port": {"PAD-1": FAILED}}), report({"port": {"PAD-1": outcome}})
    assert compare(old, new).worse
    assert not compare(new, old).worse


def test_an_implementation_that_is_gone_is_worse_if_it_was_checked() -> None:
    old = report({"a": {"PAD-1": PASSED}, "b": {"PAD-1": BROKEN}, "c": {"PAD-1": PASSED}})
    new = report({"a": {"PAD-1": PASSED}, "d": {"PAD-1": FAILED}})
    found = {compared.column: compared for compared in compare(old, new).implementations}
    assert [name for name, compared in found.items() if compared.worse] == ["c"]
    assert (found["b"].before, found["b"].after) == (Verdict.BROKEN, None)
    assert (found["d"].before, found["d"].after) == (None, Verdict.DIFFERS)
    assert found["a"].changes == found["c"].changes == found["d"].changes == ()


def test_a_clause_without_a_result_was_not_run() -> None:
    old = report({"port": {"PAD-1": PASSED, "POOL-1": PASSED}})
    (compared,) = compare(old, replace(old, results=old.results[:1])).implementations
    assert compared.changes == (Change(clause("POOL-1"), Kind.UNCHECKED, PASSED, NOT_RUN),)


@slowly
@given(reports())
def test_a_report_is_not_worse_than_itself(given: Report) -> None:
    comparison = compare(given, given)
    assert not comparison.worse
    assert comparison.limits == ()
    for compared in comparison.implementations:
        assert {change.kind for change in compared.changes} <= {Kind.STILL}
        assert compared.differences == ()


@slowly
@given(reports(), reports())
def test_a_comparison_is_told_whatever_an_implementation_prints(old: Report, new: Report) -> None:
    new = replace(new, implementations=old.implementations, results=old.results)
    assert text(compare(old, new), 100, colour=False).replace("\n", "").isprintable()


def test_names_of_a_family_stand_together() -> None:
    assert names(map(clause, ["PAD-1", "PAD-3", "POOL-2", "FLIP-1"])) == "PAD-1, 3; POOL-2; FLIP-1"


def test_the_text_tells_what_changed() -> None:
    outcomes = {"PAD-1": PASSED, "PAD-2": FAILED, "PAD-3": FAILED, "PAD-4": PASSED, "FLIP-1": LEFT, "FLIP-2": LEFT}
    old = report({"port": outcomes, "other": {"PAD-1": PASSED}})
    later = {"PAD-1": FAILED, "PAD-2": PASSED, "PAD-3": PASSED, "PAD-4": EXCUSED, "FLIP-1": PASSED, "FLIP-2": FAILED}
    new = detailed(report({"port": later, "new": {"PAD-1": PASSED}}, seed=3), "PAD-4", reason="sums are hard")
    implementation = Implementation("port", "package.port", version="1.1", packages={"numpy": "2.1"})
    new = replace(new, implementations=(implementation, *new.implementations[1:]))
    assert (
        text(compare(old, new), 100, colour=False)
        == """\
the runs themselves differ, which may be why: seed 0 before, 3 now

port: does not conform, as before
differs        version 1.0 → 1.1
differs        numpy none → 2.1
broke          PAD-1: passed → failed. What PAD-1 says.
excused now    PAD-4: passed → excused (sums are hard). What PAD-4 says.
fixed          PAD-2, 3: failed → passed
newly claimed  FLIP-2: not claimed → failed
newly claimed  FLIP-1: not claimed → passed

other: not in the later report; conforms before

new: conforms; not in the earlier report

worse than before: port, other
"""
    )


def test_the_text_says_why_an_adapter_is_broken() -> None:
    old, new = report({"port": {"PAD-1": PASSED}}), report({"port": {"PAD-1": BROKEN}})
    assert (
        text(compare(old, detailed(new, "PAD-1", reason="no dense")), 100, colour=False)
        == """\
port: conforms → adapter broken
broken adapter     no dense
no longer checked  PAD-1: passed → broken adapter

worse than before: port
"""
    )


def test_nothing_is_worse() -> None:
    given = report({"port": {"PAD-1": PASSED}})
    lines = text(compare(given, given), 100, colour=False).splitlines()
    assert lines == ["port: conforms, as before", "", "nothing is worse than before"]
    assert "\x1b[1;31m" not in text(compare(given, given), 100, colour=True)
    hostile = detailed(report({"port": {"PAD-1": EXCUSED}}), "PAD-1", reason=HOSTILE)
    assert "\x1b[31m" not in text(compare(given, hostile), 100, colour=False)
