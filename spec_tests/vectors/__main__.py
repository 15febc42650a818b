"""Write the vectors, or report whether they are up to date: ``python -m spec_tests.vectors [--check]``."""

import argparse
import sys

from . import make
from .files import FOLDER, stale, write

COMMAND = "python -m spec_tests.vectors"


def main() -> int:
    """Write the vectors; with ``--check`` print what is out of date and return 1 if anything is."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Make fixtures/vectors of the oracles.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if the vectors are out of date"
    )
    check, topics = parser.parse_args().check, make()
    if not check:
        write(topics)
    found = stale(topics)
    print("\n".join(found or [f"{FOLDER.name}: {sum(len(topic.cases) for topic in topics)} cases are up to date"]))
    if found and check:
        print(f"the vectors are out of date: run `{COMMAND}`")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
