"""The command ``convspec explain``."""

import sys
from collections.abc import Sequence

from ..clauses.catalogue import all_clauses, selected, unknown
from ..support.texts import Told


def run(names: Sequence[str]) -> int:
    """Print the pages of clauses and families, in colours on a terminal; raises Told for an unknown name."""
    if said := unknown(names, all_clauses()):
        raise Told(said)

    from .explanation import explain  # computes with NumPy, which a mistyped name need not wait for
    from .terminal import show, text

    explained = [explain(clause) for clause in all_clauses() if selected(clause, names, ())]
    if sys.stdout.isatty():
        show(explained)
    else:
        print(text(explained), end="")
    return 0
