"""The augmentation in ``fit``, inferred from the losses of a convnet that learns almost nothing.

Each epoch shows one image, or several copies of it. Its training loss is then one number that follows from the
augmented images. It is compared with losses of images that ``augment`` returned.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from ..adapter.contract import Array, Model
from ..adapter.implementation import Implementation
from ..judging.checks import Undecided
from ..judging.statistics import closeness_p_value, independence_p_value
from .epochs import Changing, Pairs, Trainer
from .trials import CONVNET_SIZE

SIDE = CONVNET_SIZE[0]
EPOCHS = {"halves": 16, "disc": 12, "wedges": 20, "white": 1}
SPARE = 3  # white epochs before these, for iterations before training
BATCHES, COPIES = 8, 8  # of halves in each epoch; the others have one image
DRAWS = 200  # of ``augment`` for each image

Losses = NDArray[np.float64]


def _plane(grey: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]) -> Array:
    """An image whose grey level is a function of the position: two coordinates in [-1, 1], down and to the right."""
    down, right = np.meshgrid(*[np.linspace(-1, 1, SIDE)] * 2, indexing="ij")
    return np.repeat(grey(down, right)[..., None], 3, axis=-1).astype(np.float32)


IMAGES = {
    "halves": _plane(lambda _, x: np.where(x < 0, 30, 230)),  # its sides differ: a flip shows
    # Only zoom changes it. The edge is soft, because rotation would change how pixels sample a sharp one.
    "disc": _plane(lambda y, x: 255 / (1 + np.exp(25 * (np.hypot(x, y) - 0.4)))),
    "wedges": _plane(lambda y, x: 127.5 + 127.5 * np.cos(2 * np.arctan2(y, x))),  # only rotation changes it
    "white": _plane(lambda y, _: np.full_like(y, 255)),  # only a fill other than reflection changes it
}


def losses(implementation: Implementation, model: Model, images: Array) -> Losses:
    """The loss of class 0 for each image, (n,)."""
    p = np.concatenate([implementation.predict(model, part) for part in np.array_split(images, -(-len(images) // 100))])
    return -np.log1p(-p.astype(np.float64))


def expected_losses(implementation: Implementation, model: Model, seed: int) -> dict[str, Losses]:
    """{image: the losses of ``DRAWS`` copies that ``augment`` transformed}."""
    copies = np.concatenate([np.repeat(image[None], DRAWS, axis=0) for image in IMAGES.values()])
    drawn, _ = implementation.augment(copies, np.zeros(len(copies), np.int32), seed=seed)
    return dict(zip(IMAGES, np.split(losses(implementation, model, drawn), len(IMAGES)), strict=True))


def fitted_losses(implementation: Implementation, model: Model, checkpoint: Path) -> dict[str, Losses]:
    """{image: its mean training loss in each of its epochs}.

    Every epoch has the same number of batches, because an implementation may count them only once: white images fill up
    the epochs of one image.
    """
    label, fillings = np.zeros(1, np.int32), BATCHES - 1
    white = IMAGES["white"][None], label
    epochs: list[Pairs] = [[white] * BATCHES] * SPARE
    for name, count in EPOCHS.items():
        copies = np.repeat(IMAGES[name][None], COPIES, axis=0), np.zeros(COPIES, np.int32)
        one = IMAGES[name][None], label
        epochs += [[copies] * BATCHES if name == "halves" else [one, *[white] * fillings]] * count
    train = Changing(epochs)
    fit = Trainer(implementation.fit, checkpoint, rate=1e-12, more={"augment": True})
    # The validation loss rises: only the first epoch is saved.
    _, history = fit(model, train, [(IMAGES["white"][None], 1 - label)], len(epochs))
    looks = train.started - len(epochs)
    if not 0 <= looks <= SPARE:
        raise Undecided("the batches are not iterated once in each epoch, so that epochs cannot be made to differ")
    ends = np.cumsum([SPARE - looks, *EPOCHS.values()])
    _, halves, disc, wedges, unchanged, _ = np.split(np.array(history["loss"]), ends)
    filled = fillings * losses(implementation, model, IMAGES["white"][None])[0]
    alone = [halves, BATCHES * disc - filled, BATCHES * wedges - filled, unchanged]
    return dict(zip(EPOCHS, alone, strict=True))


def augmentation_p_values(implementation: Implementation, checkpoint: Path, seed: int) -> dict[str, float]:
    """{test: p-value} of ``fit`` augmenting as ``augment`` does, with new draws for each image of a batch."""
    model = implementation.build_convnet(image_size=CONVNET_SIZE, dropout=0.0, seed=seed)
    expected = expected_losses(implementation, model, seed)
    got = fitted_losses(implementation, model, checkpoint)
    mean, error = expected["halves"].mean(), expected["halves"].std() / (BATCHES * COPIES) ** 0.5
    squares = float((((got["halves"] - got["halves"].mean()) / error) ** 2).sum())
    count = EPOCHS["halves"] - 1
    # An F distribution, with half of the draws because the expected error is estimated from them.
    found = {"spread of the means of epochs": float(scipy.stats.f.sf(squares / count, count, DRAWS / 2))}
    off = (got["halves"].mean() - mean) / (error * (1 / EPOCHS["halves"] + BATCHES * COPIES / DRAWS) ** 0.5)
    found["mean of an image of two halves"] = float(2 * scipy.stats.norm.sf(abs(off)))
    for name in ("disc", "wedges"):
        values = np.concatenate([got[name], expected[name]])
        which = np.arange(len(values)) < len(got[name])
        found[f"losses of {name}"] = independence_p_value(values, which, seed)
        found[f"spread of the losses of {name}"] = independence_p_value(np.abs(values - np.median(values)), which, seed)
        found[f"closeness of the losses of {name}"] = closeness_p_value(got[name], expected[name], seed)
    constant = losses(implementation, model, IMAGES["white"][None])
    found["white stays white"] = float(np.allclose(got["white"], constant, rtol=1e-3, atol=0))
    return found
