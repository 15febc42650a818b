"""``convspec search``: what it finds, what it says, and what becomes of an implementation that ends its process."""

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings

from fixtures.implementations.numpy_port import layers
from spec_tests.cli import main
from spec_tests.running.isolation.supervisor import never
from spec_tests.searching import FUNCTIONS
from spec_tests.searching.answers import Difference, compared
from spec_tests.searching.cases import DTYPES, LAYOUTS, VALUES, Case, cases
from spec_tests.searching.report import lines, snippet, to_json
from spec_tests.searching.search import Search, Tried
from spec_tests.searching.worker import Lost, Ready, Refused, Worker

ROOT = Path(__file__).parents[2]


class Within:
    """Calls a module here, in place of a process; remembers what it was given."""

    def __init__(self, offered: Any) -> None:
        self.offered, self.seen = offered, list[Case]()

    def call(self, case: Case) -> Any:
        """As ``Worker.call``."""
        self.seen.append(case)
        try:
            result = getattr(self.offered, case.function)(*case.arrays.values(), **case.options)
        except ValueError as error:
            return Refused(str(error))
        return result[0] if isinstance(result, tuple) else result


def searched(worker: Any, folder: Path, *functions: str, rounds: int = 1, number: int = 0) -> list[Tried]:
    return Search(worker, number, folder, lambda _: None).run(functions, rounds)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_right_implementation_has_no_difference(function: str, tmp_path: Path) -> None:
    (tried,) = searched(Within(layers), tmp_path, function)
    assert tried.differences == []
    assert tried.examples - sum(tried.refused.values()) > 50


@pytest.mark.parametrize(
    ("mutant", "function", "marks"),
    [
        ("symmetric_same_padding", "conv2d", {"same padding", "windows", "images of several pixels"}),
        ("strides_beyond_three", "conv2d", {"strides", "strides beyond the window"}),
        ("channels_beyond_a_block", "conv2d", {"several channels", "channels beyond 8"}),
        ("max_pooling_pads_with_zeros", "max_pooling2d", {"same padding", "values that differ"}),
        ("average_pooling_takes_zeros_for_padding", "average_pooling2d", {"windows"}),
    ],
)
def test_a_mutant_is_found_and_shrunk(mutant: str, function: str, marks: set[str], tmp_path: Path) -> None:
    with Worker(f"fixtures.mutants:{mutant}", "", never) as worker:
        (tried,) = searched(worker, tmp_path, function, rounds=3)
    assert_shrunk(tried, marks)


def assert_shrunk(tried: Tried, marks: set[str]) -> None:
    """To a small case that has what the fault needs."""
    case = next(found.case for found in tried.differences if found.kind == "values")
    assert marks <= case.marks
    assert case.dtype == "float32"
    assert case.layout == "rows"
    assert max(case.batch, case.filters, *case.size) <= 4


def test_padding_that_is_counted_is_found_and_shrunk(tmp_path: Path) -> None:
    class Faulty:
        def average_pooling2d(self, images: Any, pool_size: Any, strides: Any, padding: Any) -> Any:
            options = {"strides": strides, "padding": padding}
            size = np.broadcast_to(pool_size, 2)
            ones = np.ones((1, *images.shape[1:3], 1), np.float32)
            real = layers.conv2d(ones, np.ones((*size, 1, 1), np.float32), **options)  # pixels of each window
            return layers.average_pooling2d(images, pool_size=pool_size, **options) * real / size.prod()

    (tried,) = searched(Within(Faulty()), tmp_path, "average_pooling2d", rounds=3)
    assert_shrunk(tried, {"same padding", "windows"})


def test_what_was_found_is_tried_first_by_a_later_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hypothesis.core.global_force_seed", None)  # with one, as here, Hypothesis keeps nothing

    class Faulty:
        def dense(self, features: Any, kernel: Any, bias: Any = None) -> Any:
            return layers.dense(features, kernel, bias) + (kernel.shape[1] > 60)

    worker = Within(Faulty())
    (found,) = searched(worker, tmp_path, "dense")
    worker.seen.clear()
    searched(worker, tmp_path, "dense", number=7)
    assert worker.seen[0] == found.differences[0].case


def test_the_same_seed_tries_the_same_examples(tmp_path: Path) -> None:
    one, again, other = (Within(layers) for _ in range(3))
    for place, (worker, number) in enumerate(((one, 3), (again, 3), (other, 4))):
        searched(worker, tmp_path / str(place), "dense", number=number)
    assert one.seen == again.seen
    assert one.seen != other.seen


def test_a_second_fault_is_found_beside_the_first(tmp_path: Path) -> None:
    class Faulty:
        def dense(self, features: Any, kernel: Any, bias: Any = None) -> Any:
            right = layers.dense(features, kernel, bias)
            if bias is not None:
                return right + 1
            return right[:, :-1] if kernel.shape[1] > 20 else right

    (tried,) = searched(Within(Faulty()), tmp_path, "dense", rounds=2)
    found = {difference.kind: difference.case.marks for difference in tried.differences}
    assert found == {"values": {"a bias"}, "shape": {"several filters", "filters beyond 8"}}


def test_a_number_that_is_none_is_a_difference_and_an_error_is_not(tmp_path: Path) -> None:
    class Faulty:
        def dense(self, features: Any, kernel: Any, bias: Any = None) -> Any:
            if bias is not None:
                raise ValueError("no bias here")
            return np.full_like(layers.dense(features, kernel), np.nan)

    (tried,) = searched(Within(Faulty()), tmp_path, "dense", rounds=2)
    assert {difference.kind for difference in tried.differences} == {"not finite"}
    assert set(tried.refused) == {"no bias here"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_snippet_makes_the_same_call(function: str) -> None:
    """And has ten lines at most, whatever the values and their order in memory."""

    @seed(0)
    @settings(max_examples=40, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=cases(function))
    def check(case: Case) -> None:
        text = snippet(Difference(case, "values", "", "", ""), "fixtures.implementations.numpy_port", "")
        assert len(text.splitlines()) <= 10
        space: dict[str, Any] = {}
        with contextlib.redirect_stdout(io.StringIO()):
            exec(text, space)  # noqa: S102 - our own text
        for name, array in case.arrays.items():
            assert np.array_equal(space[name], array)
            assert space[name].dtype == array.dtype
            assert space[name].strides == array.strides
            assert space[name].flags.writeable == array.flags.writeable

    check()


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_answer_that_is_off_by_a_thousandth_is_seen(values: str, layout: str, dtype: str) -> None:
    case = Case("max_pooling2d", (4, 4), (2, 2), values=values, layout=layout, dtype=dtype)
    right = layers.max_pooling2d(case.arrays["images"], pool_size=2, strides=1)
    assert compared(case, right) is None
    wrong = compared(case, right.astype(np.float64) + 1e-3)
    assert wrong is not None
    assert wrong.kind == "values"
    assert wrong.largest == pytest.approx(1e-3)
    assert "expected" in "\n".join(lines([Tried("max_pooling2d", 1, differences=[wrong])], "a", "b"))
    content = json.loads(to_json([Tried("max_pooling2d", 1, differences=[wrong])], Ready("a", "1", ()), "a", "b", 0, 1))
    assert content["functions"][0]["differences"][0]["case"]["dtype"] == dtype


ADAPTER = """
import os, time, numpy as np
from fixtures.implementations.numpy_port import layers

def dense(features, kernel, bias=None):
    if bias is not None:
        print("the last words", flush=True)
        os._exit(7)
    if len(features) > 3:
        time.sleep(3600)
    return layers.dense(features, kernel)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a user stands, with files that are in the way."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT)
    Path("taken.py").touch()
    return tmp_path


def one(answer: Any) -> bool:
    """Whether it is the answer to the smallest case."""
    return np.array_equal(answer, [[1]])


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (
            Case("dense", biased=True),
            Lost("crash", "the process ended with exit code 7; its last line: the last words"),
        ),
        (Case("dense", batch=4), Lost("hang", "no answer within 0.5 seconds")),
    ],
)
def test_a_process_that_ends_or_hangs_is_told_and_another_one_goes_on(case: Case, expected: Lost, folder: Path) -> None:
    (folder / "ending.py").write_text(ADAPTER, encoding="utf-8")
    with Worker("ending", "", never, seconds=0.5) as worker:
        assert worker.ready().offered == ("dense",)
        assert one(worker.call(Case("dense")))
        assert worker.call(case) == expected
        assert one(worker.call(Case("dense")))


def test_an_adapter_that_exits_is_a_difference(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = "import os\n\ndef dense(features, kernel, bias=None):\n    os._exit(7)\n"
    (folder / "ending.py").write_text(source, encoding="utf-8")
    assert main(("search", "ending", "--minutes", "0.1", "--json", "found.json")) == 1
    said = capsys.readouterr()
    assert "the process ended with exit code 7" in said.out
    assert "conv2d: not offered" in said.out
    (difference,) = json.loads(Path("found.json").read_text(encoding="utf-8"))["functions"][0]["differences"]
    assert difference["kind"] == "crash"
    assert said.err.startswith("searching ending@")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("no_such_adapter",), "there is no module no_such_adapter here"),
        (("taken.py",), "taken.py is a file: name the module"),
        (("numpy_port", "--json", "."), ". is a folder: --json takes a file"),
        (("numpy_port", "--examples", "taken.py"), "taken.py is not a folder: --examples takes a folder"),
    ],
)
def test_what_a_user_can_put_right_is_one_line(
    words: tuple[str, ...], error: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("search", *words)) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert error in told


@pytest.mark.parametrize("words", [(), ("numpy_port", "--minutes", "0"), ("numpy_port", "--function", "conv3d")])
def test_wrong_words_are_refused(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(("search", *words))
    assert caught.value.code == 2
    assert "usage: convspec search" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import no_such_module", "broken cannot be imported: ModuleNotFoundError"),
        ("import os; os._exit(3)", "broken cannot be imported: the process ended with exit code 3"),
        ("x = 1", "broken offers no function of the contract"),
        ("def dropout(*_, **__): ...", "no example of any function was answered"),
    ],
)
def test_where_nothing_can_be_tried_a_line_says_why(
    source: str, error: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.py").write_text(source, encoding="utf-8")
    assert main(("search", "broken", "--minutes", "0.2")) == 3
    assert error in capsys.readouterr().err


def counted(told: list[str]) -> Callable[[Tried], None]:
    return lambda tried: told.append(tried.function)


def test_functions_take_turns(tmp_path: Path) -> None:
    told: list[str] = []
    Search(Within(layers), 0, tmp_path, counted(told)).run(("dense", "conv2d"), 2)  # type: ignore[arg-type]
    assert list(dict.fromkeys(told)) == ["dense", "conv2d"]
    assert told.index("conv2d") < len(told) - told[::-1].index("dense") - 1
