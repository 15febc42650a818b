"""Names, formats and orders of image files that pipelines get wrong."""

import math

import numpy as np

from ..example import Example, agree, example, number


@example("GET-6")
def _case() -> Example:
    agree([len({"Cat/1.jpg", "cat/1.jpg"}), len({name.lower() for name in ("Cat/1.jpg", "cat/1.jpg")})], [2, 1])
    steps = (
        "Cat/1.jpg and cat/1.jpg are two images. On a disk that ignores case the second would replace the first, and "
        "the set would be one image smaller: unpacking is refused there.",
    )
    return Example(steps)


@example("SUB-8", "LOAD-15")
def _suffixes() -> Example:
    names = ["cat.1.jpg", "cat.2.JPG", "cat.3.jpeg", "cat.4.png"]
    agree(len([name for name in names if name.endswith(".jpg")]), 1)
    steps = (f"{', '.join(names)} are four images. `glob('*.jpg')` finds one of them.",)
    return Example(steps)


@example("SUB-10")
def _class_of_a_name() -> Example:
    file = "black.cat.7.jpg"
    name, index, _ = file.rsplit(".", 2)
    agree([int(index), len(name)], [7, len("black.cat")])
    steps = (
        f"In {file} the class is {name}, the part before the number {index}. Split at the first dot, it would "
        "be black.",
    )
    return Example(steps)


@example("SUB-11")
def _shared() -> Example:
    known = (40 * 1.0 + 360 * 0.85) / 400
    agree(known, 0.865)
    steps = (
        "400 validation images of which 40 are training images under another name: if the model knows those by heart "
        f"and is right about 0.85 of the others, its accuracy is (40 + 360 × 0.85) / 400 = {number(known)}. What is "
        "compared is the content of the files, not their names.",
    )
    return Example(steps)


@example("LOAD-3")
def _each_once() -> Example:
    agree([2000 - 31 * 64, 32 * 64 - 2000], [16, 48])
    steps = (
        "2,000 images in batches of 64: 31 whole batches and one of 16. If the last batch is filled up, 48 images "
        "appear twice; if it is dropped, 16 never appear.",
    )
    return Example(steps)


@example("LOAD-7", "LOAD-17")
def _shifted() -> Example:
    names = sorted(["backup", "cat", "dog"])
    agree(names.index("cat"), 1)
    steps = (
        f"Folders {', '.join(names)} in alphabetical order: backup would be class 0, cat 1 and dog 2. If validation "
        "has no such folder, cat is 0 there, and a good model seems to be wrong about every cat.",
    )
    return Example(steps)


@example("LOAD-9")
def _buffer() -> Example:
    first_dog = 1000 - 64
    agree(first_dog, 936)
    steps = (
        "1,000 cats and then 1,000 dogs in a shuffle buffer of 64: it holds the next 64 images, so at least "
        f"the first {number(first_dog)} images of each epoch are cats.",
    )
    return Example(steps)


@example("LOAD-12")
def _red_first() -> Example:
    red, blue = 0.299 * 200 + 0.587 * 120 + 0.114 * 40, 0.299 * 40 + 0.587 * 120 + 0.114 * 200
    agree(red - blue, (0.299 - 0.114) * 160)
    steps = (
        "An orange cat of (200, 120, 40) that is decoded with blue first is (40, 120, 200), a blue one. Its grey level "
        f"falls from {number(red)} to {number(blue)}; shape, type and range are the same.",
    )
    return Example(steps)


@example("LOAD-13")
def _stored() -> Example:
    height, width = 3, 5
    agree(np.zeros((height, width)).T.shape, (width, height))
    steps = (
        f"A photograph stored as {height} × {width} pixels with EXIF orientation 6 is shown upright by viewers, as "
        f"{width} × {height}. It is read as stored, {height} × {width}, which is what `tf.io.decode_jpeg` returns.",
        "A PNG named cat.1.jpg is read as a PNG.",
    )
    return Example(steps)


@example("LOAD-8")
def _unreadable() -> Example:
    share = 10 / 2000
    agree(share, 0.005)
    steps = (
        f"10 files of 2,000 that cannot be read become 10 black images where errors are ignored: {number(share)} of "
        "the training set says that black is a cat.",
    )
    return Example(steps)


@example("GET-3")
def _cut_off() -> Example:
    wanted, there = 2000, 1999
    agree(math.ceil(wanted / 64) - math.ceil(there / 64), 0)
    steps = (
        "An archive of 2,000 images that was cut off in the last one: 1,999 images make the same 32 batches, so "
        "that nothing later would notice. It is refused as a whole.",
    )
    return Example(steps)
