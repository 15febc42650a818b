"""Two passes over the author's images, and a picture of an image that differs between them."""

import math
from typing import Any

import numpy as np

from .probe import Array, Passes
from .taken import digest, whole

MOST = 2_000  # images of a pass that are compared, at most
SIDE = 120  # pixels of the longest side of an image that is kept for a picture
CHANNELS = (1, 3)  # numbers of channels that a picture can show


def two_passes(loader: Any, images: int, what: str) -> Passes:
    """Two passes over the first images of a data set, or over all images that the loader gives."""
    dataset = getattr(loader, "dataset", None)
    own = getattr(getattr(loader, "collate_fn", None), "__name__", "default_collate")
    if (
        own == "default_collate"
        and dataset is not None
        and hasattr(dataset, "__getitem__")
        and hasattr(dataset, "__len__")
    ):
        return _of_places(*([_seen(dataset[i][0]) for i in range(min(images, len(dataset)))] for _ in range(2)))
    return _of_any_order(*(_images(whole(loader, what, MOST)) for _ in range(2)))


def _images(batches: list[Any]) -> list[Array]:
    return [image for batch in batches for image in np.asarray(batch[0])]


def _seen(image: Any) -> tuple[str, Array | None]:
    """The digest of an image and a small copy of it for a picture. The image itself may be too large to keep."""
    array = np.asarray(image)
    return digest(array), small(array)


def _of_places(one: list[tuple[str, Array | None]], other: list[tuple[str, Array | None]]) -> Passes:
    first, second = (np.array([name for name, _ in seen]) for seen in (one, other))
    places = np.flatnonzero(first != second)
    return Passes(first, second, _pair(one[places[0]][1], other[places[0]][1]) if len(places) else None)


def _of_any_order(one: list[Array], other: list[Array]) -> Passes:
    """Two passes in any order. An image that differs is matched by its sorted values, which a flip or a shift keeps."""
    first, second = ([digest(image) for image in images] for images in (one, other))
    both = {*first} & {*second}
    gone = next((image for image, name in zip(one, first, strict=True) if name not in both), None)
    come = [image for image, name in zip(other, second, strict=True) if name not in both]
    pair = None
    if gone is not None and (alike := [image for image in come if image.shape == gone.shape]):
        values = _sorted(gone)
        again = min(alike, key=lambda image: float(np.abs(_sorted(image) - values).mean()))
        pair = _pair(small(gone), small(again))
    return Passes(np.array(sorted(first)), np.array(sorted(second)), pair)


def _sorted(image: Array) -> Array:
    return np.sort(image, axis=None).astype(np.float64)


def _pair(one: Array | None, other: Array | None) -> Array | None:
    """Both images scaled alike to [0, 255]; None if they are not images or differ in size."""
    if one is None or other is None or one.shape != other.shape:
        return None
    both = np.stack([one, other]).astype(np.float64)
    finite = both[np.isfinite(both)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    scaled: Array = np.nan_to_num((both - low) / (high - low or 1.0), posinf=1.0, neginf=0.0) * 255
    return scaled


def small(image: Array) -> Array | None:
    """A small copy (height, width, 3), each pixel the mean of a square; None if this is not an image.

    No side is longer than ``SIDE``.
    """
    if image.ndim == 3 and image.shape[0] in CHANNELS and image.shape[-1] not in CHANNELS:
        image = np.moveaxis(image, 0, -1)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[-1] not in CHANNELS or image.dtype.kind not in "fiub" or not image.size:
        return None
    by = math.ceil(max(image.shape[:2]) / SIDE)
    height, width = (max(side // by, 1) for side in image.shape[:2])
    cut = image[: height * by, : width * by].astype(np.float32)
    means = cut.reshape(height, cut.shape[0] // height, width, cut.shape[1] // width, -1).mean((1, 3))
    return np.broadcast_to(means, (height, width, 3))
