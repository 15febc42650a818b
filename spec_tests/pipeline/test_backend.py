"""Stage 1: choosing a backend, beyond the clauses ENV."""

import os

import pytest

from reference import backend
from reference.backend import select_backend
from reference.errors import PipelineError


def test_missing_backend_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(PipelineError, match="pip install"):
        select_backend(os.environ["KERAS_BACKEND"])


def test_triton_is_imported_before_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both contain LLVM: with PyTorch for CUDA, the other order ends the process."""
    imported: list[str] = []
    monkeypatch.setenv("KERAS_BACKEND", os.environ["KERAS_BACKEND"])  # which is set, and restored here
    monkeypatch.setattr(backend, "check_backend", lambda _: None)
    monkeypatch.setattr(backend, "_import_tensorflow", lambda: imported.append("tensorflow"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.setattr("importlib.import_module", imported.append)
    select_backend("torch")
    assert imported == ["torch", "triton", "tensorflow"]
