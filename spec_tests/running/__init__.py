"""How a check runs: an implementation is loaded and tried, and each test of a clause becomes a result."""
