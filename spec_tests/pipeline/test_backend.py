"""Stage 1: choosing a backend."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from reference.backend import BACKENDS, register_magic, select_backend
from reference.errors import PipelineError


@pytest.fixture
def shell() -> Iterator[Any]:
    from IPython.core.interactiveshell import InteractiveShell

    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_unknown_backend_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PipelineError, match=r"'mxnet'.*jax, tensorflow, torch"):
        select_backend("mxnet")


def test_another_backend_after_keras_is_imported_says_to_restart() -> None:
    other = next(name for name in BACKENDS if name != os.environ["KERAS_BACKEND"])
    with pytest.raises(PipelineError, match="restart"):
        select_backend(other)
    import keras

    assert keras.backend.backend() != other


def test_the_selected_backend_is_the_one_keras_runs_on() -> None:
    name = os.environ["KERAS_BACKEND"]
    code = f"from reference.backend import select_backend; select_backend({name!r}); import keras; " \
        "print(keras.backend.backend())"  # fmt: skip
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)  # noqa: S603
    assert done.stdout.strip() == name


def test_missing_backend_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(PipelineError, match="pip install"):
        select_backend(os.environ["KERAS_BACKEND"])


def test_magic_runs_its_cell_on_the_current_backend(shell: Any) -> None:
    assert register_magic()
    shell.run_cell_magic("backend", os.environ["KERAS_BACKEND"], "ran = 42")
    assert shell.user_ns["ran"] == 42


def test_magic_names_the_backend_that_a_cell_needs_and_runs_nothing(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    register_magic()
    other = next(name for name in BACKENDS if name != os.environ["KERAS_BACKEND"])
    shell.run_cell_magic("backend", other, "stray = 1")
    assert "stray" not in shell.user_ns
    assert f"requires the {other} backend" in capsys.readouterr().out


def test_magic_is_registered_only_where_ipython_runs() -> None:
    assert not register_magic()
