"""Write the pages of all clauses for the site, or the drawings that are committed."""

import argparse
import sys
from pathlib import Path

COMMAND = "python -m spec_tests.explaining"


def parser() -> argparse.ArgumentParser:
    """The parser of the command's options."""
    made = argparse.ArgumentParser(prog=COMMAND, description="Write the pages of all clauses.")
    made.add_argument("folder", nargs="?", type=Path, default=Path("docs/clauses"), help="default: docs/clauses")
    made.add_argument(
        "--drawings", action="store_true", help="write docs/drawings in their place, which needs matplotlib"
    )
    return made


def main() -> int:
    """Write the pages or the drawings, as the options ask."""
    options = parser().parse_args()
    if options.drawings:
        from .drawings import write as write_drawings

        write_drawings()
    else:
        from .site import write

        write(options.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
