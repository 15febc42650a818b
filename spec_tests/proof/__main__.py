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
from fixtures.pipelines.wild import FRAMEWORKS
from fixtures.pipelines.wild import wild as wild_set

from ..adapter.implementation import BrokenAdapter
from ..adapter.stages import NAMES
from ..jobs.options import add_options, count, runner
from ..reporting.naming import rows
from ..running.profiles import PROFILES
from ..support.files import write_text
from ..support.texts import Told
from . import alarms, curves, measured, mutants, naming, output, terminal, wild


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 if the proof holds, 1 if it does not, 2 if the command cannot be carried out."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except (BrokenAdapter, PatchError, Told, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: run the same command with --resume to continue", file=sys.stderr)
        return 130
    return code


def parser() -> argparse.ArgumentParser:
    """The parser of the commands and their options."""
    top = argparse.ArgumentParser(
        prog="python -m spec_tests.proof", description="What the specification catches, and what it leaves alone."
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND", title="commands")
    _add_wild(commands.add_parser("wild", help="audit the wild set of pipelines: each fault must be found"))
    _add_mutants(commands.add_parser("mutants", help="check mutants: the clauses meant for each must catch it"))
    _add_alarms(commands.add_parser("alarms", help="check right implementations with many seeds: none may fail"))
    _add_curves(commands.add_parser("curves", help="measure how often stochastic clauses find faults of each size"))
    _add_naming(commands.add_parser("naming", help="count how often reports name the right fault, from the rows"))
    for name, command in commands.choices.items():
        if name != "naming":
            add_options(command, f"runs/{name}", os.cpu_count())
    return top


def _add_wild(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("frameworks", nargs="*", choices=[[], *FRAMEWORKS], metavar="FRAMEWORK", help=f"of {', '.join(FRAMEWORKS)}")
    add(
        "--seeds",
        type=count,
        default=1,
        metavar="N",
        help="audits of each pipeline, with another seed each (default: 1)",
    )
    add("--right", action="store_true", help="only the pipelines without a fault")
    command.set_defaults(command=_wild)


def _wild(options: argparse.Namespace) -> int:
    """Audit the wild set; returns 1 if a fault is missed or a correct pipeline fails."""
    pipelines = [one for framework in options.frameworks or FRAMEWORKS for one in wild_set(framework)]
    pipelines = [one for one in pipelines if not (options.right and one.clause)]
    console = Console()

    def tell(found: wild.Found) -> None:
        words = found.fault or (f"found: {found.said(found.wild.clause)}" if found.wild.clause else "holds")
        also = sorted({*found.failed} - {found.wild.clause})
        beside = f" (and {', '.join(also)})" if also and found.wild.clause else ""
        console.print(f"{found.wild.name} {found.wild.clause} {found.seconds:.0f} s: {words}{beside}", highlight=False)

    found = wild.audit(pipelines, seeds=range(options.seeds), runner=runner(options), told=tell)
    wrong = sum(bool(one.fault) for one in found)
    faults = sum(bool(one.clause) for one in pipelines)
    console.print(
        f"{options.seeds} x {faults} faults and {len(pipelines) - faults} right pipelines: {wrong} wrong answers"
    )
    return 1 if wrong else 0


def _add_mutants(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("names", nargs="*", metavar="NAME", help="mutants, or groups of them such as padding (default: all)")
    add("--thorough", action="store_true", help="every clause that a fault may reach, with as many examples")
    add("--profile", choices=list(PROFILES), default="default", help="examples of a property of its own clauses")
    add("--seed", type=int, default=0, help="the seed of every random choice (default: 0)")
    add("--json", type=Path, metavar="FILE", help="write mutant by clause as JSON")
    add("--html", type=Path, metavar="FILE", help="write the page, with false alarms and operating curves")
    add("--rows", type=Path, nargs="?", const=rows.FILE, metavar="FILE",
        help="renew the rows that reports name faults by (default: those of the package)")  # fmt: skip
    command.set_defaults(command=_mutants)


def _add_alarms(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("names", nargs="*", metavar="NAME", help="implementations and variants (default: all)")
    add("--seeds", type=count, default=1, metavar="N", help="how many for each (default: 1)")
    add("--first-seed", type=int, default=0, metavar="N", help="the lowest of them (default: 0)")
    add("--clause", nargs="+", default=[], metavar="ID", help="only these clauses; the result is not recorded")
    add("--stage", nargs="+", choices=NAMES, default=[], metavar="STAGE", help="only these stages; not recorded")
    command.set_defaults(command=_alarms)


def _add_curves(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("clauses", nargs="*", metavar="CLAUSE", help="clauses or families (default: all stochastic ones)")
    add("--seeds", type=count, metavar="N", help="runs for each size, ten times as many without a fault")
    add("--implementation", default="torch_port", help="a correct one, to which faults are added (default: torch_port)")
    command.set_defaults(command=_curves)


def _add_naming(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--rows", type=Path, default=rows.FILE, metavar="FILE", help="the known rows (default: those of the package)")
    add("--again", type=Path, metavar="FILE", help="rows of the same mutants with another seed, to be named")
    add("--output", type=Path, metavar="FILE", help="also write the tables to this file")
    command.set_defaults(command=_naming)


def _mutants(options: argparse.Namespace) -> int:
    chosen, console = _chosen(options.names), Console()
    matrix = mutants.run(
        chosen,
        seed=options.seed,
        profile=options.profile,
        thorough=options.thorough,
        runner=runner(options),
        told=lambda death: print(f"{death.mutant.name}: {death.fate}", file=sys.stderr),
        few=options.profile if options.rows else mutants.FEW,  # a row needs what a user's run has
        beside=bool(options.rows),
    )
    whole = not options.names
    terminal.show(console, matrix, whole)
    for write, file in ((output.write_json, options.json), (output.write_html, options.html)):
        if file:
            write(matrix, whole, file)
            print(file)
    if options.rows:
        naming.renew(matrix, options.profile, options.rows)
        print(options.rows)
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
            runner(options),
            Path(scratch, "alarms.json") if narrowed else alarms.RECORDED,
            told=lambda run: print(f"{run.implementation}, seed {run.seed}: {len(run.alarms)} alarms", file=sys.stderr),
        )
    terminal.show_alarms(console, runs)
    return 1 if any(run.alarms for run in runs) else 0


def _curves(options: argparse.Namespace) -> int:
    made = curves.record(options.clauses, options.implementation, options.seeds, runner(options), curves.FILE)
    for curve, seconds in made:
        counts = ", ".join(f"{point.size:g}: {point.detected}/{point.runs}" for point in curve.points)
        print(f"{curve.clause}, {curve.title}: {counts} ({seconds:.0f} s of processor time)", flush=True)
    short = curves.shortcomings(curves.read(curves.FILE))
    print(*short, sep="\n")
    return 1 if short else 0


def _naming(options: argparse.Namespace) -> int:
    known = tuple(row for row in rows.rows(options.rows) if row.is_whole)
    again = rows.rows(options.again) if options.again else ()
    text = "\n".join(measured.table(known, again))
    print(text)
    if options.output:
        write_text(options.output, f"{text}\n")
    return 0


def _chosen(names: Sequence[str]) -> list[Mutant]:
    """The mutants with these names and in these groups; raises ValueError for an unknown name."""
    known = all_mutants()
    groups = {mutant.group for mutant in known.values()}
    if wrong := next((name for name in names if name not in known and name not in groups), None):
        raise ValueError(f"there is no mutant and no group {wrong}: groups are {', '.join(sorted(groups))}")
    return [mutant for mutant in known.values() if not names or mutant.name in names or mutant.group in names]


if __name__ == "__main__":
    sys.exit(main())
