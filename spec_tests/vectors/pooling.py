"""Vectors of pooling: maxima, means, and the mean of a whole image."""

from typing import Any

import numpy as np

from ..cases.layers import POOLINGS, SUM
from ..oracles import windows as oracle
from .convolution import convolve, impulses
from .topic import Numbers, Shape, Topic, Within, draw

MAX, MEAN = POOLINGS
FAR_BELOW = -1e30  # smaller than a padding with a "large" negative number, which would win
BY_DEFAULT = (2, 2)  # the size of the window


def pool(
    topic: Topic,
    id: str,
    operation: str,
    note: str,
    images: Shape | Numbers,
    *,
    also: tuple[str, ...] = (),
    **parameters: Any,
) -> None:
    """Add a case of pooling. Images given as a shape are drawn. Maxima are exact."""
    images = draw(f"{id}/images", images) if isinstance(images, tuple) else images
    size = tuple(parameters.get("pool_size", BY_DEFAULT))
    options = (size, tuple(parameters.get("strides", size)), parameters.get("padding", "valid"))
    outputs = getattr(oracle, operation)(images, *options)
    scale = oracle.average_pooling2d(np.abs(images), *options)
    outputs, within = (outputs.astype(np.float32), None) if operation == MAX else (outputs, Within(SUM, scale=scale))
    inputs = {"images": images}
    topic.compute(id, operation, note, outputs, within, inputs=inputs, parameters=parameters, also=also)


def pooling() -> Topic:
    """The vectors of POOL and GAP."""
    topic = Topic("pooling", "Max, average and global average pooling; padding never wins and is never counted.")
    _sizes(topic)
    _maxima(topic)
    _channels(topic)
    _means(topic)
    _presence(topic)
    _whole_images(topic)
    return topic


def _sizes(topic: Topic) -> None:
    pool(topic, "POOL-1/1", MAX, "2×2 by default; the last row and column are dropped", (1, 5, 7, 2))
    pool(topic, "POOL-1/2", MEAN, "the same for means", (1, 7, 5, 2))
    pool(topic, "POOL-1/3", MAX, "even sides", (2, 4, 6, 1), pool_size=[2, 2], strides=[2, 2])
    pool(topic, "POOL-2/1", MAX, "strides are the window by default", (1, 7, 8, 2), pool_size=[3, 2])
    pool(topic, "POOL-2/2", MEAN, "the same, same padding", (1, 7, 8, 2), pool_size=[2, 3], padding="same")
    pool(
        topic,
        "POOL-2/3",
        MAX,
        "windows that overlap, and stride over pixels",
        (1, 6, 9, 1),
        pool_size=[3, 1],
        strides=[1, 3],
    )
    for key, operation, note, sides, size, mentions in (
        ("POOL-8/1", MAX, "the height is a pixel short", (2, 8), (3, 2), (3, 2)),
        ("POOL-8/2", MEAN, "the width is a pixel short", (8, 3), (2, 4), (4, 3)),
    ):
        images = draw(f"{key}/images", (1, *sides, 2))
        parameters = {"pool_size": [*size], "padding": "valid"}
        topic.refuse(
            key,
            operation,
            note,
            inputs={"images": images},
            parameters=parameters,
            mentions=mentions,
            also=("POOL-9",),
        )


def _maxima(topic: Topic) -> None:
    options: dict[str, Any] = {"pool_size": [3, 3], "strides": [2, 2]}
    below = draw("POOL-3/1/images", (1, 6, 8, 2), -4, -1)
    pool(topic, "POOL-3/1", MAX, "negative values only; padding is uneven", below, padding="same", **options)
    odd = draw("POOL-3/2/images", (1, 5, 7, 2), -4, -1)
    pool(topic, "POOL-3/2", MAX, "negative values only; padding on each side", odd, padding="same", **options)
    even = draw("POOL-3/3/images", (1, 4, 5, 2), -4, -1)
    pool(topic, "POOL-3/3", MAX, "an even window", even, pool_size=[2, 4], strides=[1, 1], padding="same")
    far = draw("POOL-3/4/images", (1, 4, 4, 1), 1, 2) * np.float32(FAR_BELOW)
    pool(topic, "POOL-3/4", MAX, "below any stand-in for minus infinity", far, padding="same", **options)
    pool(
        topic,
        "POOL-3/5",
        MAX,
        "a window larger than the image",
        (1, 2, 1, 2),
        pool_size=[4, 3],
        strides=[1, 2],
        padding="same",
    )
    values = draw("POOL-7/1/images", (1, 6, 5, 2))
    raised = np.float32(2) * values - np.float32(9)
    pool(topic, "POOL-7/1", MAX, "x", values, padding="same", **options)
    pool(topic, "POOL-7/2", MAX, "2 x - 9, all below zero", raised, padding="same", **options)


def _channels(topic: Topic) -> None:
    three = draw("POOL-5/1/images", (1, 5, 6, 3))
    alone = three[..., 1:2].copy()
    pool(topic, "POOL-5/1", MAX, "three channels", three, pool_size=[3, 2], strides=[2, 2])
    pool(topic, "POOL-5/2", MAX, "the second of them alone", alone, pool_size=[3, 2], strides=[2, 2])
    pool(topic, "POOL-5/3", MEAN, "means of three channels", three, pool_size=[3, 2], strides=[2, 2])
    pool(topic, "POOL-5/4", MEAN, "the second of them alone", alone, pool_size=[3, 2], strides=[2, 2])


def _means(topic: Topic) -> None:
    for key, note, images, size, strides in (
        ("POOL-4/1", "3×3 with stride 2 on even sides", (1, 6, 8, 2), (3, 3), (2, 2)),
        ("POOL-4/2", "3×3 with stride 2 on odd sides", (1, 5, 7, 2), (3, 3), (2, 2)),
        ("POOL-4/3", "an even window: corners of one pixel", (1, 4, 5, 2), (2, 2), (1, 1)),
        ("POOL-4/4", "a window larger than the image", (2, 2, 3, 1), (5, 4), (1, 2)),
        ("POOL-4/5", "nothing is square", (1, 5, 6, 2), (4, 3), (3, 2)),
    ):
        options: dict[str, Any] = {"pool_size": [*size], "strides": [*strides], "padding": "same"}
        pool(topic, key, MEAN, note, images, also=("POOL-2",), **options)
    pool(topic, "POOL-4/6", MEAN, "valid: every pixel is real", (1, 5, 6, 2), pool_size=[3, 2], strides=[1, 2])


def _presence(topic: Topic) -> None:
    images = impulses(4, 2, 1)
    pool(topic, "POOL-6/1", MAX, "a lone activation, kept wherever it stands", images)
    pool(topic, "POOL-6/2", MEAN, "falls to a quarter", images)
    identity = np.ones((1, 1, 1, 1), np.float32)
    convolve(topic, "POOL-6/3", "is lost in three places of four", images, identity, strides=[2, 2])


def _whole_images(topic: Topic) -> None:
    images = draw("GAP-1/1/images", (2, 3, 5, 4), -2, 3)
    order = np.argsort(draw("GAP-1/2/order", (15,)))
    permuted = images.reshape(2, 15, 4)[:, order].reshape(images.shape)
    outputs = images.mean(axis=(1, 2), dtype=np.float64)
    within = Within(SUM, scale=np.abs(images).mean(axis=(1, 2)))
    for key, note, values in (("GAP-1/1", "a rectangle", images), ("GAP-1/2", "its pixels in another order", permuted)):
        topic.compute(key, "global_average_pooling2d", note, outputs, within, inputs={"images": values})
