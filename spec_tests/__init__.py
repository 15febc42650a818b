"""What every stage must do, as tests."""

from pathlib import Path

from .support.unsupported import Unsupported as Unsupported  # the parent package of the kits offers it in either place

__version__ = "0.2.0"  # of the specification, and of the distribution

# The folders beside this one are top-level packages in a checkout, and parts of convspec where it is installed.
PARENT = __name__.removesuffix("spec_tests")
FIXTURES = Path(__file__).parents[1] / "fixtures"
