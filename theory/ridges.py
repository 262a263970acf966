"""What functions of one direction can say of |x|^2, and how many it takes for its powers."""

import itertools
import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from theory.modular import modular_rank

Plane = Callable[[np.ndarray], np.ndarray]


def ridge_share(function: Plane, direction: Float[np.ndarray, " 2"], order: int = 24) -> float:
    """R^2 of the best ridge function g(w . x) for a function of the plane, under N(0, I_2).

    The best one is the conditional expectation E[f | w . x]; Gauss-Hermite quadrature along w and
    across it is exact for polynomials of degree below 2 `order` (for f^2).

    Args:
        function: `(points, 2)` to `(points,)`.
        direction: w, of any length but 0.
        order: quadrature points per axis.

    Returns:
        Share of the variance in [0, 1].

    Raises:
        ValueError: for a direction of length 0.

    Example:
        >>> round(ridge_share(lambda x: np.sum(x**2, axis=1), np.array([0.6, 0.8])), 12)
        0.5
    """
    length = float(np.linalg.norm(direction))
    if length == 0:
        raise ValueError("a direction must not be zero")
    along = direction / length
    across = np.array([-along[1], along[0]])
    points, weights = np.polynomial.hermite_e.hermegauss(order)
    weights = weights / weights.sum()
    x = points[:, None, None] * along + points[None, :, None] * across
    values = function(x.reshape(-1, 2)).reshape(order, order)
    mean = weights @ values @ weights
    best = values @ weights - mean
    return float(weights @ best**2 / (weights @ (values - mean) ** 2 @ weights))


def square_norm_share(d: int, directions: int) -> float:
    """R^2 of the best sum of ridge functions for |x|^2 under N(0, I_d): n / d.

    Attained by squares along n orthogonal directions.

    Args:
        d: dimensions.
        directions: n, of which more than d add nothing that is missing.

    Raises:
        ValueError: for sizes below 1.
    """
    if d < 1 or directions < 1:
        raise ValueError(f"d and directions must be at least 1, got {d} and {directions}")
    return min(directions, d) / d


def catalecticant_rank(d: int, k: int) -> int:
    """Ridge functions that |x|^(2k) in `d` dimensions cannot do without: C(d+k-1, k).

    A sum of n ridge functions has as its part of degree 2k a sum of n powers (w . x)^(2k), whose
    catalecticant (the matrix of derivatives by a and b, two multi-indices of order k) has rank at
    most n. The rank for |x|^(2k) is computed here; it is full.

    Args:
        d: dimensions.
        k: half the degree.

    Returns:
        The rank, a lower bound of n.

    Raises:
        ValueError: for sizes below 1.

    References:
        A. Iarrobino, V. Kanev, Power Sums, Gorenstein Algebras, and Determinantal Loci, 1999.

    Example:
        >>> catalecticant_rank(5, 3), math.comb(7, 3)
        (35, 35)
    """
    if d < 1 or k < 1:
        raise ValueError(f"d and k must be at least 1, got {d} and {k}")
    orders = [
        tuple(chosen.count(axis) for axis in range(d))
        for chosen in itertools.combinations_with_replacement(range(d), k)
    ]
    matrix = [[_derivative(a, b, k) for b in orders] for a in orders]
    return modular_rank(np.array(matrix, dtype=object))


def _derivative(a: tuple[int, ...], b: tuple[int, ...], k: int) -> int:
    """d^(a+b) of |x|^(2k): the coefficient k!/prod(c!) of x^(2c), times prod (2c)!."""
    total = [i + j for i, j in zip(a, b, strict=True)]
    if any(order % 2 for order in total):
        return 0
    coefficient = math.factorial(k) // math.prod(math.factorial(order // 2) for order in total)
    return coefficient * math.prod(math.factorial(order) for order in total)
