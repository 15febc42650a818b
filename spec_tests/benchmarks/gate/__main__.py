"""The command ``python -m spec_tests.benchmarks.gate --base REVISION``, which reports at once that it has begun."""

import sys
import time
from collections.abc import Sequence

BEGUN = time.monotonic()  # imports count towards the allowed time


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command; returns the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if not {"-h", "--help"} & {*words}:
        print("paired gate: starting", file=sys.stderr, flush=True)
    # imports NumPy, SciPy and Keras's dependencies, which takes seconds on a busy machine
    from .command import main as command

    return command(words, begun=BEGUN)


if __name__ == "__main__":
    sys.exit(main())
