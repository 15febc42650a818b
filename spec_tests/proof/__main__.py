"""The command line of the proof: ``python -m spec_tests.proof``."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from fixtures.mutants import Mutant
from fixtures.mutants import mutants as all_mutants
from fixtures.patching import PatchError

from ..isolation.supervisor import Refused
from ..plugin import PROFILES
from . import alarms, mutants, output, terminal


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 all is as it must be, 1 it is not, 2 the command cannot be carried out."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except (PatchError, Refused, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return code


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="python -m spec_tests.proof", description="What the specification catches, and what it leaves alone."
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND", title="commands")
    kill = commands.add_parser("mutants", help="check every mutant: each must be killed by the clauses meant for it")
    kill.add_argument(
        "names", nargs="*", metavar="NAME", help="mutants, or groups of them such as padding (default: all)"
    )
    kill.add_argument(
        "--thorough", action="store_true", help="clauses of accuracy too, for every mutant they may concern"
    )
    kill.add_argument(
        "--profile", choices=list(PROFILES), default="default", help="examples of a property, as in check"
    )
    kill.add_argument("--seed", type=int, default=0, help="of every random choice (default: 0)")
    kill.add_argument(
        "--workers", type=int, default=os.cpu_count(), help="processes side by side (default: one a core)"
    )
    kill.add_argument("--json", type=Path, metavar="FILE", help="write mutant by clause as JSON")
    kill.add_argument(
        "--html", type=Path, metavar="FILE", help="write the page, with false alarms and operating curves"
    )
    kill.set_defaults(command=_kill)
    right = commands.add_parser("alarms", help="check right implementations with many seeds: none may be condemned")
    right.add_argument("names", nargs="*", metavar="NAME", help="implementations and variants (default: all)")
    right.add_argument("--seeds", type=int, default=1, metavar="N", help="how many for each (default: 1)")
    right.add_argument("--first-seed", type=int, default=0, metavar="N", help="the lowest of them (default: 0)")
    right.add_argument("--clause", nargs="+", default=[], metavar="ID", help="these alone, which is not recorded")
    right.add_argument("--stage", nargs="+", default=[], metavar="STAGE", help="these alone, which is not recorded")
    right.add_argument(
        "--workers", type=int, default=os.cpu_count(), help="processes side by side (default: one a core)"
    )
    right.set_defaults(command=_alarms)
    return top


def _kill(options: argparse.Namespace) -> int:
    chosen, console = _chosen(options.names), Console()
    matrix = mutants.run(
        chosen,
        seed=options.seed,
        profile=options.profile,
        thorough=options.thorough,
        workers=options.workers,
        told=lambda death: print(f"{death.mutant.name}: {death.fate}", file=sys.stderr),
    )
    whole = not options.names
    terminal.show(console, matrix, whole)
    for write, file in ((output.write_json, options.json), (output.write_html, options.html)):
        if file:
            write(matrix, whole, file)
            print(file)
    return 1 if matrix.faults(whole) else 0


def _alarms(options: argparse.Namespace) -> int:
    known, console = alarms.known(), Console()
    if wrong := next((name for name in options.names if name not in known), None):
        raise ValueError(f"there is no right implementation {wrong}: there are {', '.join(known)}")
    narrowed = [f"--stage={stage}" for stage in options.stage]
    narrowed += ["--clause", *options.clause] if options.clause else []
    with tempfile.TemporaryDirectory() as scratch:
        runs = alarms.record(
            options.names or list(known),
            range(options.first_seed, options.first_seed + options.seeds),
            narrowed,
            options.workers,
            Path(scratch, "alarms.json") if narrowed else alarms.RECORDED,
            told=lambda run: print(f"{run.implementation}, seed {run.seed}: {len(run.alarms)} alarms", file=sys.stderr),
        )
    terminal.show_alarms(console, runs)
    return 1 if any(run.alarms for run in runs) else 0


def _chosen(names: Sequence[str]) -> list[Mutant]:
    """The mutants of these names and groups; ValueError for one that there is not."""
    known = all_mutants()
    groups = {mutant.group for mutant in known.values()}
    if wrong := next((name for name in names if name not in known and name not in groups), None):
        raise ValueError(f"there is no mutant and no group {wrong}: groups are {', '.join(sorted(groups))}")
    return [mutant for mutant in known.values() if not names or mutant.name in names or mutant.group in names]


if __name__ == "__main__":
    sys.exit(main())
