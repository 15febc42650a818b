"""Loads the specification's plugin."""

pytest_plugins = ["spec_tests.plugin"]
