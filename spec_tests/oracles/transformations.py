"""Mirror, rotation and zoom of images, and the recovery of a transformation from a transformed image.

Positions are (y, x) in pixels from the centre, ((height - 1) / 2, (width - 1) / 2). A transformation is
a matrix that maps each position of the output to the position of the input that is shown there.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MIRROR = np.diag([1.0, -1.0])
MIDDLE = 0.35  # of the shorter side: the radius without reflected pixels, for zooms up to 1.4


def rotation(turns: float | NDArray[Any]) -> Array:
    """Matrices (..., 2, 2) of the counter-clockwise rotation by these angles; 1 is a full turn."""
    angle = 2 * np.pi * np.asarray(turns, np.float64)
    rows = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def zoom(shares: float | NDArray[Any]) -> Array:
    """Matrices (..., 2, 2) that show a window of ``shares`` times the height and width."""
    return np.multiply.outer(np.asarray(shares, np.float64), np.eye(2))


def augmented(
    images: NDArray[Any],
    mirrored: NDArray[np.bool_],
    turns: NDArray[Any],
    zooms: NDArray[Any],
    *,
    repeated: bool = True,
) -> Array:
    """Each image under its mirror, then its rotation, then its zoom, each bilinear on the previous result."""
    flipped = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
    turned = transformed(flipped, rotation(turns), repeated=repeated)
    return transformed(turned, zoom(zooms), repeated=repeated)


def transformed(images: NDArray[Any], matrices: NDArray[Any], *, repeated: bool = True) -> Array:
    """Each image (n, height, width, channels) under its matrix (n, 2, 2); bilinear, reflected outside."""
    n, height, width = images.shape[:3]
    y, x = sources(height, width, matrices)
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    below, right = (y - top)[..., None], (x - left)[..., None]
    image = np.arange(n)[:, None, None]

    def pixel(row: NDArray[Any], column: NDArray[Any]) -> Array:
        rows, columns = reflected(row, height, repeated=repeated), reflected(column, width, repeated=repeated)
        return np.asarray(images[image, rows, columns], np.float64)

    upper = (1 - right) * pixel(top, left) + right * pixel(top, left + 1)
    lower = (1 - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1)
    return np.asarray((1 - below) * upper + below * lower)


def reflected(index: NDArray[Any], side: int, *, repeated: bool = True) -> NDArray[Any]:
    """The index of the pixel seen at an index outside: d c b a | a b c d | d c b a with ``repeated``.

    Otherwise d c b | a b c d | c b a.
    """
    period = 2 * side if repeated else max(2 * side - 2, 1)
    folded = index % period
    return np.asarray(np.minimum(folded, (period - 1 if repeated else period) - folded))


def sources(height: int, width: int, matrices: NDArray[Any]) -> Array:
    """Row and column of the input for each pixel of the output, (2, n, height, width)."""
    centre = np.array([height - 1, width - 1]).reshape(2, 1, 1, 1) / 2
    return np.asarray(np.einsum("nij,yxj->inyx", matrices, positions(height, width)) + centre)


def comes_from_outside(height: int, width: int, matrices: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each output pixel shows a point beyond the outermost pixels of the input, (n, height, width)."""
    y, x = sources(height, width, matrices)
    return np.asarray((y < 0) | (y > height - 1) | (x < 0) | (x > width - 1))


def positions(height: int, width: int) -> Array:
    """(y, x) of each pixel from the centre, (height, width, 2)."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    return np.stack([y - (height - 1) / 2, x - (width - 1) / 2], axis=-1)


def chart(height: int, width: int, seed: int) -> Array:
    """A test image (height, width, 3) in [0, 255]: a vertical slope, a horizontal slope, and noise."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    noise = np.random.default_rng(seed).uniform(size=(height, width))
    return np.stack([y / (height - 1), x / (width - 1), noise], axis=-1) * 255


@dataclass(frozen=True)
class Recovered:
    """The transformations recovered from n transformed charts: a mirror, then a rotation, then a zoom."""

    matrices: Array  # (n, 2, 2)
    shifts: Array  # (n, 2): the point of the input at the centre of the output, measured from the input's centre

    @cached_property
    def mirrored(self) -> NDArray[np.bool_]:
        """Whether left and right (or top and bottom) were exchanged."""
        return np.asarray(np.linalg.det(self.matrices) < 0)

    @cached_property
    def heights(self) -> Array:
        """The height of the window that is shown, as a share of the image's."""
        return np.asarray(np.linalg.norm(self.matrices[:, :, 0], axis=1))

    @cached_property
    def widths(self) -> Array:
        """The width of the window, as a share of the image's."""
        return np.asarray(np.linalg.norm(self.matrices[:, :, 1], axis=1))

    @cached_property
    def zooms(self) -> Array:
        """The mean of both shares."""
        return (self.heights + self.widths) / 2

    @cached_property
    def turns(self) -> Array:
        """The angle in turns, in [-1/2, 1/2]; its sign is that of ``rotation``."""
        turned = np.where(self.mirrored[:, None, None], MIRROR @ self.matrices, self.matrices)
        sine, cosine = turned[:, 0, 1] - turned[:, 1, 0], turned[:, 0, 0] + turned[:, 1, 1]
        return np.asarray(np.arctan2(sine, cosine) / (2 * np.pi))


def recover(charts: NDArray[Any]) -> Recovered:
    """Mirror, rotation and zoom of transformed charts (n, height, width, 3), from their slopes in the middle."""
    height, width = charts.shape[1:3]
    place = positions(height, width)
    middle = np.linalg.norm(place, axis=-1) <= MIDDLE * (min(height, width) - 1)
    plane = np.column_stack([place[middle], np.ones(middle.sum())])
    sides = np.array([height - 1, width - 1])
    seen = (charts[:, middle, :2].astype(np.float64) / 255 - 0.5) * sides  # the origin of each pixel, (n, pixels, 2)
    fitted = np.linalg.pinv(plane) @ seen  # (n, 3, 2)
    return Recovered(np.swapaxes(fitted[:, :2], 1, 2), fitted[:, 2])
