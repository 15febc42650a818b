"""Stage 7 in its fast form: features computed once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference import features
from reference.classifier import build_classifier
from reference.features import cached_features, extract_features, feature_batches, features_key
from reference.presets import EMBEDDED_PRESET
from spec_tests.pipeline.conftest import SMALL


@pytest.fixture
def batches(batch: Any) -> list[Any]:
    images, labels = batch
    return [(images[:8], labels[:8]), (images[8:], labels[8:])]


def test_cached_features_are_those_of_the_base_in_the_order_of_the_labels(
    classifier: Any, batch: Any, batches: Any, tmp_path: Path
) -> None:
    got, labels = cached_features(classifier, batches, tmp_path)
    np.testing.assert_allclose(got, extract_features(classifier, batch[0]), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(labels, batch[1])


def test_the_base_runs_once(classifier: Any, batches: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cached_features(classifier, batches, tmp_path)
    monkeypatch.setattr(features, "feature_extractor", lambda _: pytest.fail("the base ran again"))
    for before, after in zip(first, cached_features(classifier, batches, tmp_path), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_damaged_cache_is_made_again(classifier: Any, batches: Any, tmp_path: Path) -> None:
    first, _ = cached_features(classifier, batches, tmp_path)
    [file] = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    np.testing.assert_array_equal(cached_features(classifier, batches, tmp_path)[0], first)


def test_the_key_follows_weights_images_labels_and_preprocessing(classifier: Any, batches: Any) -> None:
    key = features_key(classifier, batches)
    assert features_key(classifier, batches) == key
    other_head = build_classifier(EMBEDDED_PRESET, image_size=SMALL, seed=4)
    assert features_key(other_head, batches) == key
    (images, labels), rest = batches
    touched = images.copy()
    touched[0, 0, 0, 0] += 1
    assert features_key(classifier, [(touched, labels), rest]) != key
    assert features_key(classifier, [(images, 1 - labels), rest]) != key
    converter = classifier.layers[1]
    converter.scale = 1 / 255
    assert features_key(classifier, batches) != key
    converter.scale = 1 / 127.5
    assert features_key(classifier, batches) == key
    kernel = classifier.get_layer("base").weights[0]
    kernel.assign(np.zeros(kernel.shape))
    assert features_key(classifier, batches) != key


def test_training_batches_are_reshuffled_and_keep_their_labels() -> None:
    values = np.arange(200, dtype=np.float32)[:, None]
    dataset = feature_batches(values, np.arange(200, dtype=np.int32), seed=1)
    epochs = [[(x, y) for x, y in dataset.as_numpy_iterator()] for _ in range(2)]
    orders = [np.concatenate([y for _, y in one]).tolist() for one in epochs]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(200))
    for x, y in epochs[0]:
        np.testing.assert_array_equal(x[:, 0], y)
