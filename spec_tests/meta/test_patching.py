"""Patches: what they may say, where they fit, and that they change what is imported and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.mutants import Mutant, mutants
from fixtures.patching import ROOT, Patch, PatchError, read_patches
from fixtures.variants import variants

GOOD = """
[bad_padding]
of = "numpy_port"
diff = '''
@@ layers.py
-MOMENTUM, EPSILON = 0.99, 1e-3  # of batch normalisation
+MOMENTUM, EPSILON = 0.99, 1e-5
'''
"""


def patch(diff: str, of: str = "numpy_port") -> Patch:
    return Patch(name="one", group="some", of=of, diff=diff)


def read(tmp_path: Path, text: str) -> list[Patch]:
    file = tmp_path / "some.toml"
    file.write_text(text, encoding="utf-8")
    return list(read_patches(Patch, file))


@pytest.mark.parametrize("one", [*mutants().values(), *variants().values()], ids=lambda one: one.name)
def test_every_patch_fits_and_is_python(one: Patch) -> None:
    for file, source in one.sources().items():
        compile(source, file, "exec")


def test_no_two_patches_are_the_same() -> None:
    every = [*mutants().values(), *variants().values()]
    assert len({(one.of, one.backend, tuple(one.hunks)) for one in every}) == len(every)


def test_lines_that_stay_tell_where_others_change() -> None:
    changed = patch("@@ layers.py\n def dropout(inputs: Array, rate: float, *, seed: int, training: bool) -> Array:\n"
                    '-    """Each value zeroed with probability ``rate``, the others divided by 1 - rate."""\n'
                    "+    # changed").sources()["layers.py"]  # fmt: skip
    before = (ROOT / "fixtures/implementations/numpy_port/layers.py").read_text(encoding="utf-8")
    gone = '    """Each value zeroed with probability ``rate``, the others divided by 1 - rate."""'
    assert changed == before.replace(gone, "    # changed")


@pytest.mark.parametrize(
    ("diff", "says"),
    [
        ("@@ layers.py\n-nothing of the kind\n+x", "holds its lines 0 times"),
        ("@@ layers.py\n     if not training:\n-        return inputs\n         kept", "holds its lines 0 times"),
        ("@@ layers.py\n-def\n+x", "holds its lines 0 times"),
        ("@@ no_such.py\n-a\n+b", "has no no_such.py"),
        ("@@ layers.py\n stays", "changes nothing"),
        ("-a\n+b", "changes nothing"),
        ("@@ layers.py\n*a", "begins with neither"),
    ],
)
def test_a_patch_that_does_not_fit_is_named(diff: str, says: str) -> None:
    with pytest.raises(PatchError, match=f"^one: .*{says}"):
        patch(diff).sources()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[a", "is not TOML"),
        (GOOD.replace("of =", "off ="), "a key that means nothing: off"),
        (GOOD.replace('of = "numpy_port"', ""), "lacks something"),
        ("bad = 1", "is no table"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(PatchError, match=f"some.toml.*{says}"):
        read(tmp_path, text)


def test_a_name_is_used_once(tmp_path: Path) -> None:
    files = [tmp_path / "one.toml", tmp_path / "two.toml"]
    for file in files:
        file.write_text(GOOD, encoding="utf-8")
    with pytest.raises(PatchError, match=r"two\.toml: there is another bad_padding"):
        list(read_patches(Patch, *files))


def test_a_mutant_names_what_must_catch_it() -> None:
    assert all(mutant.caught_by and mutant.fault and mutant.seen for mutant in mutants().values())
    with pytest.raises(TypeError, match="caught_by"):
        Mutant(name="a", group="b", of="numpy_port", diff="", fault="x", seen="y")  # type: ignore[call-arg]


def python(code: str) -> str:
    """What a process of its own prints; the code is ours."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603


def test_what_is_imported_is_changed_and_the_file_is_not() -> None:
    code = """
import fixtures.mutants, numpy as np
changed = fixtures.mutants.symmetric_same_padding
from fixtures.implementations import numpy_port
print(changed is numpy_port, numpy_port.conv2d(np.ones((1, 2, 2, 1)), np.ones((2, 2, 1, 1)), padding="same").ravel())
"""
    assert python(code) == "True [1. 2. 2. 4.]"  # the right one pads at the end: 4 2 2 1


def test_a_process_holds_one_patch() -> None:
    code = """
import fixtures.mutants, fixtures.implementations.numpy_port
try:
    fixtures.mutants.symmetric_same_padding
except Exception as error:
    print(type(error).__name__, error)
"""
    assert "PatchError symmetric_same_padding: numpy_port is imported already" in python(code)
