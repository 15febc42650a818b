"""Loads the specification's plugin, and pytest's own for tests of plugins."""

pytest_plugins = ["spec_tests.plugin", "pytester"]
