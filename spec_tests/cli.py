"""The command line: check implementations, make reports of reports, compare two, begin an adapter.

What a command needs is imported when it is carried out: help, and what is said of a mistake, come at once.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import FIXTURES, __version__
from .adapter.stages import NAMES, OFFERED_BY_MOST
from .adapter.targets import BUILT_IN, DEFAULT_BACKEND, DEFAULT_IMPLEMENTATION, default_backend, refuse_missing
from .jobs.options import add_address, count
from .reporting.forms import FORMS
from .running.profiles import EXPLAINED, IMAGES, IMPORTING, PROFILES, SECONDS
from .searching import FUNCTIONS, MINUTES, REMEMBERED
from .support.texts import Told, one_line

if TYPE_CHECKING:
    from .reporting.record import Report
    from .running.isolation.process import Limits
    from .running.isolation.task import Task
    from .running.stopping import Stop
    from .running.watching import Sources

GIB = 2**30

EXIT_CODES = """exit codes:
  0  every implementation conforms
  1  at least one implementation does not conform
  2  the command cannot be carried out; one line says why
  3  nothing can be said about an implementation: its adapter is broken, or nothing was checked
  130, 143  stopped by SIGINT or SIGTERM; the report holds the clauses that were finished before"""

EXIT_CODES_OF_SEARCH = """exit codes:
  0  no difference was found
  1  a difference was found
  2  the command cannot be carried out; one line says why
  3  nothing could be tried
  130, 143  stopped by SIGINT or SIGTERM; earlier differences are reported"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command; the exit code."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except Told as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {one_line(f'{error.filename or error}: {error.strerror}')}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return code


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="convspec", description="An executable specification of image classification.")
    top.add_argument("--version", action="version", version=f"convspec {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND", title="commands")
    _add_check(commands.add_parser(
        "check", help="check implementations, each in separate processes",
        description="Check implementations, each in separate processes: one that hangs does not affect the others.",
        epilog=EXIT_CODES, formatter_class=argparse.RawDescriptionHelpFormatter))  # fmt: skip
    _add_audit(commands.add_parser(
        "audit", help="audit an existing training pipeline",
        description="Audit a pipeline. Your function makes a convspec.audit.Pipeline from your model and batches; "
        "the audit observes your own code while it trains and validates.",
        epilog=EXIT_CODES, formatter_class=argparse.RawDescriptionHelpFormatter))  # fmt: skip
    _add_matrix(commands.add_parser(
        "matrix", help="check stacks of packages side by side, each in its own environment",
        description="Check the stacks that a TOML file lists, each in a new or reused environment, and show the "
        "results side by side. The same command continues an interrupted run.",
        epilog=EXIT_CODES, formatter_class=argparse.RawDescriptionHelpFormatter))  # fmt: skip
    _add_search(commands.add_parser(
        "search", help="search for inputs that layers answer wrongly",
        description="Draw inputs freely, compare the answers with the correct ones, and shrink each difference.",
        epilog=EXIT_CODES_OF_SEARCH, formatter_class=argparse.RawDescriptionHelpFormatter))  # fmt: skip
    render = commands.add_parser("render", help="merge reports into one, in any form")
    render.add_argument("reports", nargs="+", type=Path, metavar="REPORT", help="a JSON report that check wrote")
    _add_forms(render)
    render.set_defaults(command=_render)
    compared = commands.add_parser("compare", help="report what was fixed and what broke between two reports")
    compared.add_argument("old", type=Path, metavar="OLD", help="the earlier JSON report")
    compared.add_argument("new", type=Path, metavar="NEW", help="the later JSON report")
    compared.set_defaults(command=_compare)
    explained = commands.add_parser(
        "explain", help="explain a clause: a worked example, how people get it wrong, sources",
        description="Print the pages of clauses: the sentence, a worked example, tolerance, known mistakes, findings "
        "in libraries, the functions called, the reference's lines, test vectors and sources.")  # fmt: skip
    explained.add_argument("clauses", nargs="+", metavar="CLAUSE", help="PAD-4, or PAD for its family")
    explained.set_defaults(command=_explain)
    template = commands.add_parser("template", help="start an adapter: a module to fill in")
    template.add_argument("file", nargs="?", type=Path, help="the file to write (default: print to the terminal)")
    template.add_argument("--stage", nargs="+", choices=NAMES, default=OFFERED_BY_MOST, metavar="STAGE",
        help=f"stages that the adapter offers, from {', '.join(NAMES)} (default: all but environment)")  # fmt: skip
    template.set_defaults(command=_template)
    vectors = commands.add_parser("vectors", help="copy the test vectors, for ports in other languages, to a folder")
    vectors.add_argument("folder", type=Path, metavar="FOLDER", help="a new folder")
    vectors.set_defaults(command=_vectors)
    return top


def _add_check(check: argparse.ArgumentParser) -> None:
    add = check.add_argument
    add("implementations", nargs="*", default=[DEFAULT_IMPLEMENTATION], metavar="IMPLEMENTATION[@BACKEND]",
        help="package.module, package.module:object, a registered name, or a built-in one: "
        f"{', '.join(BUILT_IN)} (default: {DEFAULT_IMPLEMENTATION})")  # fmt: skip
    add("--backend", default=None,
        help=f"for implementations without @BACKEND (default: $KERAS_BACKEND, or {DEFAULT_BACKEND})")  # fmt: skip
    add("--clause", nargs="+", default=[], metavar="ID", help="check only these clauses: PAD-3, or PAD for its family")
    add("--stage", nargs="+", choices=NAMES, default=[], metavar="STAGE",
        help=f"check only these stages, from {', '.join(NAMES)}")  # fmt: skip
    add("--profile", choices=list(PROFILES), default="default", help=EXPLAINED)
    add("--seed", type=int, default=0, help="the seed of every random choice of the specification (default: 0)")
    add("--expectations", type=Path, metavar="FILE", help="a TOML file with excused clauses and wider tolerances")
    add("--data", type=Path, metavar="PATH", help="a zip file or folder of photographs for the clauses of accuracy")
    add("--preset", type=Path, metavar="PATH", help="the pretrained base for --data")
    add("--workers", type=count, metavar="N",
        help="processes that share the clauses of an implementation (default: one per core, at most 4, fewer if "
        "memory is short)")  # fmt: skip
    _add_limits(check)
    add("--watch", action="store_true",
        help="check again whenever a Python file is saved, failed clauses first, until Ctrl-C")  # fmt: skip
    _add_forms(check)
    check.set_defaults(command=_check)


def _add_audit(audit: argparse.ArgumentParser) -> None:
    add = audit.add_argument
    add("pipeline", metavar="FILE.py:FUNCTION", help="or package.module:function (default function: make)")
    add("--images", type=count, default=IMAGES, metavar="N",
        help=f"images of each subset that the audit uses (default: {IMAGES})")  # fmt: skip
    add("--clause", nargs="+", default=[], metavar="ID", help="check only these clauses: FRZ-2, or FRZ for its family")
    add("--seed", type=int, default=0, help="the seed of every random choice (default: 0)")
    add("--expectations", type=Path, metavar="FILE", help="a TOML file with excused clauses")
    _add_limits(audit)
    _add_forms(audit)
    audit.set_defaults(command=_audit)


def _add_matrix(matrix: argparse.ArgumentParser) -> None:
    add = matrix.add_argument
    add("file", metavar="FILE", help="a TOML file that lists stacks, or an included list: keras, frameworks, libraries")
    add("--folder", type=Path, default=Path("runs/matrix"), metavar="FOLDER",
        help="the folder for environments and results (default: runs/matrix)")  # fmt: skip
    add("--seed", type=int, default=0, help="the seed of every random choice of the specification (default: 0)")
    add("--workers", type=count, metavar="N",
        help="stacks to check at the same time (default: one per core, at most 4)")  # fmt: skip
    add("--publish", type=Path, metavar="FOLDER",
        help="the folder for the page, a badge for each stack and a table of earlier runs")  # fmt: skip
    add_address(matrix)
    _add_forms(matrix)
    matrix.set_defaults(command=_matrix)


def _add_search(search: argparse.ArgumentParser) -> None:
    add = search.add_argument
    add("implementation", metavar="IMPLEMENTATION[@BACKEND]", help="as for check")
    add("--minutes", type=_positive, default=MINUTES, metavar="N",
        help=f"time for the whole search (default: {MINUTES:g})")  # fmt: skip
    add("--function", nargs="+", choices=FUNCTIONS, default=[], metavar="NAME",
        help=f"search only these functions, from {', '.join(FUNCTIONS)}")  # fmt: skip
    add("--seed", type=int, default=0, help="the seed of the drawn inputs (default: 0)")
    add("--json", type=Path, metavar="FILE", help="write the differences as JSON")
    add("--examples", type=Path, default=REMEMBERED, metavar="FOLDER",
        help=f"folder of inputs that differed, which later searches try first (default: {REMEMBERED})")  # fmt: skip
    search.set_defaults(command=_search)


def _add_limits(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--time-limit", type=_positive, default=SECONDS, metavar="SECONDS",
        help=f"limit for each clause, without imports (default: {SECONDS})")  # fmt: skip
    add("--import-limit", type=_positive, default=IMPORTING, metavar="SECONDS",
        help=f"limit for each import (default: {IMPORTING})")  # fmt: skip
    add("--memory-limit", type=_positive, metavar="GIB",
        help="limit for each worker (default: its share of 4/5 of the free memory)")  # fmt: skip


def _add_forms(command: argparse.ArgumentParser) -> None:
    for name, form in FORMS.items():
        command.add_argument(f"--{name}", type=Path, metavar="FILE", help=form.help)


def _check(options: argparse.Namespace) -> int:
    from .running.request import tasks

    asked = tasks(options)
    if options.watch and len(asked) > 1:
        raise Told("--watch takes one implementation")

    from .running.isolation.process import Limits, default_memory, default_workers

    workers = options.workers or default_workers()
    memory = int(options.memory_limit * GIB) if options.memory_limit else default_memory(workers)
    limits = Limits(options.time_limit, memory, options.import_limit)

    from rich.console import Console

    from .running.checking import Progress, run
    from .running.stopping import Stop

    sources = _sources(asked[0]) if options.watch else None
    with Stop() as stop:
        with Progress(Console(stderr=True)) as progress:
            report = run(asked, workers, limits, options.seed, options.profile, progress, stop)
        code = _tell(report, options)
        if sources and not stop():
            return _watch(asked[0], report, sources, workers, limits, options, stop)
        if why := stop():
            print(f"{why}: unfinished clauses are not run", file=sys.stderr)
        return stop.code or code


def _audit(options: argparse.Namespace) -> int:
    from .running.auditing import asked

    task = asked(options)

    from rich.console import Console

    from .running.auditing import Findings
    from .running.checking import run
    from .running.isolation.process import Limits, default_memory
    from .running.stopping import Stop

    memory = int(options.memory_limit * GIB) if options.memory_limit else default_memory(1)
    limits = Limits(options.time_limit, memory, options.import_limit)
    with Stop() as stop, Findings(Console(stderr=True)) as progress:
        report = run([task], 1, limits, options.seed, "default", progress, stop)
    code = _tell(report, options)
    return stop.code or code


def _matrix(options: argparse.Namespace) -> int:
    from .stacks.plan import read_plan

    plan = read_plan(options.file)

    from rich.console import Console

    from .running.isolation.process import default_workers
    from .running.stopping import Stop
    from .stacks.matrix import Matrix, told

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"{len(plan.stacks)} stacks of {plan.file.name}, kept in {options.folder}")
    with Stop() as stop:
        matrix = Matrix(plan, options.folder, options.seed, lambda done: console.print(told(done)), stop)
        report = matrix.run(options.workers or default_workers(), options.address)
    if why := stop():
        print(f"{why}: give the same command again to continue", file=sys.stderr)
    code = _tell(report, options) if report else 3
    if report and options.publish:
        from .stacks.publishing import publish

        publish(report, options.publish)
    return stop.code or code


def _search(options: argparse.Namespace) -> int:
    begun = time.monotonic()  # what is imported from here on takes of its minutes too
    target, _, own = options.implementation.partition("@")
    backend = own or default_backend()
    refuse_missing(target, backend)
    if options.examples.exists() and not options.examples.is_dir():
        raise Told(f"{options.examples} is not a folder: --examples takes a folder")
    if options.json and options.json.is_dir():
        raise Told(f"{options.json} is a folder: --json takes a file")

    from .searching.command import search

    return search(options, target, backend, begun)


def _sources(task: "Task") -> "Sources":
    from .running.watching import Sources  # and with it pytest

    return Sources(task.target)


def _watch(
    task: "Task",
    report: "Report",
    sources: "Sources",
    workers: int,
    limits: "Limits",
    options: argparse.Namespace,
    stop: "Stop",
) -> int:
    """The exit code of the last check."""
    from rich.console import Console

    from .running.checking import Progress
    from .running.watching import watch

    print("watching: save a file to check again, Ctrl-C to end", file=sys.stderr)

    def tell(report: "Report", whole: bool) -> None:
        if whole:
            _tell(report, options)
        else:
            _print(report)

    with Progress(Console(stderr=True)) as progress:
        last = watch(task, report, sources, workers, limits, progress, stop, tell)
    return _code(last)


def _render(options: argparse.Namespace) -> int:
    from .reporting.merging import labels_of, merged
    from .reporting.record import read_report

    labels = labels_of([str(file) for file in options.reports])
    return _tell(merged([read_report(file) for file in options.reports], labels), options)


def _tell(report: "Report", options: argparse.Namespace) -> int:
    """Print the report, write it in the forms asked for, and give the exit code."""
    from .reporting.output import write

    _print(report)
    for name in FORMS:
        if file := getattr(options, name):
            write(report, name, file)
            print(f"{name}: {file}")
    return _code(report)


def _print(report: "Report") -> None:
    from rich.console import Console

    from .reporting.output import terminal

    console = Console()
    console.out(terminal(report, console.width, console.is_terminal), highlight=False, end="")


def _code(report: "Report") -> int:
    from .reporting.record import Verdict

    verdicts = {report.verdict(implementation.column) for implementation in report.implementations}
    if Verdict.DIFFERS in verdicts:
        return 1
    return 0 if verdicts == {Verdict.CONFORMS} else 3


def _compare(options: argparse.Namespace) -> int:
    from .reporting.record import read_report

    old, new = read_report(options.old), read_report(options.new)

    from rich.console import Console

    from .reporting import compare as comparing

    console, found = Console(), comparing.compare(old, new)
    console.out(comparing.text(found, console.width, console.is_terminal), highlight=False, end="")
    return 1 if found.worse else 0


def _explain(options: argparse.Namespace) -> int:
    from .explaining.command import run

    return run(options.clauses)


def _template(options: argparse.Namespace) -> int:
    from .reporting.template import write_template

    write_template(options.file, options.stage)
    return 0


def _vectors(options: argparse.Namespace) -> int:
    """Copied with what they refer to, the weights of the embedded base, to the same places."""
    import shutil

    if options.folder.exists():
        raise Told(f"{options.folder} exists already: name another folder, or remove it")
    for name in ("vectors", "xception_drawn"):
        shutil.copytree(FIXTURES / name, options.folder / name)
    print(f"vectors: {options.folder / 'vectors'}")
    return 0


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return number
