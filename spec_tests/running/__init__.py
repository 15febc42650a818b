"""The run of a check: an implementation is loaded and tried, and each test of a clause becomes a result."""
