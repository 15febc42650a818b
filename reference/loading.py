"""Stage 4: read image folders into batches (notes, code 4).

``keras.utils.image_dataset_from_directory`` does the work. Added here is what it lacks: two
classes and no stray folder, unreadable files named, and decoded images kept, so that only the
first epoch pays for JPEG.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from .errors import PipelineError
from .subset import IMAGE_SUFFIXES

IMAGE_SIZE = (180, 180)  # height, width
BATCH_SIZE = 64

Batch = tuple[NDArray[np.float32], NDArray[np.int32]]


@dataclass(frozen=True)
class ImageBatches:
    """One epoch of (images, labels) each time it is iterated.

    Images are float32 (batch, height, width, 3) in [0, 255]; labels are int32 (batch,), an index
    into ``class_names``. ``paths`` are the files in sorted order, the order of an epoch without
    ``shuffle_seed``; ``left_out`` are the unreadable ones.
    """

    images: Any  # tensor (n, height, width, 3), decoded once and kept
    labels: Any  # tensor (n,)
    class_names: tuple[str, ...]
    paths: tuple[Path, ...]
    left_out: tuple[Path, ...]
    batch_size: int
    shuffle_seed: int | None

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.dataset.as_numpy_iterator())

    def __len__(self) -> int:
        return -(-len(self.paths) // self.batch_size)

    @cached_property
    def dataset(self) -> Any:
        """The same as a tf.data.Dataset; every epoch of a shuffled one has another order."""
        dataset = tf.data.Dataset.from_tensor_slices((self.images, self.labels))
        if self.shuffle_seed is not None:
            dataset = dataset.shuffle(len(self.paths), seed=self.shuffle_seed, reshuffle_each_iteration=True)
        return dataset.batch(self.batch_size).prefetch(tf.data.AUTOTUNE)


def load_images(
    directory: Path | str,
    *,
    image_size: tuple[int, int] = IMAGE_SIZE,
    batch_size: int = BATCH_SIZE,
    shuffle: bool = False,
    seed: int = 0,
    skip_unreadable: bool = False,
) -> ImageBatches:
    """Batches of all images below ``directory``, one folder for each of the two classes.

    Images are squashed to ``image_size`` by bilinear interpolation. Raises PipelineError for other
    than two class folders, an empty one, and, unless they are to be skipped, unreadable files.
    """
    class_names = _class_names(Path(directory))
    # Neither shuffled nor batched by Keras, so that the images are kept before both. Kept as one
    # tensor: Dataset.cache() can take a first epoch that was cut short for the whole.
    dataset = keras.utils.image_dataset_from_directory(
        directory, image_size=image_size, batch_size=None, shuffle=False, verbose=False
    )
    files = [Path(file) for file in dataset.file_paths]
    unreadable = find_unreadable(files)
    if unreadable and not skip_unreadable:
        raise PipelineError(
            f"{unreadable[0]} is not a readable image ({len(unreadable)} of {len(files):,} files are not): "
            f"remove it, or leave such files out with --skip-unreadable"
        )
    paths = tuple(file for file in files if file not in set(unreadable))
    if unreadable:
        dataset = dataset.ignore_errors()
    images, labels = next(iter(dataset.batch(len(paths))))
    if len(images) != len(paths):
        raise PipelineError(f"{directory} changed while it was read: start again")
    return ImageBatches(
        images, labels, class_names, paths, tuple(unreadable), batch_size, shuffle_seed=seed if shuffle else None
    )


def find_unreadable(files: list[Path]) -> list[Path]:
    """The files that the loader's own decoder refuses."""

    def is_readable(file: Path) -> bool:
        try:
            tf.io.decode_image(file.read_bytes(), channels=3, expand_animations=False)
        except (tf.errors.InvalidArgumentError, OSError):
            return False
        return True

    with ThreadPoolExecutor() as threads:
        readable = list(threads.map(is_readable, files))
    return [file for file, ok in zip(files, readable, strict=True) if not ok]


def _class_names(directory: Path) -> tuple[str, ...]:
    """The two class folders in alphabetical order; Keras would take any folder for a class."""
    if not directory.is_dir():
        raise PipelineError(f"{directory} is not a folder: make the subsets first")
    folders = sorted(child for child in directory.iterdir() if child.is_dir() and not child.name.startswith("."))
    empty = [folder.name for folder in folders if not any(_looks_like_an_image(file) for file in folder.rglob("*"))]
    if len(folders) != 2 or empty:
        found = ", ".join(f"{folder.name} (empty)" if folder.name in empty else folder.name for folder in folders)
        raise PipelineError(f"{directory} must hold two class folders with images, and holds: {found or 'none'}")
    return tuple(folder.name for folder in folders)


def _looks_like_an_image(file: Path) -> bool:
    """Whether Keras would read the file; the others it passes over in silence."""
    return file.suffix.lower() in IMAGE_SUFFIXES
