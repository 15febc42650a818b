"""The base, the head, and the parts of them that are trained."""

import math
from itertools import pairwise

import numpy as np

from ...oracles import convnet
from ...oracles.training import crossentropy, head, sigmoid
from ...oracles.windows import output_side
from ...oracles.xception import XCEPTION_41, count, is_kernel
from ..example import Example, agree, example, number, numbers

SHAPES = XCEPTION_41.shapes()


@example("BASE-1")
def _weights() -> Example:
    kernels = [SHAPES[f"block2_sepconv1/{kind}_kernel"] for kind in ("depthwise", "pointwise")]
    agree([math.prod(shape) for shape in kernels], [9 * 64, 64 * 128])
    moving = {name: shape for name, shape in SHAPES.items() if "moving" in name}
    agree([count(SHAPES), len(SHAPES), count(moving), len(moving)], [20861480, 234, 54528, 80])
    steps = (
        f"block2_sepconv1 goes from 64 channels to 128: 9 × 64 + 64 × 128 = {number(9 * 64 + 64 * 128)} weights, and "
        "its normalisation has 4 × 128 = 512, half of which are moving statistics.",
        f"All {len(SHAPES)} arrays together hold {number(count(SHAPES))}; {len(moving)} of them, "
        f"{number(count(moving))} numbers, are moving statistics.",
    )
    return Example(steps)


@example("BASE-2")
def _sides() -> Example:
    sides = [180, output_side(180, 3, 2)]
    sides.append(output_side(sides[-1], 3))
    for _ in range(4):
        sides.append(output_side(sides[-1], 3, 2, padding="same"))
    agree(sides, [180, 89, 87, 44, 22, 11, 6])
    agree(XCEPTION_41.feature_side(180), sides[-1])
    steps = (
        "180: a valid 3 × 3 convolution with stride 2 gives floor((180 - 3) / 2) + 1 = 89, a second one with stride 1 "
        "89 - 3 + 1 = 87.",
        "Four poolings with stride 2 and same padding: ceil(87 / 2) = 44, 22, 11, and ceil(11 / 2) = 6.",
    )
    return Example(steps)


@example("HEAD-1")
def _head() -> Example:
    weights = 2048 * 256 + 256 + 256 + 1
    agree(weights, 524801)
    steps = (
        f"2048 × 256 + 256 + 256 + 1 = {number(weights)}: the first kernel and its bias, the last kernel and its bias.",
    )
    return Example(steps)


@example("HEAD-2")
def _probability() -> Example:
    one = np.ones((1, 1))
    got = [float(head(one * x, one, np.zeros(1), np.ones(1), 0)[0]) for x in (-2, 0, 2)]
    agree(got, [1 / (1 + math.exp(-x)) for x in (-2, 0, 2)])
    return Example((f"Sums of -2, 0 and 2 become 1 / (1 + exp(-x)) = {numbers(got)}: an array of 3, not of 3 × 1.",))


@example("HEAD-4")
def _logits() -> Example:
    p = float(sigmoid(2))
    right, wrong = (crossentropy(np.array([q]), np.array([1])) for q in (p, float(sigmoid(p))))
    agree([right, wrong], [math.log1p(math.exp(-2)), math.log1p(math.exp(-p))])
    steps = (
        f"A sum of 2 is a probability of {number(p)}, and for label 1 a loss of {number(right)}.",
        "Given to a loss that takes logits, that probability goes through the sigmoid again, "
        f"{number(float(sigmoid(p)))}: the loss is {number(wrong)}, and never below "
        f"{number(math.log1p(math.exp(-1)))}, however sure the model is.",
    )
    return Example(steps)


@example("NET-1")
def _convnet() -> Example:
    layers = [9 * a * b + b for a, b in pairwise(convnet.CHANNELS)]
    total = sum(layers) + 128 + 1
    agree([total, 2 * len(layers) + 2], [sum(convnet.SIZES), len(convnet.SIZES)])
    steps = (
        f"9 × 3 × 8 + 8 = {layers[0]} weights in the first convolution, then {numbers(layers[1:])}, and 128 + 1 in "
        f"the last unit: {number(total)} in {2 * len(layers) + 2} arrays.",
    )
    return Example(steps)


@example("FRZ-1")
def _trained() -> Example:
    kernels = sum(map(is_kernel, SHAPES))
    agree(kernels, 74)
    steps = (
        f"Frozen: the head's two kernels and two biases, 4 variables. Unfrozen: 4 + {kernels} kernels of the base. "
        "The 160 arrays of its 40 normalisations stay frozen.",
    )
    agree(len(SHAPES) - kernels, 4 * 40)
    return Example(steps)


@example("TUNE-1")
def _top() -> Example:
    depthwise, pointwise = (math.prod(SHAPES[name]) for name in XCEPTION_41.top_kernels())
    agree([depthwise, pointwise], [9 * 1536, 1536 * 2048])
    steps = (
        f"block14_sepconv2 goes from 1,536 channels to 2,048: 9 × 1536 = {number(depthwise)} and 1536 × 2048 = "
        f"{number(pointwise)}, {number(depthwise + pointwise)} weights in 2 variables.",
        "The last four layers are block14_sepconv1_act, block14_sepconv2, its normalisation and its activation: one of "
        "them alone has kernels.",
    )
    return Example(steps)
