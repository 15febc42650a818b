"""How an answer is judged: comparisons within a tolerance, and statistical tests with a stated false-alarm rate."""
