"""The contract lists the functions that an implementation offers, with one protocol per stage.

Functions take and return NumPy arrays, numbers and paths only. Unless stated otherwise, images are
float32 (n, height, width, channels) in [0, 255], kernels are (height, width, in, out), labels are
int (n,) in {0, 1}, and seeds are ints from 0 to 2^31 - 1. A larger seed may be refused with an
error, but must not act as another seed. Arrays passed to layers and augmentation may be read-only,
views of others, and in any memory order; they are not modified. A result belongs to the caller; an
array that is returned unchanged may be the one that was given. An implementation is a module or an
object. It claims what it offers, and a function raises Unsupported for a case that its library
refuses. A model is a handle that only the implementation opens. It may be changed in place or
copied; callers use the one that a function returns from then on.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from .stages import parts

Array = NDArray[np.float32]
Labels = NDArray[np.integer[Any]]
Size = int | tuple[int, int]
Padding = Literal["valid", "same"]
Batches = Iterable[tuple[Array, Labels]]  # can be iterated repeatedly; each pass is an epoch
Model = Any
History = dict[str, list[float]]  # loss, accuracy, val_loss, val_accuracy: one value per epoch


class Environment(Protocol):
    """Selection of the backend, for implementations that run on several."""

    def select_backend(self, name: str) -> None:
        """Run on the backend ``name``. An error if it is unknown, or if another backend is already in use."""

    def register_magic(self) -> bool:
        """Register the cell magic ``%%backend NAME`` in the running IPython shell; False if none is running."""


class Data(Protocol):
    """Archives, subsets and batches of images."""

    SPLIT: dict[str, tuple[int, int]]  # {subset: (start, end)}: the standard ranges of indices per class

    def extract_archive(self, archive: Path, destination: Path) -> Path:
        """Unpack a zip into ``destination`` and return that folder. An error for an unsafe or damaged archive."""

    def make_subset(self, source: Path, destination: Path, subset_name: str, start_index: int, end_index: int) -> Path:
        """Copy the images ``source/class.index.suffix`` of the range to destination/subset_name/class.

        Returns destination/subset_name. Suffixes are those of ``load_images``. An error if two files share a class
        and an index.
        """

    def load_images(
        self, directory: Path, *, image_size: tuple[int, int], batch_size: int, shuffle: bool, seed: int
    ) -> Batches:
        """Batches of the images below ``directory``, one folder for each of the two classes.

        Files named .jpg, .jpeg, .png, .bmp and .gif are images, in lower or upper case. Files named .webp, .tif and
        .tiff, and the targets of links, are read or raise an error. Names that begin with a dot are ignored. The
        content of a file decides how it is decoded, not its name. Pixels come as stored: EXIF orientation is ignored,
        transparency is dropped, and the upper eight of 16 bits are used.
        """


class Layers(Protocol):
    """The layers as pure functions of float32 arrays.

    An error if a valid window does not fit into the image, or if the sizes of inputs, weights and bias do not match.
    """

    def conv2d(
        self,
        images: Array,
        kernel: Array,
        bias: Array | None = None,
        *,
        strides: Size = 1,
        padding: Padding = "valid",
        dilation_rate: Size = 1,
    ) -> Array:
        """Convolution of (n, h, w, in) with a kernel (k_h, k_w, in, out) and a bias (out,)."""

    def separable_conv2d(
        self,
        images: Array,
        depthwise_kernel: Array,
        pointwise_kernel: Array,
        *,
        strides: Size = 1,
        padding: Padding = "valid",
    ) -> Array:
        """Convolution with a depthwise (k_h, k_w, in, 1), then with a pointwise (1, 1, in, out) kernel."""

    def max_pooling2d(
        self, images: Array, *, pool_size: Size = 2, strides: Size | None = None, padding: Padding = "valid"
    ) -> Array:
        """The largest value of each window, per channel."""

    def average_pooling2d(
        self, images: Array, *, pool_size: Size = 2, strides: Size | None = None, padding: Padding = "valid"
    ) -> Array:
        """The mean of the real pixels of each window, per channel."""

    def global_average_pooling2d(self, images: Array) -> Array:
        """The mean over height and width, (n, channels)."""

    def dense(self, features: Array, kernel: Array, bias: Array | None = None) -> Array:
        """Features (n, inputs) times a kernel (inputs, units), plus a bias (units,)."""

    def batch_normalization(
        self,
        inputs: Array,
        gamma: Array,
        beta: Array,
        moving_mean: Array,
        moving_variance: Array,
        *,
        training: bool,
        trainable: bool = True,
    ) -> tuple[Array, Array, Array]:
        """Outputs, new moving mean and new moving variance; momentum 0.99, epsilon 1e-3, over all axes but the last.

        ``trainable=False`` means inference mode, whatever ``training`` says: the moving statistics are used and do not
        change. This is more than a gamma and a beta without gradients (``requires_grad = False``).
        """

    def dropout(self, inputs: Array, rate: float, *, seed: int, training: bool) -> Array:
        """In training, set each input to zero with probability ``rate`` and scale the others up."""


class Augmentation(Protocol):
    """Random transformations, independent for each image (h, w, 3) of a batch; a batch may hold one image.

    Images of uint8 or float64 count as the same values in float32, or are refused with an error. A reflection outside
    shows the outermost pixel twice or once, always the same: d c b a | a b c d | d c b a, or d c b | a b c d | c b a.
    """

    def random_flip(self, images: Array, *, seed: int, training: bool = True) -> Array:
        """Mirror images left to right with probability 1/2."""

    def random_rotation(self, images: Array, *, factor: float = 0.1, seed: int, training: bool = True) -> Array:
        """Rotate about the centre by an angle uniform in ±factor turns, bilinear, reflected outside."""

    def random_zoom(self, images: Array, *, factor: float = 0.2, seed: int, training: bool = True) -> Array:
        """Show a window of 1 + u times the image, with u uniform in ±factor, bilinear, reflected outside."""

    def augment(self, images: Array, labels: Labels, *, seed: int, training: bool = True) -> tuple[Array, Labels]:
        """Flip, then rotate by 0.1, then zoom by 0.2; labels of any dtype are returned unchanged."""


class Variable(Protocol):
    """One array of a model."""

    path: str  # its name, unique in the model
    layer: str  # the layer that owns it
    layer_type: str  # "BatchNormalization" for batch normalisation; other types are not checked
    part: str  # "base" or "head"
    trainable: bool  # whether training the model would change it
    value: NDArray[Any]  # a snapshot: not a view of a weight that changes later


class Base(Protocol):
    """The pretrained base and the classifier on it.

    A ``preset`` is a folder in keras-hub's format (config.json, model.weights.h5, image_converter.json)
    that also holds the same weights as plain named arrays in model.safetensors.
    """

    def preprocess(self, images: Array, *, image_size: tuple[int, int]) -> Array:
        """Images as the base takes them: of the given size, in [-1, 1]."""

    def build_classifier(self, preset: Path, *, image_size: tuple[int, int], seed: int) -> Model:
        """Preprocessing, the frozen base, global average pooling, Dense(256), Dropout(0.25), Dense(1, sigmoid)."""


class Features(Protocol):
    """Feature extraction: the output of the base, computed once, and the head trained on it."""

    def extract_features(self, model: Model, images: Array) -> Array:
        """The pooled output of the base in inference mode, (n, channels)."""

    def fit_head(
        self,
        model: Model,
        train: Batches,
        validation: Batches,
        *,
        epochs: int,
        learning_rate: float,
        checkpoint: Path,
        seed: int,
    ) -> tuple[Model, History]:
        """Train the head on batches of features, as ``fit`` does; keep and return the whole model of the best epoch."""


class Convnet(Protocol):
    """The convnet that transfer learning is compared with."""

    def build_convnet(self, *, image_size: tuple[int, int], dropout: float, seed: int) -> Model:
        """A convnet to train from scratch.

        Pixels are divided by 255. Valid 3 × 3 convolutions with 8, 16, 32, 64 and 128 filters and ReLU follow, with
        2 × 2 max pooling between each two of them; then global average pooling, dropout and Dense(1, sigmoid).
        Kernels are initialised by He normal.
        """


class Training(Protocol):
    """Training, evaluation and checkpoints."""

    def variables(self, model: Model) -> list[Variable]:
        """Every array of the model except the optimiser's, in the order of the layers from input to output."""

    def predict(self, model: Model, images: Array) -> Array:
        """The probability of class 1 for each image, (n,)."""

    def train_step(
        self, model: Model, images: Array, labels: Labels, *, learning_rate: float
    ) -> tuple[Model, dict[str, float]]:
        """One step of Adam on one batch.

        Returns the loss and accuracy of the batch before the step, with dropout.
        """

    def fit(
        self,
        model: Model,
        train: Batches,
        validation: Batches,
        *,
        epochs: int,
        learning_rate: float,
        checkpoint: Path,
        seed: int,
        augment: bool,
    ) -> tuple[Model, History]:
        """Train with a fresh optimiser, save the best epoch to ``checkpoint`` and return the last one.

        An epoch is one ``train_step`` for each batch, in order; its loss and accuracy are means over samples. A loss of
        NaN is never the best; if every loss is NaN, an error says so.
        """

    def evaluate(self, model: Model, batches: Batches) -> dict[str, float]:
        """Loss and accuracy over all samples."""

    def save(self, model: Model, path: Path) -> None:
        """Write the model to ``path``, which ends in .keras whatever the format."""

    def load(self, path: Path) -> Model:
        """The saved model, including the state that continued training needs."""


class Tuning(Protocol):
    """Selection of the trained part of the base."""

    def freeze_base(self, model: Model) -> Model:
        """Train only the head from now on."""

    def unfreeze_top(self, model: Model, layers: int = 4) -> Model:
        """Train the head and the last ``layers`` layers of the base without batch normalisation; new optimiser."""


PROTOCOLS: dict[str, type] = {
    "environment": Environment,
    "data": Data,
    "layers": Layers,
    "augmentation": Augmentation,
    "base": Base,
    "features": Features,
    "convnet": Convnet,
    "training": Training,
    "tuning": Tuning,
}


def functions(name: str) -> tuple[str, ...]:
    """The names that an implementation of the stage offers, or of the stages that ``name`` stands for."""
    protocols = [PROTOCOLS[stage] for stage in parts(name)]
    names = (name for protocol in protocols for name in {**protocol.__annotations__, **vars(protocol)})
    return tuple(name for name in names if not name.startswith("_"))


def lacking(target: str, stage: str) -> str:
    """The message for an adapter that claims a stage but has no function of it."""
    return f"{target} claims the stage {stage} and has no function of it: offer one, or take {stage} out of CLAIMS"
