"""The classifier on the base, and features computed once (notes, "특징 추출 vs 파인튜닝"; code 7)."""

from pathlib import Path

import numpy as np

from ..adapter.contract import Model
from ..adapter.implementation import Implementation
from ..audit.probe import Compared, Extraction
from ..cases.models import SIZE, convnet_arrays, head_of, tinted
from ..cases.presets import Preset
from ..cases.trials import CONVNET_SIZE
from ..judging.checks import expect, expect_close, expect_equal
from ..oracles import convnet
from ..oracles import xception as oracle
from ..oracles.images import preprocess
from .clause import Level, clause
from .conftest import States, take_steps
from .observations import Predictor, Through

CODE = "notes, code 7"
TWO_WAYS = 'notes, "특징 추출 vs 파인튜닝"'


@clause("HEAD-1", Level.MUST, "base", CODE, tied="base head")
def test_the_head_is_pooling_dense_and_a_sigmoid(
    implementation: Implementation, small: Preset, untrained: Model, states: list[States], seed: int
) -> None:
    """The head consists of global average pooling, Dense(256) without an activation, Dropout(0.25) and Dense(1, sigmoid): four variables with c × 256 + 256 + 256 + 1 weights for c feature channels (524,801 for Xception).

    Tolerance of a probability: 1e-5. The dropout is checked by TRAIN-10.

    If this fails, check for a ReLU after the first dense layer, for another pooling, and for logits.
    """
    for state, channels in zip(states, (24, 2048), strict=True):
        sizes = sorted(v.size for v in state.built if v.part == "head")
        expect_equal(sizes, [1, 256, 256, channels * 256], "sizes of the head's variables")
    images, _ = tinted(6, seed)
    pooled = oracle.features(small.config, small.arrays, preprocess(images, SIZE))
    expected = head_of(implementation, untrained, 24).probabilities(pooled)
    expect_close(implementation.predict(untrained, images), expected, "probabilities", rtol=0, atol=1e-5)


@clause("HEAD-2", Level.MUST, "base", CODE)
def test_a_prediction_is_a_probability(
    implementation: Implementation, untrained: Model, confident: Path, seed: int
) -> None:
    """Each image gets one prediction, a probability in [0, 1].

    The prediction stays in [0, 1] even where the logit is too far from zero, on either side, for the exponential
    function.
    """
    sure = implementation.load(confident)
    for model, images in (
        (untrained, tinted(3, seed, size=implementation.image_size)[0]),
        (untrained, 1e4 * tinted(1, seed, size=implementation.image_size)[0]),
        (sure, 1e4 * tinted(2, seed, size=implementation.image_size)[0]),
    ):
        got = np.asarray(implementation.predict(model, images))
        expect_equal(got.shape, (len(images), *implementation.more_than_two), "shape of the predictions")
        expect(((got >= 0) & (got <= 1)).all(), "range of the predictions", expected="0 to 1", got=got)


@clause("HEAD-3", Level.MUST, "base", CODE)
def test_predictions_do_not_depend_on_their_company(predictor: Predictor) -> None:
    """Predictions do not depend on the batch size or on the other images of the batch, and are the same in a second run.

    Tolerance, because sums may be taken in another order: 1e-5 of a probability, and for a pipeline a thousand times
    the resolution of its outputs.

    If this fails, check that dropout is off and that batch normalisation uses its moving statistics.
    """
    predict, images, atol = predictor
    together, again = predict(images), predict(images)
    expect_close(again, together, "predictions of a second run", rtol=0, atol=atol)
    for part in (slice(0, 1), slice(1, 4), slice(len(images) - 4, len(images))):
        expect_close(predict(images[part]), together[part], "predictions in a smaller batch", rtol=0, atol=atol)


@clause("NET-1", Level.MUST, "convnet", "notes, code 7 (the model trained from scratch)")
def test_the_convnet_has_the_stated_layers(implementation: Implementation, seed: int) -> None:
    """The convnet divides pixels by 255 and applies valid 3 × 3 convolutions with 8, 16, 32, 64 and 128 filters and ReLU, 2 × 2 max pooling between each two of them, global average pooling, and Dense(1, sigmoid). It has twelve variables with 98,513 weights.

    After three steps, so that no bias is zero, its predictions equal those computed from its own weights in float64
    arithmetic. Tolerance of a probability: 1e-5.

    If this fails, check for average pooling, a missing ReLU, another scale of the pixels, and padding.
    """
    images = np.random.default_rng(seed).uniform(0, 255, (6, *CONVNET_SIZE, 3)).astype(np.float32)
    model = implementation.build_convnet(image_size=CONVNET_SIZE, dropout=0.0, seed=seed)
    sizes = sorted(v.value.size for v in implementation.variables(model))
    expect_equal(sizes, convnet.SIZES, "sizes of the convnet's variables")
    model = take_steps(implementation, model, images, np.arange(6) % 2, count=3, learning_rate=3e-3).model
    expected = convnet.probabilities(images, *convnet_arrays(implementation, model))
    expect_close(implementation.predict(model, images), expected, "probabilities", rtol=0, atol=1e-5)


@clause("FEAT-1", Level.MUST, "features", TWO_WAYS, tied="head")
def test_the_fast_way_gives_the_same_predictions(through_features: Through) -> None:
    """Predictions from features that were computed once equal those of the whole model with its frozen base.

    The head is trained on features; the model's prediction for an image must then equal the head's prediction for the
    features of that image. Tolerance of a probability: 1e-5.

    If this fails, check that features are extracted after the same preprocessing and pooling as in the model.
    """
    for losses in through_features.losses:
        expect(losses[-1] < losses[0], "loss after training on features", expected="less", got=losses)
    for one in through_features.compared:
        expect_close(one.got, one.expected, one.what, rtol=0, atol=one.tolerance)


@clause("FEAT-2", Level.MUST, "features", TWO_WAYS)
def test_features_are_extracted_in_inference_mode(extraction: Extraction) -> None:
    """Features are extracted in inference mode: the features of an image do not depend on the batch, and extracting them changes no variable.

    Tolerance: 1e-4 of the largest feature.

    If this fails, check for a call of the base in training mode.
    """
    for one in extraction.compared:
        expect_close(one.got, one.expected, one.what, rtol=0, atol=one.tolerance)
    before, after = (
        {v.path: v.value.tobytes() for v in some} for some in (extraction.run.before, extraction.run.after)
    )
    expect_equal({path for path in before if before[path] != after[path]}, set(), "variables that moved")


@clause("FEAT-3", Level.MUST, "features", TWO_WAYS)
def test_rows_of_features_keep_their_order(rows: list[Compared]) -> None:
    """Extracted features keep the order of the images and their labels: row i holds the features of image i.

    Tolerance: 1e-4 of the largest feature.

    If this fails, check for shuffling, and for batches that are joined out of order.
    """
    for one in rows:
        expect_close(one.got, one.expected, one.what, rtol=0, atol=one.tolerance)
