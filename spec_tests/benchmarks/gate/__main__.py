"""``python -m spec_tests.benchmarks.gate --base REVISION``: the command, which says at once that it has begun."""

import sys
import time
from collections.abc import Sequence

BEGUN = time.monotonic()  # what is imported counts towards the time that is allowed


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command; the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if not {"-h", "--help"} & {*words}:
        print("paired gate: starting", file=sys.stderr, flush=True)
    from .command import main as command  # with NumPy, SciPy and Keras's relatives: seconds on a busy machine

    return command(words, begun=BEGUN)


if __name__ == "__main__":
    sys.exit(main())
