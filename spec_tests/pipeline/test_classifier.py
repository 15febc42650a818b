"""Stage 7: the classifier and the baseline."""

import gc
from typing import Any
from weakref import ref

import numpy as np
import pytest
from keras import layers

from reference.classifier import build_classifier, build_convnet, feature_extractor, head
from reference.features import extract_features
from reference.presets import EMBEDDED_PRESET
from reference.training import predict
from spec_tests.pipeline.conftest import SMALL


def test_the_head_is_pooling_dense_dropout_and_a_sigmoid(classifier: Any) -> None:
    top = classifier.layers[-4:]
    assert [type(layer) for layer in top] == [
        layers.GlobalAveragePooling2D, layers.Dense, layers.Dropout, layers.Dense
    ]  # fmt: skip
    assert [top[1].units, top[1].activation.__name__, top[2].rate, top[3].activation.__name__] == [
        256, "linear", 0.25, "sigmoid"
    ]  # fmt: skip
    assert head(classifier).count_params() == 192 * 256 + 256 + 256 + 1


def test_features_and_head_make_the_classifier(classifier: Any, batch: Any) -> None:
    images, _ = batch
    features = extract_features(classifier, images)
    assert features.shape == (12, 192)
    np.testing.assert_allclose(predict(head(classifier), features), predict(classifier, images), atol=1e-6)


def test_head_and_extractor_share_the_weights_of_the_classifier(classifier: Any, batch: Any) -> None:
    images, labels = batch
    before = predict(classifier, images)
    features = extract_features(classifier, images)
    part = head(classifier)
    part.train_on_batch(features, labels)
    assert not np.array_equal(predict(classifier, images), before)
    np.testing.assert_array_equal(feature_extractor(classifier).predict(images, verbose=0), features)


def test_a_classifier_has_one_extractor_which_goes_with_it() -> None:
    model = build_classifier(EMBEDDED_PRESET, image_size=SMALL)
    extractor = feature_extractor(model)
    assert feature_extractor(model) is extractor
    gone, model = ref(model), None
    gc.collect()
    assert gone() is None


def test_a_seed_repeats_the_initial_head(batch: Any, classifier: Any) -> None:
    same, other = (build_classifier(EMBEDDED_PRESET, image_size=SMALL, seed=seed) for seed in (3, 4))
    assert np.array_equal(predict(same, batch[0]), predict(classifier, batch[0]))
    assert not np.array_equal(predict(other, batch[0]), predict(classifier, batch[0]))


@pytest.mark.parametrize("dropout", [0.0, 0.25])
def test_the_convnet_has_five_convolutions_and_four_poolings(dropout: float) -> None:
    model = build_convnet(dropout=dropout, seed=1)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert (kinds.count("Conv2D"), kinds.count("MaxPooling2D")) == (5, 4)
    assert next(layer for layer in model.layers if isinstance(layer, layers.Dropout)).rate == dropout
    assert all(variable.trainable for variable in model.weights)
