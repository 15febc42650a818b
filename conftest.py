"""Loads the specification's plugin, and pytest's own for tests of plugins."""

import pytest

pytest_plugins = ["pytester"]

INSTALLED = "convspec"  # the name of the plugin where it is installed


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the plugin of this checkout.

    pytest-benchmark's command reads no options of pyproject.toml, so that one that is installed is there already.
    Both have the same hooks and options, and the command needs neither.
    """
    if not pluginmanager.hasplugin(INSTALLED):
        pluginmanager.import_plugin("spec_tests.plugin")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run tests with the plugin of another place."""
    if config.pluginmanager.hasplugin(INSTALLED):
        raise pytest.UsageError(f"the tests of a checkout need its own plugin: add -p no:{INSTALLED}")
