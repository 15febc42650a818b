"""convspec: an executable specification of transfer-learning image classification.

Where it is installed this is the package ``convspec``, and the folders of the checkout are parts of it:
``convspec.spec_tests``, ``convspec.adapters``, ``convspec.reference``, ``convspec.fixtures``.
"""

from importlib.metadata import PackageNotFoundError, version

from .spec_tests.support.unsupported import Unsupported  # type: ignore[import-not-found] # of the installed package

__all__ = ["Unsupported", "__version__"]

try:
    __version__ = version("convspec")
except PackageNotFoundError:  # in a checkout, where nobody needs it
    __version__ = ""
