"""Benchmarks of the important steps, and the gate that compares two revisions with them."""
