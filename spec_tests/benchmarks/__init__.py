"""Benchmarks of the steps that matter, and the gate that compares two revisions by them."""
