"""Write the pages of all clauses, as the site holds them, or the drawings and results that are committed."""

import argparse
import sys
from pathlib import Path

from ..support.texts import Told

COMMAND = "python -m spec_tests.explaining"


def parser() -> argparse.ArgumentParser:
    """Its options."""
    made = argparse.ArgumentParser(prog=COMMAND, description="Write the pages of all clauses.")
    made.add_argument("folder", nargs="?", type=Path, default=Path("docs/clauses"), help="default: docs/clauses")
    instead = made.add_mutually_exclusive_group()
    instead.add_argument(
        "--drawings", action="store_true", help="write docs/drawings in their place, which needs matplotlib"
    )
    instead.add_argument(
        "--results",
        nargs="+",
        type=Path,
        metavar="REPORT",
        help="keep the outcomes of these reports (JSON) in docs/results instead, for the first page of the site",
    )
    return made


def main() -> int:
    """Write what is asked for."""
    options = parser().parse_args()
    if options.drawings:
        from .drawings import write as write_drawings

        write_drawings()
    elif options.results:
        from ..reporting.record import read_report
        from .results import FOLDER, keep

        try:
            reports = {file.name: read_report(file) for file in options.results}
        except Told as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        for name, report in reports.items():
            keep(report, FOLDER / name)
    else:
        from .site import write

        write(options.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
