"""A template of an adapter: the functions of the contract, to be filled in."""

import re
from collections.abc import Sequence
from pathlib import Path

from ..adapter.contract import PROTOCOLS, Variable
from ..adapter.stages import STAGES, names_stage, whole
from ..support.files import write_text
from ..support.texts import Told
from .document import members

HEAD = '''"""This adapter connects my implementation to convspec.

Functions take and return only NumPy arrays, numbers and paths. Images are float32 (n, height, width, channels) in
[0, 255] unless stated otherwise, kernels are (height, width, in, out), labels int (n,) in {{0, 1}}. Fill in the
functions that you have (one is enough to start), delete the others, and run

    convspec check {module}

If your library refuses a case, raise convspec.Unsupported("why"): the example is skipped.
"""
{imports}
NAME = "my implementation"
VERSION = "0.1"
NOT_OFFERED: dict[str, str] = {{}}  # {{"dropout": "inference only"}}
EXCUSED: dict[str, str] = {{}}  # {{"PAD-4": "why it does not hold, and until when"}}
TOLERANCES: dict[str, tuple[float, str]] = {{}}  # {{"BASE-3": (20, "inference in bfloat16")}}

Array = NDArray[np.float32]
Labels = NDArray[np.integer[Any]]
Size = int | tuple[int, int]
Padding = Literal["valid", "same"]
'''
IMPORTS = """
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
"""
TRANSFER = '''
Model = Any  # a handle: any object; only your own functions open it
Batches = Iterable[tuple[Array, Labels]]  # can be iterated repeatedly; each pass is an epoch
History = dict[str, list[float]]  # loss, accuracy, val_loss, val_accuracy: one value an epoch


@dataclass
class Variable:
    """One array of a model."""

{variable}
'''
DATA = "\nBatches = Iterable[tuple[Array, Labels]]  # can be iterated repeatedly; each pass is an epoch\n"
END_OF_DOCSTRING = re.compile(r'^( {4}""".*"""|.*""")$', re.MULTILINE)


class Occupied(Told):
    """The file exists already."""


def template(stages: Sequence[str], module: str = "my_adapter") -> str:
    """The adapter's source, with the functions of these stages."""
    asked = [stage for stage in STAGES if names_stage(stages, stage)]
    written = [HEAD.format(module=module, imports=IMPORTS)]
    if any(whole(stage) == "transfer" for stage in asked):
        written.append(TRANSFER.format(variable="\n".join(f"    {line}" for line in members(Variable).splitlines())))
    elif "data" in asked:
        written.append(DATA)
    for stage in asked:
        bodies = END_OF_DOCSTRING.sub(r"\1\n    raise NotImplementedError", members(PROTOCOLS[stage]))
        spaced = bodies.replace("\n\n", "\n\n\n")
        written.append(f"\n\n# Stage {stage}\n\n\n{spaced}\n")
    return "".join(written)


def write_template(file: Path | None, stages: Sequence[str]) -> None:
    """Print the template, or write it to a file that does not exist yet."""
    if file is None:
        print(template(stages), end="")
        return
    if file.exists():
        raise Occupied(f"{file} exists already: name another file, or remove it")
    write_text(file, template(stages, file.stem))
