"""Stacks of packages, each in an environment of its own, and one report on all of them."""
