"""The pretrained convolutional base and its preprocessing (notes, "전이학습과 사전학습 모델"; code 6)."""

import math
from functools import partial
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ..adapter.implementation import Implementation
from ..cases.models import SIZE, SMALL, tinted
from ..cases.presets import Preset, random_arrays, write_preset
from ..cases.windows import SEEDS
from ..judging.checks import expect, expect_close, expect_equal, expect_error
from ..oracles import xception as oracle
from ..oracles.images import preprocess
from ..oracles.xception import XCEPTION_41, Arrays, Xception
from .clause import Level, clause
from .conftest import States

CODE = "notes, code 6"
VARIED = Xception(((4, 8), (12, 12), (12, 12, 12), (16, 16), (16, 24)), (False, True, False, True, False))
PAPER = "arXiv 1610.02357; keras-hub's XceptionBackbone"


@clause("BASE-1", Level.MUST, "base", PAPER, tied="base")
def test_the_base_has_the_arrays_of_its_configuration(states: list[States]) -> None:
    """xception_41 has 20,861,480 weights in 234 variables: 154 trainable ones (20,806,952 weights) and 80 moving statistics (54,528 weights). For any configuration of Xception, the layers determine these numbers.

    A separable convolution has 9 × c_in + c_in × c_out weights, a plain convolution k² × c_in × c_out, and a
    normalisation 2 × c weights and 2 × c moving statistics. Each convolution is followed by a normalisation, and has no
    bias.

    If this fails, check for biases, for shortcuts without a convolution, and that moving statistics are listed.
    """
    for state in states:
        got = [v.size for v in state.built if v.part == "base"]
        shapes = state.preset.config.shapes()
        expect_equal((len(got), sum(got)), (len(shapes), oracle.count(shapes)), "variables and weights of the base")
        expect_equal(sorted(got), sorted(map(math.prod, shapes.values())), "sizes of the variables")


@clause("BASE-2", Level.MUST, "base", f"{PAPER}; follows from PAD and POOL", tied="base")
def test_the_features_are_those_of_the_stated_map(implementation: Implementation, embedded: Preset) -> None:
    """The Xception base turns a (180, 180, 3) image into a (6, 6, 2048) feature map; other sizes follow from PAD and POOL.

    The map is observed through its pooled mean, at image sides for which one more or one fewer row of the map changes
    the mean. Tolerance: 1e-4 of the largest feature.

    If this fails, check the first convolution: it has valid padding and stride 2.
    """
    expect_equal(XCEPTION_41.feature_side(180), 6, "side of the feature map of 180 pixels")
    for size in ((180, 180), (97, 75)):
        images = np.random.default_rng(0).uniform(0, 255, (1, *size, 3)).astype(np.float32)
        model = implementation.build_classifier(embedded.folder, image_size=size, seed=0)
        expected = oracle.features(embedded.config, embedded.arrays, preprocess(images, size))
        got = implementation.extract_features(model, images)
        expect_close(got, expected, f"features of {size} images", rtol=1e-4, scale=expected.max())


@clause("BASE-3", Level.MUST, "base", PAPER, tied="base")
def test_weights_determine_the_features(implementation: Implementation, embedded: Preset, tmp_path: Path) -> None:
    """The same weights give the same features on every backend and in every implementation.

    Features are compared with float64 arithmetic at 50 × 48 pixels, where pooling pads unevenly, for weights whose
    features have a spread near 1. One of the bases has a block of three convolutions with a shortcut that is not
    convolved. Tolerance: 1e-4 of the largest feature.

    If this fails, check the padding of pooling: the odd row is at the bottom and is never the largest value. Check
    epsilon 1e-3 and the moving statistics of batch normalisation, shortcuts with and without a convolution, and the
    order of activation and convolution in block 2 and in the last block.
    """
    images, _ = tinted(5, seed=7)
    varied = write_preset(tmp_path / "varied", VARIED, random_arrays(VARIED, seed=2))
    for preset in (varied, embedded):
        expected = oracle.features(preset.config, preset.arrays, preprocess(images, SIZE))
        expect(0.01 < expected.std() < 10, "spread of the features", expected="near 1", got=expected.std())
        model = implementation.build_classifier(preset.folder, image_size=SIZE, seed=0)
        got = implementation.extract_features(model, images)
        expect_close(got, expected, "features", rtol=1e-4, scale=expected.max())


def missing(arrays: Arrays) -> None:
    del arrays["block2_sepconv2/pointwise_kernel"]


def misshapen(arrays: Arrays) -> None:
    arrays["block3_sepconv1/pointwise_kernel"] = arrays["block3_sepconv1/pointwise_kernel"][..., :-1].copy()


def surplus(arrays: Arrays) -> None:
    arrays["block9_sepconv1/depthwise_kernel"] = np.zeros((3, 3, 24, 1), np.float32)


@clause("BASE-4", Level.MUST, "base", CODE, tied="base")
def test_weights_that_do_not_fit_are_refused(implementation: Implementation, small: Preset, tmp_path: Path) -> None:
    """Loading weights that do not fit (missing, surplus or misshapen arrays) raises an error, and never leaves a partly random base.

    If this fails, check that loading is strict: by name or in order, all arrays and no others.
    """
    for spoil in (missing, misshapen, surplus):
        arrays = dict(small.arrays)
        spoil(arrays)
        preset = write_preset(tmp_path / spoil.__name__, SMALL, arrays)
        expect_error(
            partial(implementation.build_classifier, preset.folder, image_size=SIZE, seed=0),
            f"loading weights with a {spoil.__name__} array",
        )


@clause("PRE-1", Level.MUST, "base", f"{CODE}; keras-hub's ImageConverter", tied="base")
@given(seed=SEEDS, quarters=st.sampled_from((1, 2, 3, 4, 5, 6, 10)))
def test_preprocessing_scales_to_plus_and_minus_one(implementation: Implementation, seed: int, quarters: int) -> None:
    """Preprocessing resizes an image unless it already has the requested size, and maps 0 to -1 and 255 to 1.

    Resizing is bilinear with half-pixel centres and no antialiasing. Images are resized to a quarter and three quarters
    of the side and to larger sizes, where averaging over areas gives other values. They keep their aspect ratio,
    because what happens to other ratios is unspecified. Tolerance: 1e-5.

    If this fails, check for division by 255, for the mean and deviation of ImageNet, and for blue before red.
    """
    images = np.random.default_rng(seed).integers(0, 256, (2, 12, 8, 3)).astype(np.float32)
    images[0, 0, 0], images[1, -1, -1] = 0, 255
    size = (3 * quarters, 2 * quarters)
    expected = preprocess(images, size)
    got = implementation.preprocess(images, image_size=size)
    expect_equal(got.dtype, np.dtype(np.float32), "dtype")
    expect_close(got, expected, "preprocessed images", rtol=0, atol=1e-5)
