"""Right answers, from the definitions: NumPy in float64, and nothing of Keras."""
