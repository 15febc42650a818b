"""Vectors of image operations: resizing, preprocessing, and transformations by given amounts."""

import numpy as np

from ..oracles.images import preprocess, resize_bilinear
from ..oracles.transformations import rotation, transformed, zoom
from .topic import Numbers, Topic, Within, draw_pixels

RESIZED = 0.01  # grey levels, LOAD-5
SCALED = 1e-5  # PRE-1
TRANSFORMED = 0.02  # grey levels, ROT-2 and ZOOM-2


def resizing() -> Topic:
    """The vectors of LOAD-5, with arrays instead of files."""
    topic = Topic("resizing", "Bilinear resizing: pixel centres at half, no antialiasing, the aspect ratio not kept.")
    for key, note, sides, size in (
        ("LOAD-5/1", "larger, by no whole number", (5, 7), (8, 10)),
        ("LOAD-5/2", "smaller by three, where smoothing shows", (12, 9), (4, 3)),
        ("LOAD-5/3", "smaller by a little", (10, 11), (9, 8)),
        ("LOAD-5/4", "one side grows, the other shrinks", (4, 9), (9, 4)),
        ("LOAD-5/5", "twice as large: edges go on", (3, 4), (6, 8)),
        ("LOAD-5/6", "halved: means of four pixels", (6, 8), (3, 4)),
        ("LOAD-5/7", "from one pixel", (1, 1), (3, 2)),
        ("LOAD-5/8", "to one pixel", (5, 4), (1, 1)),
    ):
        _resize(topic, key, note, draw_pixels(f"{key}/images", (1, *sides, 3)), size)
    _resize(topic, "LOAD-5/9", "a constant image", np.full((1, 3, 5, 3), 77, np.float32), (7, 4))
    kept = draw_pixels("LOAD-5/10/images", (2, 4, 5, 3))
    note, parameters = "of the same size: unchanged", {"size": [4, 5]}
    topic.compute("LOAD-5/10", "resize_bilinear", note, kept, inputs={"images": kept}, parameters=parameters)
    return topic


def _resize(topic: Topic, id: str, note: str, images: Numbers, size: tuple[int, int]) -> None:
    outputs, within = resize_bilinear(images, size), Within(atol=RESIZED)
    parameters = {"size": [*size]}
    topic.compute(id, "resize_bilinear", note, outputs, within, inputs={"images": images}, parameters=parameters)


def preprocessing() -> Topic:
    """The vectors of PRE-1."""
    topic = Topic("preprocessing", "Images in [0, 255] as the base takes them: resized, in [-1, 1].")
    images = draw_pixels("PRE-1/1/images", (2, 6, 4, 3))
    images[0, 0, 0], images[1, -1, -1] = 0, 255
    for key, note, size in (
        ("PRE-1/1", "of that size already", (6, 4)),
        ("PRE-1/2", "halved", (3, 2)),
        ("PRE-1/3", "larger by a half", (9, 6)),
        ("PRE-1/4", "doubled", (12, 8)),
    ):
        outputs, within = preprocess(images, size), Within(atol=SCALED)
        parameters = {"image_size": [*size]}
        topic.compute(key, "preprocess", note, outputs, within, inputs={"images": images}, parameters=parameters)
    return topic


def transformations() -> Topic:
    """The vectors of FLIP, ROT and ZOOM by given amounts."""
    about = (
        "What augmentation does, by a given amount: mirror, rotation (in turns, counter-clockwise), zoom (the share of "
        "the image that is shown); about the centre, bilinear, d c b a | a b c d | d c b a outside."
    )
    topic = Topic("transformations", about)
    images = draw_pixels("FLIP-1/1/images", (2, 3, 4, 3))
    note = "left and right, not up and down"
    topic.compute("FLIP-1/1", "flip_left_right", note, images[:, :, ::-1], inputs={"images": images})
    for key, note, sides, turns in (
        ("ROT-2/1", "36° on a rectangle", (7, 10), 0.1),
        ("ROT-2/2", "36° the other way", (10, 7), -0.1),
        ("ROT-2/3", "even sides: the centre lies between pixels", (8, 8), 0.037),
        ("ROT-2/4", "odd sides: the centre is a pixel", (9, 9), -0.08),
        ("ROT-2/5", "a quarter: what was at the right is at the top", (5, 5), 0.25),
        ("ROT-2/6", "no rotation", (4, 5), 0),
    ):
        _transform(topic, key, "rotate", note, sides, rotation(np.array([turns])), {"turns": turns})
    for key, note, sides, share in (
        ("ZOOM-2/1", "out: two pixels of reflection come in", (14, 23), 1.2),
        ("ZOOM-2/2", "in", (10, 7), 0.8),
        ("ZOOM-2/3", "even sides", (8, 8), 1.13),
        ("ZOOM-2/4", "odd sides", (9, 9), 0.93),
        ("ZOOM-2/5", "no zoom", (4, 5), 1),
    ):
        _transform(topic, key, "zoom", note, sides, zoom(np.array([share])), {"share": share})
    return topic


def _transform(
    topic: Topic,
    id: str,
    operation: str,
    note: str,
    sides: tuple[int, int],
    matrices: Numbers,
    parameters: dict[str, float],
) -> None:
    images = draw_pixels(f"{id}/images", (1, *sides, 3))
    outputs, within = transformed(images, matrices), Within(atol=TRANSFORMED)
    topic.compute(id, operation, note, outputs, within, inputs={"images": images}, parameters=parameters)
