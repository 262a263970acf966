"""Every knot hears from its two neighbours only: the linear systems of all Newton steps here."""

import numpy as np
from scipy.linalg import solve_banded


def solve_tridiagonal(
    below: np.ndarray, diagonal: np.ndarray, above: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """Solve a tridiagonal system; NaN throughout if it is singular or not finite.

    Args:
        below: `(n - 1,)` entries left of the diagonal, from the second row on.
        diagonal: `(n,)`.
        above: `(n - 1,)` entries right of the diagonal.
        right: `(n,)` right-hand side.

    Example:
        >>> one, two = np.ones(1), np.full(2, 2.0)
        >>> solve_tridiagonal(one, two, one, np.array([3.0, 3.0])).round(9).tolist()
        [1.0, 1.0]
    """
    if right.size == 0:
        return right
    bands = np.zeros((3, right.size))
    bands[0, 1:], bands[1], bands[2, :-1] = above, diagonal, below
    try:
        found: np.ndarray = solve_banded((1, 1), bands, right)
    except (np.linalg.LinAlgError, ValueError):
        return np.full(right.size, np.nan)
    return found
