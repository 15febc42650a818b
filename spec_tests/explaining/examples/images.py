"""The numbers in the examples of layers: an image of 5 × 5 pixels, 1 to 25, and two small kernels."""

import numpy as np

IMAGE = np.arange(1.0, 26).reshape(5, 5)
TWO = np.array([[1.0, 2], [3, 4]])  # a 2 × 2 kernel
THREE = np.array([[1.0, 2, 0], [0, 1, 0], [3, 0, -1]])  # a 3 × 3 kernel without any symmetry
NINE = np.arange(1.0, 10).reshape(3, 3)  # a 3 × 3 kernel without a weight of 0
