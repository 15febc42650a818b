"""The plugin: what it runs and what it says, seen from outside.

Each test is a run of pytest in a folder of its own, on implementations and clauses that are
written there, or on the clauses of padding with a convolution in NumPy.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import spec_tests
from spec_tests.clauses import test_padding as padding
from spec_tests.clauses.catalogue import tests as clauses_by_id
from spec_tests.plugin import ENVIRONMENT
from spec_tests.running.snippets import snippet

ROOT = Path(spec_tests.__file__).parents[1]
PADDING = Path(padding.__file__)
FRAMEWORKS = {"keras", "tensorflow", "torch", "jax", "reference"}

# Objects that offer the layers; what each function does with two numbers is their sum, or not.
FAKES = """
    import numpy as np
    from types import SimpleNamespace
    from spec_tests.adapter.contract import functions

    def offering(function, **more):
        def layer(a, b=0, *others, **options):
            return function(a, b) if isinstance(a, int) else a

        def three(inputs, *others, **options):
            return inputs, inputs, inputs

        return SimpleNamespace(**dict.fromkeys(functions("layers"), layer) | {"batch_normalization": three} | more)

    def explode(a, b):
        raise RuntimeError("no [bold]sum[/bold] of these")

    good = offering(lambda a, b: a + b, VERSION="1.5")
    wrong = offering(lambda a, b: a - b)
    calls = iter(range(10**6))
    fickle = offering(lambda a, b: a + b - (next(calls) == 20))
    raising = offering(explode)
    excused = offering(lambda a, b: a - b, EXCUSED={"PAD-4": "[red]sums[/red] are hard"})
    lucky = offering(lambda a, b: a + b, EXCUSED={"PAD-4": "sums are hard"})
    unexplained = offering(lambda a, b: a + b, EXCUSED={"PAD-4": " "})
    chosen = offering(lambda a, b: a - b, select_backend=lambda name: None)
    uneven = offering(lambda a, b: a - b if a % 2 or b < 3 else explode(a, b))
    misnamed = offering(lambda a, b: a + b, EXCUSED={"PAF-4": "sums are hard"})
    empty = SimpleNamespace()
    partial = SimpleNamespace(CLAIMS=("layers",), augment=lambda images, labels: (images, labels))
"""

CLAUSES = """
    from hypothesis import given, strategies as st
    from spec_tests.judging.checks import expect_equal
    from spec_tests.clauses.clause import Level, clause

    @clause("PAD-4", Level.MUST, "layers", "somewhere")
    @given(a=st.integers(0, 9), b=st.integers(0, 9))
    def test_sum(implementation, a, b):
        \"\"\"A sum is the sum of its parts.

        If this fails, check the sign.
        \"\"\"
        expect_equal(implementation.dense(a, b), a + b, "sum")
"""

SHOULD = """
    @clause("PAD-5", Level.SHOULD, "layers", "somewhere")
    def test_zero(implementation):
        \"\"\"Nothing and one should be one.\"\"\"
        expect_equal(implementation.dense(0, 1), 1, "sum of 0 and 1")
"""

IDLE = """
    @clause("PAD-6", Level.MUST, "layers", "somewhere")
    def test_idle(implementation):
        \"\"\"Nothing is checked.\"\"\"
"""

OTHER_STAGE = """
    @clause("FLIP-1", Level.MUST, "augmentation", "somewhere")
    def test_flip(implementation):
        \"\"\"A flip flips.\"\"\"
        expect_equal(implementation.random_flip(0), 0, "flip")
"""

# The oracle's convolution, but the odd zero of same padding comes first, as where both sides are padded alike.
NUMPY_LAYERS = """
    import numpy as np
    from fixtures.implementations.numpy_port.layers import *
    from spec_tests.oracles import windows

    VERSION = "0.1"

    def conv2d(images, kernel, bias=None, *, strides=1, padding="valid", dilation_rate=1):
        turn = slice(None, None, -1 if padding == "same" else None)
        images, kernel = images[:, turn, turn], kernel[turn, turn]
        strides, dilation = (size if isinstance(size, tuple) else (size, size) for size in (strides, dilation_rate))
        return windows.conv2d(images, kernel, strides, dilation, padding)[:, turn, turn].astype(np.float32)
"""

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run pytest with the plugin on implementations of FAKES, and on clauses: CLAUSES or others."""
    pytester.makepyfile(fakes=FAKES)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    for name in ("JAX_COMPILATION_CACHE_DIR", *ENVIRONMENT):
        monkeypatch.setenv(name, "")

    def run(targets: str, *options: str, clauses: str = CLAUSES) -> pytest.RunResult:
        pytester.makepyfile(test_clauses=clauses)
        named = [f"--implementation={target}" for target in targets.split()]
        return pytester.runpytest_inprocess("-p", "spec_tests.plugin", "test_clauses.py", *named, *options)

    before = settings.get_current_profile_name()
    yield run
    settings.load_profile(before)


@pytest.fixture
def judge_padding(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the real clauses of padding on the convolution in NumPy, in a process of their own."""
    pytester.makepyfile(numpy_layers=NUMPY_LAYERS)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # a build leaves entry points beside the sources
    monkeypatch.setenv("COLUMNS", "120")

    def run(*options: str) -> pytest.RunResult:
        selected = (str(PADDING), "--clause", "PAD-3", "PAD-4", "--rootdir", str(pytester.path))
        return pytester.runpytest_subprocess(*selected, "--implementation", "numpy_layers", *options)

    return run


def test_the_header_says_what_is_run(run: Run) -> None:
    result = run("fakes:good", "--backend", "torch", "--seed", "5", "--profile", "quick")
    result.stdout.fnmatch_lines(["convspec: fakes:good; backend torch; seed 5; profile quick"])


def test_what_holds_is_told_by_a_table_alone(run: Run) -> None:
    result = run("fakes:good", clauses=CLAUSES + SHOULD)
    assert result.ret == 0
    lines = [line.split() for line in result.outlines]
    start = lines.index(["fakes:good", "1.5:", "all", "2", "clauses", "hold"])
    assert [line[:-1] for line in lines[start + 1 : start + 4]] == [
        ["stage", "family", "passed", "failed"],
        ["layers", "PAD", "2", "·"],
        ["all", "2", "·"],
    ]
    assert not any(line.startswith(("FAILED", "PAD-")) for line in result.outlines)


def test_a_failure_says_all_there_is_to_say(run: Run) -> None:
    result = run("fakes:wrong")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "PAD-4 MUST fakes:wrong *",
            "A sum is the sum of its parts.",
            "violated *sum",
            "expected *1",
            "got *-1",
            "counterexample *a = 0",
            "counterexample *b = 1",
            "advice *If this fails, check the sign.",
            "source *somewhere",
            "from spec_tests.reproduce import reproduce",
            "reproduce('PAD-4', 'fakes:wrong', a=0, b=1)",
            "fakes:wrong: 0 of 1 clauses hold",
            "failed PAD-4 *A sum is the sum of its parts.",
        ]
    )
    assert "short test summary" not in result.stdout.str()  # the table says it
    assert "test_clauses.py:" not in result.stdout.str()  # no traceback


def test_an_error_is_told_with_its_place_and_not_as_markup(run: Run) -> None:
    result = run("fakes:raising", "--color=yes")
    result.stdout.fnmatch_lines(["*RuntimeError: no [[]bold]sum[[]/bold] of these", "*fakes.py:* in explode: raise *"])


def test_a_failure_that_does_not_come_each_time_is_told_as_one(run: Run) -> None:
    result = run("fakes:fickle")
    result.stdout.fnmatch_lines(["violated*sum, and not each time that the same input was given"])
    result.stdout.no_fnmatch_line("*FlakyFailure*")


def test_a_snippet_names_a_backend_where_there_are_several(run: Run) -> None:
    result = run("fakes:chosen")
    assert "reproduce('PAD-4', 'fakes:chosen', 'jax', a=0, b=1)" in result.outlines


def test_other_ways_to_fail_are_told_too_and_are_the_same_each_time(run: Run) -> None:
    parity = CLAUSES.replace('"sum")', 'f"sum of {a} and {b}, odd" if a % 2 else f"sum of {a} and {b}, even")')
    first, again = (run("fakes:uneven", "--seed", "5", clauses=parity) for _ in range(2))
    first.stdout.fnmatch_lines(
        [
            "violated*sum of 0 and 1, even",
            "got *-1",
            "also *violated: sum of 1 and [1-9], odd",
            "also *raised: RuntimeError*",
        ]
    )
    told = [[line for line in result.outlines if "sum of" in line] for result in (first, again)]
    assert told[0] == told[1]


def test_looking_for_other_ways_to_fail_changes_nothing_of_the_first(run: Run) -> None:
    close = CLAUSES.replace("expect_equal", "expect_close").replace('"sum")', '"sum", rtol=1)')
    result = run("fakes:wrong", clauses=close)
    result.stdout.fnmatch_lines(
        ["violated *sum", "expected *1", "got *-1 (off by 2, tolerance 1)", "*counterexample*b = 1"]
    )
    result.stdout.no_fnmatch_line("also*")


def test_a_failure_is_told_once_to_other_tools(run: Run, pytester: pytest.Pytester) -> None:
    run("fakes:wrong", "--junitxml=report.xml")
    report = (pytester.path / "report.xml").read_text(encoding="utf-8")
    assert '<property name="clause" value="PAD-4"' in report
    assert "PAD-4: A sum is the sum of its parts." in report


def test_long_sentences_hang_and_what_is_copied_does_not_break(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    result = run(
        "fakes:wrong", clauses=CLAUSES.replace("its parts.", "its parts, " + "and of theirs, " * 6 + "at last.")
    )
    lines = result.outlines
    assert "reproduce('PAD-4', 'fakes:wrong', a=0, b=1)" in lines
    first = next(i for i, line in enumerate(lines) if line.startswith("failed PAD-4"))
    assert lines[first + 1].startswith(" " * len("failed PAD-4  ") + "and")


def test_output_of_the_implementation_does_not_clutter(run: Run) -> None:
    noisy = CLAUSES.replace("expect_equal(impl", "print('chatter'); expect_equal(impl")
    assert "chatter" not in run("fakes:wrong", clauses=noisy).stdout.str()
    assert "chatter" in run("fakes:wrong", "-s", clauses=noisy).stdout.str()


def test_a_fixture_that_fails_for_many_is_told_of_once(run: Run) -> None:
    fixture = """
    import pytest

    @pytest.fixture(scope="session")
    def trained(implementation):
        return implementation.dense(1, 2)
"""
    both = (SHOULD + SHOULD.replace("PAD-5", "PAD-6").replace("test_zero", "test_one")).replace("on)", "on, trained)")
    result = run("fakes:raising", clauses=CLAUSES.split("@clause")[0] + fixture + both)
    result.stdout.fnmatch_lines(["PAD-5, 6 *", "PAD-6 SHOULD*", "raised *no [[]bold]sum*"])
    assert result.stdout.str().count("in explode") == 1


@pytest.mark.parametrize("own", [None, "elsewhere"])
def test_jax_keeps_what_it_compiles(run: Run, monkeypatch: pytest.MonkeyPatch, own: str | None) -> None:
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
    if own:
        monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", own)
    run("fakes:good")
    assert Path(os.environ["JAX_COMPILATION_CACHE_DIR"]).name == (own or "jax")


def test_an_excuse_is_told_and_does_not_fail(run: Run) -> None:
    result = run("fakes:excused")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*0 of 1 clauses hold", "excused PAD-4  [[]red]sums[[]/red] are hard"])
    assert "counterexample" not in result.stdout.str()


def test_an_excuse_that_is_not_needed_is_told(run: Run) -> None:
    result = run("fakes:lucky")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*all 1 clauses hold", "passed PAD-4  though it is excused: sums are hard"])


def test_a_should_is_told_and_does_not_fail(run: Run) -> None:
    result = run("fakes:wrong", clauses=CLAUSES.split("@clause")[0] + SHOULD)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["PAD-5 SHOULD*", "expected *1", "got *-1", "reported PAD-5 *Nothing and one*"])


def test_a_clause_that_checks_nothing_fails(run: Run) -> None:
    result = run("fakes:good", clauses=CLAUSES.split("@clause")[0] + IDLE)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["violated *the clause ran no check*"])


def test_a_stage_that_is_not_claimed_is_left_out(run: Run) -> None:
    result = run("fakes:good", clauses=CLAUSES + OTHER_STAGE)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["fakes:good 1.5: all 1 clauses hold; not claimed: augmentation", "*1 passed, 1 skipped*"]
    )
    assert "FLIP" not in result.stdout.str()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fakes:absent", "fakes:absent cannot be imported: AttributeError: module 'fakes' has no attribute 'absent'"),
        ("absent", "absent cannot be imported: ModuleNotFoundError: No module named 'absent'"),
        ("syntax", "syntax cannot be imported: SyntaxError: "),
        ("dividing", "dividing cannot be imported: ZeroDivisionError: division by zero (at dividing.py:1)"),
        ("fakes:empty", "fakes:empty offers no function of the contract"),
        ("fakes:partial", "fakes:partial claims the stage layers and has no function of it"),
        ("fakes:unexplained", "EXCUSED of fakes:unexplained: no reason for PAD-4"),
        ("fakes:misnamed", "EXCUSED or TOLERANCES of fakes:misnamed: PAF-4: no such clause; did you mean PAD-4"),
    ],
)
def test_a_broken_adapter_is_told_once(run: Run, pytester: pytest.Pytester, name: str, words: str) -> None:
    pytester.makepyfile(syntax="def", dividing="1 / 0")
    result = run(name, clauses=CLAUSES + SHOULD)
    assert result.ret == 1
    text = " ".join(result.stdout.str().split())
    assert f"{name}: broken adapter, nothing was run broken adapter {words}" in text
    assert text.count("broken adapter") == 2
    assert "Traceback" not in text
    result.assert_outcomes(errors=1, skipped=1)


def test_each_implementation_has_a_table(run: Run) -> None:
    result = run("fakes:good fakes:wrong fakes:absent fakes:good")
    assert result.ret == 1
    titles = [line for line in result.outlines if line.startswith("fakes:")]
    assert titles == [
        "fakes:good 1.5: all 1 clauses hold",
        "fakes:wrong: 0 of 1 clauses hold",
        "fakes:absent: broken adapter, nothing was run",
    ]


def test_other_tests_are_told_as_ever(run: Run) -> None:
    result = run("fakes:wrong", clauses=CLAUSES + "\n    def test_plain():\n        assert 1 == 2\n")
    result.stdout.fnmatch_lines(
        ["*assert 1 == 2", "FAILED test_clauses.py::test_plain*", "*specification*", "*2 failed*"]
    )
    assert "FAILED test_clauses.py::test_sum" not in result.stdout.str()


def test_clauses_and_stages_are_selected(run: Run) -> None:
    everything = CLAUSES + SHOULD + OTHER_STAGE + "\n    def test_plain():\n        pass\n"
    run("fakes:good", "--clause", "pad-5", clauses=everything).assert_outcomes(passed=1, deselected=3)
    run("fakes:good", "--clause", "PAD", clauses=everything).assert_outcomes(passed=2, deselected=2)
    run("fakes:good", "--stage", "augmentation", clauses=everything).assert_outcomes(skipped=1, deselected=3)
    run("fakes:good", clauses=everything).assert_outcomes(passed=3, skipped=1)


def test_an_unknown_clause_is_refused_with_suggestions(run: Run) -> None:
    result = run("fakes:good", "--clause", "PAD-44")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --clause PAD-44: no such clause; did you mean PAD-4*"])
    result = run("fakes:good", "--clause", "PAD", "test_clauses.py")
    result.stderr.fnmatch_lines(["ERROR: give test_clauses.py before --clause, not after it"])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_a_real_clause_fails_and_its_snippet_fails_alike(judge_padding: Run, pytester: pytest.Pytester) -> None:
    result = judge_padding()
    assert result.ret == 1
    assert "numpy_layers 0.1: 1 of 2 clauses hold" in result.outlines
    violated, expected, got = (
        next(line.split(maxsplit=1)[1] for line in result.outlines if line.startswith(label))
        for label in ("violated", "expected", "got")
    )
    (pytester.path / "again.py").write_text(snippet_in(result.outlines), encoding="utf-8")
    again = pytester.run(sys.executable, "again.py")
    assert again.ret == 1
    again.stderr.fnmatch_lines([f"*Violation: {violated}", f"expected: {expected}", f"got: *{got}"])


def test_a_seed_gives_the_same_counterexample_again(judge_padding: Run) -> None:
    first, second = (judge_padding("--seed", "3").outlines for _ in range(2))
    assert "PAD-4" in snippet_in(first)
    assert snippet_in(first) == snippet_in(second)


def snippet_in(lines: list[str]) -> str:
    """What is to be copied from the report of a failure."""
    start = lines.index("to see it again, in Python:") + 1
    return "\n".join(lines[start : lines.index("", start)])


def test_a_clause_that_needs_fixtures_is_named_with_its_seed() -> None:
    test = clauses_by_id()["BASE-4"]
    assert snippet(test.clause, test, "package.module", "torch", 7).splitlines() == [
        "from spec_tests.reproduce import reproduce",
        "reproduce('BASE-4', 'package.module', 'torch', seed=7)",
    ]


def test_the_plugin_imports_no_framework() -> None:
    code = (
        "import sys, pytest; sys.dont_write_bytecode = True;"
        "pytest.main(['--collect-only', '-q', '-p', 'spec_tests.plugin', '--pyargs', 'spec_tests.clauses']);"
        f"print('imported', *{FRAMEWORKS} & sys.modules.keys())"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
    assert run.stdout.splitlines()[-1].split() == ["imported"]
