"""The layout of ``spec_tests``: its root holds the entry points, and no import points upwards."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import spec_tests

ROOT = Path(spec_tests.__file__).parent
ENTRIES = {"__init__", "__main__", "cli", "plugin", "reproduce"}
LEVELS = (  # a part may import from those above it in this list, and from itself
    {"support", "oracles", "judging"},
    {"adapter", "adapters", "jobs"},
    {"audit"},
    {"cases"},
    {"clauses", "vectors", "damage"},
    {"reporting"},
    {"explaining", "running"},
    {"searching", "stacks"},
    ENTRIES - {"__init__"},
    {"proof", "benchmarks"},
    {"meta", "pipeline"},
)
APART = {"distribution"}  # the package that the folders are parts of where convspec is installed
ANYWHERE = {"", "__init__"}  # spec_tests itself: its version, and where things are


def part_of(file: Path) -> str:
    """The folder of a module below the root, or its own name where it lies at the root."""
    first, *rest = file.relative_to(ROOT).with_suffix("").parts
    return first if rest else file.stem


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """(line, part) of each import of something below ``spec_tests``, those within functions included."""
    package = ["spec_tests", *file.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            part = rest.partition(".")[0]
            if top == "spec_tests":
                yield node.lineno, part if (ROOT / part).is_dir() or part in ENTRIES else ""


def level_of(part: str) -> int:
    """The level of a part, counted from below; an error that says what to do for one that has none."""
    for level, parts in enumerate(LEVELS):
        if part in parts:
            return level
    raise AssertionError(f"spec_tests/{part} has no level: move it to a folder, or give it a place in LEVELS")


def test_the_root_holds_entry_points_and_folders_alone() -> None:
    assert {file.stem for file in ROOT.glob("*.py")} == ENTRIES
    folders = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert folders == set().union(*LEVELS) - ENTRIES | APART


@pytest.mark.parametrize("part", sorted(set().union(*LEVELS)))
def test_no_import_points_upwards(part: str) -> None:
    files = sorted((ROOT / part).rglob("*.py")) or [ROOT / f"{part}.py"]
    level = level_of(part)
    upwards = [
        f"{file.relative_to(ROOT)}:{line} imports from {other}, which is above {part}"
        for file in files
        for line, other in imported(file)
        if other not in ANYWHERE and other != part and level_of(other) >= level and {part, other} - ENTRIES
    ]
    assert not upwards, "\n".join(upwards)


def test_an_import_that_points_upwards_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, source in {"judging/__init__": "", "cases/__init__": "", "judging/a": "from ..cases import b\n"}.items():
        file = tmp_path / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(source, encoding="utf-8")
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    with pytest.raises(AssertionError, match=r"judging/a\.py:1 imports from cases, which is above judging"):
        test_no_import_points_upwards("judging")
