"""Stage 4: read image folders into batches (notes, code 4).

This does the same as ``keras.utils.image_dataset_from_directory``, without its silent faults: that function overlooks
.webp and .tiff, reads hidden folders, takes empty folders for classes and the palette indices of a BMP
for colours, orders files folder by folder, and does not name an unreadable file.
Decoded images are stored on disk, so an epoch decodes no JPEG, and memory holds a few batches
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
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "WEBP", "TIFF")  # some of Pillow's other formats run programs
SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N")  # Pillow's modes of grey images

Labels = NDArray[np.int32]
Batches = Iterable[tuple[Array, Labels]]


class UnreadableImageError(PipelineError):
    """The first file that cannot be read is named; ``file`` is its path."""

    def __init__(self, unreadable: Mapping[Path, Exception], number: int) -> None:
        self.file, error = next(iter(unreadable.items()))
        why = getattr(error, "strerror", None) or reason(error)  # the whole text of an OSError names the file again
        super().__init__(
            f"{self.file} is not a readable image ({why}; of {number:,} files {len(unreadable):,} cannot be read): "
            f"remove it, or leave such files out with --skip-unreadable"
        )


class Pixels:
    """Decoded images in an unnamed file, which is deleted with this object."""

    def __init__(self, image_size: tuple[int, int]) -> None:
        self.shape = (*image_size, 3)
        self._bytes = math.prod(self.shape) * np.dtype(np.float32).itemsize  # of one image
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it is kept open

    def append(self, images: Array) -> None:
        """Store images (n, height, width, 3)."""
        with explained("decoded images cannot be kept", f"make room in {tempfile.gettempdir()}, or set TMPDIR"):
            self._file.write(images.tobytes())
            self._file.flush()

    def read(self, numbers: Sequence[int] | NDArray[np.int64]) -> Array:
        """The images with these numbers, float32 (n, height, width, 3)."""
        images = np.empty((len(numbers), *self.shape), np.float32)
        for image, number in zip(images, numbers, strict=True):
            if os.preadv(self._file.fileno(), [image.data], int(number) * self._bytes) != self._bytes:
                raise IndexError(f"there is no image {number}")  # otherwise the result would be uninitialised memory
        return images


@dataclass(frozen=True)
class ImageBatches:
    """Batches of (images, labels), one epoch each time they are iterated.

    Images are float32 (batch, height, width, 3) in [0, 255]; labels are int32 (batch,), indices
    into ``class_names``. ``paths`` are the files in sorted order, the order of an epoch without
    ``shuffle_seed``; ``left_out`` are the unreadable files.
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
        """The batches as a tf.data.Dataset. Every epoch of a shuffled one has another order."""
        dataset = tf.data.Dataset.range(len(self.paths))
        if self.shuffle_seed is not None:
            dataset = dataset.shuffle(len(self.paths), seed=self.shuffle_seed, reshuffle_each_iteration=True)
        return untuned(dataset.batch(self.batch_size).map(self._batch).prefetch(1))

    def _batch(self, numbers: Any) -> tuple[Any, Any]:
        images = tf.numpy_function(self.images.read, [numbers], tf.float32)
        return tf.ensure_shape(images, (None, *self.images.shape)), tf.gather(self.labels, numbers)


def untuned(dataset: Any) -> Any:
    """The dataset with its parallelism fixed.

    TensorFlow tunes parallelism in a thread that can delay the end of an epoch by four seconds.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def load_images(
    directory: Path, *,
    image_size: tuple[int, int] = IMAGE_SIZE, batch_size: int = BATCH_SIZE,
    shuffle: bool = False, seed: int = 0, skip_unreadable: bool = False,
) -> ImageBatches:  # fmt: skip
    """Batches of all images below ``directory``, which has one folder for each of the two classes.

    Images are resized to ``image_size`` by bilinear interpolation, without keeping their aspect ratio. Raises
    PipelineError unless there are exactly two class folders with images and no image next to them, and
    UnreadableImageError for a file that cannot be read, unless such files are to be skipped.
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
    """The image (1, *image_size, 3), or the error if it cannot be read."""
    try:
        return np.asarray(tf.image.resize(read_image(file)[None], image_size))
    except Exception as error:  # Pillow raises many kinds
        return error


def read_image(file: Path) -> NDArray[np.uint8]:
    """The red, green and blue values of the stored pixels, (height, width, 3).

    Transparency and a camera's orientation are ignored. An animation gives its first picture, and 16 bits
    their upper eight. Raises OSError, ValueError or another of Pillow's
    errors if the file is not an image.
    """
    try:
        opened = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:  # its text is the file's name
        raise ValueError("it is of no kind that is known") from None
    with opened as image:
        if image.mode in SIXTEEN_BITS:
            grey = (np.asarray(image) >> 8).astype(np.uint8)
            return np.repeat(grey[..., None], 3, axis=-1)
        if image.mode in ("I", "F"):
            raise ValueError(f"its pixels are numbers of mode {image.mode}, not grey levels")
        return np.asarray(image.convert("RGB"))
