"""Options of the benchmarks, in addition to those of the specification and of pytest-benchmark."""

import os

import pytest

from ..cases.trials import EMBEDDED_PRESET
from .gate.numbers import count
from .work import Settings


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options for the work's inputs. ``--preset`` names the base."""
    add = parser.getgroup("benchmarks", "what is timed").addoption
    add("--image-size", type=count, default=Settings.image_size[0], metavar="N", help="side of images (default: 180)")
    add("--batch-size", type=count, default=Settings.batch_size, metavar="N", help="images in a batch (default: 32)")


def pytest_configure() -> None:
    """Have JAX compile programs that the specification's own runs would take from their cache."""
    os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"


@pytest.fixture(scope="session")
def settings(request: pytest.FixtureRequest, seed: int) -> Settings:
    """The settings from the command line."""
    option = request.config.option
    side = (option.image_size, option.image_size)
    return Settings(option.preset or EMBEDDED_PRESET, side, option.batch_size, seed)
