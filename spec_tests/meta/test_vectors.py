"""The test vectors: up to date, as their schema says, complete, and read alike by others."""

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from fixtures.implementations import numpy_port
from spec_tests.adapter.contract import functions
from spec_tests.clauses.catalogue import all_clauses
from spec_tests.clauses.clause import Level
from spec_tests.judging.checks import Violation
from spec_tests.oracles.xception import Xception
from spec_tests.vectors import make
from spec_tests.vectors.files import FOLDER, SCHEMA, judge, read, stale, write
from spec_tests.vectors.topic import Case, Topic, draw

ROOT = FOLDER.parents[1]
LARGEST = 1_000_000  # bytes of the whole folder
FAMILIES = {"DENSE", "CONV", "SEP", "PAD", "STRIDE", "POOL", "GAP", "NORM"}
MORE = {"DROP-1", "DROP-3", "BASE-1", "BASE-3", "PRE-1", "HEAD-1", "TRAIN-1", "TRAIN-2"}
DTYPES = {np.dtype(name) for name in ("float32", "float64", "int32")}

TOPICS = read()
CASES = [(topic, case) for topic in TOPICS for case in topic.cases]
LAYERS = [(topic, case) for topic, case in CASES if case["operation"] in functions("layers")]

Change = Callable[[Path], None]


@pytest.fixture(scope="module")
def fresh() -> list[Topic]:
    return make()


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads((FOLDER / SCHEMA).read_text(encoding="utf-8")))


def content(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return parsed


def test_the_vectors_are_up_to_date() -> None:
    command = [sys.executable, "-m", "spec_tests.vectors", "--check"]
    run = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(CASES)} cases are up to date" in run.stdout


def test_the_vectors_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= LARGEST


@pytest.mark.parametrize("topic", [topic.name for topic in TOPICS])
def test_each_file_is_as_the_schema_says(topic: str) -> None:
    validator().check_schema(json.loads((FOLDER / SCHEMA).read_text(encoding="utf-8")))
    assert [error.message for error in validator().iter_errors(content(topic))] == []


@pytest.mark.parametrize(
    "change",
    [
        {"id": "PAD-4"},
        {"clauses": []},
        {"operation": "conv3d"},
        {"inputs": {"images": [1, 2]}},
        {"expected": {}},
        {"expected": {"error": False}},
        {"expected": {"error": True, "outputs": "PAD-4/1/outputs_expected"}},
        {"expected": {"error": True}},  # with a tolerance
        {"tolerance": {"outputs": {"rtol": 1e-5, "atol": 0}}},
        {"comment": "more than a case has"},
    ],
    ids=str,
)
def test_the_schema_refuses_what_is_no_case(change: dict[str, Any]) -> None:
    topic = content("convolution")
    case = next(case for case in topic["cases"] if case["id"] == "PAD-4/1")
    case |= change
    assert not validator().is_valid(topic)


def test_ids_are_unique_and_begin_with_a_clause_of_the_case() -> None:
    ids = [case["id"] for _, case in CASES]
    assert len(set(ids)) == len(ids)
    for _, case in CASES:
        assert case["id"].partition("/")[0] == case["clauses"][0]


def test_an_id_that_is_used_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def twice() -> Topic:
        topic = Topic("twice", "")
        for _ in range(2):
            topic.add("PAD-1/1", "output_side", "", expected={"side": 1})
        return topic

    monkeypatch.setattr("spec_tests.vectors.MAKERS", (twice,))
    with pytest.raises(ValueError, match="PAD-1/1"):
        make()


def test_every_clause_that_can_be_expressed_has_a_case() -> None:
    named = {clause for _, case in CASES for clause in case["clauses"]}
    clauses = all_clauses()
    assert named <= {clause.id for clause in clauses}
    wanted = {clause.id for clause in clauses if clause.family in FAMILIES and clause.level == Level.MUST} | MORE
    assert sorted(wanted - named) == []


def test_cases_and_arrays_belong_together() -> None:
    for topic in TOPICS:
        prefixes = {case["weights"]["prefix"] for case in topic.cases if "weights" in case} - {""}
        weights = {name for name in topic.arrays if name.startswith(tuple(prefixes))}
        assert {name for case in topic.cases for name in arrays_of(case)} | weights == topic.arrays.keys()
        assert {array.dtype for array in topic.arrays.values()} <= DTYPES


def arrays_of(case: Case) -> list[str]:
    """The names of arrays in a case."""
    scales = [within["scale"] for within in case["tolerance"].values()]
    values = [*case["inputs"].values(), *case["expected"].values(), *scales]
    return [value for value in values if isinstance(value, str) and "/" in value]


def test_inputs_are_single_precision_and_scales_have_the_shape_of_what_they_bound() -> None:
    for topic, case in CASES:
        assert {topic.arrays[name].dtype.itemsize for name in case["inputs"].values()} <= {4}
        for output, within in case["tolerance"].items():
            if within["scale"] in topic.arrays:
                expected = topic.arrays[case["expected"][output]]
                assert topic.arrays[within["scale"]].shape == expected.shape, case["id"]


def test_named_weights_are_those_of_the_configuration() -> None:
    for case in (case for _, case in CASES if "weights" in case):
        file, prefix = FOLDER / case["weights"]["file"], case["weights"]["prefix"]
        shapes = {n.removeprefix(prefix): a.shape for n, a in load_file(file).items() if n.startswith(prefix)}
        filters, pooling = case["parameters"]["filters"], case["parameters"]["pooling"]
        assert shapes == Xception(tuple(map(tuple, filters)), tuple(pooling)).shapes()


def changed_value(by: float) -> Change:
    """Change the first value of an output of a convolution, as a share of the largest."""

    def change(folder: Path) -> None:
        arrays = load_file(folder / "convolution.safetensors")
        outputs = arrays["PAD-4/1/outputs_expected"]
        outputs.flat[0] += by * np.abs(outputs).max()
        save_file(arrays, folder / "convolution.safetensors")

    return change


def single_precision(folder: Path) -> None:
    arrays = load_file(folder / "head.safetensors")
    arrays["HEAD-1/1/probabilities_expected"] = arrays["HEAD-1/1/probabilities_expected"].astype(np.float32)
    save_file(arrays, folder / "head.safetensors")


def another_number(folder: Path) -> None:
    text = (folder / "output_sides.json").read_text(encoding="utf-8")
    (folder / "output_sides.json").write_text(text.replace('"side": 6,', '"side": 7,', 1), encoding="utf-8")


def no_array(folder: Path) -> None:
    arrays = load_file(folder / "adam.safetensors")
    del arrays["TRAIN-2/1/updates_expected"]
    save_file(arrays, folder / "adam.safetensors")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(changed_value(1e-9), "convolution.safetensors: PAD-4/1/outputs_expected has other", id="value"),
        pytest.param(changed_value(np.nan), "convolution.safetensors: PAD-4/1/outputs_expected has other", id="NaN"),
        pytest.param(single_precision, "head.safetensors: HEAD-1/1/probabilities_expected has other", id="dtype"),
        pytest.param(another_number, "output_sides.json is another text", id="text"),
        pytest.param(no_array, "adam.safetensors: TRAIN-2/1/updates_expected is not in it", id="array"),
        pytest.param(lambda folder: (folder / "split.json").unlink(), "split.json is missing", id="file"),
        pytest.param(lambda folder: (folder / "old.json").touch(), "old.json belongs to no topic", id="surplus"),
    ],
)
def test_what_is_out_of_date_is_told(fresh: list[Topic], tmp_path: Path, change: Change, told: str) -> None:
    write(fresh, tmp_path)
    assert stale(fresh, tmp_path) == []
    change(tmp_path)
    (line,) = stale(fresh, tmp_path)
    assert line.startswith(told)


def test_the_last_digits_of_another_machine_are_not_out_of_date(fresh: list[Topic], tmp_path: Path) -> None:
    write(fresh, tmp_path)
    changed_value(3e-14)(tmp_path)
    assert stale(fresh, tmp_path) == []
    before = (tmp_path / "convolution.safetensors").read_bytes()
    write(fresh, tmp_path)
    assert (tmp_path / "convolution.safetensors").read_bytes() == before


def test_what_is_drawn_hangs_on_its_name_alone() -> None:
    assert draw("PAD-4/1/images", (3,)).tolist() == draw("PAD-4/1/images", (4,)).tolist()[:3]
    assert draw("a", (2, 3)).dtype == np.float32
    values = draw("a", (10_000,), -2, 2)
    assert -2 <= values.min() < -1.99 < 1.99 < values.max() < 2
    assert abs(values.mean()) < 0.05
    assert abs(np.corrcoef(values, draw("b", (10_000,)))[0, 1]) < 0.05


def test_a_view_is_written_as_it_is_seen(tmp_path: Path) -> None:
    topic = Topic("view", "An array whose rows lie apart in memory.")
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    topic.add("PAD-5/1", "conv2d", "turned", inputs={"images": turned}, expected={"outputs": turned})
    write([topic], tmp_path)
    (again,) = read(tmp_path)
    np.testing.assert_array_equal(again.arrays["PAD-5/1/images"], turned)


def test_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "new.json").write_text('{"format": 2}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"new\.json is of format 2; this reads format 1"):
        read(tmp_path)


@pytest.mark.parametrize(("topic", "case"), LAYERS, ids=[case["id"] for _, case in LAYERS])
def test_the_port_in_numpy_agrees(topic: Topic, case: Case) -> None:
    function = getattr(numpy_port, case["operation"])
    judge(topic, case, partial(function, seed=0) if case["operation"] == "dropout" else function)


@pytest.mark.parametrize(("topic", "case"), LAYERS, ids=[case["id"] for _, case in LAYERS])
def test_a_wrong_result_is_noticed(topic: Topic, case: Case) -> None:
    """One value of the last output off by twice its tolerance, or no error where one must come."""
    with pytest.raises(Violation):
        judge(topic, case, lambda **_: wrong(topic, case))


def wrong(topic: Topic, case: Case) -> tuple[Any, ...]:
    if "error" in case["expected"]:
        return ()
    outputs = {name: topic.arrays[array] for name, array in case["expected"].items()}
    *_, last = outputs
    within = case["tolerance"].get(last, {"rtol": 1e-6, "scale": "expected"})  # none: exact
    scale = topic.arrays.get(within["scale"], np.abs(outputs[last]) + 1e-3)
    outputs[last] = outputs[last].astype(np.float64)
    outputs[last].flat[scale.argmax()] += 2 * within["rtol"] * scale.max()
    return tuple(outputs.values())


def test_the_page_names_every_operation_and_shows_a_case_that_is_there() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in {case["operation"] for _, case in CASES} if f"`{name}`" not in page] == []
    assert json.loads(block(page, "json")) in [case for _, case in CASES]


def test_the_reader_on_the_page_reads_them() -> None:
    code = block((FOLDER / "README.md").read_text(encoding="utf-8"), "python") + textwrap.dedent("""
        from fixtures.implementations import numpy_port
        names = ("conv2d", "separable_conv2d", "max_pooling2d", "average_pooling2d", "dense")
        def named(name):
            return lambda **arguments: {"outputs": getattr(numpy_port, name)(**arguments)}
        check("fixtures/vectors", {name: named(name) for name in names})
        check("fixtures/vectors", {"dense": lambda features, kernel, bias=0: {"outputs": features @ kernel}})
    """)
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
    lines = run.stdout.splitlines()
    first = [line for line in lines if "outputs FAILS" not in line]
    assert len(first) > 80
    assert {line.split()[0] for line in lines if "FAILS" in line} >= {"DENSE-1/1", "DENSE-1/3"}  # without the bias


def block(page: str, language: str) -> str:
    """The first block of code in this language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]
