"""Stage 4: read image folders into batches (notes, code 4).

``keras.utils.image_dataset_from_directory`` does the work. Added here is what it lacks: two
classes and no stray folder, unreadable files named, and decoded images kept on disk, so that an
epoch pays for no JPEG, and memory for a few batches however many images there are.
"""

import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from .errors import PipelineError, explained
from .layers import Array

IMAGE_SIZE = (180, 180)  # height, width
BATCH_SIZE = 64

Labels = NDArray[np.int32]
Batches = Iterable[tuple[Array, Labels]]


class Pixels:
    """Decoded images in a file without a name, which is gone with this object."""

    def __init__(self, image_size: tuple[int, int]) -> None:
        self.shape = (*image_size, 3)
        self._bytes = math.prod(self.shape) * np.dtype(np.float32).itemsize  # of an image
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it is kept open

    def append(self, images: Array) -> None:
        """Keep images (n, height, width, 3)."""
        with explained("decoded images cannot be kept", f"make room in {tempfile.gettempdir()}, or set TMPDIR"):
            self._file.write(images.tobytes())
            self._file.flush()

    def read(self, numbers: Sequence[int] | NDArray[np.int64]) -> Array:
        """The images of these numbers, float32 (n, height, width, 3)."""
        images = np.empty((len(numbers), *self.shape), np.float32)
        for image, number in zip(images, numbers, strict=True):
            if os.preadv(self._file.fileno(), [image.data], int(number) * self._bytes) != self._bytes:
                raise IndexError(f"there is no image {number}")  # or its place would hold whatever was in memory
        return images


@dataclass(frozen=True)
class ImageBatches:
    """One epoch of (images, labels) each time it is iterated.

    Images are float32 (batch, height, width, 3) in [0, 255]; labels are int32 (batch,), an index
    into ``class_names``. ``paths`` are the files in sorted order, the order of an epoch without
    ``shuffle_seed``; ``left_out`` are the unreadable ones.
    """

    images: Pixels
    labels: Labels
    class_names: tuple[str, ...]
    paths: tuple[Path, ...]
    left_out: tuple[Path, ...]
    batch_size: int
    shuffle_seed: int | None

    def __iter__(self) -> Iterator[tuple[Array, Labels]]:
        return iter(self.dataset.as_numpy_iterator())

    def __len__(self) -> int:
        return len(self.dataset)

    @cached_property
    def dataset(self) -> Any:
        """The same as a tf.data.Dataset; every epoch of a shuffled one has another order."""
        dataset = tf.data.Dataset.range(len(self.paths))
        if self.shuffle_seed is not None:
            dataset = dataset.shuffle(len(self.paths), seed=self.shuffle_seed, reshuffle_each_iteration=True)
        return untuned(dataset.batch(self.batch_size).map(self._batch).prefetch(1))

    def _batch(self, numbers: Any) -> tuple[Any, Any]:
        images = tf.numpy_function(self.images.read, [numbers], tf.float32)
        return tf.ensure_shape(images, (None, *self.images.shape)), tf.gather(self.labels, numbers)


def untuned(dataset: Any) -> Any:
    """The dataset with the parallelism that it was given.

    TensorFlow tunes that in a thread for which the end of an epoch waits, four seconds at times.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def load_images(
    directory: Path, *,
    image_size: tuple[int, int] = IMAGE_SIZE, batch_size: int = BATCH_SIZE,
    shuffle: bool = False, seed: int = 0, skip_unreadable: bool = False,
) -> ImageBatches:  # fmt: skip
    """Batches of all images below ``directory``, one folder for each of the two classes.

    Images are squashed to ``image_size`` by bilinear interpolation. Raises PipelineError for other
    than two class folders, an empty one, and, unless they are to be skipped, unreadable files.
    """
    # Neither shuffled nor batched by Keras, so that the images are kept before both. Kept by
    # ourselves: Dataset.cache() can take a first epoch that was cut short for the whole.
    with explained(f"{directory} cannot be read", "make the subsets first"):
        dataset = keras.utils.image_dataset_from_directory(
            directory, image_size=image_size, batch_size=None, shuffle=False, verbose=False
        )
    files, class_names = [Path(file) for file in dataset.file_paths], tuple(dataset.class_names)
    filled = {file.relative_to(directory).parts[0] for file in files}
    if len(class_names) != 2 or len(filled) != 2:  # Keras takes any folder for a class
        found = ", ".join(name if name in filled else f"{name} (empty)" for name in class_names)
        raise PipelineError(f"{directory} must hold two class folders with images, and holds: {found}")
    left_out: list[Path] = []
    try:
        images, labels = _decoded(dataset, image_size)
    except tf.errors.OpError as error:  # which does not say in what file
        left_out = _unreadable(files)
        if not left_out or not skip_unreadable:
            raise PipelineError(
                f"{left_out[0] if left_out else directory} is not a readable image ({len(left_out)} of {len(files):,} "
                f"files are not): remove it, or leave such files out with --skip-unreadable"
            ) from error
        images, labels = _decoded(dataset.ignore_errors(), image_size)
    paths = tuple(file for file in files if file not in left_out)
    return ImageBatches(images, labels, class_names, paths, tuple(left_out), batch_size, seed if shuffle else None)


def _decoded(dataset: Any, image_size: tuple[int, int]) -> tuple[Pixels, Labels]:
    """All images and labels of a dataset of single ones."""
    images, labels = Pixels(image_size), []
    for some, theirs in dataset.batch(BATCH_SIZE).as_numpy_iterator():
        images.append(some)
        labels.extend(theirs)
    return images, np.array(labels, np.int32)


def _unreadable(files: list[Path]) -> list[Path]:
    with ThreadPoolExecutor() as threads:
        readable = threads.map(_is_readable, files)
        return [file for file, ok in zip(files, readable, strict=True) if not ok]


def _is_readable(file: Path) -> bool:
    """Whether the loader's own decoder takes the file."""
    try:
        tf.io.decode_image(file.read_bytes(), channels=3, expand_animations=False)
    except (tf.errors.InvalidArgumentError, OSError):
        return False
    return True
