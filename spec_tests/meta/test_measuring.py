"""The commands that measure epochs and memory: what a user can put right is told in a line."""

from pathlib import Path

import pytest

from spec_tests.benchmarks import epochs, streaming


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--backend", "none"], "unknown backend 'none': choose one of"),
        ([], "train cannot be read"),
        (["--features", "none.keras"], "train cannot be read"),
    ],
)
def test_epochs_that_cannot_be_measured_are_told_in_a_line(
    words: list[str], error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert epochs.main([str(tmp_path / "empty"), *words]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ")
    assert error in line


@pytest.mark.parametrize(
    "words", [["--turns", "0"], ["--turns", "2", "--features", "base.keras"], ["--json", "."], ["--preset", "x"]]
)
def test_wrong_words_for_epochs_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        epochs.main(["folder", *words])
    assert caught.value.code == 2
    assert "usage: " in capsys.readouterr().err


def test_an_implementation_that_cannot_be_measured_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(streaming, "IMAGES", 2)
    assert streaming.main(["--implementation", "none_such"]) == 2
    out, err = capfd.readouterr()
    assert not out
    (line,) = err.splitlines()
    assert line.startswith("error: none_such cannot be imported")
