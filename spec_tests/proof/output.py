"""The files that the kill matrix is written to."""

import json
from pathlib import Path

from .. import __version__
from ..reporting.record import Outcome
from ..support.files import write_text
from . import alarms, curves
from .mutants import Death, Matrix
from .page import page

FORMAT, VERSION = "convspec kill matrix", 1


def write_json(matrix: Matrix, whole: bool, file: Path) -> None:
    """Write the results of each mutant with each clause, for other programs."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "specification": __version__,
        "seed": matrix.seed,
        "profile": matrix.profile,
        "seconds": round(matrix.seconds, 1),
        "mutants": [_mutant(death) for death in matrix.deaths],
        "needed": matrix.needed,
        "unneeded": matrix.unneeded,
        "faults": matrix.faults(whole),
    }
    write_text(file, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def write_html(matrix: Matrix, whole: bool, file: Path) -> None:
    """Write the page of the proof, with the recorded false alarms and operating curves."""
    write_text(file, page(matrix, alarms.read(), curves.read(), whole))


def _mutant(death: Death) -> dict[str, object]:
    mutant = death.mutant
    return {
        **{
            name: getattr(mutant, name)
            for name in ("name", "group", "of", "backend", "fault", "seen", "caught_by", "diff")
        },
        "fate": death.fate,
        "caught": death.killers,
        "caught_beside": death.others,
        "missed": death.missed,
        "raised": sorted(death.raised),
        "held": [result.clause.id for result in death.results if result.outcome is Outcome.PASSED],
        "said": death.words,
        "seconds_to_first_failure": death.seconds and round(death.seconds, 2),
    }
