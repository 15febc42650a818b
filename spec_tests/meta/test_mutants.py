"""What becomes of mutants: fates from results, and what fails a run."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from fixtures.mutants import Mutant
from fixtures.mutants import mutants as every
from spec_tests.adapter.stages import whole
from spec_tests.jobs.runner import Runner
from spec_tests.meta.reports import clause
from spec_tests.proof import mutants
from spec_tests.proof.mutants import Death, Fate, Matrix
from spec_tests.reporting.record import Failure, Outcome, Result

PAD, POOL, GAP = (clause(name, "layers") for name in ("PAD-4", "POOL-3", "GAP-1"))
CLAUSES = (PAD, POOL, GAP)
SAID, THREW = Failure(violated="size", expected="1", got="2"), Failure(raised="ValueError: no")


def mutant(*caught_by: str, raises: bool = False, name: str = "pads_wrongly") -> Mutant:
    return Mutant(name=name, group="padding", of="numpy_port", diff="", fault="It pads.", seen="Here.",
                  caught_by=caught_by, raises=raises)  # fmt: skip


def death(one: Mutant, *outcomes: Outcome, failure: Failure = SAID) -> Death:
    pairs = zip(CLAUSES, outcomes, strict=False)
    results = (
        Result(of, one.name, outcome, 1.5, failure if outcome is not Outcome.PASSED else Failure())
        for of, outcome in pairs
    )
    return Death(one, tuple(results))


def matrix(*deaths: Death) -> Matrix:
    return Matrix(deaths, CLAUSES, seed=0, profile="quick", seconds=90)


FAILED, PASSED = Outcome.FAILED, Outcome.PASSED


@pytest.mark.parametrize(
    ("caught_by", "outcomes", "fate"),
    [
        (["PAD-4"], [FAILED, PASSED, PASSED], Fate.KILLED),
        (["PAD-4"], [FAILED, FAILED, PASSED], Fate.KILLED),
        (["PAD-4", "POOL-3"], [FAILED, FAILED, PASSED], Fate.KILLED),
        (["PAD-4", "POOL-3"], [FAILED, PASSED, PASSED], Fate.ELSEWHERE),
        (["PAD-4"], [PASSED, FAILED, PASSED], Fate.ELSEWHERE),
        (["PAD-4"], [PASSED, PASSED, PASSED], Fate.SURVIVED),
        (["PAD-4"], [Outcome.CRASHED, PASSED, PASSED], Fate.OF_ITSELF),
        (["PAD-4"], [Outcome.TIMED_OUT, FAILED, PASSED], Fate.OF_ITSELF),
        (["PAD-4"], [Outcome.BROKEN, Outcome.BROKEN, Outcome.BROKEN], Fate.OF_ITSELF),
        (["PAD-4"], [Outcome.NOT_CLAIMED, PASSED, PASSED], Fate.SURVIVED),
    ],
)
def test_the_fate_follows_from_the_results(caught_by: list[str], outcomes: Iterable[Outcome], fate: Fate) -> None:
    found = death(mutant(*caught_by), *outcomes)
    assert found.fate is fate
    assert bool(matrix(found).faults(whole=False)) is (fate is not Fate.KILLED)


def test_an_exception_is_no_proof_unless_it_is_the_fault() -> None:
    assert death(mutant("PAD-4"), FAILED, failure=THREW).fate is Fate.OF_ITSELF
    assert death(mutant("GAP-1"), FAILED, failure=THREW).fate is Fate.OF_ITSELF
    assert death(mutant("PAD-4", raises=True), FAILED, failure=THREW).fate is Fate.KILLED


def test_an_exception_under_another_clause_does_not_undo_a_kill() -> None:
    results = death(mutant("PAD-4"), FAILED).results + death(mutant("PAD-4"), PASSED, FAILED, failure=THREW).results[1:]
    found = Death(mutant("PAD-4"), results)
    assert (found.fate, found.killers, found.raised) == (Fate.KILLED, ["PAD-4"], {"POOL-3"})


def test_what_survives_is_told_with_the_clause_that_missed_it() -> None:
    (fault,) = matrix(death(mutant("PAD-4"), PASSED, FAILED)).faults(whole=False)
    assert fault == "pads_wrongly killed by another: PAD-4 did not catch it; POOL-3: size"


def test_the_time_is_that_to_the_first_failure() -> None:
    assert death(mutant("POOL-3"), PASSED, FAILED, FAILED).seconds == 3.0
    assert death(mutant("POOL-3"), PASSED, PASSED).seconds is None


def test_a_clause_that_no_mutant_needs_is_a_fault_of_a_whole_run(monkeypatch: pytest.MonkeyPatch) -> None:
    found = matrix(death(mutant("PAD-4"), FAILED, FAILED, PASSED))
    assert found.faults(whole=False) == []
    assert found.faults(whole=True) == ["no mutant needs POOL-3, GAP-1, and no reason is recorded"]
    monkeypatch.setitem(mutants.WITHOUT, "GAP-1", "a reason")
    assert found.faults(whole=True) == ["no mutant needs POOL-3, and no reason is recorded"]
    assert found.unneeded == {"POOL-3": "", "GAP-1": "a reason"}


def test_a_reason_that_is_needed_no_more_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "WITHOUT", {"PAD-4": "once", "POOL-3": "r", "GAP-1": "r"})
    (fault,) = matrix(death(mutant("PAD-4"), FAILED, PASSED, PASSED)).faults(whole=True)
    assert fault == "PAD-4 is needed by a mutant: the reason recorded for it in WITHOUT is to go"


@pytest.mark.parametrize(
    ("caught_by", "says"),
    [([], "name the clauses"), (["PAD-9"], "PAD-9 is not a clause"), (["ACC-7"], "ACC-7 is not a clause")],
)
def test_a_mutant_names_clauses_that_can_fail(caught_by: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=f"pads_wrongly: {says}"):
        run([mutant(*caught_by)], Path())


def run(chosen: list[Mutant], folder: Path, *, resume: bool = False) -> tuple[Matrix, list[Death]]:
    told: list[Death] = []
    runner = Runner(folder, workers=2, resume=resume)
    return mutants.run(chosen, seed=0, profile="quick", thorough=False, runner=runner, told=told.append), told


def test_other_clauses_of_its_reach_are_asked_for_a_row(tmp_path: Path) -> None:
    mutant = every()["symmetric_same_padding"]
    runner = Runner(tmp_path, workers=2)
    (death,) = mutants.run(
        [mutant], seed=0, profile="glance", thorough=False, runner=runner, told=lambda _: None, beside=True
    ).deaths
    assert death.results[0].clause.id in mutant.caught_by  # its own first
    assert {whole(result.clause.stage) for result in death.results} == {"layers", "transfer"}
    assert not any(result.clause.family == "ACC" for result in death.results)
    assert death.row is None  # this run has what a row would say


def test_mutants_are_checked_each_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [every()["symmetric_same_padding"], every()["valid_window_that_does_not_fit"]]
    found, told = run(chosen, tmp_path)
    assert [(death.mutant.name, death.fate) for death in found.deaths] == [
        ("symmetric_same_padding", Fate.KILLED),  # in the order of the clauses
        ("valid_window_that_does_not_fit", Fate.KILLED),
    ]
    for death in found.deaths:
        assert death.results[0].clause.id in death.mutant.caught_by  # its own first
        assert {result.clause.id for result in death.results} == {*death.mutant.caught_by}
        assert death.row is not None  # what the others say of it is known
    assert {death.mutant.name for death in told} == {one.name for one in chosen}
    monkeypatch.setattr(mutants, "check", None)  # nothing is checked again
    assert run(chosen, tmp_path, resume=True)[0].deaths == found.deaths
