"""The terminal's form of a session."""

import math
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .record import Comparison
from .verdict import CONFIDENCE, CONTROL, Estimate, Outcome, too_short, versus_base

STYLES = {Outcome.PASS: "green", Outcome.REGRESSION: "bold red", Outcome.INCONCLUSIVE: "bold yellow"}
NUMBERS = ("head", f"{2 * CONFIDENCE - 1:.0%} interval", "control", "noise", "rounds", "runs", "minutes")


def show(console: Console, comparisons: Sequence[Comparison], title: str) -> None:
    """Print each benchmark's estimate, the measurements that it is based on, and the decision."""
    console.print(Text(title, "bold"))
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("benchmark", overflow="fold")
    for head in NUMBERS:
        table.add_column(head, justify="right", no_wrap=True)
    for comparison in comparisons:
        table.add_row(comparison.benchmark.replace("_", " "), *_numbers(comparison))
    console.print(table)
    for comparison in comparisons:
        console.print(_outcome(comparison), soft_wrap=True)


def _numbers(comparison: Comparison) -> list[str]:
    """The estimate of head, the difference of base from its copy, a round's noise, and the number of runs."""
    measured = comparison.measured
    head, control = (measured.estimate(weights) for weights in (versus_base(), CONTROL))
    rounds = len(measured.rounds)
    return [
        f"{head.percent[0]:+.1f} %" if head else "",
        _interval(head) if head else "",
        f"{control.percent[0]:+.1f} %" if control else "",
        f"{100 * math.expm1(measured.plan.noise):.1f} %" if measured.plan else "",
        str(rounds),
        f"{2 * rounds * measured.shape.blocks * measured.shape.runs:,}" if measured.shape else "0",
        f"{measured.minutes:.1f}",
    ]


def _interval(estimate: Estimate) -> str:
    low, high = (f"{value:+.1f}" if math.isfinite(value) else "?" for value in estimate.percent[1:])
    return f"{low} to {high} %"


def _outcome(comparison: Comparison) -> Text:
    name = comparison.benchmark.replace("_", " ")
    if comparison.decision is None:
        evidence = comparison.measured.evidence()
        return Text(f"{name}: not gated{'' if evidence.head else f': {too_short(evidence)}'}", "dim")
    outcome = comparison.decision.outcome
    return Text.assemble(f"{name}: ", (outcome, STYLES[outcome]), f": {comparison.decision.reason}")
