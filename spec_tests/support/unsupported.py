"""What an adapter raises for what its library does not do."""


class Unsupported(Exception):  # noqa: N818 - not an error: nothing is wrong
    """What an implementation does not offer: the example is discarded, and nothing is said against it."""
