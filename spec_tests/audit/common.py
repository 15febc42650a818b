"""The common part of the probes: new pipelines, a few of their batches, their files and images."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ..adapter.contract import Variable
from ..judging.checks import NotClaimed, Unusable
from . import datasets, extracting, labelling, passes
from .pipeline import Pipeline
from .probe import Array, Compared, Extracted, Extraction, Passes, Repeated, Run, Subsets
from .taken import Taken, digest, first

FAR = 1e4  # times the features, so that logits leave [0, 1] and probabilities do not


@dataclass
class OneArray:
    """One array of a model, as the contract's ``Variable``."""

    path: str
    layer: str
    layer_type: str
    part: str
    trainable: bool
    value: Array


class Made:
    """The pipelines that ``make`` returns."""

    def __init__(self, make: Callable[[], Pipeline], images: int) -> None:
        self._make, self._images = make, images

    def new(self) -> Pipeline:
        """A new pipeline that may be trained; raises Unusable if ``make`` returns the same model twice."""
        made = self._make()
        if made.model is self.first.model:
            raise Unusable("make returns the same model twice: build a new one in each call")
        return made

    @cached_property
    def first(self) -> Pipeline:
        """The pipeline that is inspected and never changed."""
        return self._make()

    @cached_property
    def training(self) -> list[Any]:
        """The first few training batches."""
        return first(self._given("train"), self._images, "train")

    @cached_property
    def validating(self) -> list[Any]:
        """The first few validation batches.

        The last one is shortened, so that means over batches and over images differ.
        """
        found = first(self._given("validation"), self._images, "validation")
        count = len(found[-1][1])
        if len(found) > 1 and count > 2:
            found[-1] = [part[: count // 3] for part in found[-1]]
        return found

    def _given(self, name: str) -> Any:
        value = getattr(self.first, name)
        if value is None:
            raise NotClaimed(f"give {name}=")
        return value

    def two_makes(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """Implemented by the probe of each framework."""
        raise NotImplementedError

    def is_pretrained(self) -> bool:
        """Whether two new models have identical bases. Fresh random weights would differ."""
        one, other = self.two_makes()
        return bool(one) and all(name in other and one[name].tobytes() == other[name].tobytes() for name in one)

    def _extracted(self, made: Pipeline) -> Extracted:
        """Implemented by the probe of each framework."""
        raise NotImplementedError

    @cached_property
    def _features(self) -> tuple[Pipeline, Extracted, Run]:
        """A new pipeline, the features that its author extracts, and its variables before and after."""
        made = self.new()
        before = self.variables(made)
        seen = self._extracted(made)
        return made, seen, Run(before, self.variables(made))

    def extraction(self) -> Extraction:
        """See ``Probe``."""
        _, seen, run = self._features
        places, _ = extracting.nearest(seen)
        same = Compared("features in a batch of others", seen.rows, seen.alone[places], extracting.tolerance(seen))
        return Extraction([same], run)

    def rows(self) -> list[Compared]:
        """See ``Probe``."""
        labels, own = extracting.misplaced(self._features[1])
        return [Compared("labels beside rows of features", labels, own, 0)]

    def repeated(self) -> Repeated:
        """See ``Probe``."""
        if not self.first.repeats:
            raise NotClaimed("give repeats=True if make sets all seeds, so that runs repeat exactly")
        (images, start, end), (other_images, _, other_end) = (self._run_from_the_start() for _ in range(2))
        differ = sum(a != b for a, b in zip_longest(images, other_images))
        same = Compared("training images of a second run that differ", differ, 0, 0)
        return Repeated(start, end, other_end, [same])

    def _run_from_the_start(self) -> tuple[list[str], list[Variable], list[Variable]]:
        """Digests of the first training images of a new pipeline, and its variables before and after one epoch."""
        made = self.new()
        batches = first(made.train, self._images, "train")
        digests = [digest(image) for batch in batches for image in batch[0]]
        before = self.variables(made)
        self._train_as_seeded(made, Taken(batches, made.train))
        return digests, before, self.variables(made)

    def variables(self, made: Pipeline) -> list[Variable]:
        """Implemented by the probe of each framework."""
        raise NotImplementedError

    def _train_as_seeded(self, made: Pipeline, batches: Taken) -> Any:
        """Implemented by the probe of each framework: one epoch of training in which this package sets no seed."""
        raise NotImplementedError

    def passes(self) -> Passes:
        """See ``Probe``."""
        return passes.two_passes(self._given("validation"), self._images, "validation")

    def training_passes(self) -> Passes:
        """See ``Probe``."""
        if not self.first.augments:
            raise NotClaimed("give augments=True if training images are augmented before they reach the model")
        return passes.two_passes(self._given("train"), self._images, "train")

    def subsets(self) -> Subsets:
        """See ``Probe``."""
        return datasets.subsets(self.first)

    def labels(self) -> dict[str, list[list[int]]]:
        """See ``Probe``."""
        return labelling.labels(self.first)

    def class_orders(self) -> tuple[list[str], list[str]]:
        """See ``Probe``."""
        return datasets.class_orders(self.first)


def reloaded(made: Pipeline, kind: type) -> Any:
    """The model that ``reload`` saves and loads; raises NotClaimed if the author gives no ``reload``."""
    if made.reload is None:
        raise NotClaimed("give reload=, which saves the model to a path and returns the one that is loaded from it")
    with tempfile.TemporaryDirectory(prefix="convspec-") as folder:
        model = made.reload(Path(folder) / "model")
    if not isinstance(model, kind) or model is made.model:
        raise NotClaimed("have reload return a new model, loaded from the saved file")
    return model
