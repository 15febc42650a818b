"""The cells of the notes as a plain script, step for step: the other side of the comparison of epochs.

These are cells 4 to 8, with the base and the folder of subsets passed in. The notes draw the convnet without giving
its code, so it is that of the contract.
"""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras import layers
from keras.utils import image_dataset_from_directory

BATCH_SIZE = 64
IMAGE_SIZE = (180, 180)
CONVNET_FILTERS = (8, 16, 32, 64, 128)


def load(folder: Path) -> tuple[Any, Any]:
    """Cell 4: training and validation images."""
    train, validation = (
        image_dataset_from_directory(
            folder / name, image_size=IMAGE_SIZE, batch_size=BATCH_SIZE, verbose=False
        )
        for name in ("train", "validation")
    )  # fmt: skip
    return train, validation


def augmented(dataset: Any) -> Any:
    """Cell 5."""
    data_augmentation_layers = [
        layers.RandomFlip("horizontal"),
        layers.RandomRotation(0.1),
        layers.RandomZoom(0.2),
    ]

    def data_augmentation(images: Any, targets: Any) -> tuple[Any, Any]:
        for layer in data_augmentation_layers:
            images = layer(images)
        return images, targets

    return dataset.map(data_augmentation, num_parallel_calls=8).prefetch(tf.data.AUTOTUNE)


def classifier(conv_base: Any, preprocessor: Any) -> Any:
    """Cells 6 and 7: the head on a frozen base."""
    conv_base.trainable = False
    inputs = keras.Input(shape=(*IMAGE_SIZE, 3))
    x = preprocessor(inputs)
    x = conv_base(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(256)(x)
    x = layers.Dropout(0.25)(x)
    outputs = layers.Dense(1, activation="sigmoid")(x)
    return _compiled(keras.Model(inputs, outputs))


def convnet() -> Any:
    """A model to be trained from scratch, built and compiled as in cell 7."""
    inputs = keras.Input(shape=(*IMAGE_SIZE, 3))
    x = layers.Rescaling(1.0 / 255)(inputs)
    for filters in CONVNET_FILTERS[:-1]:
        x = layers.Conv2D(filters, 3, activation="relu", kernel_initializer="he_normal")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(CONVNET_FILTERS[-1], 3, activation="relu", kernel_initializer="he_normal")(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.25)(x)
    outputs = layers.Dense(1, activation="sigmoid")(x)
    return _compiled(keras.Model(inputs, outputs))


def fit(model: Any, train: Any, validation: Any, epochs: int, checkpoint: Path) -> None:
    """Cell 8."""
    callbacks = [keras.callbacks.ModelCheckpoint(filepath=str(checkpoint), save_best_only=True, monitor="val_loss")]
    model.fit(train, epochs=epochs, validation_data=validation, callbacks=callbacks, verbose=0)


def _compiled(model: Any) -> Any:
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model
