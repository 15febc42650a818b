"""The command line: what it makes of words, files and verdicts."""

import json
from pathlib import Path

import pytest

from spec_tests.adapter.stages import STAGES
from spec_tests.cli import main
from spec_tests.reporting.template import template


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("render", "none.json"), "none.json does not exist: name a report made with --json"),
        (("compare", "none.json", "none.json"), "none.json does not exist"),
        (("check", "numpy_port", "--clause", "PAD-44"), "--clause PAD-44: no such clause; did you mean PAD-4"),
        (("check", "numpy_port", "--clause", "PAD", "--stage", "transfer"), "no clause is selected"),
        (("check", "numpy_port", "--expectations", "none.toml"), "none.toml does not exist"),
        (("template", "taken.py"), "taken.py exists already: name another file, or remove it"),
    ],
)
def test_what_a_user_can_put_right_is_one_line(
    words: tuple[str, ...],
    error: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken.py").touch()
    assert main(words) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("checking ")]
    assert len(told) == 1
    assert told[0].startswith("error: ")
    assert error in told[0]


@pytest.mark.parametrize("words", [("check", "--time-limit", "0"), ("check", "--time-limit", "x"), ("chekc",), ()])
def test_wrong_words_are_refused(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: convspec" in capsys.readouterr().err


def test_a_report_is_checked_rendered_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(__file__).parents[2]
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(root)
    forms = [f"--{form}=out/report.{form}" for form in ("json", "html", "junit", "markdown", "badge")]
    assert main(("check", "numpy_port", "--profile=quick", *forms, "--clause", "GAP")) == 0
    assert "NumPy: all 1 clauses hold" in capsys.readouterr().out
    assert sorted(file.suffix for file in Path("out").iterdir()) == [".badge", ".html", ".json", ".junit", ".markdown"]
    content = json.loads(Path("out/report.json").read_text(encoding="utf-8"))
    content["implementations"][0]["column"] = content["results"][0]["implementation"] = "another"
    Path("another.json").write_text(json.dumps(content), encoding="utf-8")
    assert main(("render", "out/report.json", "another.json", "--json=both.json")) == 0
    both = json.loads(Path("both.json").read_text(encoding="utf-8"))
    assert [one["column"] for one in both["implementations"]] == ["numpy_port", "another"]
    assert main(("compare", "both.json", "both.json")) == 0
    assert main(("compare", "both.json", "out/report.json")) == 1  # one of them is gone


def test_vectors_are_copied_with_what_they_refer_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("vectors", str(tmp_path / "new"))) == 0
    assert (tmp_path / "new" / "vectors" / "schema.json").is_file()
    assert (tmp_path / "new" / "xception_drawn" / "model.safetensors").is_file()
    assert main(("vectors", str(tmp_path / "new"))) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_template_is_python_with_every_function() -> None:
    for stage in STAGES:
        source = template((stage,))
        compile(source, stage, "exec")
        assert source.count("raise NotImplementedError") == source.count("\ndef ")
        assert "self" not in source
