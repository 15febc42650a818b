"""What becomes of pixels on their way to a base: lines through images of one colour, and what libraries say."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from spec_tests.audit import Expects, Pipeline
from spec_tests.audit.preprocessing import COLOURS, IMAGENET_MEAN, IMAGENET_STD, expected_of, fitted
from spec_tests.judging.checks import NotClaimed

CAFFE = (103.939, 116.779, 123.68)


def batches(transform: Any) -> Any:
    """Constant images of every colour, twice, in another order, as a loader gives them."""
    order = np.random.default_rng(0).permutation(2 * len(COLOURS)) % len(COLOURS)
    images = np.broadcast_to(COLOURS[order, None, None].astype(np.float64), (len(order), 6, 5, 3))
    return [(transform(images), None)]


@pytest.mark.parametrize(
    ("transform", "scale", "offset", "order"),
    [
        (lambda x: x / 127.5 - 1, [1 / 127.5] * 3, [-1] * 3, "rgb"),
        (lambda x: x / 255, [1 / 255] * 3, [0] * 3, "rgb"),
        (lambda x: x, [1] * 3, [0] * 3, "rgb"),
        (lambda x: x[..., ::-1] - CAFFE, [1] * 3, [-c for c in CAFFE], "bgr"),
        (lambda x: (x / 255 - IMAGENET_MEAN) / IMAGENET_STD, 1 / (255 * np.array(IMAGENET_STD)),
         -np.array(IMAGENET_MEAN) / IMAGENET_STD, "rgb"),
    ],
)  # fmt: skip
def test_a_line_is_found(transform: Any, scale: Any, offset: Any, order: str) -> None:
    line = fitted(batches(transform), lambda images: images)
    assert line is not None
    assert line.order == order
    assert np.allclose(line.scale, scale, rtol=1e-4)
    assert np.allclose(line.offset, offset, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "transform",
    [
        lambda x: (x / 255) ** 2,  # no line
        lambda x: np.zeros_like(x),
        lambda x: x[:2],  # some colours are missing
        lambda x: x * np.nan,
        lambda x: x[..., :1],
        lambda x: x / 255 + np.random.default_rng(1).normal(0, 0.1, x.shape),
    ],
)
def test_what_is_no_line_is_none(transform: Any) -> None:
    assert fitted(batches(transform), lambda images: images) is None


def named(name: str, module: str = "keras.src.models.functional") -> Pipeline:
    kind = type("Functional", (), {"__module__": module})
    base = kind()
    base.name, base.layers = name, [type("Rescaling", (), {})()]
    return Pipeline(model=SimpleNamespace(), base=base)


@pytest.mark.parametrize(
    ("name", "scale", "order"),
    [("vgg16", 1, "bgr"), ("resnet50", 1, "bgr"), ("resnet50v2", 1 / 127.5, "rgb"), ("xception", 1 / 127.5, "rgb"),
     ("mobilenetv2_1.00_224", 1 / 127.5, "rgb"), ("efficientnetb0", 1, "rgb"), ("MobileNetV3Small", 1, "rgb")],
)  # fmt: skip
def test_libraries_say_what_their_bases_expect(name: str, scale: float, order: str) -> None:
    found = expected_of(named(name))
    assert (found.scale[0], found.order, found.source) == (scale, order, "keras.applications")


def test_a_base_without_its_preprocessing_is_for_the_author_to_say() -> None:
    made = named("efficientnetb0")
    made.base.layers = []
    with pytest.raises(NotClaimed, match="give expects="):
        expected_of(made)


def test_of_timm_and_torchvision_too() -> None:
    timm = SimpleNamespace(pretrained_cfg={"mean": (0.5,) * 3, "std": (0.5,) * 3})
    assert np.allclose(expected_of(Pipeline(model=timm)).offset, -1)
    vision = type("ResNet", (), {"__module__": "torchvision.models.resnet"})()
    assert expected_of(Pipeline(model=vision)) == Expects.normalized(
        IMAGENET_MEAN, IMAGENET_STD, "torchvision's weights"
    )


@pytest.mark.parametrize("name", ["residual", "my_xception", "resnet"])
def test_of_others_the_author_says_it(name: str) -> None:
    with pytest.raises(NotClaimed, match="give expects="):
        expected_of(named(name))
