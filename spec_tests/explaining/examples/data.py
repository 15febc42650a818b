"""Archives, subsets and image folders."""

import math
import zlib
from pathlib import PurePosixPath

import numpy as np

from ...oracles.images import bilinear_weights, resize_bilinear
from ..example import Example, agree, example, grid, number, numbers
from .images import IMAGE


@example("GET-2")
def _outside() -> Example:
    parts = PurePosixPath("photographs/../../cat.jpg").parts
    agree([parts.count(".."), len(parts)], [2, 4])
    steps = (
        "photographs/../../cat.jpg goes one folder down and two up: from the destination it lands in the folder above.",
        "In `..\\cat.jpg` a backslash separates on Windows, and is a letter elsewhere: it is refused on both.",
    )
    return Example(steps)


@example("GET-5")
def _checksum() -> Example:
    right, wrong = (zlib.crc32(content) for content in (b"cat", b"cau"))
    agree(right, 0x9E5E43A8)
    steps = (
        f"An archive keeps a checksum of each member. CRC-32 of the bytes `cat` is {right:08X}; with one bit changed, "
        f"`cau`, it is {wrong:08X}, and the member is refused.",
    )
    return Example(steps)


@example("SUB-1")
def _range() -> Example:
    names = [f"cat.{index}.jpg" for index in range(2, 5)]
    agree(len(names), 5 - 2)
    steps = (
        f"start 2 and end 5: {', '.join(names)}, 5 - 2 = 3 images, and the same three of dogs. cat.5.jpg is not among "
        "them.",
    )
    return Example(steps)


@example("SUB-3")
def _disjoint() -> Example:
    train, validation = set(range(1000)), set(range(1000, 1500))
    agree(len(train & validation), 0)
    steps = (
        "0..999 and 1000..1499 share nothing. If ends were included, cat.1000.jpg would be in both, and validation "
        "would know an image of training.",
    )
    return Example(steps)


@example("SUB-5")
def _reversed() -> Example:
    agree([len(range(5, 2)), len(range(3, 3))], [0, 0])
    return Example(
        (
            "5 to 2 and 3 to 3 hold no index: a loop over them copies nothing, and says nothing. -1 to 2 would begin "
            "at -1.",
        )
    )


@example("SUB-6")
def _split() -> Example:
    ends = {"train": (0, 1000), "validation": (1000, 1500), "test": (1500, 2500)}
    sizes = [end - start for start, end in ends.values()]
    agree(sizes, [1000, 500, 1000])
    steps = tuple(
        f"{name}: {start}..{end - 1}, {number(end - start)} images a class." for name, (start, end) in ends.items()
    )
    return Example((*steps, f"Together {number(sum(sizes))} a class, {number(2 * sum(sizes))} images."))


@example("SUB-9")
def _twice() -> Example:
    return Example(
        ("cat.1.jpg and cat.1.png are both image 1 of cats: which is the one that training sees is not said.",)
    )


@example("LOAD-1")
def _batches() -> Example:
    count = math.ceil(2000 / 64)
    agree([count, 2000 - (count - 1) * 64], [32, 16])
    steps = (
        "2,000 images in batches of 64: ceil(2000 / 64) = 32 batches, 31 of 64 images and a last one of 2000 - 31 × "
        "64 = 16.",
        "5 images in batches of 2: batches of 2, 2 and 1.",
    )
    return Example(steps)


@example("LOAD-2")
def _labels() -> Example:
    agree([sorted(["dog", "cat"]).index(name) for name in ("cat", "dog")], [0, 1])
    steps = ("The folders dog and cat, in alphabetical order: cat 0, dog 1. As a disk lists them dog may come first.",)
    return Example(steps)


@example("LOAD-5")
def _resized() -> Example:
    weights = bilinear_weights(5, 3)
    at = [(place + 0.5) * 5 / 3 - 0.5 for place in range(3)]
    by_hand = [1 + place for place in at]  # of the row 1, 2, 3, 4, 5
    agree(by_hand, weights @ IMAGE[0])
    small = resize_bilinear(IMAGE[None, ..., None], (3, 3))[0, ..., 0]
    agree(small[0] - small[0, 0], np.array(by_hand) - by_hand[0])
    steps = (
        f"From 5 pixels to 3: pixel i shows the point (i + 0.5) × 5 / 3 - 0.5, which is {numbers(at)}.",
        f"The row 1, 2, 3, 4, 5 becomes {numbers(by_hand)}. With the outermost centres aligned it would be 1, 3, 5; "
        "the nearest pixels are 1, 3, 5 too.",
    )
    return Example(steps, (grid("image", IMAGE), grid("resized to 3 × 3", small)))


@example("LOAD-6")
def _channels() -> Example:
    agree(0xABCD >> 8, 171)
    steps = (
        "A grey pixel of 100 becomes (100, 100, 100).",
        f"A value of 16 bits, {number(0xABCD)}, keeps its upper eight: {number(0xABCD)} // 256 = {0xABCD >> 8}. Cut "
        "off at 255 it would be white.",
        "A palette pixel of index 3 becomes the colour of entry 3, not (3, 3, 3).",
    )
    return Example(steps)


@example("LOAD-4")
def _order() -> Example:
    names = sorted(f"cat.{index}.jpg" for index in (1, 2, 10))
    agree(names.index("cat.10.jpg"), 1)
    steps = (f"Sorted paths are sorted as text: {', '.join(names)}. 10 comes before 2.",)
    return Example(steps)
