"""The report of a run: a table on the terminal, and with pictures ``report.md`` and the page ``report.html``."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rich
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib import rc_context
from numpy.typing import NDArray
from PIL import Image
from rich.markdown import Markdown

from .errors import printable
from .files import whole
from .lettering import families
from .pictures import Picture, names, of_data, of_stage
from .progress import progress
from .run import Result, Run

HEADINGS = ("stage", "accuracy", "95 % interval", "epoch", "time", "memory")
ALIGNMENT = (":--", "--:", "--:", "--:", "--:", "--:")
TITLES = {
    "data": "The images",
    "features": "Feature extraction, the base run once",
    "augmented": "Feature extraction under augmentation",
    "tune": "Fine-tuning of the last layers",
    "convnet": "The convnet from scratch",
    "convnet-augmented": "The convnet from scratch, under augmentation",
}
TEMPLATE = "report.html.j2"
DPI = 110
QUALITY = 90  # of a JPEG in the page


@dataclass(frozen=True)
class Section:
    """The report's text on a stage, and its pictures by name."""

    stage: str
    summary: str
    pictures: dict[str, Picture]


def write_report(run: Run, results: dict[str, Result]) -> None:
    """Draw the pictures, write report.md and report.html, and print the table."""
    rows = []
    for stage, result in results.items():
        with run.reading(stage):
            rows.append(table_row(stage, result))
    fonts = families(name for batches in run.images.values() for name in names(batches))
    with rc_context({"text.parse_math": False, "font.family": fonts}):  # a file name may contain a dollar
        sections = list_sections(run, results)
        save_pictures(run.folder / "pictures", sections)
    for name, write in (("report.md", as_markdown), ("report.html", as_page)):
        with whole(run.folder / name) as partial:
            partial.write_text(write(run, rows, sections), encoding="utf-8")
    rich.print(Markdown(markdown_table(rows)))
    print(f"The whole run, with its pictures: {printable(str(run.folder / 'report.html'))}, and report.md beside it")


def table_row(stage: str, result: Result) -> tuple[str, ...]:
    """The cells under HEADINGS. A stage without training has no accuracy."""
    accuracy, epoch = ("", ""), ""
    if evaluation := result.get("evaluation"):
        accuracy = f"{evaluation['accuracy']:.3f}", f"{evaluation['low']:.3f}–{evaluation['high']:.3f}"
        epoch = f"{result['best_epoch']} of {len(result['history']['loss'])}"
    memory = f"{result['peak_memory_mb']:,} MB" if result["peak_memory_mb"] else "unknown"
    return stage, *accuracy, epoch, f"{result['seconds']:.0f} s", memory


def list_sections(run: Run, results: dict[str, Result]) -> list[Section]:
    """A section on the images, and one for each stage that trains."""
    summary = str(results.get("data", {}).get("summary", ""))
    sections = [Section("data", summary, of_data(run.images["train"], run.options.seed))]
    for stage, result in results.items():
        if result.get("evaluation"):
            with run.reading(stage):
                sections.append(Section(stage, str(result["summary"]), of_stage(stage, result, run.images["test"])))
    return sections


def save_pictures(folder: Path, sections: list[Section]) -> None:
    """Save each picture in a file with its name."""
    pictures = [item for section in sections for item in section.pictures.items()]
    for name, picture in progress(pictures, "drawing the report", "pictures"):
        with whole(folder / f"{name}.png") as partial:
            picture.figure.savefig(partial, dpi=DPI)


def as_markdown(run: Run, rows: list[tuple[str, ...]], sections: list[Section]) -> str:
    """The report with links to its pictures."""
    options = run.options
    parts = [
        f"# Cats against dogs: {options.data}, {options.backend}, seed {options.seed}",
        markdown_table(rows),
        f"Base: {run.base}.",
    ]
    for section in sections:
        parts += [f"## {TITLES[section.stage]} ({section.stage})", section.summary]
        parts += [f"![{picture.caption}](pictures/{name}.png)" for name, picture in section.pictures.items()]
    return "\n\n".join("\n".join(map(printable, part.split("\n"))) for part in parts if part) + "\n"


def markdown_table(rows: list[tuple[str, ...]]) -> str:
    """The table of all stages."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (HEADINGS, ALIGNMENT, *rows))


def as_page(run: Run, rows: list[tuple[str, ...]], sections: list[Section]) -> str:
    """The report as a page that needs no other file, with all its inputs escaped."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_visible,
    )  # fmt: skip
    options = run.options
    facts = {"data": options.data, "base": run.base, "backend": options.backend, "seed": options.seed}
    return templates.get_template(TEMPLATE).render(
        facts=facts, headings=HEADINGS, rows=rows, sections=sections, titles=TITLES, jpeg=_jpeg,
        png=lambda name: _uri("png", (run.folder / "pictures" / f"{name}.png").read_bytes()),
    )  # fmt: skip


def _visible(value: Any) -> Any:
    """The value with names in a form that can be written to a file."""
    return printable(value) if isinstance(value, str) else value


def _jpeg(image: NDArray[Any]) -> str:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=QUALITY)
    return _uri("jpeg", file.getvalue())


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
