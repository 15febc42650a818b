"""Layers for torch: channels first, as torch has them, and its own batch normalisation in inference mode."""

from typing import Any

import keras
from keras import layers
from torch import Tensor
from torch.nn import functional

from ..base import BASE

CHANNELS_FIRST = (3, 1, 2)  # of (height, width, channels)
TURNED = (
    layers.AveragePooling2D, layers.BatchNormalization, layers.Conv2D, layers.DepthwiseConv2D,
    layers.GlobalAveragePooling2D, layers.MaxPooling2D, layers.SeparableConv2D, layers.ZeroPadding2D,
)  # fmt: skip
ELEMENTWISE = (layers.Activation, layers.Add, layers.Dropout, layers.InputLayer, layers.ReLU)

register = keras.saving.register_keras_serializable("convspec")


@register
class BatchNormalization(layers.BatchNormalization):
    """Keras's own; in inference mode it takes one pass over the feature map in place of three."""

    def call(self, inputs: Tensor, training: bool | None = None, mask: Any = None) -> Tensor:
        """Feature maps (n, channels, height, width)."""
        if training and self.trainable:
            return super().call(inputs, training=training, mask=mask)
        variables = (self.moving_mean, self.moving_variance, self.gamma, self.beta)
        mean, variance, gamma, beta = (None if one is None else one.value for one in variables)
        return functional.batch_norm(inputs, mean, variance, gamma, beta, eps=self.epsilon)


def rebuilt(model: Any) -> Any:
    """The model with its channels first from the base or the first convolution on, with new weights.

    One whose base has layers unknown here is returned as it is.
    """
    first = next(layer for layer in model.layers if layer.name == BASE or isinstance(layer, TURNED))
    if not all(isinstance(layer, (*TURNED, *ELEMENTWISE)) for layer in getattr(first, "layers", [])):
        return model

    def called(layer: Any, inputs: Any, **options: Any) -> Any:
        return layer(layers.Permute(CHANNELS_FIRST)(inputs) if layer.name == first.name else inputs, **options)

    return keras.models.clone_model(model, clone_function=_turned, call_function=called)


def _turned(layer: Any) -> Any:
    if layer.name == BASE:
        channels_first = keras.Input((layer.input_shape[-1], *layer.input_shape[1:-1]))
        return keras.models.clone_model(layer, input_tensors=channels_first, clone_function=_turned)
    if isinstance(layer, layers.BatchNormalization):
        return BatchNormalization.from_config(layer.get_config() | {"axis": 1})
    changed = {"data_format": "channels_first"} if isinstance(layer, TURNED) else {}
    return type(layer).from_config(layer.get_config() | changed)
