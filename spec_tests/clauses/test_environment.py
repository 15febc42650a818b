"""Choosing a backend (notes, code 1). Only implementations that run on Keras claim this stage."""

import importlib.util

import pytest

from ..adapter.implementation import Implementation
from ..cases import fresh_session
from ..cases.fresh_session import Session
from ..judging.checks import expect, expect_equal
from .clause import Level, clause

SOURCE = "notes, code 1"


@pytest.fixture(scope="session")
def session(implementation: Implementation, backend: str) -> Session:
    """A session in a new Python."""
    return fresh_session.hold(implementation.target, backend)


@clause("ENV-1", Level.MUST, "environment", SOURCE)
def test_a_backend_is_selected_before_keras_is_imported(session: Session, backend: str) -> None:
    """A backend can be selected only before Keras is imported; selecting another one afterwards raises an error that says to restart, and is never silently ignored.

    The test starts a new Python whose KERAS_BACKEND names another backend. It then tries the other backends that the
    implementation lists as known (ENV-2) and that are installed.

    If this fails, check that nothing imports Keras before KERAS_BACKEND is set: Keras reads it once.
    """
    expect_equal(session.refused, None, f"the error on selecting {backend} in a new Python")
    expect_equal(session.running, backend, "what Keras runs on after the backend was selected")
    expect_equal(session.again, None, "the error for the same backend once more")
    for name, error in session.others.items():
        said = "restart" in (error or "").lower()
        expect(
            said, f"selecting {name} after {backend}", expected="an error that says to restart", got=error or "no error"
        )
    expect_equal(session.running_at_last, backend, "what Keras runs on afterwards")


@clause("ENV-2", Level.MUST, "environment", SOURCE)
def test_an_unknown_backend_is_refused_with_the_known_ones(session: Session, backend: str) -> None:
    """Selecting an unknown backend raises an error that lists the known backends.

    The list must contain the backend under test, and may contain any others.
    """
    for name, error in session.unknown.items():
        expected = f"an error that names {backend}"
        expect(backend in (error or ""), f"selecting {name!r}", expected=expected, got=error or "no error")


@clause("ENV-3", Level.MUST, "environment", SOURCE)
def test_the_cell_magic_runs_its_cell_on_its_backend_alone(session: Session, backend: str) -> None:
    """The `%%backend NAME` cell magic runs its cell if NAME is the current backend; otherwise it runs nothing and says which backend the cell needs.

    Outside IPython there is no magic, and registering it reports that.

    If this fails, check that the name is compared with the backend in use, and that the cell runs in the user's
    namespace.
    """
    if importlib.util.find_spec("IPython") is None:
        pytest.skip("IPython is not installed")
    expect_equal((session.magic_outside, session.magic), (False, True), "register_magic() outside and inside IPython")
    expect_equal(session.ran, {name: name == backend for name in session.ran}, "which cells were run")
    for name in session.said.keys() - {backend}:
        expect(
            name in session.said[name],
            f"a cell for {name}",
            expected=f"a line that names {name}",
            got=session.said[name],
        )
