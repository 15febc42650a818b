"""Features that an author computes once: the author's function is called with a few batches and with single images."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..judging.checks import NotClaimed, Undecided
from .pipeline import Pipeline
from .probe import Array, Compared, Extracted
from .scoring import rounding
from .taken import Taken, counted_classes, digest, first

MOST = 24  # images at most; features of each are extracted a second time
CLOSE = 1e-4  # relative to the largest feature: the error that rounding may cause

Feed = Callable[[Any], Any]  # wraps batches as the author's function takes them
Pair = Callable[[Any], Any]  # makes a batch that has an image or a label twice


class Anew:
    """The first batches of a loader, iterated again at each call. It keeps the images and labels that it gave."""

    def __init__(self, loader: Any) -> None:
        self._loader, self.given = loader, dict[str, tuple[Any, Any]]()

    @property
    def first(self) -> Any:
        """A first batch, which does not count as taken."""
        return first(self._loader, 1, "train")[0]

    def __iter__(self) -> Iterator[Any]:
        for batch in first(self._loader, MOST, "train"):
            self.given |= {digest(image): (image, label) for image, label in zip(batch[0], batch[1], strict=True)}
            yield batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_loader"], name)


def extracted(made: Pipeline, fed: Feed, pair: Pair) -> Extracted:
    """Rows of features from the author's batches, and the features of each image in a batch that holds it twice.

    An image next to itself has the same features as next to other images, unless features depend on the batch.
    """
    batches = Anew(made.train)
    rows, labels = _features(made, fed(batches))
    if not batches.given:
        raise Undecided("features does not take the batches that it is called with")
    pairs = list(batches.given.values())
    twice = [Taken([(pair(image), pair(label))], made.train) for image, label in pairs]
    alone = [_features(made, fed(batch))[0][0] for batch in twice]
    own = counted_classes(np.stack([np.asarray(label) for _, label in pairs]))
    images = np.stack([np.asarray(image) for image, _ in pairs])
    return Extracted(rows, counted_classes(labels), images, np.stack(alone), own)


def _features(made: Pipeline, batches: Any) -> tuple[Array, Array]:
    """Features (n, ...) and their labels (n, ...)."""
    if made.features is None:
        raise NotClaimed("give features=, your function that returns the features and the labels of some batches")
    returned = made.features(batches)
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise NotClaimed("have features return (features, labels)")
    features, labels = (np.asarray(part) for part in returned)
    if len(features) != len(labels) or not len(features):
        raise NotClaimed(f"have features return a label for each row: it gives {len(features)} and {len(labels)}")
    return features, labels


def tolerance(seen: Extracted) -> float:
    """The largest error of a feature that rounding may cause."""
    return CLOSE * float(np.abs(seen.alone).max())


def through_head(head: Callable[[Array], Array], seen: Extracted, predicted: Array) -> Compared:
    """The head's predictions from the features, compared with the model's predictions for the images."""
    try:
        got = head(seen.alone)
    except Exception as error:  # the author's head may take features of another shape
        raise Undecided(f"the head does not take what features returns: {type(error).__name__}") from error
    return Compared("predictions from features", got, predicted, rounding(predicted))


def nearest(seen: Extracted) -> tuple[Array, Array]:
    """For each row, the index of the image with the nearest features, and the largest difference between the two."""
    rows, alone = (part.reshape(len(part), -1).astype(np.float64) for part in (seen.rows, seen.alone))
    if rows.shape[1] != alone.shape[1]:
        raise Undecided("features have another shape in another batch")
    apart = np.stack([np.abs(alone - row).max(1) for row in rows])
    return apart.argmin(1), apart.min(1)


def misplaced(seen: Extracted) -> tuple[Array, Array]:
    """The labels next to the rows, and the labels of the images that the rows were made from.

    Rows that cannot be attributed to one label are left out.
    """
    places, apart = nearest(seen)
    flat = seen.alone.reshape(len(seen.alone), -1).astype(np.float64)
    close = tolerance(seen)
    sure = [
        row
        for row, place in enumerate(places)
        if apart[row] <= close and len({*seen.own[np.abs(flat - flat[place]).max(1) <= 2 * close].tolist()}) == 1
    ]
    if not sure:
        raise Undecided("no row of features equals the features of an image alone, as FEAT-2 requires")
    return seen.labels[sure], seen.own[places[sure]]
