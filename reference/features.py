"""Stage 7 in its fast form: compute the frozen base's features once, and store them on disk.

It is fast, since an epoch over features costs next to nothing, but it has no augmentation, since a
feature vector cannot be rotated.
"""

import hashlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from .base import BASE
from .classifier import feature_extractor, head
from .files import whole
from .layers import Array
from .loading import BATCH_SIZE, Batches, Labels, untuned
from .progress import progress
from .training import History, fit, load


def extract_features(model: Any, images: Array) -> Array:
    """The pooled output of the base in inference mode, shape (n, channels)."""
    extracted = feature_extractor(model).predict(images, batch_size=BATCH_SIZE, verbose=0)
    return np.asarray(extracted, dtype=np.float32)


def cached_features(model: Any, batches: Batches, folder: Path) -> tuple[Array, Labels]:
    """Features and labels of all batches in order, computed only if ``folder`` does not have them.

    A file's name depends on the weights, the preprocessing, the images and the backend.
    """
    file = folder / f"features-{features_key(model, batches)}.safetensors"
    stored = _stored(file)
    if not _are_features(stored, batches):  # missing or damaged
        extract = feature_extractor(model).predict_on_batch
        watched = progress(batches, "running the base", "batches")
        pairs = [(np.asarray(extract(images)), labels) for images, labels in watched]
        features, labels = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        stored = {"features": features, "labels": labels}
        with whole(file) as partial:
            save_file(stored, partial)
    return stored["features"], stored["labels"]


def _stored(file: Path) -> dict[str, Any]:
    try:
        return dict(load_file(file))
    except (OSError, SafetensorError):
        return {}


def _are_features(stored: dict[str, Any], batches: Batches) -> bool:
    """Whether the arrays are finite features with the labels of the batches."""
    labels = np.concatenate([labels for _, labels in batches])
    features, found = stored.get("features", np.empty(0)), stored.get("labels", np.empty(0))
    return bool(
        features.ndim == 2
        and len(features) == len(labels)
        and np.isfinite(features).all()
        and np.array_equal(found, labels)
    )


def feature_batches(features: Array, labels: Labels, seed: int | None = None) -> Any:
    """A tf.data.Dataset of (features, labels) batches; with a seed, in a new order in every epoch."""
    dataset = tf.data.Dataset.from_tensor_slices((features, labels))
    if seed is not None:
        dataset = dataset.shuffle(len(labels), seed=seed, reshuffle_each_iteration=True)
    return untuned(dataset.batch(BATCH_SIZE))


def fit_head(
    model: Any, train: Batches, validation: Batches, *, checkpoint: Path, **options: Any
) -> tuple[Any, History]:
    """Train the head of ``model`` on batches of (features, labels), with the options of ``fit``.

    The base does not run. The whole model with the head of the lowest validation loss is saved to
    ``checkpoint``, and is returned with loss, accuracy, val_loss and val_accuracy by epoch.
    """
    with whole(checkpoint) as best:
        trained, history = fit(head(model), train, validation, checkpoint=best, **options)
        # this also sets the weights of the model, which shares its layers
        trained.set_weights(load(best).get_weights())
        model.save(best)
    return model, history


def features_key(model: Any, batches: Batches) -> str:
    """A digest of everything that the features depend on."""
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
