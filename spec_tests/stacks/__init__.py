"""Stacks of packages, each in its own environment, and one report on all of them."""
