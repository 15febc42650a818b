"""Stage 8: training, the checkpoint, saving and loading, evaluation."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from reference.errors import PipelineError
from reference.training import compile_classifier, evaluate, fit, load, predict, save, train_step


def small_model(seed: int = 0, dropout: float = 0.25) -> Any:
    """A convolution with batch normalisation and dropout, for images of 12×12."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((12, 12, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, activation="relu")(x))
    x = layers.Dropout(dropout, seed=seed)(layers.GlobalAveragePooling2D()(x))
    return compile_classifier(keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x)))


def batches(count: int, size: int, seed: int = 0) -> list[Any]:
    """Noise, tinted by class: learnable in a few steps."""
    rng = np.random.default_rng(seed)
    labels = [rng.integers(0, 2, size, dtype=np.int32) for _ in range(count)]
    return [
        ((rng.uniform(0, 150, (size, 12, 12, 3)) + 100 * y[:, None, None, None]).astype(np.float32), y) for y in labels
    ]


@pytest.mark.parametrize("augment", [False, True])
def test_a_seed_repeats_the_history(tmp_path: Path, augment: bool) -> None:
    def history(seed: int) -> Any:
        checkpoint = tmp_path / "best.keras"
        train, validation = batches(6, 8), batches(2, 8, seed=1)
        return fit(small_model(), train, validation, epochs=3, checkpoint=checkpoint, seed=seed, augment=augment)[1]

    first = history(1)
    assert set(first) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert {len(values) for values in first.values()} == {3}
    assert history(1) == first
    if augment:
        assert history(2) != first


def test_the_checkpoint_holds_the_epoch_of_the_lowest_validation_loss(tmp_path: Path) -> None:
    """Validation labels are reversed, so that learning makes the validation loss rise."""
    reversed_labels = [(images, 1 - labels) for images, labels in batches(2, 8, seed=1)]
    model, history = fit(
        small_model(), batches(8, 8), reversed_labels, epochs=5, learning_rate=0.02, checkpoint=tmp_path / "best.keras"
    )
    losses = history["val_loss"]
    assert losses[-1] > min(losses) + 0.01
    best = evaluate(load(tmp_path / "best.keras"), reversed_labels)
    assert best["loss"] == pytest.approx(min(losses), rel=1e-5)
    assert evaluate(model, reversed_labels)["loss"] == pytest.approx(losses[-1], rel=1e-5)


def test_validation_images_never_change_a_variable(tmp_path: Path) -> None:
    def weights(validation: Any) -> Any:
        model, _ = fit(small_model(), batches(4, 8), validation, epochs=2, checkpoint=tmp_path / "best.keras")
        return model.get_weights()

    for a, b in zip(weights(batches(2, 8, seed=1)), weights(batches(3, 8, seed=2)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_loaded_model_predicts_the_same_and_trains_on_the_same(tmp_path: Path) -> None:
    (images, labels), (more, their_labels) = batches(2, 16)
    model, _ = train_step(small_model(dropout=0), images, labels)  # the state of its generator is not in a file
    save(model, tmp_path / "model.keras")
    loaded = load(tmp_path / "model.keras")
    np.testing.assert_array_equal(predict(loaded, images), predict(model, images))
    assert int(loaded.optimizer.iterations) == 1
    model, logs = train_step(model, more, their_labels)
    loaded, same = train_step(loaded, more, their_labels)
    assert logs == pytest.approx(same, rel=1e-6)
    np.testing.assert_allclose(predict(loaded, images), predict(model, images), atol=1e-6)
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", None])
def test_an_unreadable_checkpoint_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "model.keras"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PipelineError, match=r"model\.keras is not a readable"):
        load(file)


def test_a_checkpoint_whose_optimiser_is_unknown_here_is_loaded_with_a_fresh_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What jax and TensorFlow meet in a file that torch wrote."""
    model = small_model()
    save(model, tmp_path / "model.keras")
    original = keras.models.load_model

    def refuse(path: Path, compile: bool = True) -> Any:
        if compile:
            raise TypeError("Could not deserialize class 'Adam'")
        return original(path, compile=compile)

    monkeypatch.setattr(keras.models, "load_model", refuse)
    loaded = load(tmp_path / "model.keras")
    [(images, labels)] = batches(1, 8)
    np.testing.assert_array_equal(predict(loaded, images), predict(model, images))
    train_step(loaded, images, labels)


def test_accuracy_and_loss_are_means_over_samples_not_over_batches() -> None:
    model = small_model()
    [(images, labels)] = batches(1, 10)
    labels[8:] = 1 - (predict(model, images[8:]) > 0.5)  # the short batch is the bad one
    uneven = [(images[:8], labels[:8]), (images[8:], labels[8:])]
    probabilities = predict(model, images).astype(np.float64)
    scores = evaluate(model, uneven)
    assert scores["accuracy"] == pytest.approx(((probabilities > 0.5) == labels).mean())
    loss = -np.where(labels == 1, np.log(probabilities), np.log1p(-probabilities))
    assert scores["loss"] == pytest.approx(loss.mean(), rel=1e-4)
    assert scores["accuracy"] != pytest.approx(0.5 * ((probabilities[:8] > 0.5) == labels[:8]).mean())


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
