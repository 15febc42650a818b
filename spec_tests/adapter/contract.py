"""The contract: what an implementation offers, a protocol a stage.

Only NumPy arrays, numbers and paths cross it. Images are float32 (n, height, width, channels) in
[0, 255] unless said otherwise, kernels (height, width, in, out), labels int (n,) in {0, 1}, seeds
ints from 0 to 2^31 - 1; a larger one may be refused with an error, but never counts as another one.
Arrays that are given to layers and augmentation may be read-only, views of others and in any order
of memory, and stay as they are. A result belongs to the caller; what is returned unchanged may be
the array that was given. An implementation is a module or an object; it claims what it offers, and
a function raises Unsupported for a case that its library refuses. A model is a handle that only the
implementation opens; it may be changed in place or not, and the one that a function returns is the
one to use from then on.
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
Batches = Iterable[tuple[Array, Labels]]  # can be iterated again; each time is an epoch
Model = Any
History = dict[str, list[float]]  # loss, accuracy, val_loss, val_accuracy: one value an epoch


class Environment(Protocol):
    """Choosing the backend. For implementations that run on several."""

    def select_backend(self, name: str) -> None:
        """Run on ``name`` from now on; an error for an unknown name and once another one is in use."""

    def register_magic(self) -> bool:
        """Offer the cell magic ``%%backend NAME`` in the running IPython shell; False where there is none."""


class Data(Protocol):
    """From the archive to batches of images."""

    SPLIT: dict[str, tuple[int, int]]  # {subset: (start, end)}: the standard ranges of indices a class

    def extract_archive(self, archive: Path, destination: Path) -> Path:
        """Unpack a zip into ``destination``; returns the folder. An error for an unsafe or damaged one."""

    def make_subset(self, source: Path, destination: Path, subset_name: str, start_index: int, end_index: int) -> Path:
        """Copy the images ``source/class.index.suffix`` of the range to destination/subset_name/class; returns it.

        Suffixes are those of ``load_images``. An error for a class and index that two files have.
        """

    def load_images(
        self, directory: Path, *, image_size: tuple[int, int], batch_size: int, shuffle: bool, seed: int
    ) -> Batches:
        """Batches of the images below ``directory``, one folder for each of the two classes.

        Files are images by suffix, in any case of letters: .jpg, .jpeg, .png, .bmp and .gif; .webp, .tif and .tiff
        are images too, or an error. Links are followed, or an error. What begins with a dot is no image and no class.
        A file's content says how it is decoded, not its name. Pixels come as they are stored: EXIF does not turn
        them, transparency is dropped, and of 16 bits the upper eight are taken.
        """


class Layers(Protocol):
    """The layers as pure functions of float32. An error for a valid window that does not fit into the image.

    An error too for weights and a bias of other sizes than the inputs and each other.
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
        """The largest value of each window, a channel at a time."""

    def average_pooling2d(
        self, images: Array, *, pool_size: Size = 2, strides: Size | None = None, padding: Padding = "valid"
    ) -> Array:
        """The mean of the real pixels of each window, a channel at a time."""

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
        """Outputs, new moving mean, new moving variance; momentum 0.99, epsilon 1e-3, over all axes but the last.

        ``trainable=False`` means inference mode, whatever ``training`` says: the moving statistics are used and stay as
        they are. It is more than a gamma and a beta without gradients (``requires_grad = False``).
        """

    def dropout(self, inputs: Array, rate: float, *, seed: int, training: bool) -> Array:
        """Inputs with a share of about ``rate`` of them set to zero in training, the others scaled up."""


class Augmentation(Protocol):
    """Random transformations, each image (h, w, 3) of a batch on its own; a batch may be of one image.

    Images of uint8 or float64 count as the same values in float32, or are refused with an error. A reflection outside
    shows the outermost pixel twice or once, always the same: d c b a | a b c d | d c b a, or d c b | a b c d | c b a.
    """

    def random_flip(self, images: Array, *, seed: int, training: bool = True) -> Array:
        """Left-right mirror images, half of the time."""

    def random_rotation(self, images: Array, *, factor: float = 0.1, seed: int, training: bool = True) -> Array:
        """Turned about the centre by an angle uniform in ±factor turns, bilinear, reflected outside."""

    def random_zoom(self, images: Array, *, factor: float = 0.2, seed: int, training: bool = True) -> Array:
        """Showing a window 1 + u times the image, u uniform in ±factor, bilinear, reflected outside."""

    def augment(self, images: Array, labels: Labels, *, seed: int, training: bool = True) -> tuple[Array, Labels]:
        """Flip, then rotation by 0.1, then zoom by 0.2, each of what came before; labels of any dtype as they were."""


class Variable(Protocol):
    """One array of a model."""

    path: str  # its name, one of a kind in the model
    layer: str  # the layer that owns it
    layer_type: str  # "BatchNormalization" for batch normalisation; others are not looked at
    part: str  # "base" or "head"
    trainable: bool  # whether training the model would change it
    value: NDArray[Any]  # as it is when it is asked for: no view of a weight that goes on changing


class Base(Protocol):
    """The pretrained base and the classifier on it.

    A ``preset`` is a folder in keras-hub's format (config.json, model.weights.h5, image_converter.json)
    with the same weights as plain named arrays in model.safetensors beside it.
    """

    def preprocess(self, images: Array, *, image_size: tuple[int, int]) -> Array:
        """Images as the base takes them: of that size, in [-1, 1]."""

    def build_classifier(self, preset: Path, *, image_size: tuple[int, int], seed: int) -> Model:
        """Preprocessing, the base frozen, global average pooling, Dense(256), Dropout(0.25), Dense(1, sigmoid)."""


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
        """The same for the head over batches of features; the whole model of the best epoch is kept and returned."""


class Convnet(Protocol):
    """What transfer learning is compared with."""

    def build_convnet(self, *, image_size: tuple[int, int], dropout: float, seed: int) -> Model:
        """A convnet to be trained from scratch: what transfer learning is compared with.

        Pixels over 255; valid 3 × 3 convolutions with 8, 16, 32, 64 and 128 filters and ReLU, a 2 × 2 max pooling
        between each two; global average pooling; dropout; Dense(1, sigmoid). Kernels start as He's normal values.
        """


class Training(Protocol):
    """Training, evaluation and checkpoints."""

    def variables(self, model: Model) -> list[Variable]:
        """Every array of the model, the optimiser's apart, in the order of the layers from input to output."""

    def predict(self, model: Model, images: Array) -> Array:
        """The probability of class 1 for each image, (n,)."""

    def train_step(
        self, model: Model, images: Array, labels: Labels, *, learning_rate: float
    ) -> tuple[Model, dict[str, float]]:
        """One step of Adam on one batch.

        Loss and accuracy are those that the step starts from: of the batch, by the model before it, under dropout.
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
        """Train with a fresh optimiser; the best epoch goes to ``checkpoint``, the last one is returned.

        An epoch is one ``train_step`` for each batch, in their order; its loss and accuracy are the means over samples.
        A loss of NaN is never the best; an error that says NaN where there is no other.
        """

    def evaluate(self, model: Model, batches: Batches) -> dict[str, float]:
        """Loss and accuracy over all samples."""

    def save(self, model: Model, path: Path) -> None:
        """Write the model to ``path``, which ends in .keras whatever the format."""

    def load(self, path: Path) -> Model:
        """The saved model, to be trained on as it would have been."""


class Tuning(Protocol):
    """What of the base is trained."""

    def freeze_base(self, model: Model) -> Model:
        """Train the head alone from now on."""

    def unfreeze_top(self, model: Model, layers: int = 4) -> Model:
        """Train the head and the last ``layers`` layers of the base, batch normalisation excepted; a new optimiser."""


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
    """What is said of an adapter that claims a stage and has no function of it."""
    return f"{target} claims the stage {stage} and has no function of it: offer one, or take {stage} out of CLAIMS"
