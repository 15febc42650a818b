"""What is excused and what tolerance is made wider: read with care, and told of."""

from pathlib import Path

import pytest

from spec_tests.adapter.expectations import (
    Expectations,
    WrongExpectations,
    check_names,
    check_tolerances,
    declared,
    read,
)

GOOD = """
[excused]
PAD-4 = "symmetric until version 2"

[tolerances]
BASE-3 = { factor = 20, reason = "bfloat16" }
"""


def test_a_file_says_what_is_expected(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text(GOOD, encoding="utf-8")
    found = read(file)
    assert found == Expectations({"PAD-4": "symmetric until version 2"}, {"BASE-3": (20.0, "bfloat16")})
    assert (found.factor("BASE-3"), found.factor("PAD-4")) == (20.0, 1.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[excused", "is not TOML"),
        ("\xff", "is not TOML"),
        ("[excuses]", "unknown table excuses; the tables are excused and tolerances"),
        ('[excused]\nPAD-4 = ""', "no reason for PAD-4"),
        ("[excused]\nPAD-4 = 7", "no reason for PAD-4"),
        ("excused = 3", "must be dicts"),
        ("[tolerances]\nBASE-3 = 20", "a tolerance is written BASE-3 = { factor = 20"),
        ('[tolerances]\nBASE-3 = { factor = 0.5, reason = "a" }', "BASE-3 needs a factor of at least 1 and a reason"),
        ("[tolerances]\nBASE-3 = { factor = 2 }", "BASE-3 needs a factor of at least 1 and a reason"),
        ('[tolerances]\nBASE-3 = { factor = inf, reason = "a" }', "BASE-3 needs a factor"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_a_line(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "known.toml"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(WrongExpectations) as caught:
        read(file)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongExpectations, match=r"none\.toml does not exist"):
        read(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "tolerances", [{"BASE-3": 20}, {"BASE-3": (20,)}, {"BASE-3": (True, "a")}, {"BASE-3": (2, " ")}]
)
def test_tolerances_of_an_adapter_are_pairs(tolerances: object) -> None:
    with pytest.raises(WrongExpectations, match="TOLERANCES of adapter: BASE-3 needs"):
        declared({}, tolerances, "adapter")


def test_the_later_counts() -> None:
    first, second = Expectations({"A-1": "a", "A-2": "b"}), Expectations({"A-2": "c"}, {"A-3": (2, "d")})
    assert first | second == Expectations({"A-1": "a", "A-2": "c"}, {"A-3": (2, "d")})


def test_names_and_levels_are_checked() -> None:
    with pytest.raises(WrongExpectations, match="file: no such clause"):
        check_names(Expectations({"A-1": "a"}), "file", lambda names: "no such clause" if "A-1" in names else "")
    with pytest.raises(
        WrongExpectations, match="ROT-1 is decided by a statistical test and has no tolerance; excuse it"
    ):
        check_tolerances(Expectations({}, {"ROT-1": (2, "a")}), "file", {"ROT-1"})
