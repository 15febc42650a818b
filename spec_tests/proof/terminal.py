"""The terminal's form of the kill matrix."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .alarms import Run, upper_bound
from .mutants import Death, Fate, Matrix

STYLES = {Fate.KILLED: "green"}
SHOWN = 6  # other clauses to list for a mutant, at most


def show(console: Console, matrix: Matrix, whole: bool) -> None:
    """Print each mutant with the clauses that caught it, the faults of the proof, and the totals."""
    for group, deaths in groupby(matrix.deaths, key=lambda death: death.mutant.group):
        console.print(_table(group, list(deaths)))
    for fault in matrix.faults(whole):
        console.print(Text(fault, "bold red"))
    for clause, reason in matrix.unneeded.items() if whole else ():
        if reason:
            console.print(Text(f"{clause} needs no mutant: {reason}", "dim"))
    console.print(Text(sums(matrix), "bold"))


def show_alarms(console: Console, runs: Sequence[Run]) -> None:
    """Print the runs of each correct implementation, its alarms, and the bound that follows."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("right implementation")
    for head in ("seeds", "clauses checked", "alarms", "minutes"):
        table.add_column(head, justify="right")
    for name in dict.fromkeys(run.implementation for run in runs):
        own = [run for run in runs if run.implementation == name]
        found = sum(len(run.alarms) for run in own)
        style = "bold red" if found else ""
        counts = (len(own), sum(run.clauses for run in own), found)
        minutes = f"{sum(run.seconds for run in own) / 60:.1f}"
        table.add_row(name.replace("_", " "), *(f"{count:,}" for count in counts), minutes, style=style)
    console.print(table)
    for run in runs:
        for alarm in run.alarms:
            console.print(Text(f"{run.implementation}, seed {run.seed}: {alarm}", "bold red"))
    console.print(Text(alarm_sums(runs), "bold"))


def alarm_sums(runs: Sequence[Run]) -> str:
    """The counts and the bounds in one line."""
    checks, condemned = sum(run.clauses for run in runs), sum(bool(run.alarms) for run in runs)
    found = sum(len(run.alarms) for run in runs)
    return (
        f"{len(runs):,} runs, {condemned} condemned: below {upper_bound(condemned, len(runs)):.2g} of runs; "
        f"{checks:,} clauses checked, {found} alarms: below {upper_bound(found, checks):.2g} of clauses "
        "(upper 95 % bounds)"
    )


def sums(matrix: Matrix) -> str:
    """The counts and the times in one line."""
    counts = ", ".join(f"{count} {fate}" for fate in Fate if (count := matrix.count(fate)))
    needed, (median, largest) = sum(map(bool, matrix.needed.values())), matrix.times
    return (
        f"{len(matrix.deaths)} mutants: {counts}; {needed} of {len(matrix.clauses)} clauses are needed, "
        f"{len(set(matrix.sole.values()))} as the only one that catches a mutant; "
        f"{median:.1f} s of checking to the first failure in the median, {largest:.1f} s at most; "
        f"{matrix.seconds / 60:.1f} min"
    )


def _table(group: str, deaths: Sequence[Death]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(group.replace("_", " "), overflow="fold", ratio=5)
    table.add_column("of", overflow="fold", ratio=2)
    table.add_column("fate", overflow="fold", ratio=2)
    table.add_column("caught by", ratio=5)
    table.add_column("s", justify="right", no_wrap=True, min_width=4)
    for death in deaths:
        seconds = "" if death.seconds is None else f"{death.seconds:.1f}"
        fate = Text(death.fate, STYLES.get(death.fate, "bold red"))
        table.add_row(death.mutant.name.replace("_", " "), death.mutant.of, fate, _killers(death), seconds)
    return table


def _killers(death: Death) -> Text:
    """The mutant's own clauses, caught or missed, then some of the others."""
    text, own = Text(), death.mutant.caught_by
    for clause in own:
        text.append(f"{clause} ", "green" if clause in death.killers else "bold red strike")
    others = death.others
    text.append(" ".join(others[:SHOWN]) + (f" +{len(others) - SHOWN}" if len(others) > SHOWN else ""), "dim")
    return text
