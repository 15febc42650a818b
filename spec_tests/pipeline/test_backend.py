"""Stage 1: choosing a backend, beyond the clauses ENV."""

import os

import pytest

from reference.backend import select_backend
from reference.errors import PipelineError


def test_missing_backend_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(PipelineError, match="pip install"):
        select_backend(os.environ["KERAS_BACKEND"])
