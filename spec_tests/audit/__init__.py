"""Audit a pipeline without rewriting it: what its author writes, and what is observed while the author's code runs.

An installed convspec has this package as ``convspec.audit``.
"""

from .pipeline import Expects, Pipeline

__all__ = ["Expects", "Pipeline"]
