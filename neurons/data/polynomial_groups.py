"""The ten polynomial groups of the task-based neurons' repository, made anew.

The repository NewT123-WM/Task_based_neurons keeps three files (`epsilon_low.h5`, `_medium`,
`_high`) of ten groups "no1" to "no10" each: 600 rows of 10 inputs between -50 and 50, and a noisy
sum over the inputs of one polynomial. The files are not read here. Only no1's polynomial is stated
there; of the others the leading terms are known from least squares on the files, and these terms
are all that we put in: **a reconstruction of ours**, not the authors' data. Known of the noise is
that the high level is six times the low one; the levels themselves are ours.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Noise = Literal["none", "low", "medium", "high"]
# Standard deviation of the noise over that of the noise-free target.
NOISE: dict[Noise, float] = {"none": 0.0, "low": 0.01, "medium": 0.03, "high": 0.06}
REACH = 50.0  # inputs lie in [-50, 50]

Powers = tuple[int, ...]
_TERMS: dict[str, tuple[Powers, tuple[float, ...], float]] = {
    "no1": ((1, 2), (2.0, 6.0), -3.0),  # the only one stated in full
    "no2": ((4,), (3.0,), 0.0),
    "no3": ((2,), (4.0,), 0.0),
    "no4": ((4,), (2.0,), 0.0),
    "no5": ((4,), (2.0,), 0.0),
    "no6": ((3, 4), (-6.0, 3.0), 0.0),
    "no7": ((3, 4), (4.0, 4.0), 0.0),
    "no8": ((3, 4), (5.0, 2.0), 0.0),
    "no9": ((3,), (2.0,), 0.0),
    "no10": ((5,), (3.0,), 0.0),
}
GROUPS = tuple(_TERMS)


@dataclass(frozen=True, eq=False)
class PolynomialGroup:
    """One group: `y = intercept + sum_k coefficients_k sum_j x_j^powers_k + noise`.

    Args:
        name: `"no1"` to `"no10"`.
        powers: The true powers, rising.
        coefficients: Of the powers.
        intercept: The constant.
        x: `(rows, inputs)` float64 in [-50, 50], without unit.
        y: `(rows,)` float64.
        noise: The noise's level.
        deviation: Standard deviation of the noise in units of `y`.
    """

    name: str
    powers: Powers
    coefficients: tuple[float, ...]
    intercept: float
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    noise: Noise
    deviation: float


def polynomial_groups(
    seed: int = 0, noise: Noise = "low", *, rows: int = 600, inputs: int = 10
) -> tuple[PolynomialGroup, ...]:
    """All ten groups, x ~ U(-50, 50), normal noise of 0, 1, 3 or 6 % of the target's deviation.

    Args:
        seed: Seed of everything random; every level of noise gets the same inputs.
        noise: `"none"`, `"low"`, `"medium"` or `"high"`, which is six times the low one.
        rows: Rows of a group, 600 in the repository, at least 1.
        inputs: Inputs of a group, 10 in the repository, at least 1.

    Raises:
        ValueError: For an unknown level of noise, no row, or no input.

    References:
        F.-L. Fan et al., No One-Size-Fits-All Neurons, arXiv 2405.02369, and its repository.

    Example:
        >>> first = polynomial_groups()[0]
        >>> first.powers, first.coefficients, first.x.shape
        ((1, 2), (2.0, 6.0), (600, 10))
    """
    if noise not in NOISE:
        raise ValueError(f"noise is {noise!r}; allowed: {', '.join(NOISE)}")
    if rows < 1 or inputs < 1:
        raise ValueError(f"needs at least 1 row and 1 input, got {rows} and {inputs}")
    random = np.random.default_rng(seed)
    return tuple(_group(random, name, noise, (rows, inputs)) for name in GROUPS)


def _group(
    random: np.random.Generator, name: str, noise: Noise, shape: tuple[int, int]
) -> PolynomialGroup:
    powers, coefficients, intercept = _TERMS[name]
    x, standard = random.uniform(-REACH, REACH, shape), random.standard_normal(shape[0])
    exact = sum(a * (x**k).sum(axis=1) for k, a in zip(powers, coefficients, strict=True))
    deviation = NOISE[noise] * float(np.std(exact))
    y = exact + intercept + deviation * standard
    return PolynomialGroup(name, powers, coefficients, intercept, x, y, noise, deviation)
