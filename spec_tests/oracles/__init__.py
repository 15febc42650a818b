"""Right answers from the definitions, in NumPy with float64 and without Keras."""
