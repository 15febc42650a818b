"""Vectors of convolution and of separable convolution."""

from typing import Any

import numpy as np

from ..cases.layers import SUM
from ..cases.windows import Window
from ..oracles import windows as oracle
from ..oracles.windows import ONE
from .topic import Numbers, Shape, Topic, Within, draw, draw_weights, drawn

SHIFT = (1, 2)  # the strides of CONV-3, by which its image is shifted


def convolve(
    topic: Topic,
    id: str,
    note: str,
    images: Shape | Numbers,
    kernel: Shape | Numbers,
    bias: Shape | Numbers | None = None,
    *,
    also: tuple[str, ...] = (),
    **parameters: Any,
) -> None:
    """Add a case of conv2d. An input given as a shape is drawn, and the parameters are those of the contract."""
    images = draw(f"{id}/images", images) if isinstance(images, tuple) else images
    inputs = drawn(id, images=images, kernel=kernel, bias=bias)
    strides, dilation = (tuple(parameters.get(name, ONE)) for name in ("strides", "dilation_rate"))
    options = (strides, dilation, parameters.get("padding", "valid"))
    added = inputs.get("bias", np.zeros(1, np.float32)).astype(np.float64)
    outputs = oracle.conv2d(inputs["images"], inputs["kernel"], *options) + added
    scale = oracle.conv2d(np.abs(inputs["images"]), np.abs(inputs["kernel"]), *options) + np.abs(added)
    within = Within(SUM, scale=scale)
    topic.compute(id, "conv2d", note, outputs, within, inputs=inputs, parameters=parameters, also=also)


def separate(
    topic: Topic,
    id: str,
    note: str,
    shape: Shape,
    size: tuple[int, int],
    filters: int,
    *,
    also: tuple[str, ...] = (),
    **parameters: Any,
) -> None:
    """Add a case of separable_conv2d."""
    inputs = separable_inputs(id, shape, size, filters)
    images, depthwise, pointwise = inputs.values()
    options = (tuple(parameters.get("strides", ONE)), parameters.get("padding", "valid"))
    outputs = oracle.separable_conv2d(images, depthwise, pointwise, *options)
    scale = oracle.separable_conv2d(np.abs(images), np.abs(depthwise), np.abs(pointwise), *options)
    within = Within(SUM, scale=scale)
    topic.compute(id, "separable_conv2d", note, outputs, within, inputs=inputs, parameters=parameters, also=also)


def separable_inputs(
    id: str, images: Shape, size: tuple[int, int], filters: int, more: tuple[int, int] = (0, 0)
) -> dict[str, Numbers]:
    """Images and both kernels. ``more`` is the excess of each kernel's channels over those of the images."""
    depthwise, pointwise = (images[-1] + channels for channels in more)
    return drawn(
        id,
        images=draw(f"{id}/images", images),
        depthwise_kernel=(*size, depthwise, 1),
        pointwise_kernel=(1, 1, pointwise, filters),
    )


def impulses(height: int, width: int, channels: int) -> Numbers:
    """An image for each pixel, in which one channel of that pixel is 8 and all else is zero."""
    return Window((height, width), ONE, channels=channels).impulses(8)


def convolution() -> Topic:
    """The vectors of CONV, PAD and STRIDE."""
    topic = Topic("convolution", "Convolution of images with a kernel: values, padding, strides, dilation, errors.")
    _sums(topic)
    _properties(topic)
    _weights(topic)
    _two_layers(topic)
    _valid(topic)
    _same(topic)
    _two_axes(topic)
    _strides(topic)
    return topic


def _sums(topic: Topic) -> None:
    convolve(topic, "CONV-1/1", "rectangular image and kernel, neither flipped", (2, 5, 7, 3), (3, 2, 3, 2), (2,))
    convolve(topic, "CONV-1/2", "no bias", (1, 4, 5, 2), (2, 3, 2, 3))
    convolve(
        topic,
        "CONV-1/3",
        "a dilation for each axis",
        (1, 7, 9, 2),
        (3, 3, 2, 2),
        (2,),
        dilation_rate=[2, 3],
        padding="valid",
        strides=[1, 1],
    )
    convolve(topic, "CONV-1/4", "a 1×1 kernel mixes channels", (2, 3, 2, 4), (1, 1, 4, 3), (3,))
    convolve(topic, "CONV-1/5", "a kernel as large as the image", (2, 3, 4, 2), (3, 4, 2, 3), (3,))
    convolve(topic, "CONV-1/6", "long sums, where half precision shows", (1, 4, 4, 48), (3, 3, 48, 2), (2,))


def _properties(topic: Topic) -> None:
    convolve(topic, "CONV-2/1", "an impulse at each pixel", impulses(3, 4, 2), (3, 2, 2, 2), padding="same")
    convolve(
        topic,
        "CONV-2/2",
        "an impulse at each pixel; some are in no window",
        impulses(5, 4, 1),
        (2, 1, 1, 2),
        strides=[3, 2],
    )
    image = draw("CONV-3/1/image", (1, 6, 7, 2))
    both = np.concatenate([image, np.roll(image, SHIFT, axis=(1, 2))])
    convolve(topic, "CONV-3/1", "an image, and the same shifted by the strides", both, (2, 3, 2, 2), strides=[*SHIFT])
    one, other = draw("CONV-4/1/one", (4, 3, 2)), draw("CONV-4/1/other", (4, 3, 2))
    combined = np.stack([one, other, np.float32(0.5) * one - np.float32(3) * other])
    convolve(topic, "CONV-4/1", "x, y, and 0.5 x - 3 y", combined, (2, 2, 2, 2), padding="same")


def _weights(topic: Topic) -> None:
    weights = drawn("CONV-5/1", kernel=(2, 3, 2, 3), bias=(3,))
    convolve(topic, "CONV-5/1", "weights that serve a small image", (1, 3, 4, 2), *weights.values())
    convolve(topic, "CONV-5/2", "the same weights serve a larger one", (1, 6, 5, 2), *weights.values())
    images = draw("CONV-5/3/images", (1, 4, 4, 2))
    for key, note, kernel, bias in (
        ("CONV-5/3", "a kernel for one channel more", (2, 2, 3, 3), (3,)),
        ("CONV-7/1", "a bias for one filter more", (2, 2, 2, 3), (4,)),
        ("CONV-7/2", "one value for all filters", (2, 2, 2, 3), (1,)),
        ("CONV-5/5", "a kernel for one channel, which broadcasting would take", (2, 2, 1, 3), (3,)),
    ):
        topic.refuse(key, "conv2d", note, inputs=drawn(key, images=images, kernel=kernel, bias=bias))


def _two_layers(topic: Topic) -> None:
    """Add two layers with positive whole numbers, so that the first result is an exact input of the second."""
    first, second = (np.floor(np.abs(draw_weights(f"CONV-6/{n}/kernel", (3, 3, 1, 1))) * 8) for n in (1, 2))
    images = impulses(7, 6, 1)[15:21]
    between = oracle.conv2d(images, first).astype(np.float32)
    convolve(topic, "CONV-6/1", "the first of two valid 3×3 convolutions of impulses", images, first)
    convolve(topic, "CONV-6/2", "the second, whose outputs see 5×5 pixels of these images", between, second)


def _valid(topic: Topic) -> None:
    convolve(
        topic, "PAD-1/1", "the last, partial windows are dropped", (1, 6, 8, 2), (3, 2, 2, 2), (2,), strides=[2, 3]
    )
    for key, note, image, size, dilation, mentions in (
        ("PAD-6/1", "the height is a pixel short", (3, 9), (4, 2), (1, 1), (4, 3)),
        ("PAD-6/2", "the width is a pixel short", (9, 4), (2, 5), (1, 1), (5, 4)),
        ("PAD-6/3", "a dilated window is too wide, the kernel is not", (8, 6), (3, 3), (2, 3), (7, 6)),
    ):
        images = draw(f"{key}/images", (1, *image, 2))
        inputs = drawn(key, images=images, kernel=(*size, 2, 2))
        parameters = {"padding": "valid", "dilation_rate": [*dilation]}
        topic.refuse(key, "conv2d", note, inputs=inputs, parameters=parameters, mentions=mentions, also=("PAD-7",))


def _same(topic: Topic) -> None:
    convolve(topic, "PAD-2/1", "even kernel sides", (2, 5, 4, 2), (2, 4, 2, 2), padding="same", strides=[1, 1])
    convolve(topic, "PAD-2/2", "a kernel larger than the image", (1, 2, 3, 2), (5, 4, 2, 2), padding="same")
    convolve(topic, "PAD-3/1", "strides of 3 and 2", (1, 7, 5, 2), (2, 3, 2, 2), padding="same", strides=[3, 2])
    for key, note, images, size, strides, dilation in (
        ("PAD-4/1", "an even kernel: the odd zero at the bottom and right", (1, 4, 5, 2), (2, 2), (1, 1), (1, 1)),
        ("PAD-4/2", "3×3 with stride 2 on even sides: one zero a side pair", (1, 6, 8, 2), (3, 3), (2, 2), (1, 1)),
        ("PAD-4/3", "3×3 with stride 2 on odd sides: one zero on each side", (1, 5, 7, 2), (3, 3), (2, 2), (1, 1)),
        ("PAD-4/4", "an odd and an even side", (2, 6, 5, 1), (3, 3), (2, 2), (1, 1)),
        ("PAD-4/5", "4×4 with stride 2", (1, 6, 7, 2), (4, 4), (2, 2), (1, 1)),
        ("PAD-4/6", "5×5 with stride 3", (1, 8, 9, 1), (5, 5), (3, 3), (1, 1)),
        ("PAD-4/7", "an even kernel, dilated", (1, 6, 7, 2), (2, 4), (1, 1), (3, 2)),
        ("PAD-4/8", "a kernel smaller than its stride: no zeros, never less", (1, 5, 6, 2), (1, 1), (3, 2), (1, 1)),
        ("PAD-4/9", "a single pixel", (1, 1, 1, 3), (4, 3), (2, 1), (1, 1)),
    ):
        kernel = (*size, images[-1], 2)
        options: dict[str, Any] = {"padding": "same", "strides": [*strides], "dilation_rate": [*dilation]}
        convolve(topic, key, note, images, kernel, **options)


def _two_axes(topic: Topic) -> None:
    images, kernel = draw("PAD-5/1/images", (1, 6, 9, 2)), draw_weights("PAD-5/1/kernel", (3, 2, 2, 2))
    same: dict[str, Any] = {"padding": "same", "also": ("PAD-3", "PAD-4")}
    convolve(topic, "PAD-5/1", "nothing is square", images, kernel, strides=[2, 3], **same)
    turned = images.swapaxes(1, 2), kernel.swapaxes(0, 1)
    convolve(topic, "PAD-5/2", "the same, axes exchanged", *turned, strides=[3, 2], **same)
    convolve(topic, "PAD-5/3", "valid, one axis dilated", (1, 5, 8, 1), (4, 2, 1, 2), dilation_rate=[1, 4])


def _strides(topic: Topic) -> None:
    convolve(topic, "STRIDE-1/1", "no strides given", (1, 4, 6, 2), (3, 2, 2, 2))
    convolve(topic, "STRIDE-1/2", "no strides given, same padding", (1, 4, 3, 2), (2, 3, 2, 2), padding="same")
    for key, sides in (("STRIDE-2/1", (7, 8)), ("STRIDE-2/2", (8, 7))):
        note = f"sides of {sides[0]} and {sides[1]}"
        also = ("PAD-3", "PAD-4")
        convolve(topic, key, note, (1, *sides, 1), (3, 3, 1, 2), padding="same", strides=[2, 2], also=also)
    images, kernel = draw("STRIDE-3/1/images", (1, 7, 8, 2)), draw_weights("STRIDE-3/1/kernel", (2, 3, 2, 2))
    convolve(topic, "STRIDE-3/1", "every output", images, kernel, padding="valid", strides=[1, 1])
    convolve(topic, "STRIDE-3/2", "every second and third of them", images, kernel, padding="valid", strides=[2, 3])


def separable() -> Topic:
    """The vectors of SEP, and those of PAD and STRIDE for separable convolutions."""
    topic = Topic("separable", "Separable convolution: depthwise, then pointwise, with nothing in between.")
    separate(topic, "SEP-1/1", "a rectangular kernel", (2, 5, 6, 3), (3, 2), 4, padding="valid", strides=[1, 1])
    separate(topic, "SEP-1/2", "as in Xception: 3×3, same padding", (1, 5, 6, 3), (3, 3), 2, padding="same")
    separate(topic, "SEP-1/3", "strides are the depthwise part's", (1, 7, 8, 2), (2, 3), 3, strides=[2, 3])
    separate(
        topic,
        "SEP-1/4",
        "an even kernel, same padding, strides",
        (1, 6, 7, 2),
        (4, 2),
        3,
        strides=[2, 2],
        padding="same",
        also=("PAD-4",),
    )
    separate(topic, "SEP-1/5", "a single channel", (1, 4, 4, 1), (3, 3), 3)
    for key, note, more in (
        ("SEP-1/6", "both kernels for one channel more", (1, 1)),
        ("SEP-1/7", "a pointwise kernel for one channel more", (0, 1)),
    ):
        inputs = separable_inputs(key, (1, 5, 5, 2), (3, 3), 3, more)
        topic.refuse(key, "separable_conv2d", note, inputs=inputs, parameters={"padding": "same"})
    inputs, note = separable_inputs("PAD-6/4", (1, 4, 6, 2), (5, 3), 2), "the height is a pixel short"
    topic.refuse("PAD-6/4", "separable_conv2d", note, inputs=inputs, mentions=(5, 4), also=("PAD-7",))
    separate(topic, "STRIDE-1/3", "no strides given", (1, 4, 5, 2), (3, 2), 2, padding="same")
    separate(topic, "STRIDE-2/3", "an odd and an even side", (1, 7, 6, 2), (3, 3), 2, strides=[2, 2], padding="same")
    return topic
