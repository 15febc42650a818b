"""Stage 7, the fast way: compute the frozen base's features once, and keep them on disk.

Fast, since an epoch over features costs next to nothing; but without augmentation, since a
feature vector cannot be rotated.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import safetensors
import tensorflow as tf
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from .base import BASE
from .classifier import feature_extractor, head
from .loading import BATCH_SIZE, Batch
from .training import LEARNING_RATE, History, fit, load, save

Features = NDArray[np.float32]


def extract_features(model: Any, images: NDArray[np.float32]) -> Features:
    """The pooled output of the base in inference mode, shape (n, channels)."""
    extracted = feature_extractor(model).predict(images, batch_size=BATCH_SIZE, verbose=0)
    return np.asarray(extracted, dtype=np.float32)


def cached_features(
    model: Any, batches: Iterable[Batch], folder: Path, watch: Callable[[Iterable[Batch]], Iterable[Batch]] = iter
) -> tuple[Features, NDArray[np.int32]]:
    """Features and labels of all batches in order, computed only where ``folder`` has them not.

    A file is named for the weights, the preprocessing, the images and the backend that made it.
    ``watch`` may wrap the batches in a progress bar while the base runs.
    """
    file = folder / f"features-{features_key(model, batches)}.safetensors"
    if file.is_file():
        try:
            stored = load_file(file)
            return stored["features"], stored["labels"]
        except (safetensors.SafetensorError, KeyError):
            file.unlink()  # damaged: compute it again
    extractor = feature_extractor(model)
    pairs = [(extractor.predict_on_batch(images), labels) for images, labels in watch(batches)]
    features = np.concatenate([np.asarray(part, dtype=np.float32) for part, _ in pairs])
    labels = np.concatenate([part for _, part in pairs])
    folder.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    save_file({"features": features, "labels": labels}, partial)
    partial.replace(file)
    return features, labels


def feature_batches(features: Features, labels: NDArray[np.int32], seed: int | None = None) -> Any:
    """A tf.data.Dataset of (features, labels) batches; with a seed, in another order every epoch."""
    dataset = tf.data.Dataset.from_tensor_slices((features, labels))
    if seed is not None:
        dataset = dataset.shuffle(len(labels), seed=seed, reshuffle_each_iteration=True)
    return dataset.batch(BATCH_SIZE)


def fit_head(
    model: Any,
    train: Iterable[tuple[Features, NDArray[np.int32]]],
    validation: Iterable[tuple[Features, NDArray[np.int32]]],
    *,
    epochs: int,
    learning_rate: float = LEARNING_RATE,
    checkpoint: Path | str,
    seed: int = 0,
    callbacks: Sequence[Any] = (),
) -> tuple[Any, History]:
    """Train the head of ``model`` on batches of (features, labels); the base does not run.

    The whole model with the head of the lowest validation loss goes to ``checkpoint``, and is
    returned with loss, accuracy, val_loss and val_accuracy by epoch.
    """
    checkpoint = Path(checkpoint)
    best = checkpoint.with_name(f".head-{checkpoint.name}")
    trained, history = fit(
        head(model),
        train,
        validation,
        epochs=epochs,
        learning_rate=learning_rate,
        checkpoint=best,
        seed=seed,
        callbacks=callbacks,
    )
    trained.set_weights(load(best).get_weights())  # and so those of the model, which shares its layers
    best.unlink()
    save(model, checkpoint)
    return model, history


def features_key(model: Any, batches: Iterable[Batch]) -> str:
    """A digest of all that the features depend on."""
    digest = hashlib.sha256(f"{keras.backend.backend()} {keras.__version__}".encode())
    base = model.get_layer(BASE)
    for layer in model.layers[: model.layers.index(base)]:  # the input and the preprocessing
        config = {name: value for name, value in layer.get_config().items() if name != "name"}
        digest.update(repr(sorted(config.items(), key=str)).encode())
    for weight in base.weights:
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).tobytes())
    for images, labels in batches:
        digest.update(images.tobytes() + labels.tobytes())
    return digest.hexdigest()[:32]
