"""Stage 8: training, the checkpoint, saving and loading, evaluation."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from reference.augmentation import augment_dataset, augmentation_layers
from reference.errors import PipelineError
from reference.features import feature_batches
from reference.loading import load_images
from reference.training import as_dataset, compile_classifier, fit, load, predict, save, train_step
from spec_tests.damage.bytes import change_json


def small_model(seed: int = 0, dropout: float = 0.25) -> Any:
    """A small model with a convolution, batch normalisation and dropout, for images of 12×12."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((12, 12, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, activation="relu")(x))
    x = layers.Dropout(dropout, seed=seed)(layers.GlobalAveragePooling2D()(x))
    return compile_classifier(keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x)))


def batches(count: int, size: int, seed: int = 0) -> list[Any]:
    """Batches of noise, tinted by class, which a model learns in a few steps."""
    rng = np.random.default_rng(seed)
    labels = [rng.integers(0, 2, size, dtype=np.int32) for _ in range(count)]
    return [
        ((rng.uniform(0, 150, (size, 12, 12, 3)) + 100 * y[:, None, None, None]).astype(np.float32), y) for y in labels
    ]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", None])
def test_an_unreadable_checkpoint_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "model.keras"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PipelineError, match=r"model\.keras is not a readable"):
        load(file)


def test_a_checkpoint_whose_optimiser_is_unknown_here_is_loaded_with_a_fresh_one(
    tmp_path: Path,
) -> None:
    """JAX and TensorFlow meet this in a file that torch wrote, whether torch is installed or not."""
    model = small_model()
    save(model, tmp_path / "model.keras")
    other = "tensorflow" if keras.backend.backend() == "torch" else "torch"

    def change(config: Any) -> None:
        config["compile_config"]["optimizer"]["module"] = f"keras.src.backend.{other}.optimizers.{other}_adam"

    change_json(tmp_path / "model.keras", "config.json", change)
    loaded = load(tmp_path / "model.keras")
    [(images, labels)] = batches(1, 8)
    np.testing.assert_array_equal(predict(loaded, images), predict(model, images))
    train_step(loaded, images, labels)


def test_training_steps_report_their_own_batch_and_drive_its_loss_down() -> None:
    model = small_model()
    [(images, labels)] = batches(1, 16)
    losses = [train_step(model, images, labels, learning_rate=0.05)[1]["loss"] for _ in range(80)]
    assert losses[-1] < 0.2 * losses[0]
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05)


def test_every_fit_starts_with_a_fresh_optimiser(tmp_path: Path) -> None:
    model, _ = train_step(small_model(), *batches(1, 8)[0])
    model, _ = fit(model, batches(4, 8), batches(1, 8), epochs=1, learning_rate=1e-4, checkpoint=tmp_path / "a.keras")
    assert int(model.optimizer.iterations) == 4
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-4)


def test_no_dataset_waits_for_its_tuning(class_folders: Path) -> None:
    loaded = load_images(class_folders, image_size=(12, 12)).dataset
    augmented = augment_dataset(loaded, augmentation_layers(0))
    features = feature_batches(np.zeros((2, 3), np.float32), np.zeros(2, np.int32))
    for dataset in (loaded, augmented, features, as_dataset(batches(2, 4))):
        assert dataset.options().autotune.enabled is False
