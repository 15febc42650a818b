"""Layers for torch with channels first, as in torch, and with torch's batch normalisation and bias."""

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
    """Keras's layer. In inference mode it takes one pass over the feature map instead of three."""

    def call(self, inputs: Tensor, training: bool | None = None, mask: Any = None) -> Tensor:
        """Feature maps (n, channels, height, width)."""
        if training and self.trainable:
            return super().call(inputs, training=training, mask=mask)
        variables = (self.moving_mean, self.moving_variance, self.gamma, self.beta)
        mean, variance, gamma, beta = (None if one is None else one.value for one in variables)
        return functional.batch_norm(inputs, mean, variance, gamma, beta, eps=self.epsilon)


@register
class Conv2D(layers.Conv2D):
    """Keras's layer. If torch supports the padding, torch also adds the bias."""

    def call(self, inputs: Tensor) -> Tensor:
        """Feature maps (n, channels, height, width)."""
        if self.padding != "valid":
            return super().call(inputs)
        kernel, bias = self.kernel.value.permute(3, 2, 0, 1), self.bias.value if self.use_bias else None
        return self.activation(
            functional.conv2d(inputs, kernel, bias, self.strides, dilation=self.dilation_rate, groups=self.groups)
        )


def rebuilt(model: Any) -> Any:
    """The model with channels first from the base or the first convolution on, and with new weights.

    A model whose base has layers unknown to this module is returned unchanged.
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
    faster = Conv2D if type(layer) is layers.Conv2D else type(layer)
    changed = {"data_format": "channels_first"} if isinstance(layer, TURNED) else {}
    return faster.from_config(layer.get_config() | changed)
