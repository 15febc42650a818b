"""What the vectors let pass and what they catch, beyond the layers: ports in float32 or by SciPy, right and wrong."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file
from scipy import ndimage

from spec_tests.judging.checks import Violation
from spec_tests.oracles import xception as oracle
from spec_tests.oracles.images import preprocess as preprocessed
from spec_tests.oracles.normalization import batch_normalization
from spec_tests.oracles.windows import same_padding
from spec_tests.vectors.files import FOLDER, judge, read
from spec_tests.vectors.topic import Case, Topic

Numbers = NDArray[Any]
Port = Callable[..., Any]

CASES: list[tuple[Topic, Case]] = [(topic, case) for topic in read() for case in topic.cases]


def resize(images: Numbers, size: tuple[int, int], *, corners: bool = False, half: bool = True) -> Numbers:
    """Bilinear by SciPy, with the centres of pixels at half, at their corner, or with the corners aligned."""
    at = []
    for side, target in zip(images.shape[1:3], size, strict=True):
        if corners:
            at.append(np.linspace(0, side - 1, target))
        else:
            at.append((np.arange(target) + half / 2) * side / target - half / 2)
    grid = np.meshgrid(*at, indexing="ij")
    channels = [ndimage.map_coordinates(images[0, ..., c], grid, order=1, mode="nearest") for c in range(3)]
    others = [resize(images[1:], size, corners=corners, half=half)] if len(images) > 1 else []
    return np.concatenate([np.stack(channels, axis=-1)[None], *others]).astype(np.float32)


def smoothed(images: Numbers, size: tuple[int, int]) -> Numbers:
    """By Pillow, which smooths what shrinks."""
    channels = [Image.fromarray(images[0, ..., c]).resize(size[::-1], Image.Resampling.BILINEAR) for c in range(3)]
    return np.stack([np.asarray(channel) for channel in channels], axis=-1)[None]


def preprocess(images: Numbers, image_size: tuple[int, int], *, port: Port = resize) -> Numbers:
    return np.asarray(port(images, image_size) / np.float32(127.5) - np.float32(1))


def transform(images: Numbers, matrix: Numbers, mode: str = "reflect", shift: float = 0) -> Numbers:
    """By SciPy, about the centre or ``shift`` pixels from it."""
    centre = (np.array(images.shape[1:3]) - 1) / 2 + shift
    offset = centre - matrix @ centre
    channels = [ndimage.affine_transform(images[0, ..., c], matrix, offset, order=1, mode=mode) for c in range(3)]
    return np.stack(channels, axis=-1)[None]


def rotate(images: Numbers, turns: float, *, unit: float = 2 * np.pi, shares: bool = False, **options: Any) -> Numbers:
    """With ``shares`` positions are shares of the sides, in which a rectangle is turned askew."""
    sine, cosine = np.sin(unit * turns), np.cos(unit * turns)
    matrix = np.array([[cosine, sine], [-sine, cosine]])
    if shares:
        sides = np.diag(images.shape[1:3])
        matrix = sides @ matrix @ np.linalg.inv(sides)
    return transform(images, matrix, **options)


def zoom(images: Numbers, share: float, **options: Any) -> Numbers:
    return transform(images, share * np.eye(2), **options)


def head(
    feature_map: Numbers,
    kernel: Numbers,
    bias: Numbers,
    last_kernel: Numbers,
    last_bias: Numbers,
    *,
    pool: Port = np.mean,
    activation: Port = np.asarray,
    last: Port = lambda x: 0.5 + 0.5 * np.tanh(x / 2),
) -> Numbers:
    hidden = activation(pool(feature_map, axis=(1, 2)) @ kernel + bias)
    return np.asarray(last((hidden @ last_kernel + last_bias)[:, 0]))


def loss_and_accuracy(
    probabilities: Numbers, labels: Numbers, *, above: Port = np.greater, flat: bool = True, **_: Any
) -> tuple[Numbers, float]:
    p = probabilities.reshape(-1) if flat else probabilities
    likelihoods = np.where(labels == 1, p, 1 - p)
    return -np.log(likelihoods).mean(), float((above(p, 0.5) == (labels == 1)).mean())


def by_batches(probabilities: Numbers, labels: Numbers, batch_sizes: Iterable[int]) -> tuple[Numbers, float]:
    """The mean over batches of their means."""
    bounds = np.cumsum([*batch_sizes])[:-1]
    batches = zip(np.split(probabilities, bounds), np.split(labels, bounds), strict=True)
    losses, accuracies = zip(*(loss_and_accuracy(p, truth) for p, truth in batches), strict=True)
    return np.mean(losses), float(np.mean(accuracies))


def adam(
    gradients: Numbers,
    learning_rate: float,
    taken: int = 0,
    first_moment: Numbers | float = 0,
    second_moment: Numbers | float = 0,
    *,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-7,
    early: bool = False,
    corrected: bool = True,
    squared: bool = False,
) -> Numbers:
    """In float32. Epsilon is added to the corrected root, as in the paper, or ``early``, as in Keras."""
    one, two = map(np.float32, betas)
    m, v = np.float32(first_moment), np.float32(second_moment)
    steps = []
    for t, gradient in enumerate(gradients, start=taken + 1):
        m, v = m + (gradient - m) * (1 - one), v + (gradient**2 - v) * (1 - two)
        factors = (1 - one**t, 1 - two**t) if corrected else (np.float32(1), np.float32(1))
        root = np.sqrt(v + epsilon) if squared else np.sqrt(v)
        added = 0 if squared else epsilon * (1 if early else np.sqrt(factors[1]))
        steps.append(-learning_rate * m / factors[0] * np.sqrt(factors[1]) / (root + np.float32(added)))
    return np.stack(steps)


def scale_survivors(inputs: Numbers, kept: Numbers, rate: float, *, share: Port = lambda rate, _: 1 - rate) -> Numbers:
    return np.asarray(np.where(kept == 1, inputs / np.float32(share(rate, kept)), 0), np.float32)


RIGHT: dict[str, list[Port]] = {
    "resize_bilinear": [resize],
    "preprocess": [preprocess],
    "flip_left_right": [lambda images: images[:, :, ::-1]],
    "rotate": [rotate],
    "zoom": [zoom],
    "head": [head],
    "loss_and_accuracy": [loss_and_accuracy],
    "adam": [adam, partial(adam, early=True)],
    "scale_survivors": [scale_survivors],
    "dropout": [lambda inputs, **_: inputs],
}

WRONG: dict[str, tuple[str, Port]] = {
    "corners aligned": ("resize_bilinear", partial(resize, corners=True)),
    "pixel corners": ("resize_bilinear", partial(resize, half=False)),
    "antialiasing": ("resize_bilinear", smoothed),
    "width before height": ("resize_bilinear", lambda images, size: resize(images, size[::-1])),
    "whole grey levels": ("resize_bilinear", lambda images, size: resize(images, size).round()),
    "to [0, 1]": ("preprocess", lambda images, image_size: resize(images, image_size) / 255),
    "by 128": ("preprocess", lambda images, image_size: resize(images, image_size) / 128 - 1),
    "blue before red": ("preprocess", lambda images, image_size: preprocess(images, image_size)[..., ::-1]),
    "smoothed before": ("preprocess", lambda **case: np.concatenate([preprocess(**case, port=smoothed)] * 2)),
    "upside down": ("flip_left_right", lambda images: images[:, ::-1]),
    "the other way": ("rotate", partial(rotate, unit=-2 * np.pi)),
    "half turns": ("rotate", partial(rotate, unit=np.pi)),
    "black outside": ("rotate", partial(rotate, mode="constant")),
    "edge pixels once": ("rotate", partial(rotate, mode="mirror")),
    "about side / 2": ("rotate", partial(rotate, shift=0.5)),
    "shares of the sides": ("rotate", partial(rotate, shares=True)),
    "magnified": ("zoom", lambda images, share: zoom(images, 1 / share)),
    "edges go on": ("zoom", partial(zoom, mode="nearest")),
    "edge pixels once, zoomed": ("zoom", partial(zoom, mode="mirror")),
    "zoomed about side / 2": ("zoom", partial(zoom, shift=0.5)),
    "an activation": ("head", partial(head, activation=lambda x: np.maximum(x, 0))),
    "the largest feature": ("head", partial(head, pool=np.max)),
    "logits": ("head", partial(head, last=np.asarray)),
    "exp overflows": ("head", partial(head, last=lambda x: np.exp(x) / (1 + np.exp(x)))),
    "at least 0.5": ("loss_and_accuracy", partial(loss_and_accuracy, above=np.greater_equal)),
    "mean of means": ("loss_and_accuracy", by_batches),
    "broadcast": ("loss_and_accuracy", partial(loss_and_accuracy, flat=False)),
    "epsilon 1e-8": ("adam", partial(adam, epsilon=1e-8)),
    "epsilon 1e-3": ("adam", partial(adam, epsilon=1e-3)),
    "epsilon under the root": ("adam", partial(adam, squared=True)),
    "no correction": ("adam", partial(adam, corrected=False)),
    "beta 0.99": ("adam", partial(adam, betas=(0.9, 0.99))),
    "the sum": ("adam", lambda gradients, learning_rate, **past: adam(-gradients, learning_rate, **past)),
    "kept share": ("scale_survivors", partial(scale_survivors, share=lambda _, kept: kept.mean())),
    "divided by the rate": ("scale_survivors", partial(scale_survivors, share=lambda rate, _: rate)),
    "scaled in inference": ("dropout", lambda inputs, rate, **_: inputs * (1 - rate)),
}


def of(operation: str) -> list[tuple[Topic, Case]]:
    return [(topic, case) for topic, case in CASES if case["operation"] == operation]


@pytest.mark.parametrize("operation", RIGHT)
def test_right_ports_pass(operation: str) -> None:
    for port in RIGHT[operation]:
        for topic, case in of(operation):
            judge(topic, case, port)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("operation", "port"), WRONG.values(), ids=WRONG)
def test_a_wrong_port_is_caught(operation: str, port: Port) -> None:
    caught = 0
    for topic, case in of(operation):
        try:
            judge(topic, case, port)
        except Violation:
            caught += 1
    assert caught


def extract(case: Case, images: Numbers, normalise: oracle.Normalise | None = None, **_: Any) -> Numbers:
    """Features by the oracle, or by it with another normalisation."""
    config = oracle.Xception(tuple(map(tuple, case["parameters"]["filters"])), tuple(case["parameters"]["pooling"]))
    features = oracle.feature_map(config, weights(case), preprocessed(images, images.shape[1:3]), normalise)
    return np.asarray(features.mean(axis=(1, 2)), np.float32)


def weights(case: Case) -> oracle.Arrays:
    file, prefix = FOLDER / Path(case["weights"]["file"]), case["weights"]["prefix"]
    return {name.removeprefix(prefix): a for name, a in load_file(file).items() if name.startswith(prefix)}


@pytest.mark.parametrize(("topic", "case"), of("extract_features"), ids=lambda value: getattr(value, "name", ""))
def test_features_show_another_epsilon_and_padding(topic: Topic, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(topic, case, partial(extract, case))
    arrays = weights(case)

    def other_epsilon(name: str, x: Numbers) -> Numbers:
        gamma, beta, mean = (arrays[f"{name}/{variable}"] for variable in ("gamma", "beta", "moving_mean"))
        return batch_normalization(x, gamma, beta, mean, arrays[f"{name}/moving_variance"] - np.float32(1e-3 - 1e-5))

    with pytest.raises(Violation):
        judge(topic, case, partial(extract, case, normalise=other_epsilon))
    monkeypatch.setattr("spec_tests.oracles.windows.same_padding", lambda *axis: same_padding(*axis)[::-1])
    with pytest.raises(Violation):
        judge(topic, case, partial(extract, case))
