"""Bad reports, expectations, presets and photographs: exit code 2 and one line, or what the file really says."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from spec_tests import PARENT
from spec_tests.adapter.expectations import Expectations, WrongExpectations, read
from spec_tests.cases.archives import folder, tree
from spec_tests.cases.presets import UnreadablePreset, random_arrays, read_preset, write_preset
from spec_tests.cases.trials import COUNTS, UnreadablePhotographs, photographs
from spec_tests.cli import main
from spec_tests.damage import payloads
from spec_tests.damage.bytes import (
    Damage,
    Forged,
    Mutation,
    count,
    damaged,
    damages,
    forgeries,
    json_bytes,
    mutated,
    mutations,
    picture,
    zipped,
)
from spec_tests.meta.reports import report
from spec_tests.oracles.xception import Xception
from spec_tests.reporting.forms import FORMS
from spec_tests.reporting.record import UnreadableReport, read_report, validator

slowly = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
REPORT = report().to_json()
TEXT = json_bytes(REPORT)


def refusal(action: Callable[[], Any], kind: type[Exception]) -> str:
    """The one line that refuses it; nothing where it is done."""
    try:
        action()
    except kind as error:
        count("refused")
        line = str(error)
        assert line.isprintable()
        assert 10 < len(line) < 1000
        return line
    count("a result")
    return ""


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> bool:
    """Whether the command line refuses it, with one line."""
    code, said = main(words), capsys.readouterr()
    assert code in (0, 1, 2, 3)
    assert "Traceback" not in said.err
    if code == 2:
        [line] = said.err.splitlines()
        assert line.startswith("error: ")
        assert line.isprintable()
        assert said.out == ""
    count("refused" if code == 2 else "a result")
    return code == 2


@slowly
@given(damages())
def test_reports_whose_bytes_are_damaged(changes: tuple[Damage, ...]) -> None:
    """What can be read is what its JSON says."""
    with folder() as here:
        file = here / "report.json"
        file.write_bytes(damaged(TEXT, changes))
        if not refusal(lambda: read_report(file), UnreadableReport):
            got, said = json.loads(json.dumps(read_report(file).to_json())), json.loads(file.read_bytes())
            for implementation in (*got["implementations"], *said["implementations"]):
                del implementation["verdict"]  # which follows from the results
            assert got == said


@slowly
@given(mutations())
def test_reports_that_are_changed(capsys: pytest.CaptureFixture[str], changes: tuple[Mutation, ...]) -> None:
    """Refused, or rendered in every form and compared with the whole report."""
    content = json_bytes(mutated(REPORT, changes))
    with folder() as here:
        (here / "good.json").write_bytes(TEXT)
        (here / "bad.json").write_bytes(content)
        before = tree(here)
        forms = [f"--{form}={here / 'out' / form}" for form in FORMS]
        refused = told(["render", str(here / "bad.json"), *forms], capsys)
        if refused:
            assert tree(here) == before
        else:
            assert {file.name for file in (here / "out").iterdir()} == set(FORMS)
            assert list(validator().iter_errors(json.loads((here / "out" / "json").read_text()))) == []
        assert told(["compare", str(here / "bad.json"), str(here / "good.json")], capsys) == refused
        assert told(["compare", str(here / "good.json"), str(here / "bad.json")], capsys) == refused


LAWFUL = (0, 1, 2, 3.0, 1e300, 10**300, -(10**300), 2**63, 0.1)


@slowly
@given(
    st.lists(st.tuples(*[st.sampled_from(LAWFUL)] * 2).map(list), min_size=6, max_size=6),
    st.lists(st.sampled_from(LAWFUL), min_size=1, max_size=4),
    st.lists(st.sampled_from(LAWFUL), min_size=2, max_size=4),
)
def test_evidence_that_the_schema_allows_and_nobody_would_write(
    capsys: pytest.CaptureFixture[str], pairs: list[Any], counts: list[Any], edges: list[Any]
) -> None:
    content = json.loads(TEXT)
    for result in content["results"]:
        for evidence in result["evidence"]:
            if evidence["kind"] == "window":
                evidence |= dict(zip(("image", "size", "strides", "dilation"), pairs, strict=False))
                evidence["pads"] = pairs[4:]
            elif evidence["kind"] == "histogram":
                evidence |= {"counts": counts, "edges": edges, "low": edges[0], "high": counts[0]}
            elif evidence["kind"] == "curves":
                evidence["history"] = {"loss": counts, "x": [], "val_loss": edges, "accuracy": [None]}
            else:
                evidence |= {"expected": "A" * 8, "got": evidence["got"][:40]}
        result["seconds"] = abs(counts[0])
    with folder() as here:
        (here / "report.json").write_text(json.dumps(content))
        told(["render", str(here / "report.json"), *(f"--{form}={here / form}" for form in FORMS)], capsys)


GOOD = b"""[excused]
PAD-4 = "padding is symmetric"
ROT-1 = 'x'

[tolerances]
BASE-3 = { factor = 20, reason = "bfloat16" }
PAD-1 = { factor = 1.5, reason = "half" }
"""


@given(damages())
def test_expectations_whose_bytes_are_damaged(changes: tuple[Damage, ...]) -> None:
    with folder() as here:
        file = here / "known.toml"
        file.write_bytes(damaged(GOOD, changes))
        if not refusal(lambda: read(file), WrongExpectations):
            assert_sound(read(file))


def assert_sound(expected: Expectations) -> None:
    """Reasons for all, and factors that only widen."""
    assert all(reason.strip() for reason in expected.excused.values())
    assert all(1 <= factor < float("inf") and reason.strip() for factor, reason in expected.tolerances.values())


VALUES = ("1", "0.5", "nan", "inf", "-1", "1" + "0" * 400, "9" * 5000, "true", "''",
          "'x'", "'\\n'", '"\\n"', '"\\u202e"', "[]", "{}", "[[]]",
          "{ factor = 2 }", "{ reason = 'x' }", "{ factor = 2, reason = '' }", "{ factor = '2', reason = 'x' }",
          "{ factor = 1" + "0" * 400 + ", reason = 'x' }", "2026-01-01", "{ factor = 2, reason = 'x', more = 1 }",
          "[" * 5000, "{ a = " * 5000, "[" * 400 + "]" * 400)  # fmt: skip
KEYS = ("PAD-4", '"a\\nb"', '"\\u001b[31m"', '""', "a.b.c", "excused", "tolerances", '"PAD-4 "', "a." * 3000 + "b")
TABLES = ("[excused]", "[tolerances]", '["a\\nb"]', "[other]", "[[excused]]", "[excused.PAD-4]", "", "excused = 1\n")


@given(st.lists(st.tuples(*map(st.sampled_from, (TABLES, KEYS, VALUES))), min_size=1, max_size=2))
def test_expectations_that_are_other_toml(parts: list[tuple[str, str, str]]) -> None:
    with folder() as here:
        file = here / "known.toml"
        file.write_text("".join(f"{table}\n{key} = {value}\n" for table, key, value in parts))
        if not refusal(lambda: read(file), WrongExpectations):
            assert_sound(read(file))


def test_expectations_that_are_no_file(tmp_path: Path) -> None:
    assert "does not exist" in refusal(lambda: read(tmp_path / "a\nb"), WrongExpectations)
    assert refusal(lambda: read(tmp_path), WrongExpectations)
    assert refusal(lambda: read(tmp_path / ("x" * 300)), WrongExpectations)


TINY = Xception(((2, 2), (3, 3), (3,)), (False, True, False))


@given(st.sampled_from(("config.json", "model.safetensors")), st.none() | mutations(), damages(), st.integers(0, 10**6))
def test_presets(
    name: str, changes: tuple[Mutation, ...] | None, bytes_changed: tuple[Damage, ...], which: int
) -> None:
    with folder() as here:
        arrays = random_arrays(TINY, seed=0)
        preset = write_preset(here / "preset", TINY, arrays)
        file = preset.folder / name
        if name == "config.json" and changes:
            file.write_bytes(json_bytes(mutated(json.loads(file.read_bytes()), changes)))
        elif changes:  # an array less
            del arrays[sorted(arrays)[which % len(arrays)]]
            file.write_bytes(save(arrays))
        else:
            file.write_bytes(damaged(file.read_bytes(), bytes_changed))
        if refusal(lambda: read_preset(preset.folder), UnreadablePreset):
            return
        got = read_preset(preset.folder)
        assert {name: array.shape for name, array in got.arrays.items()} == got.config.shapes()
        assert all(array.dtype == np.float32 for array in got.arrays.values())


PHOTOGRAPHS = {
    f"train/{name}.{index}.jpg": picture("jpg", index % 3)
    for name in ("cat", "dog")
    for index in range(sum(COUNTS.values()))
}


@settings(max_examples=max(settings().max_examples // 6, 3))
@given(st.one_of(damages(), forgeries(), st.sampled_from(sorted(PHOTOGRAPHS))))
def test_photographs(change: tuple[Damage, ...] | Forged | str) -> None:
    with folder() as here:
        file = here / "train.zip"
        if isinstance(change, str):
            file.write_bytes(zipped((PHOTOGRAPHS | {change: b"no image"}).items()))
        else:
            whole = zipped(PHOTOGRAPHS.items(), deflated=False)
            file.write_bytes(change.of(whole) if isinstance(change, Forged) else damaged(whole, change))
        if not refusal(lambda: photographs(file), UnreadablePhotographs):
            assert not isinstance(change, str)
            assert {len(images) for images, _ in photographs(file).values()} == {2 * count for count in COUNTS.values()}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--data", "file.zip"),
        ("--data", "a\nb"),
        ("--preset", "damaged"),
        ("--expectations", "a\nb"),
    ],
)
def test_the_command_line_refuses_data_and_presets_before_anything_is_checked(
    option: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    monkeypatch.chdir(tmp_path)
    Path("file.zip").write_bytes(b"PK")
    Path("damaged").mkdir()
    Path("damaged/config.json").write_text("[[")
    assert main(["check", "numpy_port", "--clause", "GAP", option, value]) == 2
    [line] = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("checking ")]
    assert line.startswith("error: ")
    assert line.isprintable()


@pytest.mark.parametrize(("port", "framework"), [("torch_port", "torch"), ("jax_port", "jax")])
def test_a_checkpoint_of_a_port_runs_nothing(port: str, framework: str, tmp_path: Path) -> None:
    pytest.importorskip(framework)
    module = importlib.import_module(f"{PARENT}fixtures.implementations.{port}.checkpoint")
    canary, file = tmp_path / "canary", tmp_path / "model"
    pickled = payloads.pickled(canary)
    description = json.dumps({"format": "jax_port 1", "network": "system", "config": {"command": f"touch {canary}"}})
    header = json.dumps({"architecture": {"__class__": "os.system"}, "trained": [f"touch {canary}"]})
    named = save({"x": np.zeros(3)}, {"description": description, "torch_port": header})
    for data in (pickled, zipped([("model/data.pkl", pickled), ("model/version", b"3\n")]), named, b""):
        file.write_bytes(data)
        with pytest.raises(ValueError, match="model"):
            module.load(file)
        assert not canary.exists()
