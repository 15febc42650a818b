"""The number of examples of a property: fewer than in the profile if each takes long."""

from hypothesis import settings

# New settings inherit from the profile that is loaded when they are created. These are created when a module of
# clauses is imported, which is after the plugin has loaded its profile.


def one_in(number: int, least: int = 3) -> settings:
    """Settings with one in ``number`` of the profile's examples, and at least ``least`` if the profile has as many."""
    examples = settings().max_examples
    return settings(max_examples=max(examples // number, min(examples, least)))


def once() -> settings:
    """Settings with one example, for a property of which one example shows everything."""
    return settings(max_examples=1)
