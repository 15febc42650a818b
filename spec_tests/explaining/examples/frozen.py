"""What freezing keeps, what fine-tuning changes, and features that are computed once."""

import math

import numpy as np

from ...oracles.normalization import batch_normalization, moments, moved
from ...oracles.training import adam, crossentropy, sigmoid
from ...oracles.xception import XCEPTION_41, count
from ..example import Example, agree, example, number, numbers

BATCH = np.array([[1.0], [3.0]])  # one channel of two images
ONE, ZERO = np.ones(1), np.zeros(1)


@example("FRZ-2", "TUNE-3")
def _moving_mean() -> Example:
    mean, variance = (float(value[0]) for value in moments(BATCH))
    after = [float(moved(np.array([old]), np.array([new]))[0]) for old, new in ((0, mean), (1, variance))]
    agree(after, [0.01 * 2, 0.99 + 0.01])
    hundredth = 2 * (1 - 0.99**100)
    agree(hundredth, 2 - 2 * 0.99**100)
    steps = (
        "Values 1 and 3 in one channel of a batch: mean 2, variance 1. A normalisation in training mode moves a moving "
        f"mean of 0 to 0.99 × 0 + 0.01 × 2 = {number(after[0])}, and no optimizer is involved: setting the learning "
        "rate to 0 or leaving the weights out of the optimizer does not stop it.",
        f"After 100 such batches it is 2 × (1 - 0.99^100) = {number(hundredth)}. In inference mode it stays 0.",
    )
    return Example(steps)


@example("FRZ-3", "FEAT-2", "HEAD-3", "TUNE-8")
def _inference() -> Example:
    frozen = batch_normalization(BATCH, ONE, ZERO, ZERO, ONE)[:, 0]
    agree(frozen, [1 / math.sqrt(1.001), 3 / math.sqrt(1.001)])
    trained = batch_normalization(BATCH, ONE, ZERO, *moments(BATCH))[:, 0]
    agree(trained, [-1 / math.sqrt(1.001), 1 / math.sqrt(1.001)])
    alone = batch_normalization(BATCH[:1], ONE, ZERO, *moments(BATCH[:1]))[0, 0]
    agree(alone, 0)
    steps = (
        f"Moving mean 0, moving variance 1, epsilon 0.001, and a batch of 1 and 3. In inference mode 1 and 3 "
        f"become {numbers(frozen)}.",
        f"In training mode they are normalised by the mean 2 and the variance 1 of the batch, "
        f"and become {numbers(trained)}. The same 1 alone "
        "in a batch becomes 0: what the base says about an image depends on the other images.",
    )
    return Example(steps)


@example("FRZ-4")
def _head_learns() -> Example:
    gradient = float(sigmoid(0)) - 1
    step = float(adam([gradient], 0.001)[0])
    agree(step, 0.001 * 0.5 / (0.5 + 1e-7))
    steps = (
        f"A head that answers 0.5 for an image of class 1 has a gradient of 0.5 - 1 = {number(gradient)} at its last "
        f"bias, and the first step of Adam at a rate of 0.001 adds {number(step)}.",
        "If the optimizer has no variables of the head, the bias stays 0 and the loss stays at log 2 = "
        f"{number(math.log(2))}.",
    )
    agree(crossentropy(np.array([0.5]), np.array([1])), math.log(2))
    return Example(steps)


@example("TUNE-2")
def _these_alone() -> Example:
    shapes = XCEPTION_41.shapes()
    top = XCEPTION_41.top_kernels()
    left = len(shapes) - len(top)
    agree([len(shapes), len(top), left], [234, 2, 232])
    weights = count({name: shapes[name] for name in top})
    agree(weights, 9 * 1536 + 1536 * 2048)
    steps = (
        f"Of the {len(shapes)} arrays of Xception {len(top)} change, with {number(weights)} of its "
        f"{number(count(shapes))} weights, and the 4 variables of the head. The other {left} arrays are "
        "bit-identical afterwards.",
        "A first step moves each weight by 1e-5, which a picture of the weights does not show and a comparison of "
        "bits does.",
    )
    return Example(steps)


@example("TUNE-4")
def _starts_where_it_ended() -> Example:
    fresh, trained = crossentropy(np.array([0.5]), np.array([1])), crossentropy(np.array([0.98]), np.array([1]))
    agree([fresh, trained], [-math.log(0.5), -math.log(0.98)])
    steps = (
        f"Feature extraction ends with probabilities of 0.98 for the right class, a loss of {number(trained)}. "
        f"Fine-tuning begins there; with a new head it would begin at 0.5, a loss of {number(fresh)}, and its large "
        "gradients would reach the base.",
    )
    return Example(steps)


@example("TUNE-6")
def _takes_effect() -> Example:
    steps = (
        "Four variables of the head are trained, then 2 kernels of the base are unfrozen: the next run trains 6. An "
        "optimizer or a compiled step that was made before may still know only 4, and the kernels stay as they were. "
        "Keras asks for `compile` after each change of `trainable`.",
    )
    agree(len(XCEPTION_41.top_kernels()) + 4, 6)
    return Example(steps)


@example("FEAT-1")
def _once() -> Example:
    images, epochs = 2000, 30
    runs = [images * epochs, images]
    agree(runs[0] / runs[1], epochs)
    steps = (
        f"2,000 images and 30 epochs: the base runs {number(runs[0])} times inside the model, and {number(runs[1])} "
        "times where its features are computed once. A frozen base gives the same features each time, so the "
        "predictions are the same too.",
        "Augmentation is not possible on features: it changes the images in front of the base.",
    )
    return Example(steps)


@example("FEAT-3")
def _rows() -> Example:
    labels, shuffled = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    right = float((labels == shuffled).mean())
    agree(right, 0.5)
    steps = (
        f"Labels {numbers(labels)}, and features from a second pass over shuffled batches, whose labels are "
        f"{numbers(shuffled)}: only {number(right)} of the rows still have the label of their image. Shapes agree, "
        "nothing crashes, and the head learns nothing.",
    )
    return Example(steps)
