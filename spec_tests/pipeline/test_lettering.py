"""Letters of names in pictures."""

import warnings
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from reference.lettering import PLAIN, families, legible
from reference.presets import EMBEDDED_PRESET
from spec_tests.damage.bytes import picture
from spec_tests.pipeline.conftest import BACKEND
from spec_tests.pipeline.outcomes import told

pytestmark = pytest.mark.any_backend

NOWHERE = "\U0001f9ff\U0010fffd"  # the second is in private use: no font has it


def drawn(text: str, folder: Path) -> None:
    """Draw the text with the fonts chosen for it."""
    with mpl.rc_context({"font.family": families([text])}):
        figure = Figure()
        figure.text(0, 0, legible(text, mpl.rcParams["font.family"]))
        figure.savefig(folder / "text.png")


def test_names_that_the_plain_font_has_need_no_other() -> None:
    assert families(["cat", "Köter", "кот"]) == [PLAIN]
    assert legible("Köter\nкот", [PLAIN]) == "Köter\nкот"


@pytest.mark.parametrize("text", ["고양이", "猫と犬", "cat 고양이", NOWHERE])
def test_no_letter_is_missing_in_a_picture(text: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns about each missing glyph
        drawn(text, tmp_path)


def test_a_letter_that_no_font_has_is_written_as_its_code() -> None:
    assert legible(f"a{NOWHERE[1]}b", families([NOWHERE])) == r"a\U0010fffdb"
    assert legible("고양이", [PLAIN]) == r"\uace0\uc591\uc774"


def test_classes_in_korean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("강아지", "고양이"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(5):
            (tmp_path / "data" / name / f"사진 {number}.jpg").write_bytes(picture("jpg", number))
    command = [
        "--data",
        str(tmp_path / "data"),
        "--base",
        str(EMBEDDED_PRESET),
        "--backend",
        BACKEND,
        "--stages",
        "data",
    ]
    places = ["--scale", "0.002", "--output", str(tmp_path / "run"), "--cache", str(tmp_path / "cache")]
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*[Gg]lyph.*")
        assert told([*command, *places], capsys) == ""
    assert (tmp_path / "run" / "pictures" / "samples.png").is_file()
