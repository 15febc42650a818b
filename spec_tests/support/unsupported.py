"""The exception that an adapter raises for a case that its library does not support."""


class Unsupported(Exception):  # noqa: N818 - not an error: nothing is wrong
    """The implementation does not support a case: the example is discarded, and is not held against it."""
