"""The preprocessing of pixels before the base, measured with images of one colour, and the one of pretraining.

A constant image is a fixed point of flips, crops and rotations (AUG-6). The transformations between the file and
the base therefore show as one line for each channel: value = scale × pixel + offset.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..judging.checks import NotClaimed, Undecided
from . import datasets
from .pipeline import Expects, Pipeline
from .probe import Array, Line, Prepared

COLOURS = np.array([(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (64, 128, 192), (200, 30, 90)])
CLASSES = ("cat", "dog")  # of the folders that are written
SIZE = (256, 256)
STRAIGHT = 1e-3  # of the range: values further from a line come from something else

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIGNED = Expects((1 / 127.5,) * 3, (-1,) * 3)
RAW = Expects((1.0,) * 3, (0.0,) * 3)
CAFFE = Expects((1.0,) * 3, (-103.939, -116.779, -123.68), "bgr")
OF_KERAS = (  # {names of keras.applications' models: the output of their preprocess_input}
    (r"vgg1[69]|resnet(50|101|152)", CAFFE),
    (r"resnet(50|101|152)v2|inception_v3|inception_resnet_v2|xception|nasnet\w*|mobilenet(v2)?_[\d.]+_\d+", SIGNED),
    (r"densenet(121|169|201)", Expects.normalized(IMAGENET_MEAN, IMAGENET_STD)),
    (r"efficientnet(b\d|v2-\w+)|convnext_\w+|mobilenetv3(small|large)", RAW),  # these models scale pixels themselves
)


def prepared(made: Pipeline, reaching: Callable[[Any], Array], is_pretrained: Callable[[], bool]) -> Prepared:
    """The preprocessing before the base in validation and in training. ``reaching`` gives the base's input for a batch.

    A library's description of its weights counts only for a base that is frozen and has these weights.
    """
    expects = made.expects or expected_of(made)
    if made.expects is None and not is_pretrained():
        raise NotClaimed("the base has fresh weights: give expects= if it was pretrained anyway")
    with painted_by(made, coloured) as (train, validation):
        line = fitted(_batches(validation), reaching)
        if line is None:
            raise Undecided("the preprocessing of validation is not linear, so it cannot be compared")
        return Prepared(line, fitted(_batches(train), reaching), expects)


def _batches(loader: Any) -> Any:
    """Twice as many images as there are colours.

    They come from the data set itself, so that shuffling does not matter.
    """
    dataset: Any = getattr(loader, "dataset", None)
    collate = getattr(loader, "collate_fn", None)
    if not hasattr(dataset, "__getitem__"):
        return loader
    images = [dataset[i] for i in range(min(len(dataset), 2 * len(COLOURS)))]
    return [collate(images)] if collate else [(np.stack([np.asarray(image) for image, _ in images]), None)]


def expected_of(made: Pipeline) -> Expects:
    """The preprocessing that the base was pretrained with, from its library; raises NotClaimed if it is unknown."""
    for base in (made.base, made.model):
        if isinstance(config := getattr(base, "pretrained_cfg", None), dict) and "mean" in config:
            return Expects.normalized(config["mean"], config["std"], "timm's pretrained_cfg")
        module = type(base).__module__
        if module.startswith("torchvision.models"):
            return Expects.normalized(IMAGENET_MEAN, IMAGENET_STD, "torchvision's weights")
        if module.startswith("keras."):
            for names, expects in OF_KERAS:
                if re.fullmatch(names, base.name, re.IGNORECASE) and (expects != RAW or _scales(base)):
                    return replace(expects, source="keras.applications")
    raise NotClaimed("give expects=, what the base was pretrained with: Expects.normalized(mean, std)")


def _scales(base: Any) -> bool:
    """Whether a Keras base scales its pixels. ``include_preprocessing=False`` leaves this out."""
    return any(type(layer).__name__ in ("Rescaling", "Normalization") for layer in base.layers)


def coloured(path: Path) -> Image.Image:
    """An image of one colour, chosen by the number in the file's name."""
    return plain(COLOURS[int(path.suffixes[0][1:]) % len(COLOURS)])


@contextmanager
def painted_by(made: Pipeline, paint: Callable[[Path], Image.Image]) -> Iterator[tuple[Any, Any]]:
    """The author's batches of training and of validation when ``paint`` makes each file, ``class/class.7.png``."""
    if made.load is not None:
        folder = Path(tempfile.mkdtemp(prefix="convspec-"))
        try:
            write_painted(folder, paint)
            yield made.load(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    folders = [datasets.folder_of(getattr(made, name)) for name in ("train", "validation")]
    if not all(folders):
        raise NotClaimed("give load=, which makes the batches of training and validation from another folder")
    with _painting(folders, paint):
        yield made.train, made.validation


def write_painted(folder: Path, paint: Callable[[Path], Image.Image]) -> None:
    """Write as many images of each class as there are colours, into the folder names that most loaders read."""
    for place in ("train", "validation", "val", "test"):
        for name in CLASSES:
            (folder / place / name).mkdir(parents=True)
            for number in range(len(COLOURS)):
                file = folder / place / name / f"{name}.{number}.png"
                paint(file).save(file)


def plain(colour: Iterable[int]) -> Image.Image:
    """An image of one colour."""
    return Image.new("RGB", SIZE, tuple(int(value) for value in colour))


@contextmanager
def _painting(folders: list[Any], paint: Callable[[Path], Image.Image]) -> Iterator[None]:
    """Have each file read as a painted image that is numbered by the file's place."""
    unique = list({id(folder): folder for folder in folders}.values())
    loaders = [folder.loader for folder in unique]
    for folder in unique:
        files = {path: _numbered(path, number) for number, (path, *_) in enumerate(folder.samples)}
        folder.loader = lambda path, files=files: paint(files[path])
    try:
        yield
    finally:
        for folder, loader in zip(unique, loaders, strict=True):
            folder.loader = loader


def _numbered(path: str, number: int) -> Path:
    return Path(path).parent / f"{Path(path).parent.name}.{number}.png"


def fitted(batches: Any, reaching: Callable[[Any], Array]) -> Line | None:
    """The line through the values of all colours; None if there is none.

    A colour is recognised after the author's transformations: every image is constant, so its values in three channels
    are one of as many triples as there are colours, and these are compared in the order of their brightness.
    """
    values = np.concatenate([_centres(reaching(batch[0])) for batch in batches])
    if values.ndim != 2 or values.shape[1] != 3 or not np.isfinite(values).all():
        return None
    triples = np.unique(np.round(values, 5), axis=0)
    for order in ("rgb", "bgr"):
        if (line := _line(triples, order)) is not None:
            return line
    return None


def _centres(images: Array) -> Array:
    """The middle pixel of each image (n, height, width, channels)."""
    return images[:, images.shape[1] // 2, images.shape[2] // 2].astype(np.float64)


def _line(triples: Array, order: str) -> Line | None:
    """The line that maps the colours, in this channel order, to these values; None if none does."""
    colours = np.unique(COLOURS if order == "rgb" else COLOURS[:, ::-1], axis=0).astype(np.float64)
    if len(triples) != len(colours):
        return None
    low, high = triples.min(0), triples.max(0)
    if (high <= low).any():
        return None
    scale = (high - low) / 255  # black and white are among the colours
    made = np.unique(np.round(colours * scale + low, 5), axis=0)
    if np.abs(made - triples).max() > STRAIGHT * float((high - low).max()):
        return None
    return Line(tuple(map(float, scale)), tuple(map(float, low)), order)
