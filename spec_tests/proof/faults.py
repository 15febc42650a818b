"""Faults of a known size, for each clause that a statistical test decides.

A fault of layers or augmentation is added to a conforming implementation through the contract alone: its calls are
forwarded with other factors, other seeds or other images, or the results of two calls are mixed. The clauses
of these stages see nothing else.

Accuracies do not come from training, since a point of a curve takes hundreds of trials. A trial is drawn from the
normal distribution fitted to the reference's recorded trials, with their means and covariances. The size of the
fault then makes it worse. The bounds are those of the records.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..adapter.contract import Array, Labels
from ..adapter.implementation import Implementation
from ..cases.pictures import MANY, Charts, transform
from ..cases.records import EMBEDDED, recorded_trials
from ..cases.trials import COUNTS, Trial
from ..oracles.transformations import recover
from .fitted import unturned

Function = Callable[..., Array]
Arguments = dict[str, Any]  # arguments of a clause's test
Rng = np.random.Generator

PARTS = ("random_flip", "random_rotation", "random_zoom")
ROTATION, ZOOM = 36.0, 0.2  # limits of a transformation in degrees, and as a share
FAR = 10**9  # offset between independent seeds
TESTED = 2 * COUNTS["test"]  # images
HEADS = 2  # heads whose mean ACC-5 takes

# The correlation of a coin, or of the sign of a uniform draw, with a value that is the larger of two uniform draws
# where the coin is up and the smaller where it is down. The mean of such a value is
# a third of half the range above or below the middle.
FLIP_AND_ANGLE, ANGLE_AND_ZOOM = 3**-0.5, 0.5


@dataclass(frozen=True)
class Fault:
    """A fault with an adjustable size."""

    clause: str  # that must find the fault
    name: str
    title: str
    unit: str  # of the sizes
    none: float  # the size without a fault
    sizes: tuple[float, ...]  # the sizes with a fault
    # takes a conforming implementation, a size and a seed
    spoilt: Callable[[Implementation, float, int], Arguments]


@dataclass(frozen=True)
class Promise:
    """The statement in a clause's text about its power."""

    clause: str
    fault: str
    size: float
    power: float
    words: str  # as written in the notes of the clause


def in_words(power: float) -> str:
    """A power in the notation of clause texts."""
    return "always" if power == 1 else f"{power:g}"


def augmentation(base: Implementation, **faulty: Function) -> Implementation:
    """The base's transformations, except for the given ones, and an ``augment`` made from them with separate seeds."""
    parts = {name: faulty.get(name, getattr(base, name)) for name in PARTS}

    def augment(images: Array, labels: Labels, *, seed: int, **options: bool) -> tuple[Array, Labels]:
        for number, part in enumerate(parts.values()):
            images = part(images, seed=len(parts) * seed + number, **options)
        return images, labels

    return Implementation("spoilt", SimpleNamespace(**parts, augment=augment))


def mixed(chosen: NDArray[np.bool_], first: Array, second: Array) -> Array:
    """The chosen images of the first array, and the remaining ones of the second."""
    return np.where(chosen[:, None, None, None], first, second)


def with_epochs(implementation: Implementation, seed: int, count: int = 1) -> Arguments:
    """The arguments of augmentation clauses: the first ``count`` epochs. Most clauses look at one."""
    images = Charts(count=MANY).images
    epochs = tuple(transform(implementation, "augment", images, seed=seed + epoch) for epoch in range(count))
    return {"epochs": epochs, "seed": seed}


def narrower(name: str, right: float) -> Callable[[Implementation, float, int], Arguments]:
    """A fault that draws within too narrow a limit: it reduces each factor."""

    def spoilt(base: Implementation, limit: float, seed: int) -> Arguments:
        factor = 0.1 if name == "random_rotation" else 0.2  # the contract's defaults

        def function(images: Array, *, factor: float = factor, **options: Any) -> Array:
            drawn: Array = getattr(base, name)(images, factor=factor * limit / right, **options)
            return drawn

        faulty = augmentation(base, **{name: function})
        return {"implementation": faulty, **with_epochs(faulty, seed)}

    return spoilt


def flipped_rarely(base: Implementation, probability: float, seed: int) -> Arguments:
    """A fault that flips too few images: it offers only some of them for a flip, each with a chance of one half."""

    def random_flip(images: Array, *, seed: int, **options: Any) -> Array:
        given = np.random.default_rng((seed, FAR)).random(len(images)) < 2 * probability
        return mixed(given, base.random_flip(images, seed=seed, **options), images)

    faulty = augmentation(base, random_flip=random_flip)
    return {"implementation": faulty, **with_epochs(faulty, seed)}


def unseeded(base: Implementation, chosen: Callable[[int, Rng], NDArray[np.bool_]], seed: int) -> Arguments:
    """A fault of seeding: the chosen images of each call are transformed with an unseeded generator."""
    rng = np.random.default_rng(seed)

    def spoilt(name: str, images: Array, *, seed: int, **options: Any) -> Array:
        drawn, again = (getattr(base, name)(images, seed=s, **options) for s in (seed, int(rng.integers(FAR))))
        return mixed(chosen(len(images), rng), again, drawn)

    return {"implementation": augmentation(base, **{name: partial(spoilt, name) for name in PARTS}), "seed": seed}


def unseeded_share(base: Implementation, share: float, seed: int) -> Arguments:
    """A fault of seeding that affects each image with this probability."""
    return unseeded(base, lambda count, rng: rng.random(count) < share, seed)


def unseeded_images(base: Implementation, images: float, seed: int) -> Arguments:
    """A fault of seeding that affects so many images at the start of each batch."""
    return unseeded(base, lambda count, _: np.arange(count) < images, seed)


def with_the_draw_before(
    call: Callable[[Array], Array], inputs: Array, axis: int, share: float, seed: int
) -> NDArray[Any]:
    """The result of ``call``, in which the second entry of some pairs along an axis uses the draw of the first."""
    own, before = call(inputs), np.roll(call(np.roll(inputs, -1, axis)), 1, axis)
    lines = np.moveaxis(np.array(own), axis, -1)  # a copy, since it is written to; pairs lie next to each other
    taken = np.random.default_rng((seed, FAR)).random((*lines.shape[:-1], lines.shape[-1] // 2)) < share
    if axis == 0:  # a whole image shares one draw
        taken[:] = taken[:1, :1, :1]
    lines[..., 1::2] = np.where(taken, np.moveaxis(before, axis, -1)[..., 1::2], lines[..., 1::2])
    return np.moveaxis(lines, -1, axis)


def alike_neighbours(base: Implementation, correlation: float, seed: int) -> Arguments:
    """A fault of independence: some pairs of neighbouring images are rotated by one angle."""

    def random_rotation(images: Array, *, seed: int, **options: Any) -> Array:
        call = partial(base.random_rotation, seed=seed, **options)
        return with_the_draw_before(call, images, 0, correlation, seed)

    return with_epochs(augmentation(base, random_rotation=random_rotation), seed)


def leaning(
    function: Function, images: Array, measure: Callable[[Array], ArrayLike], up: ArrayLike, share: float, seed: int
) -> Array:
    """Of two draws, the larger where ``up`` holds and the smaller elsewhere, for a share of the images.

    The remaining images get a single draw. If half of the images are up, the draws keep their distribution.
    """
    one, other = (function(images, seed=seed + off) for off in (0, FAR))
    leans = np.random.default_rng((seed, FAR)).random(len(images)) < share
    larger = np.asarray(measure(one)) > np.asarray(measure(other))
    return mixed(leans & (larger != up), other, one)


def angles_by_flip(base: Implementation, correlation: float, seed: int) -> Arguments:
    """A fault of independence: flipped images tend to be rotated to one side."""

    def random_rotation(images: Array, *, seed: int, **options: Any) -> Array:
        function, share = partial(base.random_rotation, **options), correlation / FLIP_AND_ANGLE
        return leaning(function, images, lambda seen: recover(seen).turns, recover(images).mirrored, share, seed)

    return with_epochs(augmentation(base, random_rotation=random_rotation), seed)


def zooms_by_angle(base: Implementation, correlation: float, seed: int) -> Arguments:
    """A fault of independence: images that were rotated to one side tend to be zoomed out."""

    def random_zoom(images: Array, *, seed: int, **options: Any) -> Array:
        function, share = partial(base.random_zoom, **options), correlation / ANGLE_AND_ZOOM
        return leaning(function, images, lambda seen: recover(seen).zooms, recover(images).turns > 0, share, seed)

    return with_epochs(augmentation(base, random_zoom=random_zoom), seed)


def alike_epochs(base: Implementation, correlation: float, seed: int) -> Arguments:
    """A fault of independence: some images are rotated by the same angle in both epochs. Flips and zooms stay new."""
    kept, common = np.random.default_rng(seed).random(MANY) < correlation, seed + FAR

    def random_rotation(images: Array, *, seed: int, **options: Any) -> Array:
        same, own = (base.random_rotation(images, seed=s, **options) for s in (common, seed))
        return mixed(kept, same, own)

    return with_epochs(augmentation(base, random_rotation=random_rotation), seed, count=2)


def wrong_rate(base: Implementation, off: float, seed: int) -> Arguments:
    """A fault of dropout: its rate is too high by ``off``."""

    def dropout(inputs: Array, rate: float, **options: Any) -> Array:
        dropped: Array = base.dropout(inputs, rate + off, **options)
        return dropped

    return {"implementation": Implementation("spoilt", SimpleNamespace(dropout=dropout)), "seed": seed}


def alike_channels(base: Implementation, correlation: float, seed: int) -> Arguments:
    """A fault of dropout: it keeps or zeroes two neighbouring channels together, for some pairs."""

    def dropout(inputs: Array, rate: float, *, seed: int, **options: Any) -> Array:
        call = partial(base.dropout, rate=rate, seed=seed, **options)
        return with_the_draw_before(call, inputs, inputs.ndim - 1, correlation, seed)

    return {"implementation": Implementation("spoilt", SimpleNamespace(dropout=dropout)), "seed": seed}


@cache
def records() -> list[Trial]:
    """The recorded trials of the embedded data."""
    return recorded_trials(EMBEDDED)


@cache
def _normal() -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """The names of the measures of a trial, their means and their covariances over the records."""
    names = [field.name for field in fields(Trial)]
    table = np.array([[getattr(trial, name) for name in names] for trial in records()], np.float64)
    return names, table.mean(axis=0), np.cov(table, rowvar=False)


def drawn(rng: Rng, count: int) -> list[Trial]:
    """Random trials with the distribution of the recorded ones."""
    names, mean, covariance = _normal()
    return [
        Trial(**dict(zip(names, map(float, row), strict=True)))
        for row in rng.multivariate_normal(mean, covariance, count)
    ]


def toggled(rng: Rng, accuracy: float, share: float) -> float:
    """An accuracy after the outcomes of a share of the test images are inverted."""
    right, chosen = int(np.clip(round(accuracy * TESTED), 0, TESTED)), round(share * TESTED)
    hit = int(rng.hypergeometric(right, TESTED - right, chosen))
    return accuracy + (chosen - 2 * hit) / TESTED


def toggled_measure(name: str, _: Implementation, share: float, seed: int) -> Arguments:
    """A fault of a trial: one of its measures has the outcomes of a share of the test images inverted."""
    rng = np.random.default_rng(seed)
    (trial,) = drawn(rng, 1)
    worse = replace(trial, **{name: toggled(rng, getattr(trial, name), share)})
    return {"trial": worse, "recorded": records()}


def poor_base(_: Implementation, share: float, seed: int) -> Arguments:
    """A fault of a trial: a share of the pretrained base's lead over another random base is lost, at 1 all of it."""
    trial, other = drawn(np.random.default_rng(seed), 2)
    ahead = trial.features - (other.random or 0.0)
    return {"trial": replace(trial, features=trial.features - share * ahead)}


def less_narrowing(_: Implementation, share: float, seed: int) -> Arguments:
    """A fault of a trial: a share of the narrowing of the gap by augmentation and dropout is lost."""
    (trial,) = drawn(np.random.default_rng(seed), 1)
    left = (1 - share) * (trial.gap - trial.augmented_gap)
    return {"trial": replace(trial, augmented_gap=trial.gap - left), "recorded": records()}


def leaked_images(_: Implementation, share: float, seed: int) -> Arguments:
    """A fault of a trial: a share of the test images leaked into training and is answered correctly."""
    (trial,) = drawn(np.random.default_rng(seed), 1)
    reached = trial.shuffled + share * (1 - trial.shuffled)
    return {"trial": replace(trial, shuffled=reached), "recorded": records()}


def right_labels(_: Implementation, heads: float, seed: int) -> Arguments:
    """A fault of a trial: so many heads were trained on unshuffled labels, and reach the accuracy of such heads."""
    (trial,) = drawn(np.random.default_rng(seed), 1)
    reached = trial.shuffled + heads / HEADS * (trial.features - trial.shuffled)
    return {"trial": replace(trial, shuffled=reached), "recorded": records()}


CORRELATIONS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
TURNED = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2)
IMAGES = "share of the test images"
LOST = (0.5, 0.6, 0.7, 0.8, 0.9, 1)
FAULTS = (
    Fault("DROP-2", "rate", "a rate that is too high", "above the rate", 0, (0.005, 0.01, 0.015, 0.02), wrong_rate),
    Fault(
        "DROP-2",
        "channels",
        "channels zeroed in pairs",
        "correlation",
        0,
        (0.01, 0.02, 0.03, 0.04, 0.05),
        alike_channels,
    ),
    Fault(
        "AUG-4", "share", "draws left to chance", "share of draws", 0, (0.001, 0.002, 0.005, 0.01, 0.02), unseeded_share
    ),
    Fault("AUG-4", "images", "images left to chance", "images of 64", 0, (1, 2, 4, 8), unseeded_images),
    Fault("AUG-5", "flip and angle", "flip and angle", "correlation", 0, CORRELATIONS, angles_by_flip),
    Fault("AUG-5", "angle and zoom", "angle and zoom", "correlation", 0, CORRELATIONS, zooms_by_angle),
    Fault("AUG-5", "neighbours", "angles of neighbours", "correlation", 0, CORRELATIONS, alike_neighbours),
    Fault("AUG-7", "epochs", "angles in two epochs", "correlation", 0, CORRELATIONS, alike_epochs),
    Fault("AUG-12", "still", "images that fit does not turn", "share of images", 0, (0.5, 0.8, 1), unturned),
    Fault(
        "FLIP-2",
        "probability",
        "flips too rare",
        "probability",
        0.5,
        (0.3, 0.35, 0.4, 0.42, 0.45, 0.48),
        flipped_rarely,
    ),
    Fault(
        "ROT-1",
        "limit",
        "angles too small",
        "limit in degrees",
        ROTATION,
        (18, 30, 34, 35, 35.5, 35.7, 35.8, 35.9),
        narrower("random_rotation", ROTATION),
    ),
    Fault(
        "ZOOM-1",
        "limit",
        "zooms too small",
        "limit",
        ZOOM,
        (0.1, 0.15, 0.19, 0.195, 0.198, 0.199),
        narrower("random_zoom", ZOOM),
    ),
    Fault("ACC-1", "turned", "predictions inverted", IMAGES, 0, TURNED, partial(toggled_measure, "features")),
    Fault("ACC-2", "turned", "inverted by fine-tuning", IMAGES, 0, TURNED, partial(toggled_measure, "tuned")),
    Fault("ACC-3", "lost", "a base hardly better than none", "share of its lead lost", 0, (0.5, *LOST[2:]), poor_base),
    Fault(
        "ACC-4",
        "lost",
        "a gap that stays",
        "share of the narrowing lost",
        0,
        LOST,
        less_narrowing,
    ),
    Fault("ACC-5", "leaked", "test images that leak", IMAGES, 0, (0.2, 0.3, 0.4, 0.5, 0.6, 0.8), leaked_images),
    Fault("ACC-5", "right", "labels not shuffled", "heads of 2", 0, (1, 2), right_labels),
    Fault("ACC-6", "changed", "classes that a shift changes", IMAGES, 0, TURNED, partial(toggled_measure, "changed")),
)

RANGES = "at least 0.999 for a single direction, ±35°, ±18°"
ZOOMS = "at least 0.999 for in or out only, ±0.19, ±0.1"
TWO = "at least 0.999 for a correlation of 0.2 between two transformations"
PROMISES = (
    Promise("DROP-2", "rate", 0.02, 0.999999, "beyond 0.999999 against a rate that is wrong by 0.02"),
    Promise("DROP-2", "channels", 0.04, 0.999, "at least 0.999 for a correlation of 0.04 between neighbours"),
    Promise(
        "AUG-4", "share", 0.02, 0.999, "at least 0.999 for one that leaves each draw to chance with probability 0.02"
    ),
    Promise("AUG-4", "images", 1, 1, "one that does not decide one of the 64 images, always fail"),
    Promise("AUG-5", "flip and angle", 0.2, 0.999, TWO),
    Promise("AUG-5", "angle and zoom", 0.2, 0.999, TWO),
    Promise("AUG-5", "neighbours", 0.3, 0.999, f"{TWO} and of 0.3 between images"),
    Promise("AUG-7", "epochs", 0.2, 0.999, "at least 0.999 for a correlation of 0.2"),
    Promise("AUG-12", "still", 1, 0.999, "at least 0.999 for a rotation that is left out"),
    Promise("FLIP-2", "probability", 0.4, 0.999, "at least 0.999 for a probability of 0.4"),
    Promise("ROT-1", "limit", 35, 0.999, RANGES),
    Promise("ROT-1", "limit", 18, 0.999, RANGES),
    Promise("ZOOM-1", "limit", 0.19, 0.999, ZOOMS),
    Promise("ZOOM-1", "limit", 0.1, 0.999, ZOOMS),
    Promise("ACC-1", "turned", 0.15, 0.999, "at least 0.999 where 0.15 of the predictions are inverted"),
    Promise("ACC-2", "turned", 0.1, 0.999, "at least 0.999 where fine-tuning inverts 0.1 of the predictions"),
    Promise("ACC-3", "lost", 1, 0.5, "only 0.5 against a base whose weights are not loaded"),
    Promise("ACC-4", "lost", 0.7, 0.999, "at least 0.999 where 0.7 of the narrowing is lost"),
    Promise("ACC-5", "leaked", 0.3, 0.999, "at least 0.999 where the labels of 0.3 of the test images leak"),
    Promise("ACC-5", "right", 1, 0.999, "and where one of the heads was trained on the right labels after all"),
    Promise("ACC-6", "changed", 0.15, 0.999, "at least 0.999 where another 0.15 of the images change class"),
)
