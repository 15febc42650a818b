"""The benchmarks: run on made-up implementations, as a user would, in a folder of its own."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import spec_tests
from spec_tests.benchmarks import memory

ROOT = Path(spec_tests.__file__).parents[1]
BENCHMARKS = ROOT / "spec_tests" / "benchmarks"
QUICK = ("--image-size", "8", "--batch-size", "4", "--benchmark-max-time", "0.001", "--benchmark-min-rounds", "1")

# One that does nothing but count, and one that augments alone.
FAKES = """
    from types import SimpleNamespace
    import numpy as np

    calls = []

    def called(name, result):
        def function(*arguments, **options):
            calls.append(name)
            return result
        return function

    step = (None, {"loss": 1.0, "accuracy": 0.5})
    names = ("build_classifier", "build_convnet", "unfreeze_top", "predict", "extract_features")
    counting = SimpleNamespace(
        NAME="counting", VERSION="1.5", CLAIMS=("data", "augmentation", "transfer"),
        load_images=called("load_images", [(np.zeros((4, 8, 8, 3)), np.zeros(4))]),
        augment=called("augment", None), train_step=called("train_step", step),
        **{name: called(name, None) for name in names},
    )
    augmenting = SimpleNamespace(NAME="augmenting", CLAIMS=("augmentation",), augment=called("augment", None))
"""


@pytest.fixture
def fakes(tmp_path: Path) -> Path:
    """A folder with a module of implementations."""
    lines = (line.removeprefix("    ") for line in FAKES.strip("\n").splitlines())
    (tmp_path / "fakes.py").write_text("\n".join(lines))
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Nothing is timed where pytest-xdist runs, and a test of this one may run there.
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    environment = own | {"PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(ROOT), "-c"]
    command += [str(ROOT / "pyproject.toml"), str(BENCHMARKS), *QUICK, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100)  # noqa: S603 - our own


def test_benchmarks_say_what_was_timed(fakes: Path) -> None:
    ran = run(fakes, "--implementation", "fakes:counting", "--benchmark-json", "made.json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    made = {entry["group"]: entry for entry in json.loads((fakes / "made.json").read_text())["benchmarks"]}
    assert set(made) == {
        "train_from_scratch", "train_frozen", "train_last_four", "predict", "extract_features", "augment",
        "load_epoch", "first_step",
    }  # fmt: skip
    for name, entry in made.items():
        extra = entry["extra_info"]
        assert (extra["implementation"], extra["version"], extra["image_size"]) == ("counting", "1.5", [8, 8])
        assert extra["images"] == (16 if name == "load_epoch" else 4)
        assert extra["images_per_second"] == pytest.approx(extra["images"] / entry["stats"]["median"])
        assert extra["peak_memory_bytes"] > 10**6


def test_what_is_not_offered_is_not_timed(fakes: Path) -> None:
    ran = run(fakes, "--implementation", "fakes:augmenting", "--benchmark-json", "made.json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [entry["group"] for entry in json.loads((fakes / "made.json").read_text())["benchmarks"]] == ["augment"]
    assert "augmenting has no build_classifier and no train_step" in ran.stdout


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder that holds an installed convspec: another copy of the package, and its plugin by entry point."""
    site = tmp_path / "site"
    metadata = site / "convspec-0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: convspec\nVersion: 0\n", encoding="utf-8")
    entry_point = "[pytest11]\nconvspec = convspec.spec_tests.plugin\n"
    (metadata / "entry_points.txt").write_text(entry_point, encoding="utf-8")
    (site / "convspec").mkdir()
    (site / "convspec/__init__.py").write_text(f"__path__ = [{str(ROOT)!r}]\n", encoding="utf-8")
    return site


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout, as far as pytest sees one; its folders are found at ROOT."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def documented(command: str) -> list[str]:
    """The words of the line of docs/benchmarks.md that begins so, with the script of this environment."""
    lines = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith(f"{command} "))
    script = shutil.which(command, path=sysconfig.get_path("scripts"))
    assert script
    return [script, *shlex.split(line, comments=True)[1:]]


def test_what_is_kept_can_be_compared_as_documented(fakes: Path, installed: Path, checkout: Path) -> None:
    """Also where convspec is installed, whose plugin is another copy of the checkout's."""
    command = documented("pytest-benchmark")
    storage = checkout / command[command.index("--storage") + 1]
    for name in ("base", "head"):
        run(
            fakes, "--implementation", "fakes:augmenting", "--benchmark-storage", str(storage), "--benchmark-save", name
        )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (installed, ROOT))), "COLUMNS": "200"}
    compared = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=100)  # noqa: S603 - our own
    assert compared.returncode == 0, compared.stderr
    assert "(0001_base)" in compared.stdout
    assert "(0002_head)" in compared.stdout


def test_tests_do_not_run_with_the_plugin_of_another_place(installed: Path, checkout: Path) -> None:
    (checkout / "test_nothing.py").write_text("def test_nothing(): pass\n", encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (installed, ROOT)))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_nothing.py"]
    for words, code, said in ((["-o", "addopts="], 4, "add -p no:convspec"), ([], 0, "1 passed")):
        ran = subprocess.run([*command, *words], cwd=checkout, env=environment, capture_output=True, text=True)  # noqa: S603
        assert ran.returncode == code, ran.stdout + ran.stderr
        assert said in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr


def test_peaks_are_those_of_what_follows() -> None:
    if not memory.forget_peak():
        pytest.skip("this system cannot forget a peak")
    before = memory.peak()
    held = bytearray(64 * 2**20)
    held[::4096] = b"x" * len(held[::4096])
    assert memory.peak() - before > 60 * 2**20
    del held
    memory.forget_peak()
    assert memory.peak() - before < 60 * 2**20
