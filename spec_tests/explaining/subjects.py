"""The code that a clause is about: functions of the contract, their signatures, and lines of the reference."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .. import FIXTURES
from ..adapter.contract import PROTOCOLS, functions
from ..adapter.stages import PIPELINE
from ..clauses.clause import Clause
from ..reporting.document import members

REFERENCE = FIXTURES.parent / "reference"
CLAUSES = Path(inspect.getfile(Clause)).parent
POOLINGS = ("max_pooling2d", "average_pooling2d")
CLASSIFIER = ("build_classifier", "variables")
FUNCTIONS = {  # of a family, or of one clause
    "ENV": ("select_backend",),
    "ENV-3": ("register_magic",),
    "GET": ("extract_archive",),
    "SUB": ("make_subset",),
    "SUB-6": ("SPLIT",),
    "LOAD": ("load_images",),
    "DENSE": ("dense",),
    "CONV": ("conv2d",),
    "SEP": ("separable_conv2d",),
    "PAD": ("conv2d",),
    "PAD-6": ("conv2d", "separable_conv2d"),
    "PAD-7": ("conv2d", "separable_conv2d"),
    "STRIDE": ("conv2d",),
    "STRIDE-1": ("conv2d", "separable_conv2d"),
    "STRIDE-2": ("conv2d", "separable_conv2d"),
    "POOL": POOLINGS,
    "POOL-3": ("max_pooling2d",),
    "POOL-4": ("average_pooling2d",),
    "POOL-6": (*POOLINGS, "conv2d"),
    "POOL-7": ("max_pooling2d",),
    "GAP": ("global_average_pooling2d",),
    "NORM": ("batch_normalization",),
    "DROP": ("dropout",),
    "PURE-1": ("conv2d", "dense", "batch_normalization", "dropout"),
    "PURE-2": ("augment",),
    "PURE-3": ("predict", "train_step", "variables"),
    "AUG": ("augment",),
    "AUG-8": ("fit", "evaluate", "predict", "load"),
    "AUG-12": ("fit", "augment"),
    "FLIP": ("random_flip",),
    "ROT": ("random_rotation",),
    "ZOOM": ("random_zoom",),
    "BASE": CLASSIFIER,
    "BASE-2": ("build_classifier", "extract_features"),
    "BASE-3": ("build_classifier", "extract_features"),
    "PRE": ("preprocess",),
    "HEAD": ("build_classifier", "predict"),
    "HEAD-1": CLASSIFIER,
    "FEAT": ("extract_features",),
    "FEAT-1": ("extract_features", "fit_head", "predict"),
    "NET": ("build_convnet", "predict"),
    "FRZ": ("freeze_base", "variables"),
    "FRZ-1": ("freeze_base", "unfreeze_top", "variables"),
    "FRZ-2": ("freeze_base", "train_step", "variables"),
    "FRZ-3": ("freeze_base", "train_step"),
    "TRAIN": ("fit",),
    "TRAIN-1": ("evaluate",),
    "TRAIN-2": ("train_step", "variables"),
    "TRAIN-3": ("train_step", "predict"),
    "TRAIN-4": ("fit", "load", "evaluate"),
    "TRAIN-5": ("save", "load", "predict"),
    "TRAIN-10": ("train_step", "fit", "predict", "load"),
    "TRAIN-11": ("fit_head", "extract_features"),
    "TRAIN-12": ("fit_head",),
    "TRAIN-13": ("build_convnet", "fit"),
    "TRAIN-14": ("fit", "load", "evaluate"),
    "TRAIN-16": ("fit", "save", "load", "evaluate"),
    "TRAIN-17": ("fit_head",),
    "TUNE": ("unfreeze_top", "fit"),
    "TUNE-1": ("unfreeze_top", "variables"),
    "TUNE-6": ("unfreeze_top", "freeze_base", "fit"),
    "TUNE-8": ("unfreeze_top", "predict", "extract_features", "load"),
    "ACC": ("fit", "evaluate"),
    "ACC-1": ("fit_head", "evaluate"),
    "ACC-5": ("fit_head", "evaluate"),
    "ACC-6": ("predict",),
    "ACC-7": ("fit_head", "fit"),
}


@dataclass(frozen=True)
class Lines:
    """Lines of a file in the checkout, numbered from 1."""

    file: str
    first: int
    last: int
    text: str

    @property
    def place(self) -> str:
        """The printed form: reference/layers.py, lines 28 to 40."""
        return f"{self.file}, " + (
            f"lines {self.first} to {self.last}" if self.last > self.first else f"line {self.first}"
        )


def functions_of(clause: Clause) -> tuple[str, ...]:
    """The functions of the contract that a clause calls; empty for a clause that only a pipeline can answer."""
    return () if PIPELINE in clause.tied else FUNCTIONS.get(clause.id, FUNCTIONS.get(clause.family, ()))


def signature(function: str) -> str:
    """The signature and the description of a function in the contract; raises StopIteration for an unknown function."""
    return _signatures(next(stage for stage in PROTOCOLS if function in functions(stage)))[function]


def in_reference(function: str) -> Lines:
    """The lines that define the function in the reference."""
    module = next(name for name, names in _modules().items() if function in names)
    return next(_lines(REFERENCE / f"{module}.py", "reference", function))


def statement_of(clause: Clause) -> Lines:
    """The test that states the clause, from its decorator on."""
    file = CLAUSES / f"{clause.module.rpartition('.')[2]}.py"
    return next(_lines(file, "spec_tests/clauses", clause.test))


@cache
def _signatures(stage: str) -> dict[str, str]:
    """{function of the contract: its signature} of a stage, cached since finding a protocol's source is slow."""
    source = members(PROTOCOLS[stage])
    lines = source.splitlines()
    return {_name(node): "\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in ast.parse(source).body}


@cache
def _modules() -> dict[str, tuple[str, ...]]:
    """{module of the reference: the functions that it offers}, read from the source since imports are slow."""
    for node in ast.parse((REFERENCE / "__init__.py").read_text(encoding="utf-8")).body:
        if _name(node) == "CONTRACT" and isinstance(node, ast.Assign):
            found: dict[str, tuple[str, ...]] = ast.literal_eval(node.value)
            return found
    raise ValueError("reference/__init__.py has no CONTRACT")


def _lines(file: Path, folder: str, name: str) -> Iterator[Lines]:
    source, statements = _read(file)
    for node in statements:
        if _name(node) == name:
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
            last = node.end_lineno or first
            yield Lines(f"{folder}/{file.name}", first, last, "\n".join(source.splitlines()[first - 1 : last]))


@cache
def _read(file: Path) -> tuple[str, list[ast.stmt]]:
    source = file.read_text(encoding="utf-8")
    return source, ast.parse(source).body


def _name(node: ast.stmt) -> str:
    """The name that a statement defines, if it is a function or a single name; otherwise empty."""
    if isinstance(node, ast.FunctionDef):
        return node.name
    target = (
        node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AnnAssign) else None
    )
    return target.id if isinstance(target, ast.Name) else ""
