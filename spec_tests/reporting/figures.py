"""Pictures of the evidence of clauses: evidence in, images with descriptions out, embedded in the page as they are.

Evidence may come from an untrusted file. Evidence that cannot be drawn gives an exhibit without
pictures, with the reason as its caption.
"""

import base64
import functools
import io
import json
import math
import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from .difference_figure import describe, grids, planes
from .movement_figure import describe_layers, draw_layers, layers_of
from .preprocessing_figure import card, describe_lines, draw_lines, lines
from .window_figure import WORST, CannotDraw, describe_window, draw_window

STYLE = {  # beyond matplotlib's defaults
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],  # a short list, since every text element repeats it
    "font.size": 9,
    "lines.linewidth": 1.4,
    "svg.fonttype": "none",  # text stays text: smaller, and in the reader's font
    "svg.hashsalt": "convspec",  # the same evidence gives the same file
    "text.parse_math": False,
}
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
PIXELS_AN_INCH = 96  # as in CSS
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#777777"

CURVES = ("loss", "val_loss", "accuracy", "val_accuracy")  # the contract's names
MOST_BINS = 500
MOST_EPOCHS = 1000
MARKED = 60  # epochs; longer curves are drawn without markers
MOST_PIXELS = 1 << 20  # of a PNG
PNG = b"\x89PNG\r\n\x1a\n"
HEAD_OF_PNG = struct.Struct(">8s8xII")  # signature, width, height
LARGEST = 1e12  # number that an axis shows
LONGEST_NAME = 60  # characters of a layer's name; its end is kept, which distinguishes layers
PALE = 0.35  # contrast of the image behind the highlighted differences
SMALLEST_SIDE, LARGEST_SIDE = 120, 288  # CSS pixels at which an image is shown

Evidence = Mapping[str, Any]


@dataclass(frozen=True)
class Picture:
    """An image as a data URI, what it shows in words, and its size in CSS pixels."""

    source: str
    alt: str
    width: int
    height: int
    label: str = ""  # if there are several


@dataclass(frozen=True)
class Exhibit:
    """The pictures of one piece of evidence; if it cannot be drawn, none, and a caption with the reason."""

    kind: str
    title: str
    caption: str
    pictures: tuple[Picture, ...] = ()


def exhibit(evidence: Evidence) -> Exhibit:
    """The exhibit for evidence in the form of the schema."""
    return _exhibit(json.dumps(evidence, sort_keys=True))


@functools.lru_cache(512)  # implementations with the same evidence share a picture
def _exhibit(text: str) -> Exhibit:
    evidence = json.loads(text)
    kind, title = str(evidence["kind"]), str(evidence["title"])
    try:
        caption, pictures = KINDS[kind](evidence)
    except CannotDraw as reason:
        caption, pictures = f"This cannot be drawn: {reason}.", ()
    return Exhibit(kind, title, caption, pictures)


Drawn = tuple[str, tuple[Picture, ...]]  # a caption, and the pictures above it


def _window(evidence: Evidence) -> Drawn:
    caption = describe_window(evidence)
    with style():
        return caption, (_svg(draw_window(evidence), f"Window to scale. {caption}"),)


def _difference(evidence: Evidence) -> Drawn:
    """The expected values, the actual values and their difference, in the layout of the windows' outputs."""
    shown = planes(evidence)
    caption = describe(evidence, shown)
    said = {
        "expected": "what was expected, the darker the higher",
        "got": "the result, wrong cells marked at a corner",
        "difference": "their difference, wrong cells filled",
    }
    pictures = []
    for grid in grids(shown):
        source = f"data:image/svg+xml;base64,{_base64(grid.svg.encode())}"
        alt = f"{said[grid.name].capitalize()}. {caption}"
        pictures.append(Picture(source, alt, grid.width, grid.height, grid.name))
    return caption, tuple(pictures)


def _histogram(evidence: Evidence) -> Drawn:
    """A histogram with the range in which bars should be level, and the height that they should have there."""
    given = [evidence["low"], evidence["high"], *evidence["edges"], *evidence["counts"]]
    if len(given) > 2 * MOST_BINS or not all(map(_drawable, given)):
        raise CannotDraw("its numbers are too many or too large")
    edges, counts = np.array(evidence["edges"], np.float64), np.array(evidence["counts"], np.float64)
    low, high = float(evidence["low"]), float(evidence["high"])
    if len(edges) != len(counts) + 1 or np.any(np.diff(edges) <= 0) or low >= high:
        raise CannotDraw("its numbers are not those of a histogram")
    centres = (edges[:-1] + edges[1:]) / 2
    inside = counts[(centres > low) & (centres < high)]
    total, level = counts.sum(), counts.sum() * (edges[1] - edges[0]) / (high - low)
    caption = f"{total:,.0f} draws, {total - inside.sum():,.0f} of them outside {low:g} to {high:g} {evidence['unit']}."
    alt = (
        f"Histogram of {evidence['title']}. {caption} A bin within the range should hold about {level:,.0f}; "
        f"they hold {inside.min(initial=total):,.0f} to {inside.max(initial=0):,.0f}."
    )
    with style():
        return caption, (_svg(_bars(edges, counts, (low, high), level, _printable(evidence["unit"])), alt),)


def _bars(
    edges: NDArray[np.float64], counts: NDArray[np.float64], span: tuple[float, float], level: float, unit: str
) -> Figure:
    figure = Figure(figsize=(3.5, 2.1))
    axes = figure.add_axes((0.17, 0.21, 0.77, 0.67))
    axes.axvspan(*span, color=GREY, alpha=0.2, linewidth=0)
    axes.stairs(counts, edges, fill=True, color=BLUE, alpha=0.7)
    axes.plot(span, (level, level), color=ORANGE, linestyle="--")
    top = max(counts.max(), level) * 1.08 or 1
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, top), xlabel=unit, ylabel="draws")
    axes.text(0, 1.04, f"uniform in {span[0]:g} to {span[1]:g}", color=GREY, transform=axes.transAxes)
    axes.text(1, 1.04, f"expected: {level:,.0f}", color=ORANGE, transform=axes.transAxes, ha="right")
    axes.locator_params(nbins=5)
    return figure


def _curves(evidence: Evidence) -> Drawn:
    """The curves of loss and of accuracy, each for training and for validation."""
    history = {name: _numbers(evidence["history"].get(name, ())) for name in CURVES}
    best = _best(history["val_loss"])
    epochs = max(len(values) for values in history.values())
    if not epochs:
        raise CannotDraw("no epoch has a loss or an accuracy")
    caption = f"{epochs:,} epochs" + (f", the lowest validation loss after epoch {best}." if best else ".")
    pictures = []
    with style():
        for measure in ("loss", "accuracy"):
            training, validation = history[measure], history[f"val_{measure}"]
            alt = f"{evidence['title']}, {measure}: {_ends('training', training)}; {_ends('validation', validation)}."
            figure = _lines(measure, training, validation, best)
            pictures.append(_svg(figure, f"{alt} {caption}"))
    return caption, tuple(pictures)


def _lines(measure: str, training: NDArray[np.float64], validation: NDArray[np.float64], best: int) -> Figure:
    """The curves of training and validation, distinguished also by dashes and markers."""
    figure = Figure(figsize=(3.4, 2.1))
    axes: Any = figure.add_axes((0.17, 0.21, 0.8, 0.66))
    for values, label, style, colour in (
        (training, "training", "o--", ORANGE),
        (validation, "validation", "s-", BLUE),
    ):
        size = 3.5 if len(values) <= MARKED else 0
        axes.plot(range(1, len(values) + 1), values, style, color=colour, label=label, markersize=size)
    if best:
        axes.axvline(best, color=GREY, linestyle=":", label=f"best epoch ({best})")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel="epoch", title=measure)
    axes.margins(y=0.12)
    axes.legend(fontsize=8, frameon=False, handlelength=2.4, borderpad=0.1, labelspacing=0.2)
    return figure


def _numbers(values: Sequence[float | None]) -> NDArray[np.float64]:
    """One value per epoch, NaN where it was not finite."""
    given = [value for value in values if value is not None]
    if len(values) > MOST_EPOCHS or not all(map(_drawable, given)):
        raise CannotDraw("its numbers are too many or too large")
    return np.array([math.nan if value is None else value for value in values], np.float64)


def _best(losses: NDArray[np.float64]) -> int:
    """The epoch with the lowest loss, counted from 1; 0 if there is none."""
    return int(np.nanargmin(losses)) + 1 if np.isfinite(losses).any() else 0


def _ends(label: str, values: NDArray[np.float64]) -> str:
    """The first and last value of a curve in words."""
    return f"{label} from {values[0]:.3g} to {values[-1]:.3g}" if len(values) else f"no {label}"


def _images(evidence: Evidence) -> Drawn:
    """Two images, called expected and got unless they have other names, and the pixels that differ."""
    expected, got = (_pixels(evidence[name], name) for name in ("expected", "got"))
    title, names = evidence["title"], evidence.get("names", ("expected", "got"))
    pictures = [
        _png(evidence[key], f"{title}: {name}", pixels.shape, name)
        for key, pixels, name in zip(("expected", "got"), (expected, got), names, strict=True)
    ]
    if expected.shape != got.shape:
        sizes = (
            f"{pixels.shape[0]} × {pixels.shape[1]} ({name})"
            for pixels, name in zip((expected, got), names, strict=True)
        )
        return f"The two have different sizes: {' and '.join(sizes)}.", tuple(pictures)
    apart = np.abs(expected - got).max(axis=-1)
    if not apart.any():
        return "The two are the same in whole grey levels.", tuple(pictures)
    caption = f"{np.count_nonzero(apart):,} of {apart.size:,} pixels differ, by up to {apart.max()} of 255 grey levels."
    alt = f"{title}: where the two differ, in colour, the stronger the more. {caption}"
    pictures.append(_png(_encoded(_highlighted(expected, apart)), alt, apart.shape, "difference"))
    return caption, tuple(pictures)


def _preprocessing(evidence: Evidence) -> Drawn:
    """The preprocessing of pixels as lines, and the colours that the base sees."""
    expected, got = lines(evidence)
    caption = describe_lines(evidence["subset"], expected, got)
    with style():
        pictures = [_svg(draw_lines(expected, got), f"Lines of what pixels become in each channel. {caption}")]
    for line, name in ((expected, "as expected"), (got, "as received")):
        bars = card(expected, line)
        pictures.append(_png(_encoded(bars), f"Colour bars {name} by the base. {caption}", bars.shape, name))
    return f"{caption} The colour bars are as they should look to the base, and as they do.", tuple(pictures)


def _movement(evidence: Evidence) -> Drawn:
    """A bar for each layer, as long as the layer moved."""
    layers = [replace(layer, name=_printable(layer.name[-LONGEST_NAME:])) for layer in layers_of(evidence)]
    caption = describe_layers(evidence, layers)
    with style():
        return caption, (_svg(draw_layers(layers), f"Bars of {evidence['title']}. {caption}"),)


def _highlighted(image: NDArray[np.int16], apart: NDArray[np.int16]) -> NDArray[np.uint8]:
    """The image in pale grey, with differences coloured over it, stronger where they are larger."""
    pale = 255 - (255 - image.mean(axis=-1, keepdims=True)) * PALE
    colour = np.array([int(WORST[at : at + 2], 16) for at in (1, 3, 5)])
    strength = np.where(apart > 0, 0.3 + 0.7 * apart / apart.max(), 0)[..., None]
    mixed: NDArray[np.uint8] = np.rint(pale * (1 - strength) + colour * strength).astype(np.uint8)
    return mixed


def _pixels(encoded: str, name: str) -> NDArray[np.int16]:
    """The RGB pixels of a PNG (height, width, 3); raises CannotDraw if it is not a PNG, or too large."""
    try:
        content = base64.b64decode(encoded, validate=True)
        signature, width, height = HEAD_OF_PNG.unpack_from(content)
    except (ValueError, struct.error):
        signature, width, height = b"", 0, 0
    if signature != PNG:
        raise CannotDraw(f"the image {name} is not a PNG file")
    if width * height > MOST_PIXELS:
        raise CannotDraw(f"the image {name} has {width:,} × {height:,} pixels")
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            return np.asarray(image.convert("RGBA").convert("RGB")).astype(np.int16)
    except Exception:  # Pillow raises many kinds, including AssertionError
        raise CannotDraw(f"the image {name} is a damaged PNG file") from None


def _png(encoded: str, alt: str, shape: tuple[int, ...], label: str) -> Picture:
    """A picture, enlarged by a whole number or reduced."""
    longer = max(shape[:2])
    factor = max(SMALLEST_SIDE // longer, 1) if longer <= LARGEST_SIDE else LARGEST_SIDE / longer
    height, width = (max(round(side * factor), 1) for side in shape[:2])
    return Picture(f"data:image/png;base64,{encoded}", alt, width, height, label)


def _svg(figure: Figure, alt: str) -> Picture:
    width, height = (round(inches * PIXELS_AN_INCH) for inches in figure.get_size_inches())
    return Picture(f"data:image/svg+xml;base64,{_base64(svg_text(figure).encode())}", alt, width, height)


def svg_text(figure: Figure, title: str | None = None, background: str | None = None) -> str:
    """An ``svg`` element, the same for the same figure, with a title for readers who cannot see it."""
    written = io.StringIO()
    metadata = NO_METADATA | ({"Title": title} if title else {})
    behind: dict[str, Any] = {"facecolor": background} if background else {"transparent": True}
    figure.savefig(written, format="svg", metadata=metadata, **behind)
    text = re.sub(r"\s*\n\s*", " ", written.getvalue())  # a fifth of the text is indentation
    return text[text.index("<svg") :]  # without the document type, which contains an address


@contextmanager
def style() -> Iterator[None]:
    """Draw independently of the user's matplotlib settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def _encoded(pixels: NDArray[np.uint8]) -> str:
    """The pixels as a PNG in base64."""
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG")
    return _base64(encoded.getvalue())


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _printable(text: str) -> str:
    """Text escaped for XML, on one line."""
    return "".join(character if character.isprintable() else " " for character in text)[:60]


def _drawable(number: float) -> bool:
    return abs(number) <= LARGEST  # False for NaN


KINDS: dict[str, Callable[[Evidence], Drawn]] = {
    "window": _window,
    "difference": _difference,
    "images": _images,
    "preprocessing": _preprocessing,
    "movement": _movement,
    "histogram": _histogram,
    "curves": _curves,
}
