"""The step in PyTorch, eager: autograd follows only the arrays that require gradients."""

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from ...adapter.contract import Array, Labels
from ...oracles.normalization import EPSILON
from ...oracles.training import EPSILON as ADAM_EPSILON
from .networks import Network, Tensor

# Axes of a kernel (k_h, k_w, in, out) in torch's order, those of a depthwise one, and the inverse orders.
KERNEL, DEPTHWISE = (3, 2, 0, 1), (2, 3, 0, 1)
KERNEL_BACK, DEPTHWISE_BACK = (2, 3, 1, 0), (2, 3, 0, 1)


class Operations:
    """The operations on images (n, channels, height, width), with channels last in memory, which is faster on CPUs."""

    @staticmethod
    def convolution(x: Tensor, kernel: Tensor, bias: Tensor | None, stride: int, padding: str) -> Tensor:
        """Torch's convolution, which can only pad both sides alike."""
        if padding == "same":
            height, width = (_same(side, stride, kernel.shape[-1]) for side in x.shape[-2:])
            x = F.pad(x, (*width, *height))
        return F.conv2d(x, kernel, bias, stride)

    @staticmethod
    def depthwise(x: Tensor, kernel: Tensor, stride: int, padding: str) -> Tensor:
        """A convolution with as many groups as channels. Same padding occurs with stride 1 only."""
        return F.conv2d(x, kernel, None, stride, 1 if padding == "same" else 0, groups=len(kernel))

    @staticmethod
    def normalised(x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        """Torch's batch normalisation."""
        return F.batch_norm(x, mean, variance, gamma, beta, eps=EPSILON)

    @staticmethod
    def relu(x: Tensor) -> Tensor:
        """The values, at least 0."""
        return F.relu(x)

    @staticmethod
    def relu6(x: Tensor) -> Tensor:
        """The values, limited to 0 to 6."""
        return F.relu6(x)

    @staticmethod
    def padded(x: Tensor, top: int, bottom: int, left: int, right: int) -> Tensor:
        """The images with zeros around them."""
        return F.pad(x, (left, right, top, bottom))

    @staticmethod
    def halved(x: Tensor) -> Tensor:
        """Max pooling of 2 × 2."""
        return F.max_pool2d(x, 2)

    @staticmethod
    def pooled(x: Tensor) -> Tensor:
        """Max pooling of 3 × 3 with stride 2. An odd side is padded at both ends, an even one only at its end."""
        return F.max_pool2d(x, 3, 2, padding=(x.shape[-2] % 2, x.shape[-1] % 2), ceil_mode=True)

    @staticmethod
    def averaged(x: Tensor) -> Tensor:
        """The mean over height and width."""
        return x.mean((2, 3))

    @staticmethod
    def dense(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
        """The product with the kernel, plus the bias."""
        return torch.addmm(bias, x, kernel)

    @staticmethod
    def dropped(x: Tensor, rate: float) -> Tensor:
        """Torch's dropout, with the global generator."""
        return F.dropout(x, rate)


def _same(side: int, stride: int, kernel: int) -> tuple[int, int]:
    """The pixels of padding before and after."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


def _placed(name: str, array: Array) -> Tensor:
    """The array as a tensor; kernels with their axes in torch's order."""
    tensor = torch.tensor(array)
    if tensor.ndim != 4:
        return tensor
    tensor = tensor.permute(DEPTHWISE if name.endswith("depthwise_kernel") else KERNEL)
    return tensor.contiguous(memory_format=torch.channels_last)


def _taken(name: str, tensor: Tensor) -> Array:
    """A copy of the tensor as an array; kernels with their axes in the original order."""
    tensor = tensor.detach()
    if tensor.ndim == 4:
        tensor = tensor.permute(DEPTHWISE_BACK if name.endswith("depthwise_kernel") else KERNEL_BACK)
    return np.array(tensor.numpy())


class Trainer:
    """A network and Adam's moments."""

    def __init__(self, network: Network, learning_rate: float, seed: int) -> None:
        torch.manual_seed(seed)
        self._network = network
        self._tensors = {name: _placed(name, array) for name, array in network.arrays.items()}
        trained = [self._tensors[name].requires_grad_() for name in sorted(network.trained)]
        self._adam = torch.optim.Adam(trained, learning_rate, eps=ADAM_EPSILON)

    def train_step(self, images: Array, labels: Labels) -> dict[str, float]:
        """One step; returns loss and accuracy of the batch before the step."""
        x, targets = torch.from_numpy(images).movedim(-1, 1), torch.from_numpy(labels).float()
        logits = self._network.logits(Operations(), self._tensors, x)
        loss = F.binary_cross_entropy_with_logits(logits, targets)
        self._adam.zero_grad()
        loss.backward()
        self._adam.step()
        return {"loss": loss.item(), "accuracy": ((logits > 0) == (targets == 1)).float().mean().item()}

    def arrays(self) -> dict[str, Array]:
        """The current values of all arrays."""
        return {name: _taken(name, tensor) for name, tensor in self._tensors.items()}
