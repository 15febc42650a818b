"""What commands import: help and mistakes nothing of weight, a clause what it needs. How long it takes is no matter."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import spec_tests
from spec_tests.reporting.record import read_report

ROOT = Path(spec_tests.__file__).parents[1]
FRAMEWORKS = {"jax", "keras", "keras_hub", "tensorflow", "torch", "onnxruntime"}
HEAVY = FRAMEWORKS | {"h5py", "hypothesis", "jinja2", "jsonschema", "matplotlib", "PIL", "pytest", "rich", "scipy"}

# Carries out commands in one Python, then says which modules they imported and whether a process was started.
TRIES = """
import contextlib, io, sys
started = []
sys.addaudithook(lambda event, arguments: started.append(event) if event == "subprocess.Popen" else None)
from spec_tests.cli import main
for words in {commands!r}:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
        code = main(words)
        assert code in {codes!r}, (words, code, said.getvalue())
print(*started, *sorted({{name.partition(".")[0] for name in sys.modules}} & {watched!r}))
"""

MISTAKES = [
    ("compare", "none.json", "none.json"),
    ("render", "none.json"),
    ("vectors", "taken.py"),
    ("matrix", "none.toml"),
    ("check", "--stage", "layer"),
    ("check", "--workers", "0"),
    ("explain", "PADD-4"),
    ("explain", "PAD-4", "PADD"),
    ("check", "numpy_port", "--clause", "PADD-4"),
    ("check", "numpy_port", "--clause", "PAD", "--stage", "transfer"),
    ("check", "numpy_port", "--expectations", "none.toml"),
    ("check", "numpy_port", "--expectations", "unknown.toml"),
    ("check", "numpy_port", "--data", "none.zip"),
    ("check", "numpy_port", "--data", "taken.py"),
    ("check", "numpy_port", "--preset", "none"),
    ("check", "reference@mxnet"),
    ("check", "no_such_adapter"),
    ("check", "taken.py"),
]


def imported(folder: Path, commands: Sequence[tuple[str, ...]], watched: set[str], codes: tuple[int, ...]) -> list[str]:
    """Which of the modules a new Python had imported after these commands, and what processes it had started."""
    code = TRIES.format(commands=commands, watched=watched, codes=codes)
    path = os.pathsep.join([str(folder), str(ROOT)])
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code], cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files that are in the way."""
    (tmp_path / "taken.py").touch()
    (tmp_path / "unknown.toml").write_text('[excused]\nPAD-44 = "none"\n', encoding="utf-8")
    return tmp_path


def test_help_and_mistakes_import_nothing_of_weight(folder: Path) -> None:
    helps = [("--help",), ("check", "--help"), ("--version",)]
    assert imported(folder, [*helps, *MISTAKES], HEAVY | {"numpy", "psutil"}, codes=(2,)) == []
    assert sorted(file.name for file in folder.iterdir() if file.suffix != ".pyc") == ["taken.py", "unknown.toml"]


def test_a_template_vectors_and_explanations_need_no_more_than_numpy(folder: Path) -> None:
    commands = [("template", "new.py"), ("template", "taken.py"), ("vectors", "new"), ("explain", "pad-4", "TRAIN")]
    assert imported(folder, commands, HEAVY, codes=(0, 2)) == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("CLAIMS = ('data',)\n", "claims the stage data and has no function of it"),
        (None, "stage layers: conv2d is not filled in yet"),
    ],
)
def test_an_adapter_that_has_nothing_of_a_stage_is_not_even_imported(
    folder: Path, source: str | None, words: str
) -> None:
    if source is None:
        assert imported(folder, [("template", "adapter.py", "--stage", "layers")], HEAVY, codes=(0,)) == []
        source = (folder / "adapter.py").read_text(encoding="utf-8")
    (folder / "adapter.py").write_text(f"import torch, no_such_module\n{source}", encoding="utf-8")
    commands = [("check", "adapter", "--json", "report.json")]
    assert set(imported(folder, commands, HEAVY, codes=(3,))) <= {"rich"}  # which prints the report
    broken = [result.reason for result in read_report(folder / "report.json").results if "broken" in result.outcome]
    assert broken
    assert all(words in reason for reason in broken)


ADAPTER = """
import atexit, sys
from fixtures.implementations.numpy_port.layers import *

CLAIMS = ("layers",)
atexit.register(lambda: open("modules", "w").write("\\n".join(sys.modules)))
"""


def test_a_clause_imports_what_it_needs(folder: Path) -> None:
    (folder / "adapter.py").write_text(ADAPTER, encoding="utf-8")
    commands = [("check", "adapter", "--json=report.json", "--profile=glance", "--clause", "PAD-4")]
    assert set(imported(folder, commands, HEAVY, codes=(0,))) <= {"rich", "subprocess.Popen"}
    modules = set((folder / "modules").read_text(encoding="utf-8").split())
    clauses = {name.rpartition(".")[2] for name in modules if name.startswith("spec_tests.clauses.test_")}
    assert clauses == {"test_padding"}
    unneeded = {"scipy.stats", "h5py", "rich", "jsonschema", "matplotlib", "spec_tests.running.smoke.transfer"}
    assert modules & (unneeded | FRAMEWORKS) == set()
