"""Dense layers."""

import numpy as np

from ...oracles.windows import dense
from ..example import Example, agree, example, grid, number, numbers, summed

FEATURES = np.array([1.0, 2, 3])
KERNEL = np.array([[1.0, 0], [2, 5], [3, 6]])
BIAS = np.array([10.0, 20])


def units(features: np.ndarray = FEATURES, kernel: np.ndarray = KERNEL) -> list[float]:
    """The oracle's outputs for one sample."""
    return [float(value) for value in dense(features[None], kernel, BIAS)[0]]


def terms(unit: int) -> list[tuple[float, float]]:
    """The products that a unit sums."""
    return list(zip(FEATURES.tolist(), KERNEL[:, unit].tolist(), strict=True))


@example("DENSE-1")
def _product() -> Example:
    steps = [f"Unit {unit}: {summed(terms(unit), units()[unit], BIAS[unit])}." for unit in range(2)]
    steps.append("A transposed kernel would have 3 columns: 3 units instead of 2.")
    grids = grid("features", FEATURES), grid("kernel", KERNEL), grid("bias", BIAS), grid("output", units())
    return Example(tuple(steps), grids)


@example("DENSE-2")
def _global() -> Example:
    changed = [units(FEATURES + 8 * np.eye(3)[feature]) for feature in range(3)]
    agree(np.array(changed) - units(), 8 * KERNEL)
    steps = [f"Before: {numbers(units())}."]
    for feature, outputs in enumerate(changed):
        steps.append(f"Feature {feature} raised by 8: {numbers(outputs)}.")
    steps.append("Feature 0 moves unit 0 alone, since its weight for unit 1 is 0. Each of the others moves both.")
    return Example(tuple(steps), (grid("kernel", KERNEL), grid("change of the output", np.array(changed) - units())))


@example("DENSE-3")
def _permuted() -> Example:
    order = [2, 0, 1]
    again = units(FEATURES[order], KERNEL[order])
    agree(again, units())
    steps = (
        f"Inputs {numbers(FEATURES)}: {numbers(units())}.",
        f"Inputs {numbers(FEATURES[order])}, and the rows of the kernel in the same order: {numbers(again)}, the same.",
    )
    return Example(steps, (grid("kernel", KERNEL), grid("rows 2, 0, 1", KERNEL[order])))


@example("DENSE-4")
def _weights() -> Example:
    small, large = (side * side * 3 for side in (5, 6))
    agree([dense(np.ones((1, n)), np.ones((n, 8)), np.zeros(8)).shape for n in (small, large)], [(1, 8)] * 2)
    steps = (
        f"An image of 5 × 5 pixels in 3 channels has {small} inputs. 8 units: {small} × 8 + 8 = {small * 8 + 8} "
        "weights.",
        f"One of 6 × 6 has {large} inputs: {large} × 8 + 8 = {large * 8 + 8}. The kernel for {small} is refused.",
        f"A 3 × 3 convolution with 8 filters has 9 × 3 × 8 + 8 = {9 * 3 * 8 + 8} for either (CONV-5).",
    )
    return Example(steps)


@example("DENSE-5")
def _bias() -> Example:
    broadcast = np.array(units()) - BIAS + 10
    steps = (
        f"Two units without a bias: {numbers(np.array(units()) - BIAS)}.",
        f"A bias of one value, 10, would be broadcast to {numbers(broadcast)}: no error, and unit 1 off by "
        f"{number(BIAS[1] - 10)} from {numbers(units())}.",
        "A bias of three values fits neither.",
    )
    return Example(steps)
