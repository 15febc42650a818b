"""The smoke check: whether an adapter can be called at all, before anything is judged.

Each function of a stage is called once with the simplest of inputs. Looked at is whether it takes
the arguments of the contract and gives back the kind of thing that the contract says; whether
that is right is for the clauses to say. A fault is one line: what came, and what to mend.
"""

import inspect
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..adapter.contract import STAGES, Variable
from ..adapter.implementation import Implementation, one_line
from ..cases.archives import Archive, Member
from ..cases.galleries import Gallery, Source
from ..cases.models import SIZE, SMALL, in_batches, tinted
from ..cases.presets import random_arrays, write_preset
from ..cases.trials import CONVNET_SIZE

Answer = Callable[[Any], str]  # what is wrong with what came, nothing if it is of the right kind

FEW = (0, 1, 2)  # indices

HOW = {  # frameworks' arrays, by the module of their type
    "torch": "tensor.detach().cpu().numpy()",
    "jax": "numpy.asarray(array)",
    "jaxlib": "numpy.asarray(array)",
    "tensorflow": "tensor.numpy()",
    "keras": "keras.ops.convert_to_numpy(tensor)",
}


class Fault(Exception):  # noqa: N818 - not an error of this program
    """An adapter's function cannot be used: one line."""


def faults(implementation: Implementation, stage: str) -> list[str]:
    """What is wrong with the functions of a stage; nothing if all can be called."""
    found: list[str] = []
    with tempfile.TemporaryDirectory(prefix="convspec-") as folder:
        for trial in TRIALS[stage](implementation, Path(folder)):
            try:
                trial()
            except Fault as fault:
                found.append(str(fault))
    return found


def call(implementation: Implementation, name: str, answer: Answer, *arguments: Any, **options: Any) -> Any:
    """What a function gives back; Fault if it does not take these arguments, or gives something else."""
    function = getattr(implementation, name)
    with suppress(ValueError):  # one without a signature is simply called
        try:
            inspect.signature(function).bind(*arguments, **options)
        except TypeError as error:
            raise Fault(f"{name}: {error}; it must take {_signature(name)}") from error
    try:
        came = function(*arguments, **options)
    except NotImplementedError as error:
        raise Fault(f"{name} is not filled in yet") from error
    except (Exception, SystemExit) as error:
        raise Fault(f"{name} raised {one_line(error)} for the simplest input: mend that first") from error
    if wrong := answer(came):
        raise Fault(f"{name} {wrong}")
    return came


def an_array(came: Any) -> str:
    """A NumPy array of floating-point numbers."""
    if not isinstance(came, np.ndarray):
        how = HOW.get(type(came).__module__.partition(".")[0])
        return f"gave back {_a(came)}: give back a NumPy array{f', {how}' if how else ''}"
    return "" if came.dtype.kind == "f" else f"gave back an array of {came.dtype}: give back float32"


def several(*answers: Answer) -> Answer:
    """A tuple of so many."""

    def check(came: Any) -> str:
        if not isinstance(came, tuple | list) or len(came) != len(answers):
            return f"gave back {_a(came)}: give back a tuple of {len(answers)}"
        told = (f"{wrong} (item {i} of its tuple)" for i, answer in enumerate(answers) if (wrong := answer(came[i])))
        return next(told, "")

    return check


def anything(came: Any) -> str:  # noqa: ARG001 - a handle is the implementation's own affair
    """Whatever it is."""
    return ""


def a_model(came: Any) -> str:
    """A handle."""
    return "gave back None: give back the model to be used from then on" if came is None else ""


def a_folder(came: Any) -> str:
    """The path of a folder that exists."""
    if not isinstance(came, str | Path):
        return f"gave back {_a(came)}: give back the path of the folder"
    return "" if Path(came).is_dir() else f"gave back {came}, which is not a folder: give back the folder that it made"


def numbers(*names: str) -> Answer:
    """A dict with a number of each name."""

    def check(came: Any) -> str:
        if not isinstance(came, dict) or not set(names) <= came.keys():
            return f"gave back {_a(came)}: give back a dict with {', '.join(names)}"
        bad = [name for name in names if not isinstance(came[name], float | int | np.floating)]
        return f"gave back {_a(came[bad[0]])} for {bad[0]}: give back a float" if bad else ""

    return check


def a_history(came: Any) -> str:
    """A dict of lists with a number an epoch."""
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    if not isinstance(came, dict) or not set(names) <= came.keys():
        return f"gave back {_a(came)} for the history: give back a dict of lists, {', '.join(names)}"
    bad = [name for name in names if not isinstance(came[name], list)]
    return f"gave back {_a(came[bad[0]])} for {bad[0]}: give back a list of floats, one an epoch" if bad else ""


def the_variables(came: Any) -> str:
    """A list of objects with the attributes of a variable."""
    if not isinstance(came, list) or not came:
        return f"gave back {_a(came)}: give back a list of the model's variables"
    lacking = [name for name in Variable.__annotations__ if not hasattr(came[0], name)]
    if lacking:
        return f"gave back variables without {', '.join(lacking)}: give each a {', '.join(Variable.__annotations__)}"
    parts = {variable.part for variable in came} - {"base", "head"}
    return f"gave back the part {min(map(str, parts))!r}: a part is 'base' or 'head'" if parts else ""


def batches(came: Any) -> str:
    """An iterable that gives pairs of arrays."""
    try:
        first = next(iter(came))
    except Exception as error:
        return (
            f"gave back {_a(came)} that cannot be iterated ({one_line(error)}): give back batches of (images, labels)"
        )
    return several(an_array, _labels)(first)


def _labels(came: Any) -> str:
    good = isinstance(came, np.ndarray) and came.dtype.kind in "iu"
    return "" if good else f"gave back labels as {_a(came)}: give back a NumPy array of ints"


def try_environment(implementation: Implementation, folder: Path) -> Iterator[Callable[[], Any]]:  # noqa: ARG001
    """Nothing: its functions change the process, and are tried in one of their own."""
    yield from ()


def try_data(implementation: Implementation, folder: Path) -> Iterator[Callable[[], Any]]:
    """An archive of one file, a subset of one image a class, a gallery of two."""
    use = partial(call, implementation)
    archive = Archive((Member("a.txt", b"a"),)).write(folder / "a.zip")
    yield partial(use, "extract_archive", a_folder, archive, folder / "unpacked")
    source = Source(FEW, FEW).write(folder / "source")  # more than is taken: to be one off is for the clauses
    yield partial(use, "make_subset", a_folder, source, folder / "subsets", "train", 0, 1)
    gallery = Gallery((1, 1)).write(folder / "gallery")
    options = {"image_size": (5, 4), "batch_size": 2, "shuffle": False, "seed": 0}
    yield partial(use, "load_images", batches, gallery, **options)


def try_layers(implementation: Implementation, folder: Path) -> Iterator[Callable[[], Any]]:  # noqa: ARG001
    """Images of 4 × 4 pixels."""
    use = partial(call, implementation)
    images, two = np.ones((1, 4, 4, 2), np.float32), np.ones(2, np.float32)
    kernel, pointwise = np.ones((2, 2, 2, 2), np.float32), np.ones((1, 1, 2, 2), np.float32)
    yield partial(use, "conv2d", an_array, images, kernel, two, strides=1, padding="valid", dilation_rate=1)
    yield partial(use, "separable_conv2d", an_array, images, kernel[..., :1], pointwise, strides=1, padding="same")
    for name in ("max_pooling2d", "average_pooling2d"):
        yield partial(use, name, an_array, images, pool_size=2, strides=None, padding="valid")
    yield partial(use, "global_average_pooling2d", an_array, images)
    yield partial(use, "dense", an_array, images[0, 0], pointwise[0, 0], two)
    three = several(an_array, an_array, an_array)
    yield partial(use, "batch_normalization", three, images, two, two, two, two, training=True, trainable=True)
    yield partial(use, "dropout", an_array, images, 0.5, seed=0, training=True)


def try_augmentation(implementation: Implementation, folder: Path) -> Iterator[Callable[[], Any]]:  # noqa: ARG001
    """Two grey images."""
    use = partial(call, implementation)
    images = np.full((2, 8, 8, 3), 100, np.float32)
    yield partial(use, "random_flip", an_array, images, seed=0, training=True)
    yield partial(use, "random_rotation", an_array, images, factor=0.1, seed=0, training=True)
    yield partial(use, "random_zoom", an_array, images, factor=0.2, seed=0, training=True)
    yield partial(use, "augment", several(an_array, _labels), images, np.zeros(2, np.int32), seed=0, training=True)


def try_transfer(implementation: Implementation, folder: Path) -> Iterator[Callable[[], Any]]:
    """A small Xception from the preset to a loaded checkpoint; what needs a model waits until there is one."""
    use, (images, labels) = partial(call, implementation), tinted(8, seed=0)
    yield partial(use, "preprocess", an_array, images, image_size=SIZE)
    preset = write_preset(folder / "preset", SMALL, random_arrays(SMALL, seed=1)).folder
    yield partial(use, "build_convnet", a_model, image_size=CONVNET_SIZE, dropout=0.5, seed=0)
    made: list[Any] = []
    yield lambda: made.append(use("build_classifier", a_model, preset, image_size=SIZE, seed=0))
    if not made:
        return
    model, path = made[0], folder / "model.keras"
    yield partial(use, "variables", the_variables, model)
    yield partial(use, "predict", an_array, model, images)
    yield partial(use, "extract_features", an_array, model, images)
    yield partial(use, "evaluate", numbers("loss", "accuracy"), model, in_batches(images, labels, 8))
    yield lambda: made.append(use("freeze_base", a_model, model))
    step = several(a_model, numbers("loss", "accuracy"))
    yield lambda: made.append(use("train_step", step, made[-1], images, labels, learning_rate=1e-3)[0])
    yield partial(use, "save", anything, made[-1], path)
    if path.exists():
        yield partial(use, "load", a_model, path)
    options = {"epochs": 1, "learning_rate": 1e-3, "checkpoint": folder / "best.keras", "seed": 0}
    trained = several(a_model, a_history)
    features = in_batches(np.ones((8, SMALL.filters[-1][-1]), np.float32), labels, 8)
    yield lambda: made.append(use("fit_head", trained, made[-1], features, features, **options)[0])
    seen = in_batches(images, labels, 8)
    yield lambda: made.append(use("fit", trained, made[-1], seen, seen, **options, augment=True)[0])
    yield lambda: use("unfreeze_top", a_model, made[-1], layers=4)


TRIALS: dict[str, Callable[[Implementation, Path], Iterator[Callable[[], Any]]]] = {
    "environment": try_environment,
    "data": try_data,
    "layers": try_layers,
    "augmentation": try_augmentation,
    "transfer": try_transfer,
}


def _signature(name: str) -> str:
    """The arguments of a function of the contract, as they are written there."""
    protocol = next(protocol for protocol in STAGES.values() if hasattr(protocol, name))
    signature = inspect.signature(getattr(protocol, name))
    parameters = [p.replace(annotation=p.empty) for p in signature.parameters.values() if p.name != "self"]
    return f"{name}{signature.replace(parameters=parameters, return_annotation=signature.empty)}"


def _a(value: object) -> str:
    kind = type(value)
    return (
        "None" if value is None else f"a {kind.__module__.partition('.')[0]} {kind.__name__}".replace(" builtins", "")
    )
