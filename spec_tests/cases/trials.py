"""The accuracy of the whole pipeline: the protocol for the clauses of accuracy.

One seed is one trial: models are trained in every way on the same few images and judged on the same test images.
"""

import importlib
import io
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import FIXTURES, PARENT
from ..adapter.contract import Array, Batches, Labels, Model
from ..adapter.implementation import Implementation
from ..support.texts import Told
from .models import head_of, in_batches
from .presets import random_arrays, read_xception, write_preset

EMBEDDED_PRESET = FIXTURES / "xception_drawn"
COUNTS = {"train": 60, "validation": 30, "test": 100}  # images of each class
BATCH = 20
SIZE, CONVNET_SIZE = (128, 128), (80, 80)
HEAD_EPOCHS, TUNING_EPOCHS, CONVNET_EPOCHS = 10, 1, 25
CONVNET_DROPOUT = 0.5
SHIFT = 4  # pixels

Split = tuple[Array, Labels]


@dataclass(frozen=True)
class Trial:
    """Accuracies on the test images with one seed, unless stated otherwise."""

    features: float  # head on features of the pretrained base
    tuned: float  # the model after partial fine-tuning
    random: float | None  # head on features of a base with random weights; None if it is no Xception
    convnet: float  # a convnet trained from scratch
    gap: float  # the convnet's mean probability of the right class on training images, minus that on test images
    augmented_gap: float  # the gap with augmentation and dropout
    shuffled: float  # mean probability of the right class, of heads trained on shuffled labels and on their opposites
    changed: float  # the share of test images whose class changes when they are shifted
    epochs_ratio: float  # time of an epoch on features, divided by that of running the base once on the images


def drawn_splits() -> dict[str, Split]:
    """The splits of the embedded drawings of cats and dogs."""
    dataset = importlib.import_module(f"{PARENT}fixtures.dataset")
    return splits(lambda name, index: dataset.drawn_jpeg(name, index))


class UnreadablePhotographs(Told):
    """A zip or a folder does not hold the photographs that are needed."""


def photographs(path: Path) -> dict[str, Split]:
    """Cats and dogs from a zip or a folder in Kaggle's layout, cat.0.jpg; UnreadablePhotographs if one is missing."""
    try:
        return _photographs(path)
    except Exception as error:  # zipfile and Pillow raise many kinds of exceptions for damaged files
        reason = f"there is no {error.args[0]}" if isinstance(error, KeyError) else f"{error!r}"
        raise UnreadablePhotographs(f"{path} does not hold the photographs that are needed: {reason}") from error


def _photographs(path: Path) -> dict[str, Split]:
    if path.is_dir():
        files = {file.name: file.read_bytes for file in path.rglob("*.jpg")}
        return splits(lambda name, index: files[f"{name}.{index}.jpg"]())
    with zipfile.ZipFile(path) as archive:
        members = {Path(member).name: member for member in archive.namelist()}
        return splits(lambda name, index: archive.read(members[f"{name}.{index}.jpg"]))


def splits(read: Callable[[str, int], bytes]) -> dict[str, Split]:
    """The training, validation and test images with their labels; the classes alternate."""
    found: dict[str, Split] = {}
    start = 0
    for split, count in COUNTS.items():
        pairs = [(read(name, start + i), label) for i in range(count) for label, name in enumerate(("cat", "dog"))]
        images = [
            Image.open(io.BytesIO(data)).convert("RGB").resize(SIZE, Image.Resampling.BILINEAR) for data, _ in pairs
        ]
        found[split] = (
            np.stack([np.asarray(image, np.float32) for image in images]),
            np.array([y for _, y in pairs], np.int32),
        )
        start += count
    return found


def trial(implementation: Implementation, splits: dict[str, Split], preset: Path, seed: int) -> Trial:
    """Train and judge every model once."""
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(implementation, splits, Path(scratch), seed)
        model, begun = implementation.build_classifier(preset, image_size=SIZE, seed=seed), time.monotonic()
        features = bench.extract(model)
        through_base = (time.monotonic() - begun) / sum(COUNTS.values()) * COUNTS["train"]
        begun = time.monotonic()
        model = bench.train_head(model, features)
        ratio = (time.monotonic() - begun) / HEAD_EPOCHS / through_base
        images, labels = splits["test"]
        probabilities = implementation.predict(model, images)
        shifted = implementation.predict(model, np.roll(images, (SHIFT, SHIFT), axis=(1, 2)))
        gap, convnet = bench.convnet(augmented=False)
        return Trial(
            features=right(probabilities, labels),
            tuned=bench.tuned(model),
            random=bench.random(preset),
            convnet=convnet,
            gap=gap,
            augmented_gap=bench.convnet(augmented=True)[0],
            shuffled=bench.shuffled(preset, features),
            changed=float(((probabilities > 0.5) != (shifted > 0.5)).mean()),
            epochs_ratio=ratio,
        )


@dataclass(frozen=True)
class Bench:
    """The inputs that all parts of a trial share."""

    implementation: Implementation
    splits: dict[str, Split]
    scratch: Path
    seed: int

    def extract(self, model: Model) -> dict[str, Array]:
        """{split: features (n, channels)}."""
        return {name: self.implementation.extract_features(model, images) for name, (images, _) in self.splits.items()}

    def train_head(self, model: Model, features: dict[str, Array], labels: dict[str, Labels] | None = None) -> Model:
        """The model with its best head for these labels, or for the right ones."""
        labels = labels or {name: right_ones for name, (_, right_ones) in self.splits.items()}
        train, validation = (self.batches(features[name], labels[name]) for name in ("train", "validation"))
        options = {"epochs": HEAD_EPOCHS, "learning_rate": 1e-3, "seed": self.seed}
        model, _ = self.implementation.fit_head(
            model, train, validation, checkpoint=self.scratch / "head.keras", **options
        )
        return model

    def tuned(self, model: Model) -> float:
        """Test accuracy after partial fine-tuning."""
        train, validation = (self.batches(*self.splits[name]) for name in ("train", "validation"))
        options = {"epochs": TUNING_EPOCHS, "learning_rate": 1e-5, "seed": self.seed, "augment": False}
        model, checkpoint = self.implementation.unfreeze_top(model), self.scratch / "tuned.keras"
        self.implementation.fit(model, train, validation, checkpoint=checkpoint, **options)
        images, labels = self.splits["test"]
        return right(self.implementation.predict(self.implementation.load(checkpoint), images), labels)

    def random(self, preset: Path) -> float | None:
        """Test accuracy of a head on a base with random weights; None for a base that is not an Xception."""
        config = read_xception(preset)
        if config is None:
            return None
        random = write_preset(self.scratch / "random", config, random_arrays(config, self.seed))
        model = self.implementation.build_classifier(random.folder, image_size=SIZE, seed=self.seed)
        features = self.extract(model)
        return right(self.answers(self.train_head(model, features), features), self.splits["test"][1])

    def convnet(self, augmented: bool) -> tuple[float, float]:
        """The gap of a convnet trained from scratch, as in ``Trial``, and its test accuracy."""
        small = {name: (shrunk(images), labels) for name, (images, labels) in self.splits.items()}
        dropout = CONVNET_DROPOUT if augmented else 0.0
        model = self.implementation.build_convnet(image_size=CONVNET_SIZE, dropout=dropout, seed=self.seed)
        options = {"epochs": CONVNET_EPOCHS, "learning_rate": 2e-3, "seed": self.seed, "augment": augmented}
        train, validation = (self.batches(*small[name]) for name in ("train", "validation"))
        model, _ = self.implementation.fit(
            model, train, validation, checkpoint=self.scratch / "convnet.keras", **options
        )
        seen, test = (self.implementation.predict(model, small[name][0]) for name in ("train", "test"))
        gap = sureness(seen, small["train"][1]) - sureness(test, small["test"][1])
        return gap, right(test, small["test"][1])

    def shuffled(self, preset: Path, features: dict[str, Array]) -> float:
        """The mean probability of the right test classes from heads trained on shuffled labels and on their opposites.

        It is the mean of two heads: what one gains by chance the other loses, but both gain if labels leak.
        """
        rng, found = np.random.default_rng(self.seed), []
        shuffled = {name: rng.permutation(self.splits[name][1]) for name in ("train", "validation")}
        for labels in (shuffled, {name: 1 - drawn for name, drawn in shuffled.items()}):
            model = self.implementation.build_classifier(preset, image_size=SIZE, seed=self.seed)
            probabilities = self.answers(self.train_head(model, features, labels), features)
            found.append(sureness(probabilities, self.splits["test"][1]))
        return float(np.mean(found))

    def answers(self, model: Model, features: dict[str, Array]) -> NDArray[np.floating]:
        """The head's probabilities for the test images, from their features; the base does not run."""
        return head_of(self.implementation, model, features["test"].shape[1]).probabilities(features["test"])

    def batches(self, inputs: Array, labels: Labels) -> Batches:
        """Batches in an order that is drawn from the seed."""
        order = np.random.default_rng(self.seed).permutation(len(labels))
        return in_batches(inputs[order], labels[order], BATCH)


def right(probabilities: NDArray[np.floating], labels: Labels) -> float:
    """The share of samples that are classified correctly."""
    return float(((np.asarray(probabilities) > 0.5) == (labels == 1)).mean())


def sureness(probabilities: NDArray[np.floating], labels: Labels) -> float:
    """The mean probability of the right class: the expected accuracy if classes are drawn with these probabilities."""
    return float(np.where(labels == 1, probabilities, 1 - np.asarray(probabilities)).mean())


def shrunk(images: Array) -> Array:
    """The images, resized to ``CONVNET_SIZE``."""
    small = [
        Image.fromarray(image.astype(np.uint8)).resize(CONVNET_SIZE, Image.Resampling.BILINEAR) for image in images
    ]
    return np.stack([np.asarray(image, np.float32) for image in small])
