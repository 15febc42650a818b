"""The report of a run: one table on the terminal, ``report.md`` and the pictures in the run folder."""

from rich import box
from rich.table import Table

from . import pictures
from .run import Result, Run

HEADINGS = ("stage", "accuracy", "95 % interval", "epoch", "time", "memory")


def write_report(run: Run, results: dict[str, Result]) -> None:
    """Draw the pictures, write report.md and print the table."""
    folder = run.folder / "pictures"
    folder.mkdir(exist_ok=True)
    pictures.draw_samples(run.train, folder / "samples.png")
    pictures.draw_augmented(run.train, folder / "augmented.png", run.config.seed)
    for stage, result in results.items():
        if "evaluation" in result:
            pictures.draw_curves(stage, result, folder / f"curves-{stage}.png")
            pictures.draw_confusion(stage, result, run.test.class_names, folder / f"confusion-{stage}.png")
            pictures.draw_mistakes(stage, result, run.test.class_names, folder / f"mistakes-{stage}.png")
    rows = [table_row(stage, result) for stage, result in results.items()]
    _write_markdown(run, rows)
    table = Table(box=box.SIMPLE_HEAD, title=f"{run.config.data}, {run.config.backend}, seed {run.config.seed}")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "stage" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    run.console.print(table)
    run.console.print(f"The whole run, with its pictures: {run.folder / 'report.md'}", soft_wrap=True)


def table_row(stage: str, result: Result) -> tuple[str, ...]:
    """The cells under HEADINGS; a stage that trains nothing has no accuracy."""
    accuracy, interval, best = "", "", ""
    if evaluation := result.get("evaluation"):
        accuracy = f"{evaluation['accuracy']:.3f}"
        interval = f"{evaluation['low']:.3f}–{evaluation['high']:.3f}"
        best = f"{result['best_epoch']} of {len(result['history']['loss'])}"
    memory = f"{result['peak_memory_mb']:,} MB" if result["peak_memory_mb"] else "unknown"
    return stage, accuracy, interval, best, f"{result['seconds']:.0f} s", memory


def _write_markdown(run: Run, rows: list[tuple[str, ...]]) -> None:
    """The table and the pictures on one page."""
    lines = [f"# Cats against dogs: {run.config.data}, {run.config.backend}, seed {run.config.seed}", ""]
    lines += [f"| {' | '.join(cells)} |" for cells in (HEADINGS, ["---"] * len(HEADINGS), *rows)]
    lines += ["", f"Base: {run.config.base}{' with random weights' if run.config.random_base else ''}.", ""]
    lines += [f"![{file.stem}](pictures/{file.name})" for file in sorted((run.folder / "pictures").glob("*.png"))]
    partial = run.folder / ".partial-report.md"
    partial.write_text("\n".join(lines) + "\n")
    partial.replace(run.folder / "report.md")
