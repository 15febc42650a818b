"""How the documentation becomes a site: ``sphinx-build -W --keep-going -b html docs SITE``."""

import os
import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))

from spec_tests import __version__  # noqa: E402 - it lies beside this folder
from spec_tests.explaining.site import write  # noqa: E402

PAGES = {  # files elsewhere that are pages of the site
    ROOT / "SPEC.md": "spec.md",
    ROOT / "CHANGELOG.md": "changelog.md",
    ROOT / "fixtures" / "vectors" / "README.md": "vectors.md",
}
LINK = re.compile(r"(?<=\]\()(?!\w+:)([^()#\s]+)")  # the path in [words](path#anchor)

project = "convspec"
release = version = __version__
html_title = f"convspec {__version__}"
html_theme = "furo"
html_copy_source = html_show_copyright = False
html_static_path, html_css_files = ["_static"], ["site.css"]
extensions = ["myst_parser"]
exclude_patterns = ["clauses/_*.md"]  # parts of the first page
myst_enable_extensions = ["attrs_block"]
myst_heading_anchors = 4  # levels of headings that can be linked to, named as on GitHub


def setup(app: Sphinx) -> None:
    """Write the pages of the clauses, and fix the links of all pages and of the files that they include."""
    app.connect("builder-inited", lambda _app: write(DOCS / "clauses"))
    app.connect("source-read", lambda _app, _page, source: _fix_links(source, DOCS))
    app.connect("include-read", lambda _app, file, _page, source: _fix_links(source, (DOCS / file).parent))


def _fix_links(source: list[str], folder: Path) -> None:
    """Links are written for a reader of the checkout: here they lead to the page, if the file is one."""

    def fixed(link: re.Match[str]) -> str:
        file = Path(os.path.normpath(folder / link[1]))
        return PAGES.get(file) or (os.path.relpath(file, DOCS) if file.exists() else link[1])

    source[0] = LINK.sub(fixed, source[0])
