"""The versions that are checked are those that the project names."""

import re
import tomllib
from pathlib import Path

import spec_tests

ROOT = Path(spec_tests.__file__).parents[1]
CHECKED = ("reference", "jax")  # the extras of ``tox -e lowest``


def test_the_lowest_versions_that_are_checked_are_the_lowest_that_are_allowed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [requirement for extra in CHECKED for requirement in project["optional-dependencies"][extra]]
    allowed = {tuple(re.split(">=|,", requirement)[:2]) for requirement in [*project["dependencies"], *extras]}
    lines = (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8").splitlines()
    checked = {tuple(line.split("==")) for line in lines if not line.startswith("#")}
    assert checked == allowed
