"""The kill matrix as a picture, drawn from the rows that reports use to name faults: mutants down, clauses across.

``python -m spec_tests.proof.kills_figure FILE`` writes it.
"""

import argparse
from itertools import groupby
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..clauses.catalogue import all_clauses
from ..reporting.naming.rows import Row, rows

NOT_ASKED, HELD, ALSO, MUST = range(4)
WORDS = {
    MUST: "fails, and must in each run",
    ALSO: "fails too",
    HELD: "holds",
    NOT_ASKED: "not asked: the fault cannot reach it",
}
COLOURS = ["#ffffff", "#e3e9ec", colormaps["tab20"](1), "#0b4f9e"]


def figure(of: list[Row]) -> Figure:
    """The figure of all mutants, ordered by the families of the clauses that must catch them."""
    clauses = [clause.id for clause in all_clauses()]
    of = sorted(of, key=lambda row: min(map(clauses.index, row.must), default=len(clauses)))
    drawn = Figure((9.5, 11), layout="constrained", dpi=110)
    axes = drawn.add_subplot()
    cells = np.array([[cell(row, clause) for clause in clauses] for row in of])
    axes.imshow(cells, cmap=ListedColormap(COLOURS), vmin=0, vmax=3, aspect="auto", interpolation="nearest")
    families = [(name, len(list(group))) for name, group in groupby(clauses, key=lambda one: one.partition("-")[0])]
    ends = np.cumsum([count for _, count in families])
    axes.set_xticks(
        ends - np.array([count for _, count in families]) / 2 - 0.5,
        [name if count > 1 else "" for name, count in families],
    )  # narrower families' labels would overlap
    axes.tick_params(axis="x", labelrotation=90, labelsize=8, top=True, labeltop=True, bottom=False, labelbottom=False)
    for end in ends[:-1]:
        axes.axvline(end - 0.5, color="#b6c2c8", linewidth=0.4)
    axes.set_ylabel(f"{len(of)} mutants, in the order of the clauses that must catch them")
    axes.set_xlabel(f"{len(clauses)} clauses, by family")
    handles = [Patch(facecolor=COLOURS[kind], edgecolor="#8a979e", label=words) for kind, words in WORDS.items()]
    drawn.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=9, frameon=False)
    return drawn


def cell(row: Row, clause: str) -> int:
    """The code of a clause's outcome with a mutant."""
    if clause in row.must:
        return MUST
    if clause in row.failed:
        return ALSO
    return HELD if clause in row.held else NOT_ASKED


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description="Draw the kill matrix.")
    parser.add_argument("file", type=Path, metavar="FILE", help="the PNG file to write")
    figure(list(rows())).savefig(parser.parse_args().file)
