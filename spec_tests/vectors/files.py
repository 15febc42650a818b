"""The files of the vectors: writing, reading, checking whether they are up to date, and judging a result."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save

from .. import FIXTURES
from ..judging.checks import expect_close, expect_equal, expect_error
from .topic import FORMAT, Case, Numbers, Topic

FOLDER = FIXTURES / "vectors"
SCHEMA = "schema.json"
SUFFIXES = ("json", "safetensors")
# Allowed difference of arrays, relative to the largest value: other machines sum in another order.
STALE_BEYOND = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 1e-6}


def write(topics: Sequence[Topic], folder: Path = FOLDER) -> None:
    """Write the files of topics that are out of date. A difference in the last digits alone does not count."""
    for topic in topics:
        if not any(_differences(topic, folder)):
            continue
        text, *arrays = _files(topic, folder)
        for file in arrays:
            # safetensors copies the memory as it is, so a view with other strides would be scrambled
            _replace(file, save({name: np.array(values, order="C") for name, values in topic.arrays.items()}))
        _replace(text, topic.text().encode())


def _files(topic: Topic, folder: Path) -> list[Path]:
    """The file of the cases and, if there are arrays, the file of these."""
    return [folder / f"{topic.name}.{suffix}" for suffix in (SUFFIXES if topic.arrays else SUFFIXES[:1])]


def _replace(file: Path, content: bytes) -> None:
    unfinished = file.with_suffix(f"{file.suffix}.tmp")
    unfinished.write_bytes(content)
    unfinished.replace(file)


def read(folder: Path = FOLDER) -> list[Topic]:
    """The topics in a folder, in the order of their names; raises ValueError for another format."""
    return [_read(file) for file in sorted(folder.glob("*.json")) if file.name != SCHEMA]


def _read(file: Path) -> Topic:
    content = json.loads(file.read_text(encoding="utf-8"))
    if content.get("format") != FORMAT:
        raise ValueError(f"{file} is of format {content.get('format')}; this reads format {FORMAT}")
    arrays = load_file(file.with_name(content["arrays"])) if "arrays" in content else {}
    return Topic(content["topic"], content["about"], content["cases"], arrays)


def stale(topics: Sequence[Topic], folder: Path = FOLDER) -> list[str]:
    """What is out of date, a line each. Text must be the same, numbers of arrays nearly."""
    wanted = {file.name for topic in topics for file in _files(topic, folder)} | {SCHEMA}
    present = {file.name for suffix in SUFFIXES for file in folder.glob(f"*.{suffix}")}
    surplus = [f"{name} belongs to no topic" for name in sorted(present - wanted)]
    return [line for topic in topics for line in _differences(topic, folder)] + surplus


def _differences(topic: Topic, folder: Path) -> Iterator[str]:
    files = _files(topic, folder)
    if missing := [f"{file.name} is missing" for file in files if not file.is_file()]:
        yield from missing
        return
    if files[0].read_text(encoding="utf-8") != topic.text():
        yield f"{files[0].name} is another text"
    for file in files[1:]:
        stored = load_file(file)
        for name in sorted(stored.keys() | topic.arrays.keys()):
            if name not in stored or name not in topic.arrays:
                yield f"{file.name}: {name} is {'not in it' if name in topic.arrays else 'named by no case'}"
            elif not _alike(stored[name], topic.arrays[name]):
                yield f"{file.name}: {name} has other values"


def _alike(stored: Numbers, fresh: Numbers) -> bool:
    if (stored.dtype, stored.shape) != (fresh.dtype, fresh.shape):
        return False
    allowed = STALE_BEYOND.get(fresh.dtype, 0) * np.abs(fresh).max(initial=0)
    return bool((np.abs(stored - fresh) <= allowed).all())


def judge(topic: Topic, case: Case, function: Callable[..., Any]) -> None:
    """Call ``function`` with a case's inputs and parameters by name; raises Violation for a wrong result.

    The function returns one output or, for several, a tuple in the order of ``expected``.
    """
    inputs = {name: topic.arrays[array] for name, array in case["inputs"].items()}
    parameters = {name: tuple(v) if isinstance(v, list) else v for name, v in case["parameters"].items()}
    if case["expected"].get("error"):
        expect_error(lambda: function(**inputs, **parameters), case["note"], *case["expected"].get("mentions", ()))
        return
    results = function(**inputs, **parameters)
    results = results if isinstance(results, tuple) else (results,)
    for (name, expected), got in zip(case["expected"].items(), results, strict=True):
        value = topic.arrays[expected] if isinstance(expected, str) else expected
        _compare(topic.arrays, f"{case['id']}: {name}", value, got, case["tolerance"].get(name))


def _compare(
    arrays: Mapping[str, Numbers], what: str, expected: Any, got: Any, tolerance: Mapping[str, Any] | None
) -> None:
    if tolerance is None and not isinstance(expected, np.ndarray):
        expect_equal(got, expected, what)
        return
    rtol, atol, scale = (tolerance[key] for key in ("rtol", "atol", "scale")) if tolerance else (0, 0, "expected")
    named = {"expected": np.abs(expected), "largest": np.abs(expected).max(initial=0)}
    expect_close(got, expected, what, rtol=rtol, atol=atol, scale=named[scale] if scale in named else arrays[scale])
