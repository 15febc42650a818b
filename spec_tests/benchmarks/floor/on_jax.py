"""The step in JAX: one compiled function, with gradients of the trained arrays alone."""

from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from ...adapter.contract import Array, Labels
from ...oracles.normalization import EPSILON
from ...oracles.training import EPSILON as ADAM_EPSILON
from .networks import Network, Tensor

LAYOUT = ("NHWC", "HWIO", "NHWC")
WINDOW = 3  # the side of depthwise kernels, and of a pooling


class Operations:
    """The operations on images (n, height, width, channels)."""

    def __init__(self, key: Tensor) -> None:
        self._key = key  # for the one dropout of a network

    @staticmethod
    def convolution(x: Tensor, kernel: Tensor, bias: Tensor | None, stride: int, padding: str) -> Tensor:
        """XLA's convolution, or a matrix product if the kernel is one pixel."""
        if kernel.shape[:2] == (1, 1):
            x = x[:, ::stride, ::stride] @ kernel[0, 0]
        else:
            x = lax.conv_general_dilated(x, kernel, (stride, stride), padding.upper(), dimension_numbers=LAYOUT)
        return x if bias is None else x + bias

    @staticmethod
    def depthwise(x: Tensor, kernel: Tensor, stride: int, padding: str) -> Tensor:
        """A sum of shifted images, which XLA fuses to one loop. XLA's grouped convolution is far slower on CPUs."""
        shifted = _shifted(x, stride, padding, fill=0)
        return reduce(jnp.add, (image * kernel[top, left, :, 0] for (top, left), image in shifted.items()))

    @staticmethod
    def normalised(x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        """The normalised values, computed with one factor and one offset for each channel."""
        scale = gamma * lax.rsqrt(variance + EPSILON)
        return x * scale + (beta - mean * scale)

    @staticmethod
    def relu(x: Tensor) -> Tensor:
        """The values, at least 0."""
        return jax.nn.relu(x)

    @staticmethod
    def relu6(x: Tensor) -> Tensor:
        """The values, limited to 0 to 6."""
        return jax.nn.relu6(x)

    @staticmethod
    def padded(x: Tensor, top: int, bottom: int, left: int, right: int) -> Tensor:
        """The images with zeros around them."""
        return jnp.pad(x, [(0, 0), (top, bottom), (left, right), (0, 0)])

    @staticmethod
    def halved(x: Tensor) -> Tensor:
        """Max pooling of 2 × 2 as a maximum over axes of length 2, whose gradient is faster than a window's."""
        count, height, width, channels = x.shape
        x = x[:, : height // 2 * 2, : width // 2 * 2]
        return x.reshape(count, height // 2, 2, width // 2, 2, channels).max((2, 4))

    @staticmethod
    def pooled(x: Tensor) -> Tensor:
        """Max pooling of 3 × 3 with stride 2, fused to one loop."""
        return reduce(jnp.maximum, _shifted(x, 2, "same", fill=-jnp.inf).values())

    @staticmethod
    def averaged(x: Tensor) -> Tensor:
        """The mean over height and width."""
        return x.mean((1, 2))

    @staticmethod
    def dense(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
        """The product with the kernel, plus the bias."""
        return x @ kernel + bias

    def dropped(self, x: Tensor, rate: float) -> Tensor:
        """The values with those that the key selects zeroed."""
        return jnp.where(jax.random.bernoulli(self._key, 1 - rate, x.shape), x / (1 - rate), 0)


def _shifted(x: Tensor, stride: int, padding: str, fill: float) -> dict[tuple[int, int], Tensor]:
    """{(row, column): the pixels at this place of each 3 × 3 window}."""
    pads = lax.padtype_to_pads(x.shape[1:3], (WINDOW, WINDOW), (stride, stride), padding.upper())
    x = jnp.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)
    bottom, end = (side - WINDOW + 1 for side in x.shape[1:3])
    return {
        (top, left): x[:, top : top + bottom : stride, left : left + end : stride]
        for top in range(WINDOW)
        for left in range(WINDOW)
    }


class Trainer:
    """A network and Adam's moments."""

    def __init__(self, network: Network, learning_rate: float, seed: int) -> None:
        tensors = {name: jnp.asarray(array) for name, array in network.arrays.items()}
        self._trained = {name: tensors.pop(name) for name in sorted(network.trained)}
        self._fixed = tensors
        self._key = jax.random.key(seed)
        adam = optax.adam(learning_rate, eps=ADAM_EPSILON)
        self._moments = adam.init(self._trained)
        self._step = jax.jit(partial(_step, network, adam), donate_argnums=(0, 1))

    def train_step(self, images: Array, labels: Labels) -> dict[str, float]:
        """One step; returns loss and accuracy of the batch before the step."""
        self._trained, self._moments, self._key, loss, accuracy = self._step(
            self._trained, self._moments, self._fixed, self._key, images, labels
        )
        return {"loss": float(loss), "accuracy": float(accuracy)}

    def arrays(self) -> dict[str, Array]:
        """The current values of all arrays."""
        return {name: np.array(tensor) for name, tensor in {**self._fixed, **self._trained}.items()}


def _step(
    network: Network,
    adam: Any,
    trained: dict[str, Tensor],
    moments: Any,
    fixed: dict[str, Tensor],
    key: Tensor,
    images: Tensor,
    labels: Tensor,
) -> tuple[Any, ...]:
    key, dropping = jax.random.split(key)

    def loss(trained: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        logits = network.logits(Operations(dropping), {**fixed, **trained}, images)
        losses = optax.sigmoid_binary_cross_entropy(logits, labels.astype(jnp.float32))
        return losses.mean(), ((logits > 0) == (labels == 1)).mean()

    (value, accuracy), gradients = jax.value_and_grad(loss, has_aux=True)(trained)
    updates, moments = adam.update(gradients, moments)
    return optax.apply_updates(trained, updates), moments, key, value, accuracy
