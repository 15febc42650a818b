"""The paired gate: it ends when its time is over, and says what it knows then."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import psutil
import pytest

from spec_tests.benchmarks.gate import command
from spec_tests.benchmarks.gate.command import advice, main
from spec_tests.benchmarks.gate.deadline import Deadline, Late
from spec_tests.benchmarks.gate.process import Lost, started
from spec_tests.benchmarks.gate.progress import EVERY
from spec_tests.benchmarks.gate.record import Comparison
from spec_tests.benchmarks.gate.session import (
    FEWEST_PILOT_ROUNDS,
    LEAST_PILOT_ROUNDS,
    PILOT_SHARE,
    Measured,
    Shape,
    measured,
)
from spec_tests.benchmarks.gate.verdict import AGAIN, BASE, HEAD, LEVEL, Estimate, Evidence, Outcome, decided, planned
from spec_tests.benchmarks.gate.worker import HARNESS, Order

from .made_up import ORDER, ORDERS, Machine, MadeUp

WORDS = ("--base", str(HARNESS), "--implementation", "numpy_port", "--benchmark")
ONE = (*WORDS, "augment")
WIDE = Estimate(0.01, -0.1, 0.12, 0.4, 0.8)  # that nothing can be said of


class Ending(Machine):
    """A machine that takes ``starting`` seconds for each process and loses all of them at the time ``end``."""

    def __init__(self, end: float, starting: float = 0.05, **circumstances: float) -> None:
        super().__init__(1, **circumstances)  # type: ignore[arg-type]
        self.end, self.starting = end, starting

    def __call__(self, name: str, order: Order) -> MadeUp:
        """A worker that is lost when the time is over."""
        made = super().__call__(name, order)
        return Mortal(made.machine, made.log)

    def spend(self, seconds: float) -> None:
        """Let time pass."""
        self.now = min(self.now + seconds, self.end)
        if self.now == self.end:
            raise Lost("the process ended")


class Mortal(MadeUp):
    """A worker of such a machine."""

    machine: Ending

    def ready(self) -> None:
        """It takes a while."""
        self.machine.spend(self.machine.starting)

    def turn(self, runs: int) -> list[float]:
        """Durations, if there is time for them."""
        seconds = super().turn(runs)
        self.machine.spend(0.0)
        return seconds


def session(machine: Machine, minutes: float, gated: bool = True) -> Measured:
    deadline = Deadline(machine.clock, 60 * minutes)
    found = measured(ORDERS, machine, LEVEL, deadline, machine.rng, gated=gated)
    assert machine.alive == 0
    return found


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that breaks no line."""
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.parametrize("benchmarks", [("augment",), ("augment", "load_epoch")])
@pytest.mark.parametrize("starting", [0.1, 1.0, 4.0, 9.0, 25.0, 100.0])
def test_the_time_is_kept_whatever_processes_take_to_start(
    starting: float, benchmarks: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The trial of each subject, warming up, the pilot and the rounds: each of them may be what is ended."""
    machine, file = Ending(end=60, starting=starting), tmp_path / "gate.json"
    code = main([*WORDS, *benchmarks, "--minutes", "1", "--json", str(file)], machine, machine.clock)
    assert machine.now <= 60
    assert machine.alive == 0
    said = capsys.readouterr().out
    if starting > 0.1:  # there is time for all then
        assert code == 3
        assert said.count(": inconclusive: ") == len(benchmarks)
        assert re.search(r"to decide: --minutes \d+", said)
    assert len(json.loads(file.read_text(encoding="utf-8"))["comparisons"]) == len(benchmarks)


def test_time_is_over_before_anything_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    machine = Ending(end=60, starting=25)
    assert main([*ONE, "--minutes", "1"], machine, machine.clock) == 3
    said = capsys.readouterr().out
    assert (
        "augment: inconclusive: the time ended before the noise was known; at this pace any result takes more" in said
    )
    assert int(re.search(r"--minutes (\d+) or more", said)[1]) > 10  # type: ignore[index]


def test_what_was_imported_counts() -> None:
    machine = Ending(end=5)
    assert main([*ONE, "--minutes", "1"], machine, machine.clock, begun=-55.0) == 3
    assert machine.now <= 5


def test_a_process_that_is_lost_in_time_is_an_error_still(capsys: pytest.CaptureFixture[str]) -> None:
    machine = Ending(end=5)
    assert main([*ONE, "--minutes", "1"], machine, machine.clock) == 2
    assert "error: the process ended" in capsys.readouterr().err


def test_what_cannot_be_found_in_time_is_not_looked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """The gate stops behind the pilot, and what it advises leads to a decision."""
    machine = Machine(1, process=0.07)
    assert main([*ONE, "--minutes", "0.3"], machine, machine.clock) == 3
    assert machine.started.count(HEAD) == 1, "when it was tried"
    assert machine.now < 12
    said = capsys.readouterr().out
    reason = r"a slowdown of 5 % takes \d+ rounds, about [\d.]+ minutes in all; the time left allows \d+, "
    assert re.search(reason + r"which find one of (\d+) %\n", said)
    advice = re.search(r"to decide: --minutes (\d+), or --slowdown (\d+) in the same time", said)
    assert advice
    for words in (["--minutes", advice[1]], ["--minutes", "0.3", "--slowdown", advice[2]]):
        again = Machine(1, process=0.07)
        assert main([*ONE, *words], again, again.clock) == 0
        assert again.started.count(HEAD) > 20
        assert again.now <= 60 * float(words[1])
        assert "to decide" not in capsys.readouterr().out


def test_what_may_be_found_in_time_is_looked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Less time than the plan wants to be safe, and enough if the noise is what the pilot had."""
    found = session(Machine(1, process=0.1), minutes=0.7)
    assert found.plan
    assert 0.9 * found.plan.affordable < len(found.rounds) < found.plan.needed
    assert not found.complete
    assert found.minutes_needed
    assert found.minutes_needed > 0.7
    (decision,) = decided([replace(found.evidence(), head=WIDE)])
    assert re.search(r"it may be slower by 12\.7 %; a slowdown of 5 % takes \d+ rounds, about", decision.reason)


def test_no_time_for_any_plan_ends_the_pilot_early(capsys: pytest.CaptureFixture[str]) -> None:
    machine = Ending(end=120, starting=1.5)
    assert main([*ONE, "--minutes", "2"], machine, machine.clock) == 3
    assert machine.now < 60
    said = capsys.readouterr().out
    assert "too few to find any slowdown" in said
    assert "--slowdown" not in said
    for minutes, rounds in ((1.4, LEAST_PILOT_ROUNDS), (0.7, FEWEST_PILOT_ROUNDS)):
        found = session(Ending(end=1000, starting=1.0), minutes)
        assert len(found.pilot) == rounds
        assert found.plan
        assert not found.plan.rounds
        assert found.minutes < PILOT_SHARE * minutes, "there was time for more"


def test_what_is_advised_has_time_for_the_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    given = list[float]()
    monkeypatch.setattr(command, "advice", lambda comparisons, trying: given.append(trying))
    machine = Ending(end=60, starting=4)
    main([*ONE, "--minutes", "1.1"], machine, machine.clock, begun=-6.0)
    assert given == [pytest.approx((6 + 3 * 4.05) / 60)]
    plan = planned(np.full(8, 0.1), LEVEL, affordable=3)
    short = Measured(Shape(1, 5), plan=plan, minutes=0.5, minutes_needed=2.4)
    comparisons = [Comparison("augment", short, decided([short.evidence()])[0])]
    assert "--minutes 3" in advice(comparisons, trying=0.1)
    assert "--minutes 4" in advice(comparisons, trying=0.7)
    assert "--minutes 6" in advice(2 * comparisons, trying=0.7), "which share the time"
    assert not advice([Comparison("augment", short, None)], trying=0.7), "not gated"


def test_a_comparison_that_is_not_gated_uses_the_time() -> None:
    found = session(Machine(1, process=0.1), minutes=0.4, gated=False)
    assert found.plan
    assert 8 <= found.plan.rounds == found.plan.affordable < found.plan.needed
    assert 0.9 * found.plan.rounds < len(found.rounds)
    assert not session(Machine(1, process=0.1), minutes=0.4).rounds


def test_rounds_that_are_over_in_time_count() -> None:
    """The machine is slower after the pilot, and there is no time for all of the plan: a large slowdown is found."""
    found = session(Machine(1, slowdown=0.3, process=0.03, run=0.0, drift=0.1), minutes=0.9)
    assert found.plan
    assert 8 <= len(found.rounds) < found.plan.rounds
    assert found.minutes_needed
    assert found.minutes_needed > 0.9
    assert decided([found.evidence()])[0].outcome is Outcome.REGRESSION
    (decision,) = decided([replace(found.evidence(), head=WIDE)])
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert re.search(r"; the time ended after \d+ of \d+ rounds$", decision.reason)


def test_what_one_benchmark_leaves_the_others_have(tmp_path: Path) -> None:
    machine, file = Machine(1), tmp_path / "gate.json"
    words = [*WORDS, "augment", "load_epoch", "--minutes", "4", "--json", str(file)]
    assert main(words, machine, machine.clock) == 0
    first, second = json.loads(file.read_text(encoding="utf-8"))["comparisons"]
    assert first["minutes"] < 2
    assert second["plan"]["affordable"] > 1.5 * first["plan"]["affordable"]


@pytest.mark.parametrize(("slowdown", "head", "code"), [("20", 0.08, 0), ("20", 0.3, 1), ("5", 0.08, 1)])
def test_the_slowdown_to_be_found_can_be_chosen(
    slowdown: str, head: float, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(1, slowdown=head)
    assert main([*ONE, "--slowdown", slowdown], machine, machine.clock) == code


def test_a_larger_slowdown_needs_fewer_rounds() -> None:
    pilot = np.random.default_rng(0).normal(0, 0.2, 8)
    needed = [planned(pilot, LEVEL, 200, tolerated).needed for tolerated in (0.05, 0.1, 0.2)]
    assert needed == sorted(needed, reverse=True)
    assert len(set(needed)) == 3


def test_less_time_than_needed_says_what_can_be_found() -> None:
    pilot = np.random.default_rng(0).normal(0, 0.3, 8)
    plan = planned(pilot, LEVEL, affordable=40)
    assert (plan.affordable, plan.rounds) == (40, 0)
    assert plan.needed > 40
    assert 0.1 < plan.findable < 0.5
    found = planned(pilot, LEVEL, 40, tolerated=plan.findable)
    assert found.rounds == found.needed <= 40, "it is the plan's own formula"
    assert planned(pilot, LEVEL, 40, tolerated=plan.findable - 0.01).needed > 40, "and the least"
    (decision,) = decided([Evidence(plan, None, None, 0, minutes_needed=12.3)])
    assert decision.outcome is Outcome.INCONCLUSIVE
    assert f"5 % takes {plan.needed} rounds or more, about 13 minutes in all;" in decision.reason
    assert "; the time left allows 40, which find one of " in decision.reason
    assert decision.reason.endswith(f" {100 * plan.findable:.0f} %")


def test_a_session_that_was_cut_says_so() -> None:
    plan = planned(np.full(8, 0.01), LEVEL, affordable=100)
    same = Estimate(0.0, -0.1, 0.1, 0.5, 1.0)
    assert "the time ended" not in decided([Evidence(plan, WIDE, same, plan.rounds)])[0].reason
    cut = decided([Evidence(plan, WIDE, same, plan.rounds - 1)])[0].reason
    assert cut.endswith(f"; the time ended after {plan.rounds - 1} of {plan.rounds} rounds")
    assert "the time ended in the first of" in decided([Evidence(plan, None, None, 0)])[0].reason


def test_it_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    machine = Ending(end=1000, starting=0.5)
    assert main([*ONE, "--minutes", "10"], machine, machine.clock) == 0
    lines = capsys.readouterr().err.splitlines()
    times = [float(line.split(" s ")[0]) for line in lines]
    assert times == sorted(times)
    assert max(late - early for early, late in zip(times, [*times[1:], machine.now], strict=True)) < EVERY + 6
    assert len(lines) < 10 + machine.now / EVERY
    for said in (
        "trying each subject once",
        r"round of the pilot \d of 8",
        r"\d+ rounds with head, about",
        r"round \d",
    ):
        assert any(re.search(f"augment: {said}", line) for line in lines)


def test_the_first_line_comes_before_anything_is_imported(tmp_path: Path) -> None:
    """NumPy ends the process here, in which nothing is written that was not written before."""
    (tmp_path / "numpy.py").write_text("import os\nos._exit(9)\n", encoding="utf-8")
    command = [sys.executable, "-m", "spec_tests.benchmarks.gate", "--base", "main"]
    environment, file = os.environ | {"PYTHONPATH": str(tmp_path)}, tmp_path / "said"
    for words, said in (([], "paired gate: starting\n"), (["--help"], "")):
        with file.open("w") as output:
            ran = subprocess.run([*command, *words], cwd=HARNESS, env=environment, stdout=output, stderr=output)  # noqa: S603
        assert ran.returncode == 9
        assert file.read_text() == said


class Waiting(MadeUp):
    """A worker that does not answer before it is ended."""

    def __init__(self) -> None:
        super().__init__(Machine(1), 0.0)
        self.killed = Event()

    def turn(self, runs: int) -> list[float]:
        """Nothing."""
        assert self.killed.wait(60), "nobody ended it"
        raise Lost("the process ended")

    def kill(self) -> None:
        """It ends."""
        self.killed.set()


def test_workers_are_ended_in_whatever_they_are_at() -> None:
    other, worker = Waiting(), Waiting()
    with pytest.raises(Late), Deadline(time.monotonic, 0.1).enforced({BASE: other, HEAD: worker}):
        worker.turn(1)
    assert other.killed.wait(60)


# It answers its order with the number of a child that holds its output too.
PARENT = """
import subprocess, sys
sys.stdin.readline()
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
print('{"seconds": [' + str(child.pid) + ']}', flush=True)
child.wait()
"""


def test_children_end_with_their_process() -> None:
    """They would keep the pipe open that an answer is waited for at."""
    worker = started(BASE, ORDER, [sys.executable, "-c", PARENT])
    try:
        (child,) = worker._answer()
    finally:
        worker.end()
    assert ended(child)


def ended(number: int, patience: float = 60) -> bool:
    """Whether a process ends, or has; whose it was may not have asked for it."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            if psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def test_nothing_is_started_when_the_time_is_over() -> None:
    machine = Machine(1)
    found = session(machine, minutes=0.0)
    assert found.minutes == 0
    assert not machine.started
    with pytest.raises(Late), Deadline(machine.clock, 0.0).enforced({AGAIN: MadeUp(machine, 0.0)}):
        raise AssertionError("not reached")
