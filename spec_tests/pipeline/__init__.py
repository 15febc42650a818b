"""Tests of the reference's behaviour beyond the contract."""
