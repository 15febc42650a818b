"""Bad images are named as unreadable, or read as another decoder reads them: no traceback, no wrong pixels."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reference.errors import PipelineError
from reference.loading import load_images
from spec_tests.cases.archives import folder, tree
from spec_tests.cases.galleries import Pixels
from spec_tests.damage.bytes import FORMATS, SIDES, Damage, damaged, damages, picture, resized_header
from spec_tests.pipeline.outcomes import REFUSED, nothing_written, outcome

pytestmark = pytest.mark.any_backend

SIZE = (9, 7)  # the size of the pictures, so that nothing is resized
LARGEST = 2**22  # pixels; the other decoder is not asked for more
SUFFIXES = st.sampled_from(list(FORMATS))


def loaded(data: bytes, suffix: str, skip: bool = False) -> Any:
    """The image that a file holds, REFUSED, or None if it was left out."""
    with folder() as here:
        for name, content in (("cat/0.png", picture("png")), ("cat/1." + suffix, data), ("dog/0.png", picture("png"))):
            (here / name).parent.mkdir(exist_ok=True)
            (here / name).write_bytes(content)
        with nothing_written(here):
            batches = outcome(lambda: load_images(here, image_size=SIZE, skip_unreadable=skip))
        if batches is REFUSED:
            return REFUSED
        assert np.array_equal(batches.images.read([0])[0], Image.open(io.BytesIO(picture("png"))))
        if batches.left_out:
            assert [path.name for path in batches.left_out] == [f"1.{suffix}"]
            assert len(batches.labels) == len(batches.paths) == 2
            return None
        assert len(batches.labels) == 3
        return batches.images.read([1])[0]


def decoded(data: bytes) -> Pixels | None:
    """The pixels that Pillow decodes; None for a file that it refuses or whose size differs."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.size[0] * image.size[1] > LARGEST:
                return None
            pixels = np.asarray(image.convert("RGB"))
    except Exception:  # Pillow raises many kinds
        return None
    return pixels if pixels.shape[:2] == SIZE else None


@given(SUFFIXES, damages())
def test_damaged_bytes(suffix: str, changes: tuple[Damage, ...]) -> None:
    """A JPEG has no checksum, and decoders differ on damaged bits."""
    data = damaged(picture(suffix), changes)
    got, other = loaded(data, suffix), decoded(data)
    if got is REFUSED:
        return
    assert got.shape == (*SIZE, 3)
    assert np.isfinite(got).all()
    assert 0 <= got.min() <= got.max() <= 255
    if other is not None and suffix != "jpg":
        np.testing.assert_array_equal(got, other)
    if suffix == "png":  # which has checksums
        np.testing.assert_array_equal(got, decoded(picture(suffix)) if other is None else other)


@given(SUFFIXES, st.sampled_from(SIDES), st.sampled_from(SIDES))
def test_headers_of_other_sizes(suffix: str, height: int, width: int) -> None:
    got = loaded(resized_header(picture(suffix), suffix, height, width), suffix)
    assert got is REFUSED or got.shape == (*SIZE, 3)


@settings(max_examples=max(settings().max_examples // 3, 5))
@given(SUFFIXES, damages())
def test_those_that_are_skipped(suffix: str, changes: tuple[Damage, ...]) -> None:
    data = damaged(picture(suffix), changes)
    assert (loaded(data, suffix) is REFUSED) == (loaded(data, suffix, skip=True) is None)


@given(SUFFIXES, SUFFIXES)
def test_a_name_of_another_format_does_not_matter(suffix: str, named: str) -> None:
    got = loaded(picture(suffix), named)
    assert np.abs(got - decoded(picture(suffix))).max() <= 6  # grey levels; two decoders of JPEG differ by this


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_place_to_cut_a_file(suffix: str) -> None:
    whole = picture(suffix)
    got = [loaded(whole[:end], suffix) for end in range(0, len(whole) - 20, 17)]
    assert all(image is REFUSED for image in got)


@pytest.mark.parametrize("wrong", ["nothing", "no folder", "one class", "names"])
def test_folders(wrong: str, tmp_path: Path) -> None:
    classes = {"nothing": [], "no folder": [], "one class": ["cat"], "names": ["a\n\x1b[31m", "b", "c"]}[wrong]
    for name in classes:
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").write_bytes(picture("png"))
    directory = tmp_path / "none" if wrong == "no folder" else tmp_path
    before = tree(tmp_path)
    with pytest.raises(PipelineError) as caught:
        load_images(directory, image_size=SIZE)
    assert str(caught.value).isprintable()
    assert tree(tmp_path) == before
