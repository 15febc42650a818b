"""The forms of a report, by name; the module that makes one is imported when the form is requested."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .record import Report


@dataclass(frozen=True)
class Form:
    """A file format of reports, and the function that makes its text."""

    help: str
    module: str  # beside this one; imported on request, since the page needs matplotlib
    function: str

    def make(self, report: "Report") -> str:
        """The text of the file."""
        function: Callable[[Report], str] = getattr(
            importlib.import_module(f".{self.module}", __package__), self.function
        )
        return function(report)


FORMS = {
    "json": Form("write the report as JSON, for convspec render and compare", "record", "json_text"),
    "html": Form("write one page with the matrix, every failure and pictures", "page", "page"),
    "junit": Form("write JUnit XML", "junit", "junit"),
    "markdown": Form("write Markdown for the summary of a CI job", "markdown", "markdown"),
    "annotations": Form("write workflow commands of GitHub, one annotation per failure", "annotations", "annotations"),
    "badge": Form("write JSON for a badge of shields.io", "badge", "badge_text"),
}
