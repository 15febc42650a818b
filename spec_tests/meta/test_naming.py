"""Faults that reports name: the rows are current, the right ones are named, and none where none fits."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.mutants import mutants
from spec_tests.clauses.catalogue import all_clauses
from spec_tests.meta import reports
from spec_tests.proof import measured, naming
from spec_tests.proof.measured import Said, counted
from spec_tests.proof.mutants import Death, Matrix
from spec_tests.reporting.markdown import markdown
from spec_tests.reporting.naming import names, rows
from spec_tests.reporting.naming.model import alike, same
from spec_tests.reporting.naming.names import named
from spec_tests.reporting.naming.rows import Row, normalised, said
from spec_tests.reporting.naming.shown import likely
from spec_tests.reporting.page import page
from spec_tests.reporting.record import Failure, Implementation, Outcome, Report, Result

pytestmark = pytest.mark.any_backend

RENEW = "run python -m spec_tests.proof mutants {} --rows"
CLAUSES = {clause.id: clause for clause in all_clauses()}
ROWS = {row.name: row for row in rows.rows()}
USABLE = rows.usable()


def row(name: str, failed: dict[str, str], held: str = "", stages: str = "layers transfer", **given: str) -> Row:
    fault, seen = given.get("fault", f"{name} is wrong."), given.get("seen", "There.")
    return Row(
        name, "padding", "numpy_port", fault, seen, "", "default", tuple(stages.split()), tuple(failed), failed,
        frozenset(held.split()),
    )  # fmt: skip


ODD = row("odd", {"PAD-4": "convolution at #", "POOL-2": "shape | # | #"}, "PAD-1 PAD-2 CONV-1 DENSE-1")
FLAT = row("flat", {"DENSE-1": "product at #", "DENSE-2": "bias at #"}, "PAD-1 PAD-2 PAD-4 POOL-2 CONV-1")
BOTH = row("both", {"PAD-4": "convolution at #", "CONV-1": "image at #"}, "PAD-1 PAD-2 POOL-2 DENSE-1")
KNOWN = (ODD, FLAT, BOTH)
LAYERS = "PAD-1 PAD-2 PAD-4 POOL-2 CONV-1 DENSE-1 DENSE-2"


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "usable", lambda: KNOWN)


def results(failed: dict[str, str], ran: str = LAYERS, column: str = "port") -> list[Result]:
    """Of clauses that ran: those that failed say this."""
    return [
        Result(
            CLAUSES[name], column, Outcome.FAILED if name in failed else Outcome.PASSED,
            failure=Failure(violated=failed.get(name, "")),
        )
        for name in ran.split()
    ]  # fmt: skip


def found(given: list[Result]) -> list[list[str]]:
    return [[fault.name for fault in naming.faults] for naming in named(given)]


@pytest.mark.parametrize("name", sorted(mutants()))
def test_every_mutant_has_a_row_that_agrees_with_it(name: str) -> None:
    mutant, renew = mutants()[name], RENEW.format(name)
    kept = ROWS.get(name)
    assert kept is not None, renew
    assert kept.diff == mutant.digest, f"its diff is another one: {renew}"
    given = (kept.group, kept.of, kept.fault, kept.seen, kept.must)
    assert given == (mutant.group, mutant.of, mutant.fault, mutant.seen, mutant.caught_by), renew
    assert set(mutant.caught_by) <= kept.failed.keys(), f"not every clause that must catch it did: {renew}"
    assert kept.looked <= CLAUSES.keys(), f"a clause is no more: {renew}"
    assert not kept.held & kept.failed.keys()


def test_no_row_is_left_over() -> None:
    assert ROWS.keys() <= mutants().keys(), RENEW.format("NAME")


@pytest.mark.usefixtures("known")
def test_a_fault_is_named_by_its_clauses_and_their_words() -> None:
    (naming,) = named(results({"PAD-4": "convolution at (0, 1)", "POOL-2": "shape | (1, 2) | (3, 4)"}))
    assert naming.faults == (ODD,)
    assert (naming.failures, naming.expected, naming.fit) == (("PAD-4", "POOL-2"), 2, 1.0)
    assert naming.text == (
        "these 2 failures (PAD-4, POOL-2) look like one fault: odd is wrong. Seen: There. "
        "Fit 1.00: 2 of 2 failures, and 2 of 2 expected."
    )


@pytest.mark.usefixtures("known")
def test_without_failures_nothing_is_said_and_the_rows_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> None:
        raise AssertionError

    monkeypatch.setattr(names, "usable", read)
    given = results({})
    reported = replace(given[0], outcome=Outcome.REPORTED, failure=Failure("slow"))
    excused = replace(given[1], outcome=Outcome.EXCUSED, failure=Failure("other"), reason="so it is")
    broken = replace(given[2], outcome=Outcome.BROKEN, reason="dense cannot be called")
    for these in ([], given, [reported, excused, broken, *given[3:]]):
        assert named(these) == []
        assert likely(these, 100, colour=False) == ""


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    "failed",
    [
        {"PAD-1": "", "PAD-2": ""},  # none is known to fail
        {"PAD-4": "", "POOL-2": "", "PAD-1": "", "PAD-2": ""},  # twice as many as the fault has
        {"PAD-4": "the loss", "POOL-2": "no such word at all"},  # they say something else
        {"POOL-2": ""},  # what must fail holds
    ],
)
def test_no_fault_is_named_where_none_fits(failed: dict[str, str]) -> None:
    (naming,) = named(results(failed))
    assert naming.faults == ()
    assert naming.text.startswith("no known fault matches th")


@pytest.mark.usefixtures("known")
def test_clauses_that_did_not_run_are_held_against_no_fault() -> None:
    assert found(results({"POOL-2": ""}, "PAD-1 POOL-2 DENSE-1")) == [["odd"]]
    assert found(results({"PAD-4": ""}, "PAD-1 PAD-4 CONV-1 DENSE-1")) == [["odd"]]
    both = found(results({"PAD-4": ""}, "PAD-4"))
    assert [sorted(each) for each in both] == [["both", "odd"]], "PAD-4 alone does not tell them apart"


@pytest.mark.usefixtures("known")
def test_two_faults_at_once_are_each_named_with_their_failures() -> None:
    both = named(results({"PAD-4": "", "POOL-2": "", "DENSE-1": "", "DENSE-2": ""}))
    assert {(each.faults[0].name, each.failures) for each in both} == {
        ("odd", ("PAD-4", "POOL-2")),
        ("flat", ("DENSE-1", "DENSE-2")),
    }


@pytest.mark.usefixtures("known")
def test_each_implementation_has_namings_of_its_own() -> None:
    given = [*results({"PAD-4": "", "POOL-2": ""}), *results({"DENSE-1": "", "DENSE-2": ""}, column="other")]
    assert [(each.implementation, each.faults[0].name) for each in named(given)] == [("port", "odd"), ("other", "flat")]
    text = likely(given, 300, colour=False)
    assert text.index("port ") < text.index("odd is wrong") < text.index("other ") < text.index("flat is wrong")


def test_faults_that_no_clause_tells_apart_are_named_together(monkeypatch: pytest.MonkeyPatch) -> None:
    twins = tuple(replace(ODD, name=f"odd{n}", fault=f"Fault {n}.") for n in range(5))
    monkeypatch.setattr(names, "usable", lambda: (*twins, FLAT))
    (naming,) = named(results({"PAD-4": "", "POOL-2": ""}))
    assert len(naming.faults) == 5
    assert "look like one of 5 known faults: (1) Fault 0; (2) Fault 1; (3) Fault 2; …" in naming.text


@pytest.mark.parametrize("wrong", [OSError("gone"), KeyError("texts"), RecursionError()])
def test_nothing_that_goes_wrong_reaches_the_report(wrong: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> tuple[Row, ...]:
        raise wrong

    monkeypatch.setattr(names, "usable", read)
    assert named(results({"PAD-4": ""})) == []


def test_what_is_named_cannot_break_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = reports.hostile("fault")
    monkeypatch.setattr(names, "usable", lambda: (replace(ODD, fault=bad, seen=reports.hostile("seen")), FLAT))
    given = tuple(results({"PAD-4": "", "POOL-2": ""}))
    stated = tuple(result.clause for result in given)
    report = Report("1", 0, "quick", "2026-11-24T23:15:09+00:00", 1, stated, (Implementation("port", "port"),), given)
    html = page(report)
    assert "Likely faults" in html
    assert "<img src=x" not in html
    text = markdown(report)
    assert "### Likely faults" in text
    assert "<img" not in text


def test_words_are_compared_without_what_chance_decides() -> None:
    one = said(
        Failure("convolution at (0, 1, 1, 0), 8 of 8 values wrong", "7.48", "-3.1 (off by 10.5, tolerance 1e-05)")
    )
    other = said(Failure("convolution at (1, 3), 1,140 of 2,140 values wrong", "-1e-3", "nan"))
    assert one == "convolution at # of # values wrong | # | #"
    assert other == "convolution at # of # values wrong | # | nan"
    assert normalised("cannot open /tmp/a/b.png\nat line 3") == "cannot open …"
    assert normalised(one) == one
    assert said(Failure(raised="ValueError: 3 channels")) == "ValueError: # channels"
    assert alike(one, one) == alike(one, "") == 1 > alike(one, other) > alike(one, "loss") == 0


@pytest.mark.parametrize("kept", random.Random(1).sample(USABLE, 25))  # noqa: S311
def test_a_kept_fault_is_named_first_or_with_those_that_look_the_same(kept: Row) -> None:
    seen = measured.observed(kept)
    assert measured.judged(measured.Trial(seen, USABLE, (kept,))) in (Said.RIGHT, Said.LISTED)


def test_failures_by_chance_are_seldom_named() -> None:
    said = counted(measured.by_chance(USABLE))
    assert said[Said.WRONG] <= 0.05 * said.total()


def test_rows_are_kept_as_they_were(tmp_path: Path) -> None:
    rows.write(KNOWN, tmp_path / "faults.json")
    again = {row.name: row for row in rows.rows(tmp_path / "faults.json")}
    assert again == {row.name: row for row in KNOWN}
    assert set(json.loads((tmp_path / "faults.json").read_text(encoding="utf-8"))) == {
        "format", "version", "texts", "looked", "faults",
    }  # fmt: skip


def test_a_run_renews_its_rows_and_drops_those_of_mutants_that_are_no_more(tmp_path: Path) -> None:
    file, mutant = tmp_path / "faults.json", mutants()["symmetric_same_padding"]
    old = replace(ODD, name=mutant.name)
    rows.write([old, FLAT], file)
    ran = results({"PAD-4": "convolution at (0, 1)"}, "PAD-4 PAD-1", mutant.name)
    naming.renew(Matrix((Death(mutant, tuple(ran)),), tuple(CLAUSES.values()), 0, "quick", 1), "default", file)
    (new,) = rows.rows(file)
    assert new.failed == {"PAD-4": "convolution at #"}
    assert (new.name, new.held, new.stages) == (mutant.name, frozenset({"PAD-1"}), ("layers", "transfer"))


def test_a_row_of_few_examples_names_nothing_unless_its_clauses_draw_none() -> None:
    assert ODD.is_whole
    assert not replace(ODD, profile="glance").is_whole
    assert not replace(ODD, profile="").is_whole
    assert replace(ODD, profile="glance", stages=("transfer",)).is_whole


def test_a_wrong_name_is_counted_as_one() -> None:
    there, rest = BOTH, (ODD, FLAT)
    trial = measured.Trial(measured.observed(ODD), rest, (there,), unknown=False)
    assert measured.judged(trial) is Said.WRONG
    assert measured.judged(replace(trial, unknown=True)) is Said.NEAR
    assert measured.judged(replace(trial, there=(ODD,))) is Said.RIGHT
    assert measured.judged(measured.Trial(measured.observed(row("new", {"GAP-1": ""})), rest, (there,))) is Said.NONE


def test_faults_are_the_same_only_where_both_were_looked_at() -> None:
    assert same(ODD, replace(ODD, name="twin", held=frozenset()))
    assert not same(ODD, BOTH)
    assert not same(ODD, replace(ODD, failed=ODD.failed | {"POOL-2": "values"}))
