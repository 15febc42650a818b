"""The paired gate: its command, and workers and checkouts that are not as they should be."""

import json
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from spec_tests.benchmarks.gate import process
from spec_tests.benchmarks.gate.command import main
from spec_tests.benchmarks.gate.process import Lost, Worker, spawned, started
from spec_tests.benchmarks.gate.subjects import NoSubject, checkout
from spec_tests.benchmarks.gate.worker import HARNESS

from .made_up import ORDER, Machine

# A worker's other side, which answers its order and then does this with each request.
SCRIPT = """
import json, sys, time
order = json.loads(sys.stdin.readline())
print(json.dumps({{"seconds": []}}), flush=True)
for line in sys.stdin:
    {does}
"""


def scripted(does: str) -> Worker:
    return started("base", ORDER, [sys.executable, "-c", SCRIPT.format(does=does)])


@pytest.mark.parametrize(
    ("does", "error"),
    [
        ("sys.exit('out of luck')", "base: the process ended, or was ended after 1800 seconds: out of luck"),
        ("print('5 ms', flush=True)", "base: the answer cannot be understood: 5 ms"),
        ("print('[1, 2]', flush=True)", "base: the answer cannot be understood: [1, 2]"),
        ("print(json.dumps({'seconds': [0.1]}), flush=True)", "base: 2 durations were asked for, and the answer was"),
        ("print(json.dumps({'seconds': [0.1, -1.0]}), flush=True)", "base: 2 durations were asked for"),
        ("print(json.dumps({'error': 'no such layer'}), flush=True)", "base: no such layer"),
    ],
)
def test_workers_that_do_not_answer_as_they_must_are_told_in_a_line(does: str, error: str) -> None:
    worker = scripted(does)
    try:
        worker.ready()
        with pytest.raises(Lost) as caught:
            worker.turn(2)
    finally:
        worker.end()
    assert str(caught.value).startswith(error)
    assert "\n" not in str(caught.value)


def test_a_worker_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PATIENCE", 0.1)
    worker = started("base", ORDER, [sys.executable, "-c", "import time; time.sleep(1000)"])
    try:
        with pytest.raises(Lost, match=r"was ended after 0\.1 seconds"):
            worker.ready()
    finally:
        worker.end()


ADAPTER = """
import os, sys
CLAIMS = ("augmentation",)
print("hello from the adapter")
os.write(1, b"and from below")
sys.stdout.write("{")

def augment(images, labels, *, seed, training=True):
    print("augmenting")
    return images, labels
"""


@pytest.fixture
def adapters(tmp_path: Path) -> Path:
    """The folder of an implementation that prints all the time."""
    (tmp_path / "adapter.py").write_text(ADAPTER, encoding="utf-8")
    return tmp_path


def test_what_an_implementation_prints_does_not_disturb(adapters: Path) -> None:
    worker = spawned("head", replace(ORDER, folder=str(adapters), implementation="adapter"))
    try:
        worker.ready()
        seconds = worker.turn(3)
    finally:
        worker.end()
    assert len(seconds) == 3


def test_temporary_files_go_with_the_process(adapters: Path) -> None:
    told = adapters / "told"
    leaving = f"import tempfile, pathlib\npathlib.Path({str(told)!r}).write_text(tempfile.mkdtemp())\n"
    (adapters / "leaving.py").write_text(leaving + ADAPTER, encoding="utf-8")
    worker = spawned("head", replace(ORDER, folder=str(adapters), implementation="leaving"))
    try:
        worker.ready()
        assert Path(told.read_text()).is_dir()
    finally:
        worker.end()
    assert not Path(told.read_text()).exists()


def test_an_implementation_of_another_place_is_refused(
    adapters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be installed, or on the path, while the checkout has none of that name."""
    monkeypatch.setenv("PYTHONPATH", str(adapters))
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    worker = spawned("head", replace(ORDER, folder=str(checkout), implementation="adapter"))
    try:
        with pytest.raises(Lost, match=r"adapter was imported from .*adapter\.py, which is not in"):
            worker.ready()
    finally:
        worker.end()


def test_ports_come_from_the_checkout_and_not_from_beside_the_harness(tmp_path: Path) -> None:
    port = tmp_path / "fixtures/implementations/numpy_port"
    port.mkdir(parents=True)
    (port / "__init__.py").write_text("raise RuntimeError('this one')", encoding="utf-8")
    worker = spawned("head", replace(ORDER, folder=str(tmp_path)))
    try:
        with pytest.raises(Lost, match="this one"):
            worker.ready()
    finally:
        worker.end()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a file, tagged old, which is another one now."""
    top = tmp_path / "repository"
    top.mkdir()
    for content, words in (("1", ("tag", "old")), ("2", ("branch", "new"))):
        (top / "file.py").write_text(content, encoding="utf-8")
        identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
        for command in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", content), words):
            subprocess.run(["git", "-C", str(top), *command], check=True)  # noqa: S603, S607
    return top


def test_a_revision_is_exported_and_removed_again(repository: Path) -> None:
    with checkout("old", repository) as found:
        assert (found.folder / "file.py").read_text() == "1"
        assert re.fullmatch(r"old \([0-9a-f]{12}\)", found.title)
        assert not (found.folder / ".git").exists()
    assert not found.folder.exists()
    with checkout(str(repository), repository) as found:
        assert (found.folder / "file.py").read_text() == "2"
    assert repository.is_dir()


def test_a_wheel_is_unpacked(tmp_path: Path) -> None:
    wheel = tmp_path / "convspec-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("convspec/reference/__init__.py", "raise RuntimeError('of the wheel')")
        archive.writestr("convspec/__init__.py", "")
        archive.writestr("../outside.py", "")
    with checkout(str(wheel), tmp_path) as found:
        assert (found.folder / "convspec/reference/__init__.py").is_file()
        assert not (found.folder.parent / "outside.py").exists()
        worker = spawned("head", replace(ORDER, folder=str(found.folder), implementation="reference"))
        try:
            with pytest.raises(Lost, match="of the wheel"):
                worker.ready()
        finally:
            worker.end()


@pytest.mark.parametrize("named", ["never", "--upload-pack=x", "missing.whl", "broken.whl", "HEAD^{tree}"])
def test_what_cannot_be_had_is_told_in_a_line(named: str, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    Path("broken.whl").write_bytes(b"no zip")
    with pytest.raises(NoSubject, match=r"^[^\n]*$"), checkout(named, repository):
        pass


WORDS = ("--implementation", "numpy_port", "--benchmark", "augment")


@pytest.mark.parametrize(
    ("machine", "code", "words"),
    [
        ({"slowdown": 0.0}, 0, "pass: slower by"),
        ({"slowdown": 0.1}, 1, "regression: slower by"),
        ({"slowdown": 0.1, "copy": 0.1}, 3, "inconclusive: base differs from itself"),
    ],
)
def test_the_command_says_what_it_found(
    machine: dict[str, float],
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    file = tmp_path / "new/gate.json"
    made = Machine(1, **machine)  # type: ignore[arg-type]
    assert main(["--base", str(HARNESS), *WORDS, "--json", str(file)], made, made.clock) == code
    assert words in capsys.readouterr().out
    content = json.loads(file.read_text(encoding="utf-8"))
    (comparison,) = content["comparisons"]
    assert comparison["decision"]["outcome"] == words.partition(":")[0]
    assert len(comparison["rounds"]) == comparison["plan"]["rounds"]
    assert len(comparison["rounds"][0][0]) == 6
    assert content["settings"]["image_size"] == 96
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("minutes", ["0.001", "0.01", "0.03", "0.1"])
def test_too_little_time_is_never_green(
    minutes: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    made = Machine(1)
    assert main(["--base", str(HARNESS), *WORDS, "--minutes", minutes], made, made.clock) == 3
    assert "augment: inconclusive: " in capsys.readouterr().out


def test_another_implementation_is_never_gated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    made = Machine(1, slowdown=3.0)
    assert main(["--against", "torch_port", *WORDS], made, made.clock) == 0
    out = capsys.readouterr().out
    assert "not gated" in out
    assert "regression" not in out
    assert "+300" in out or "+29" in out or "+30" in out


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--base", "no-such-revision"], "no-such-revision is no folder, no wheel and no revision of"),
        (["--base", ".", "--head", "none.whl"], "none.whl is not a wheel that can be unpacked"),
    ],
)
def test_what_a_user_can_put_right_is_one_line(
    words: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words, Machine(1)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert error in line


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--base", "{}", "--implementation", "none_such", "--benchmark", "augment"], "none_such cannot be imported"),
        (
            ["--against", "numpy_port", "--implementation", "numpy_port", "--benchmark", "augment", "predict"],
            "numpy_port has no build_classifier and no predict: leave out predict",
        ),
        (
            ["--against", "reference", "--preset", "{}/none.keras", "--benchmark", "predict"],
            "/none.keras' cannot be loaded",
        ),
    ],
)
def test_a_worker_that_is_lost_ends_the_command(
    words: list[str], error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.format(tmp_path) for word in words]) == 2
    told = capsys.readouterr().err.splitlines()
    assert not [line for line in told if line.startswith("measuring ")]
    assert len([line for line in told if line.startswith("error: ")]) == 1
    assert error in told[-1]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--base", ".", "--against", "torch_port"],
        ["--base", ".", "--benchmark", "none"],
        ["--base", ".", "--minutes", "0"],
        ["--base", ".", "--minutes", "nan"],
        ["--base", ".", "--slowdown", "0"],
        ["--base", ".", "--slowdown", "101"],
        ["--base", ".", "--slowdown", "nan"],
        ["--base", ".", "--image-size", "0"],
        ["--base", ".", "--seed", "-1"],
        ["--base", ".", "--json", "."],
    ],
)
def test_wrong_words_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: " in capsys.readouterr().err
