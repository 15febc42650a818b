"""Stage 8: train, keep the best epoch, save, load, evaluate (notes, code 8)."""

import json
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm.keras import TqdmCallback

from .augmentation import augment_dataset, augmentation_layers
from .errors import PipelineError, explained
from .files import whole
from .layers import Array
from .loading import BATCH_SIZE, Batches, ImageBatches, untuned
from .progress import IN_WHOLE_NUMBERS, ON_A_TERMINAL, progress
from .weights import refuse_misfit

LEARNING_RATE = 1e-3
FINE_TUNING_RATE = 1e-5
MONITOR = "val_loss"
NO_NUMBER = "the loss is NaN, not a number: lower the learning rate, or look for NaN in images and weights"
BACKENDS = "keras.src.backend."  # modules of a single backend

History = dict[str, list[float]]


def compile_classifier(model: Any, learning_rate: float = LEARNING_RATE) -> Any:
    """Compile a model with binary cross-entropy, accuracy and a new Adam; returns the model."""
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(learning_rate), metrics=["accuracy"])
    # otherwise a file saved before the first step lacks the optimiser's variables
    model.optimizer.build(model.trainable_variables)
    return model


def fit(
    model: Any, train: Batches, validation: Batches, *,
    epochs: int, learning_rate: float = LEARNING_RATE, checkpoint: Path, seed: int = 0, augment: bool = False,
) -> tuple[Any, History]:  # fmt: skip
    """Train with a new optimiser, and save the epoch with the lowest validation loss to ``checkpoint``.

    Returns the model after its last epoch, and loss, accuracy, val_loss and val_accuracy by epoch.
    Raises PipelineError if no epoch has a finite validation loss.
    """
    keras.utils.set_random_seed(seed)
    compile_classifier(model, learning_rate)
    train_data, validation_data = as_dataset(train), as_dataset(validation)
    # A first fit reads one batch to build its metrics, and then starts the epoch again. With a
    # prefetched pipeline this draws an unpredictable number of augmentations, and no run
    # repeats. An evaluation builds the metrics before.
    with _naming_nan():
        model.evaluate(validation_data.take(1), verbose=0)
    if augment:
        train_data = augment_dataset(train_data, augmentation_layers(seed))
    best = keras.callbacks.ModelCheckpoint(
        str(checkpoint), save_best_only=True, monitor=MONITOR, initial_value_threshold=math.inf
    )  # without the threshold an initial loss of NaN would stay the lowest
    # Two bars: the epochs, and the batches of one epoch.
    bars = TqdmCallback(desc="training", bar_format=IN_WHOLE_NUMBERS, **ON_A_TERMINAL)
    with _naming_nan():
        fitted = model.fit(
            train_data, validation_data=validation_data, epochs=epochs, callbacks=[best, bars], shuffle=False, verbose=0
        )
    history = {name: [float(value) for value in values] for name, values in fitted.history.items()}
    if history and not any(map(math.isfinite, history[MONITOR])):  # no epoch, no history
        raise PipelineError(NO_NUMBER)
    return model, history


def train_step(
    model: Any, images: Array, labels: Any, *, learning_rate: float = LEARNING_RATE
) -> tuple[Any, dict[str, float]]:
    """One step of the model's optimiser on one batch. Loss and accuracy are those before the step."""
    model.optimizer.learning_rate = learning_rate
    with _naming_nan():
        logs = model.train_on_batch(images, labels, return_dict=True)
    return model, {name: float(value) for name, value in logs.items()}


def predict(model: Any, images: Array) -> Array:
    """The probability of class 1 for each image, shape (n,)."""
    return np.asarray(model.predict(images, batch_size=BATCH_SIZE, verbose=0), dtype=np.float32)[:, 0]


def predict_batches(model: Any, batches: Batches) -> Array:
    """The probability of class 1 for each image of the batches, in order."""
    watched = progress(batches, "testing", "batches")
    return np.concatenate([np.asarray(model.predict_on_batch(images)) for images, _ in watched])[:, 0]


def evaluate(model: Any, batches: Batches) -> dict[str, float]:
    """Mean loss and accuracy over all samples, each counted once."""
    with _naming_nan():
        logs = model.evaluate(as_dataset(batches), verbose=0, return_dict=True)
    return {"loss": float(logs["loss"]), "accuracy": float(logs["accuracy"])}


@contextmanager
def _naming_nan() -> Iterator[None]:
    """Replace torch's message about NaN, which says that a probability is not between 0 and 1."""
    try:
        yield
    except RuntimeError as error:
        if "between 0 and 1" not in str(error):
            raise
        raise PipelineError(NO_NUMBER) from error


def save(model: Any, path: Path) -> None:
    """Write the model, its optimiser and its frozen state to ``path``, which ends in .keras."""
    with whole(path) as partial:
        model.save(partial)


def load(path: Path) -> Any:
    """The saved model, ready to continue training as before it was saved."""
    with explained(f"{path} is not a readable .keras model", "train again, or name another file"):
        foreign = _has_foreign_optimizer(path)
        model = keras.models.load_model(path, compile=not foreign)
        refuse_misfit(path, model, None if foreign else model.optimizer)
        return compile_classifier(model) if foreign else model


def _has_foreign_optimizer(path: Path) -> bool:
    """Whether the file was saved on torch, whose Adam is a separate class, and this is another backend."""
    with zipfile.ZipFile(path) as archive:
        compiled = json.loads(archive.read("config.json"))["compile_config"]
    module = str(compiled["optimizer"]["module"])
    return module.startswith(BACKENDS) and not module.startswith(f"{BACKENDS}{keras.backend.backend()}.")


def as_dataset(batches: Batches) -> Any:
    """The tf.data.Dataset behind ``batches``, or one made from any iterable of (images, labels)."""
    if isinstance(batches, ImageBatches | tf.data.Dataset):
        return getattr(batches, "dataset", batches)
    images, labels = next(iter(batches))
    signature = tuple(tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in (images, labels))
    dataset = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=signature)
    # Without the number of batches Keras detects the end by a step that finds no data. On
    # TensorFlow that step counts, so Adam's step count is one too high in every epoch.
    return untuned(dataset.apply(tf.data.experimental.assert_cardinality(sum(1 for _ in batches))))
