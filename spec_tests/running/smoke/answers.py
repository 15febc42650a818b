"""Checks of the kinds of values that the contract requires. The clauses decide whether values are right."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...adapter.contract import Variable
from ...adapter.implementation import one_line

Answer = Callable[[Any], str]  # takes a returned value; says what is wrong with its kind, or nothing

HOW = {  # {module of a framework's array type: how to convert it to NumPy}
    "torch": "tensor.detach().cpu().numpy()",
    "jax": "numpy.asarray(array)",
    "jaxlib": "numpy.asarray(array)",
    "tensorflow": "tensor.numpy()",
    "keras": "keras.ops.convert_to_numpy(tensor)",
}


def an_array(came: Any) -> str:
    """Check for a NumPy array of floating-point numbers."""
    if not isinstance(came, np.ndarray):
        how = HOW.get(type(came).__module__.partition(".")[0])
        return f"returned {_a(came)}: return a NumPy array{f', {how}' if how else ''}"
    return "" if came.dtype.kind == "f" else f"returned an array of {came.dtype}: return float32"


def several(*answers: Answer) -> Answer:
    """A check for a tuple with one item for each of ``answers``."""

    def check(came: Any) -> str:
        if not isinstance(came, tuple | list) or len(came) != len(answers):
            return f"returned {_a(came)}: return a tuple of {len(answers)}"
        told = (f"{wrong} (item {i} of its tuple)" for i, answer in enumerate(answers) if (wrong := answer(came[i])))
        return next(told, "")

    return check


def anything(came: Any) -> str:  # noqa: ARG001 - every value is right
    """Accept any value."""
    return ""


def a_model(came: Any) -> str:
    """Check for a handle of a model, which may be anything but None."""
    return "returned None: return the model to use from then on" if came is None else ""


def a_folder(came: Any) -> str:
    """Check for the path of a folder that exists."""
    if not isinstance(came, str | Path):
        return f"returned {_a(came)}: return the path of the folder"
    return "" if Path(came).is_dir() else f"returned {came}, which is not a folder: return the folder that it made"


def numbers(*names: str) -> Answer:
    """A check for a dict with a number for each name."""

    def check(came: Any) -> str:
        if not isinstance(came, dict) or not set(names) <= came.keys():
            return f"returned {_a(came)}: return a dict with {', '.join(names)}"
        bad = [name for name in names if not isinstance(came[name], float | int | np.floating)]
        return f"returned {_a(came[bad[0]])} for {bad[0]}: return a float" if bad else ""

    return check


def a_history(came: Any) -> str:
    """Check for a dict of lists with one number per epoch."""
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    if not isinstance(came, dict) or not set(names) <= came.keys():
        return f"returned {_a(came)} for the history: return a dict of lists, {', '.join(names)}"
    bad = [name for name in names if not isinstance(came[name], list)]
    return f"returned {_a(came[bad[0]])} for {bad[0]}: return a list of floats, one per epoch" if bad else ""


def the_variables(came: Any) -> str:
    """Check for a list of objects with the attributes of a variable."""
    if not isinstance(came, list) or not came:
        return f"returned {_a(came)}: return a list of the model's variables"
    lacking = [name for name in Variable.__annotations__ if not hasattr(came[0], name)]
    if lacking:
        return f"returned variables without {', '.join(lacking)}: give each a {', '.join(Variable.__annotations__)}"
    parts = {variable.part for variable in came} - {"base", "head"}
    return f"returned the part {min(map(str, parts))!r}: a part is 'base' or 'head'" if parts else ""


def batches(came: Any) -> str:
    """Check for an iterable of pairs of arrays."""
    try:
        first = next(iter(came))
    except Exception as error:
        return f"returned {_a(came)} that cannot be iterated ({one_line(error)}): return batches of (images, labels)"
    return several(an_array, labels)(first)


def labels(came: Any) -> str:
    """Check for a NumPy array of ints."""
    good = isinstance(came, np.ndarray) and came.dtype.kind in "iu"
    return "" if good else f"returned labels as {_a(came)}: return a NumPy array of ints"


def _a(value: object) -> str:
    kind = type(value)
    return (
        "None" if value is None else f"a {kind.__module__.partition('.')[0]} {kind.__name__}".replace(" builtins", "")
    )
