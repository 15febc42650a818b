"""Vectors of the base and of the classifier's head: features, probabilities."""

import numpy as np

from .. import FIXTURES
from ..cases.models import SIZE, SMALL, UNITS
from ..cases.presets import read_preset
from ..oracles.images import preprocess
from ..oracles.training import head as head_oracle
from ..oracles.xception import Arrays, Xception, features
from .topic import Numbers, Topic, Within, draw, draw_pixels

EMBEDDED = FIXTURES / "xception_drawn"
# The file, and the prefix of the names of its arrays.
EMBEDDED_WEIGHTS = ("../xception_drawn/model.safetensors", "")
SMALL_PREFIX = "small/"
FEATURES = 1e-4  # relative to the largest feature, BASE-3
PROBABILITY = 1e-5  # HEAD-1
CHANNELS = SMALL.filters[-1][-1]
BEYOND_EXP = 150  # logits of about this size, whose exp overflows in float32


def xception() -> Topic:
    """The vectors of BASE-2 and BASE-3."""
    topic = Topic("xception", "Pooled features of an Xception, in inference mode, of images in [0, 255].")
    arrays = small_arrays()
    topic.arrays |= {f"{SMALL_PREFIX}{name}": values for name, values in arrays.items()}
    small = ("xception.safetensors", SMALL_PREFIX)
    _extract(topic, "BASE-3/1", "random weights; poolings pad unevenly", SIZE, SMALL, arrays, small)
    _extract(topic, "BASE-3/2", "odd sides", (41, 37), SMALL, arrays, small)
    embedded = read_preset(EMBEDDED)
    trained = (embedded.config, embedded.arrays, EMBEDDED_WEIGHTS)
    _extract(topic, "BASE-3/3", "the embedded base", (75, 60), *trained)
    _extract(topic, "BASE-2/1", "a side at which one row more of the map would show", (97, 75), *trained)
    return topic


def small_arrays() -> Arrays:
    """Weights of a small Xception, drawn so that activations keep a spread of about 1."""
    return {name: _small_array(name, shape) for name, shape in SMALL.shapes().items()}


def _small_array(name: str, shape: tuple[int, ...]) -> Numbers:
    key, kind = f"{SMALL_PREFIX}{name}", name.rpartition("/")[2]
    if kind in ("gamma", "moving_variance"):
        return draw(key, shape, 0.5, 1.5)
    if kind in ("beta", "moving_mean"):
        return draw(key, shape, -0.5, 0.5)
    inputs = shape[0] * shape[1] * (1 if kind == "depthwise_kernel" else shape[2])
    limit = np.sqrt(6 / inputs)  # a variance of 2 / inputs
    return draw(key, shape, -limit, limit)


def _extract(
    topic: Topic,
    id: str,
    note: str,
    sides: tuple[int, int],
    config: Xception,
    arrays: Arrays,
    weights: tuple[str, str],
) -> None:
    images = draw_pixels(f"{id}/images", (1, *sides, 3))
    topic.add(
        id,
        "extract_features",
        note,
        inputs={"images": images},
        parameters={"filters": [*map(list, config.filters)], "pooling": [*config.pooling]},
        weights=weights,
        expected={"features": features(config, arrays, preprocess(images, sides))},
        tolerance={"features": Within(FEATURES, scale="largest")},
    )


def head() -> Topic:
    """The vectors of HEAD."""
    about = f"The classifier's head in inference: pooling, Dense({UNITS}) without an activation, one sigmoid unit."
    topic = Topic("head", about)
    weights = {
        "kernel": draw("HEAD-1/kernel", (CHANNELS, UNITS), -0.25, 0.25),
        "bias": draw("HEAD-1/bias", (UNITS,), -0.5, 0.5),
        "last_kernel": draw("HEAD-1/last_kernel", (UNITS, 1), -0.25, 0.25),
        "last_bias": np.array([0.3], np.float32),
    }
    _judge(topic, "HEAD-1/1", "a rectangular map", draw("HEAD-1/1/feature_map", (4, 3, 2, CHANNELS), 0, 3), weights)
    _judge(
        topic, "HEAD-1/2", "features that are pooled already", draw("HEAD-1/2/f", (3, 1, 1, CHANNELS), 0, 2), weights
    )
    loud = draw("HEAD-2/1/feature_map", (4, 2, 2, CHANNELS), -BEYOND_EXP, BEYOND_EXP)
    _judge(topic, "HEAD-2/1", "exp overflows, a probability does not", loud, weights)
    return topic


def _judge(topic: Topic, id: str, note: str, feature_map: Numbers, weights: dict[str, Numbers]) -> None:
    kernel, bias, last, offset = weights.values()
    pooled = feature_map.mean(axis=(1, 2), dtype=np.float64)
    topic.add(
        id,
        "head",
        note,
        inputs={"feature_map": feature_map, **weights},
        expected={"probabilities": head_oracle(pooled, kernel, bias, last[:, 0], offset.item())},
        tolerance={"probabilities": Within(atol=PROBABILITY)},
    )
