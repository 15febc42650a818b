"""Damaged files of many kinds, for tests of the code that reads them."""
