"""Tests of what the reference does beyond the contract."""
