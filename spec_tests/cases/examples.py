"""How many examples a property takes: fewer than the profile says where each takes long."""

from hypothesis import settings

# Settings take over what they leave open from the profile that is loaded when they are made. These are made as a
# module of clauses is imported, which is after the plugin has loaded its own.


def one_in(number: int, least: int = 3) -> settings:
    """One in so many of the profile's examples, and at least so many."""
    examples = settings().max_examples
    return settings(max_examples=max(examples // number, min(examples, least)))


def once() -> settings:
    """One example, which shows all that there is to see."""
    return settings(max_examples=1)
