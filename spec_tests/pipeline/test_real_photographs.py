"""The pipeline on real photographs with real ImageNet weights, if they are available."""

from pathlib import Path

import pytest

from reference.__main__ import main
from spec_tests.pipeline.conftest import BACKEND, SHARED
from spec_tests.pipeline.test_pipeline import results

ARCHIVE = SHARED / "data" / "train.zip"
BASE = SHARED / "presets" / "mobilenet_v1_025_imagenet.keras"

pytestmark = pytest.mark.skipif(
    not (ARCHIVE.is_file() and BASE.is_file()),
    reason=f"no real photographs or weights below {SHARED}: set CONVSPEC_SHARED to where they are",
)


def test_a_small_imagenet_base_tells_cats_from_dogs(tmp_path: Path) -> None:
    """100 / 50 / 100 photographs a class; the smallest MobileNet reaches about 0.89 on them."""
    command = ["--data", str(ARCHIVE), "--base", str(BASE), "--backend", BACKEND, "--scale", "0.1", "--epochs", "15"]
    command += ["--stages", "features", "--output", str(tmp_path / "run"), "--cache", str(tmp_path / "cache")]
    assert main(command) == 0
    assert results(tmp_path / "run")["features"]["evaluation"]["accuracy"] > 0.8
