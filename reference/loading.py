"""Stage 4: read image folders into batches (notes, code 4).

As ``keras.utils.image_dataset_from_directory``, but for what that does in silence: it overlooks
.webp and .tiff, reads hidden folders, takes empty folders for classes and the indices of a BMP's
palette for colours, orders files folder by folder, and does not say which file is unreadable.
Decoded images are kept on disk, so that an epoch pays for no JPEG, and memory for a few batches
however many images there are.
"""

import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from .errors import PipelineError, explained, reason
from .images import class_folders, image_files
from .layers import Array
from .progress import progress

IMAGE_SIZE = (180, 180)  # height, width
BATCH_SIZE = 64
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP", "TIFF")  # of Pillow's others some run programs
SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N")  # Pillow's modes of grey images

Labels = NDArray[np.int32]
Batches = Iterable[tuple[Array, Labels]]


class UnreadableImageError(PipelineError):
    """Names the first of the files that cannot be read; ``file`` is that."""

    def __init__(self, unreadable: Mapping[Path, Exception], number: int) -> None:
        self.file, error = next(iter(unreadable.items()))
        why = getattr(error, "strerror", None) or reason(error)  # an OSError's whole text names the file again
        super().__init__(
            f"{self.file} is not a readable image ({why}; of {number:,} files {len(unreadable):,} cannot be read): "
            f"remove it, or leave such files out with --skip-unreadable"
        )


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
    than two class folders, an empty one, and an image beside them; UnreadableImageError for a file that
    cannot be read, unless those are to be skipped.
    """
    class_names, files = _two_classes(directory)
    images, paths, left_out = Pixels(image_size), [], {}
    starts = range(0, len(files), BATCH_SIZE)
    with ThreadPoolExecutor() as threads:
        read = partial(threads.map, partial(_read, image_size=image_size))
        decoded = chain.from_iterable(read(files[start : start + BATCH_SIZE]) for start in starts)  # a batch in memory
        for file, image in zip(progress(files, f"decoding {directory.name}", "images"), decoded, strict=True):
            if isinstance(image, Exception):
                left_out[file] = image
            else:
                images.append(image)
                paths.append(file)
    if left_out and not (skip_unreadable and paths):
        raise UnreadableImageError(left_out, len(files))
    labels = np.array([class_names.index(file.relative_to(directory).parts[0]) for file in paths], np.int32)
    return ImageBatches(
        images, labels, class_names, tuple(paths), tuple(left_out), batch_size, seed if shuffle else None
    )


def _two_classes(directory: Path) -> tuple[tuple[str, ...], list[Path]]:
    """The names of the two class folders, and all images in them in the order of their paths."""
    with explained(f"{directory} cannot be read", "make the subsets first"):
        folders, files = class_folders(directory), image_files(directory)
    filled = {file.relative_to(directory).parts[0] for file in files}
    if len(folders) != 2 or not filled.issuperset(folder.name for folder in folders):
        found = ", ".join(folder.name if folder.name in filled else f"{folder.name} (empty)" for folder in folders)
        raise PipelineError(f"{directory} must hold two class folders with images, and holds: {found or 'none'}")
    if beside := filled - {folder.name for folder in folders}:
        raise PipelineError(f"{directory / min(beside)} is in no class folder: move it into one, or remove it")
    return tuple(folder.name for folder in folders), files


def _read(file: Path, image_size: tuple[int, int]) -> Array | Exception:
    """The image, (1, *image_size, 3), or why it cannot be read."""
    try:
        return np.asarray(tf.image.resize(read_image(file)[None], image_size))
    except Exception as error:  # Pillow raises many kinds
        return error


def read_image(file: Path) -> NDArray[np.uint8]:
    """The red, green and blue of the stored pixels, (height, width, 3).

    Transparency and the orientation of a camera are left aside, of an animation the first picture
    is taken, and of 16 bits the upper eight. Raises OSError, ValueError or another of Pillow's
    errors for what is no image.
    """
    try:
        opened = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:  # whose text is the file's name
        raise ValueError("it is of no kind that is known") from None
    with opened as image:
        if image.mode in SIXTEEN_BITS:
            grey = (np.asarray(image) >> 8).astype(np.uint8)
            return np.repeat(grey[..., None], 3, axis=-1)
        if image.mode in ("I", "F"):
            raise ValueError(f"its pixels are numbers of mode {image.mode}, not grey levels")
        return np.asarray(image.convert("RGB"))
