"""Audit a pipeline as it stands: what its author writes, and what is observed while his own code runs.

Where convspec is installed this is ``convspec.audit``.
"""

from .pipeline import Expects, Pipeline

__all__ = ["Expects", "Pipeline"]
