"""Stage 4: read image folders into batches (notes, code 4).

``keras.utils.image_dataset_from_directory`` does the work. Added here is what it lacks: two
classes and no stray folder, unreadable files named, and decoded images kept, so that only the
first epoch pays for JPEG.
"""

from collections.abc import Iterable, Iterator
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

    def __iter__(self) -> Iterator[tuple[Array, Labels]]:
        return iter(self.dataset.as_numpy_iterator())

    def __len__(self) -> int:
        return len(self.dataset)

    @cached_property
    def dataset(self) -> Any:
        """The same as a tf.data.Dataset; every epoch of a shuffled one has another order."""
        dataset = tf.data.Dataset.from_tensor_slices((self.images, self.labels))
        if self.shuffle_seed is not None:
            dataset = dataset.shuffle(len(self.paths), seed=self.shuffle_seed, reshuffle_each_iteration=True)
        return dataset.batch(self.batch_size).prefetch(tf.data.AUTOTUNE)


def load_images(
    directory: Path, *,
    image_size: tuple[int, int] = IMAGE_SIZE, batch_size: int = BATCH_SIZE,
    shuffle: bool = False, seed: int = 0, skip_unreadable: bool = False,
) -> ImageBatches:  # fmt: skip
    """Batches of all images below ``directory``, one folder for each of the two classes.

    Images are squashed to ``image_size`` by bilinear interpolation. Raises PipelineError for other
    than two class folders, an empty one, and, unless they are to be skipped, unreadable files.
    """
    # Neither shuffled nor batched by Keras, so that the images are kept before both. Kept as one
    # tensor: Dataset.cache() can take a first epoch that was cut short for the whole.
    with explained(f"{directory} cannot be read", "make the subsets first"):
        dataset = keras.utils.image_dataset_from_directory(
            directory, image_size=image_size, batch_size=None, shuffle=False, verbose=False
        )
    files, class_names = [Path(file) for file in dataset.file_paths], tuple(dataset.class_names)
    filled = {file.relative_to(directory).parts[0] for file in files}
    if len(class_names) != 2 or len(filled) != 2:  # Keras takes any folder for a class
        found = ", ".join(name if name in filled else f"{name} (empty)" for name in class_names)
        raise PipelineError(f"{directory} must hold two class folders with images, and holds: {found}")
    with ThreadPoolExecutor() as threads:
        readable = list(threads.map(_is_readable, files))
    left_out = tuple(file for file, ok in zip(files, readable, strict=True) if not ok)
    if left_out and not skip_unreadable:
        raise PipelineError(
            f"{left_out[0]} is not a readable image ({len(left_out)} of {len(files):,} files are not): "
            f"remove it, or leave such files out with --skip-unreadable"
        )
    paths = tuple(file for file in files if file not in left_out)
    if left_out:
        dataset = dataset.ignore_errors()
    images, labels = next(iter(dataset.batch(len(files))))
    return ImageBatches(images, labels, class_names, paths, left_out, batch_size, seed if shuffle else None)


def _is_readable(file: Path) -> bool:
    """Whether the loader's own decoder takes the file."""
    try:
        tf.io.decode_image(file.read_bytes(), channels=3, expand_animations=False)
    except (tf.errors.InvalidArgumentError, OSError):
        return False
    return True
