"""The step in TensorFlow: one ``tf.function``, whose tape watches the trained arrays alone."""

import numpy as np
import tensorflow as tf

from ...adapter.contract import Array, Labels
from ...oracles.normalization import EPSILON
from ...oracles.training import BETA_1, BETA_2
from ...oracles.training import EPSILON as ADAM_EPSILON
from .networks import Network, Tensor


class Operations:
    """The operations on images (n, height, width, channels)."""

    @staticmethod
    def convolution(x: Tensor, kernel: Tensor, bias: Tensor | None, stride: int, padding: str) -> Tensor:
        """TensorFlow's convolution."""
        x = tf.nn.conv2d(x, kernel, stride, padding.upper())
        return x if bias is None else tf.nn.bias_add(x, bias)

    @staticmethod
    def depthwise(x: Tensor, kernel: Tensor, stride: int, padding: str) -> Tensor:
        """TensorFlow's depthwise convolution."""
        return tf.nn.depthwise_conv2d(x, kernel, [1, stride, stride, 1], padding.upper())

    @staticmethod
    def normalised(x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        """The normalised values, computed with one factor and one offset for each channel."""
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, EPSILON)

    @staticmethod
    def relu(x: Tensor) -> Tensor:
        """The values, at least 0."""
        return tf.nn.relu(x)

    @staticmethod
    def relu6(x: Tensor) -> Tensor:
        """The values, limited to 0 to 6."""
        return tf.nn.relu6(x)

    @staticmethod
    def padded(x: Tensor, top: int, bottom: int, left: int, right: int) -> Tensor:
        """The images with zeros around them."""
        return tf.pad(x, [(0, 0), (top, bottom), (left, right), (0, 0)])

    @staticmethod
    def halved(x: Tensor) -> Tensor:
        """Max pooling of 2 × 2."""
        return tf.nn.max_pool2d(x, 2, 2, "VALID")

    @staticmethod
    def pooled(x: Tensor) -> Tensor:
        """Max pooling of 3 × 3 with stride 2."""
        return tf.nn.max_pool2d(x, 3, 2, "SAME")

    @staticmethod
    def averaged(x: Tensor) -> Tensor:
        """The mean over height and width."""
        return tf.reduce_mean(x, (1, 2))

    @staticmethod
    def dense(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
        """The product with the kernel, plus the bias."""
        return x @ kernel + bias

    @staticmethod
    def dropped(x: Tensor, rate: float) -> Tensor:
        """TensorFlow's dropout, with the global generator."""
        return tf.nn.dropout(x, rate)


class Trainer:
    """A network and Adam's moments."""

    def __init__(self, network: Network, learning_rate: float, seed: int) -> None:
        tf.random.set_seed(seed)
        self._network, self._learning_rate = network, learning_rate
        self._tensors = {
            name: tf.Variable(array) if name in network.trained else tf.constant(array)
            for name, array in network.arrays.items()
        }
        self._trained = [self._tensors[name] for name in sorted(network.trained)]
        self._moments = [(tf.Variable(tf.zeros_like(w)), tf.Variable(tf.zeros_like(w))) for w in self._trained]
        self._taken = tf.Variable(0.0)  # steps taken
        self._step = tf.function(self._traced)

    def train_step(self, images: Array, labels: Labels) -> dict[str, float]:
        """One step; returns loss and accuracy of the batch before the step."""
        loss, accuracy = self._step(tf.constant(images), tf.constant(labels))
        return {"loss": float(loss), "accuracy": float(accuracy)}

    def arrays(self) -> dict[str, Array]:
        """The current values of all arrays."""
        return {name: np.array(tensor) for name, tensor in self._tensors.items()}

    def _traced(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        targets = tf.cast(labels, tf.float32)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._trained)
            logits = self._network.logits(Operations(), self._tensors, images)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, logits))
        self._adam(tape.gradient(loss, self._trained))
        return loss, tf.reduce_mean(tf.cast((logits > 0) == (targets == 1), tf.float32))

    def _adam(self, gradients: list[Tensor]) -> None:
        """Apply Adam as Keras does: the learning rate contains the corrections of both moments (arXiv 1412.6980)."""
        t = self._taken.assign_add(1)
        rate = self._learning_rate * tf.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
        for weight, (first, second), gradient in zip(self._trained, self._moments, gradients, strict=True):
            first.assign_add((gradient - first) * (1 - BETA_1))
            second.assign_add((tf.square(gradient) - second) * (1 - BETA_2))
            weight.assign_sub(rate * first / (tf.sqrt(second) + ADAM_EPSILON))
