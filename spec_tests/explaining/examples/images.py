"""What the examples of the layers are about: an image of 5 × 5 pixels, 1 to 25, and two small kernels."""

import numpy as np

IMAGE = np.arange(1.0, 26).reshape(5, 5)
TWO = np.array([[1.0, 2], [3, 4]])  # a kernel of 2 × 2
THREE = np.array([[1.0, 2, 0], [0, 1, 0], [3, 0, -1]])  # one of 3 × 3, the same neither upside down nor mirrored
NINE = np.arange(1.0, 10).reshape(3, 3)  # one of which no weight is 0
