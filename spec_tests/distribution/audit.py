"""What an audit is given: ``from convspec.audit import Pipeline``."""

from .spec_tests.audit import Expects, Pipeline  # type: ignore[import-not-found] # of the installed package

__all__ = ["Expects", "Pipeline"]
