"""The implementation in JavaScript reads the vectors, holds, and is caught when it does not."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

import fixtures
from spec_tests.vectors.files import FOLDER

CHECKER = Path(fixtures.__file__).parent / "implementations" / "javascript" / "check_vectors.mjs"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not on the PATH: JavaScript cannot be run")

FAULTS = {  # what of layers.mjs is changed, into what, and the clauses at which that must show
    "symmetric padding": ("Math.floor(total / 2)", "(spanOf(kernel, dilation) - 1) >> 1", "PAD-4 POOL-3 POOL-4"),
    "odd zero first": ("Math.floor(total / 2)", "Math.ceil(total / 2)", "PAD-4 PAD-2 SEP-1"),
    "negative padding": ("- side, 0)", "- side, -9)", "PAD-4"),
    "flipped kernel": ("kernel.data[(tap *", "kernel.data[((height * width - 1 - tap) *", "CONV-1 CONV-2 CONV-6"),
    "one stride for both": ("stride: strides[1]", "stride: strides[0]", "PAD-5 STRIDE-3 SEP-1 POOL-2"),
    "one dilation for both": ("dilation: dilation[1]", "dilation: dilation[0]", "CONV-1 PAD-5"),
    "floor for ceil": ("return Math.ceil(side / stride)", "return Math.floor(side / stride)", "PAD-3 STRIDE-2"),
    "partial windows": ("return Math.floor((side - span)", "return Math.ceil((side - span)", "PAD-1 POOL-1"),
    "misfits": ("if (span > side) throw", "if (span > side + 9) throw", "PAD-6 POOL-8"),
    "zero wins": ("let largest = -Infinity", "let largest = 0", "POOL-3 POOL-7"),
    "a large number wins": ("let largest = -Infinity", "let largest = -1e9", "POOL-3"),
    "padding counted": (
        "sumOf(values) / values.length",
        "sumOf(values) / poolSize[0] / poolSize[1]",
        "POOL-4",
    ),
    "stride 1 by default": (
        "averagePooling2d(images, { poolSize = [2, 2], strides = poolSize",
        "averagePooling2d(images, { poolSize = [2, 2], strides = [1, 1]",
        "POOL-1 POOL-2",
    ),
    "epsilon": ("EPSILON = 1e-3", "EPSILON = 1e-5", "NORM-1 NORM-2 NORM-3"),
    "momentum": ("MOMENTUM = 0.99", "MOMENTUM = 0.01", "NORM-2"),
    "unbiased variance": ("** 2 / count", "** 2 / (count - 1)", "NORM-2"),
    "frozen in training": ("training && trainable", "training", "NORM-3"),
    "no bias": ("let sum = bias ? bias.data[filter] : 0", "let sum = 0", "CONV-1"),
    "channels not looked at": ("if (!fits) throw", "if (false) throw", "CONV-5 CONV-7 DENSE-4 DENSE-5 SEP-1"),
    "transposed": ("kernel.data[i * units + unit]", "kernel.data[unit * inputs + i]", "DENSE-1"),
}


def check(*arguments: object, script: Path = CHECKER) -> subprocess.CompletedProcess[str]:
    command = [NODE or "", str(script), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603


def test_it_holds() -> None:
    run = check()
    assert (run.returncode, run.stderr) == (0, "")
    *topics, summary = run.stdout.splitlines()
    assert [line.split()[0] for line in topics] == sorted(
        path.stem for path in FOLDER.glob("*.json") if path.name != "schema.json"
    )
    assert summary.split()[:5] == [summary.split()[0], "cases", "checked,", "0", "failed,"]
    assert int(summary.split()[0]) > 120


@pytest.mark.parametrize(("old", "new", "clauses"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_caught(tmp_path: Path, old: str, new: str, clauses: str) -> None:
    shutil.copytree(CHECKER.parent, tmp_path, dirs_exist_ok=True)
    layers = tmp_path / "layers.mjs"
    source = layers.read_text(encoding="utf-8")
    assert source.count(old) == 1
    layers.write_text(source.replace(old, new), encoding="utf-8")
    run = check(FOLDER, script=tmp_path / CHECKER.name)
    assert (run.returncode, run.stderr) == (1, "")
    caught = {line.split()[1].partition("/")[0] for line in run.stdout.splitlines() if line.startswith("FAILED ")}
    assert set(clauses.split()) <= caught


def test_a_failure_is_a_line_that_says_what_and_where(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    arrays = load_file(folder / "convolution.safetensors")
    arrays["PAD-4/1/outputs_expected"][0, 1, 2, 0] = 77
    save_file(arrays, folder / "convolution.safetensors")
    run = check(folder)
    assert run.returncode == 1
    (line,) = (line for line in run.stdout.splitlines() if line.startswith("FAILED"))
    assert line.startswith("FAILED PAD-4/1 (PAD-4) outputs[0, 1, 2, 0]: expected 77, got ")
    assert line.endswith("; 1 of 40 values wrong")
    assert "1 failed" in run.stdout.splitlines()[-1]


def test_errors_and_plain_numbers_are_told_too(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    edit(folder / "dense.json", '"expected": {"outputs": "DENSE-1/1/outputs_expected"}', '"expected": {"error": true}')
    edit(folder / "convolution.json", '"mentions": [4, 3]', '"mentions": [44]')
    edit(folder / "output_sides.json", '"expected": {"before": 0, "after": 1}', '"expected": {"before": 1}', count=1)
    lines = check(folder).stdout.splitlines()
    assert "FAILED DENSE-1/1 (DENSE-1) expected an error, got a result" in lines
    assert "FAILED PAD-4/10 (PAD-4) before[]: expected 1, got 0; 1 of 1 values wrong" in lines
    assert any(
        line.startswith("FAILED PAD-6/1 (PAD-6, PAD-7) expected an error that names 44, got Range") for line in lines
    )


def test_unknown_operations_and_parameters_are_counted_and_left_out(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    edit(folder / "dense.json", '"operation": "dense"', '"operation": "toString"', count=1)
    edit(folder / "pooling.json", '"parameters": {}', '"parameters": {"ceil_mode": true}', count=1)
    run = check(folder)
    assert run.returncode == 0
    lines = {line.split()[0]: line for line in run.stdout.splitlines()}
    assert lines["dense"].endswith(" 1 not known")
    assert lines["pooling"].endswith(" 1 not known")


def test_to_check_nothing_is_a_failure(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "split.json", tmp_path)
    run = check(tmp_path)
    assert run.returncode == 1
    assert run.stdout.splitlines()[-1] == "0 cases checked, 0 failed, 1 not known"


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("new.json", '{"format": 2}', "new.json is of format 2; this reads format 1"),
        ("new.json", "not JSON", "new.json is not JSON"),
        ("new.json", "null", "new.json is no object"),
        ("new.json", '{"format": 1, "topic": "new"}', "new.json has no topic or no cases"),
        ("new.json", '{"format": 1, "topic": "new", "cases": [{}]}', "new.json: case 1 lacks a property"),
        ("new.json", '{"format": 1, "topic": "n", "cases": [], "arrays": "no"}', "no cannot be read: ENOENT"),
        ("dense.safetensors", "short", "dense.safetensors is too short"),
        ("dense.safetensors", "\xff" * 20, "dense.safetensors is cut off in its header"),
        ("dense.safetensors", "\2" + "\0" * 7 + "{}", "no array DENSE-1/1/features"),
        ("dense.safetensors", "\2" + "\0" * 7 + "{]", "the header of dense.safetensors is not JSON"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_line(tmp_path: Path, file: str, content: str, told: str) -> None:
    folder = copied(tmp_path)
    (folder / file).write_text(content, encoding="latin-1")
    run = check(folder)
    assert run.returncode == 2
    assert told in run.stderr
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]},
        {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]},
        {"dtype": "F32"},
        None,
    ],
    ids=str,
)
def test_an_array_that_does_not_lie_in_its_file_is_told(tmp_path: Path, entry: object) -> None:
    folder = copied(tmp_path)
    header = json.dumps({"x": entry}).encode()
    (folder / "dense.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    run = check(folder)
    assert run.returncode == 2
    assert run.stderr.startswith("dense.safetensors: x ")


def test_options() -> None:
    assert check("--help").stdout == "usage: node check_vectors.mjs [FOLDER]\n"
    for arguments in (("--wrong",), ("a", "b")):
        assert check(*arguments).returncode == 2
    assert check("no such folder").returncode == 2


def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "vectors"))


def edit(file: Path, old: str, new: str, count: int = -1) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, count), encoding="utf-8")
