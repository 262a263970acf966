"""Roots of a real polynomial to the last bit, for whatever coefficients float64 can hold.

Eigenvalues of the companion matrix err by the condition of each root, which for T_32 costs half
the digits. Here residuals are computed in integers of 2,048 bits, and the roots settle where
float64 has nothing better.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float

_BITS = 2048
_ROUNDS = 200


@dataclass(frozen=True)
class Roots:
    """Roots of a polynomial and how much they depend on its coefficients.

    Args:
        values: `(degree,)`.
        condition: the largest relative change of a root over that of the coefficients,
            max over r of sum_k |c_k r^k| / |r p'(r)|; above 1e15 for a multiple root.
    """

    values: Complex[np.ndarray, " degree"]
    condition: float


def roots(coefficients: Float[np.ndarray, " coefficients"]) -> Roots:
    """All roots by the iteration of Ehrlich and Aberth, with residuals in long integers.

    Args:
        coefficients: `(degree + 1,)` of 1, x, x^2, ...; the last must not be zero.

    Returns:
        The roots, of a polynomial with exactly these coefficients.

    Raises:
        ValueError: for degree 0, a leading zero or coefficients that are not finite.

    References:
        O. Aberth, Iteration methods for finding all zeros of a polynomial simultaneously,
        Mathematics of Computation 27, 1973.

    Example:
        >>> sorted(roots(np.array([2.0, -3.0, 1.0])).values.real.tolist())
        [1.0, 2.0]
    """
    if coefficients.size < 2 or not np.isfinite(coefficients).all() or coefficients[-1] == 0:
        raise ValueError(f"needs finite coefficients, the last not zero: {coefficients.tolist()}")
    found = _scattered(np.polynomial.polynomial.polyroots(coefficients))
    exact = [_fixed(c) for c in coefficients]
    settled = np.zeros(found.size, dtype=bool)
    for _ in range(_ROUNDS):
        for place in np.flatnonzero(~settled):
            value, slope = _value_and_slope(exact, complex(found[place]))
            step = _step(value, slope, found[place] - np.delete(found, place))
            found[place] -= step
            settled[place] = abs(step) <= np.finfo(float).eps * abs(found[place])
        if settled.all():
            break
    return Roots(found, _condition(coefficients, exact, found))


def _scattered(start: np.ndarray) -> np.ndarray:
    """Off the real axis, where two roots that are real could never part as a conjugate pair."""
    turn = np.exp(1j * (1 + np.arange(start.size)))
    return start + 1e-4 * (np.abs(start) + 1e-3) * turn


def _fixed(value: float) -> int:
    numerator, denominator = float(value).as_integer_ratio()
    return (numerator << _BITS) // denominator


def _value_and_slope(exact: list[int], at: complex) -> tuple[complex, complex]:
    """Both p and p' at `at`, by Horner's rule on fixed-point complex numbers."""
    x, y = _fixed(at.real), _fixed(at.imag)
    a = b = da = db = 0
    for c in reversed(exact):
        da, db = ((da * x - db * y) >> _BITS) + a, ((da * y + db * x) >> _BITS) + b
        a, b = ((a * x - b * y) >> _BITS) + c, (a * y + b * x) >> _BITS
    one = 1 << _BITS
    return complex(a / one, b / one), complex(da / one, db / one)


def _step(value: complex, slope: complex, distances: np.ndarray) -> complex:
    """Newton's step, as if the other roots had been divided out."""
    if value == 0:
        return 0j
    pull = slope / value - np.sum(1 / distances[distances != 0])
    return complex(1 / pull) if pull != 0 else 0j


def _condition(coefficients: np.ndarray, exact: list[int], found: np.ndarray) -> float:
    worst = 0.0
    for root in found:
        size = float(np.abs(coefficients) @ np.abs(root) ** np.arange(coefficients.size))
        reach = float(abs(root)) * abs(_value_and_slope(exact, complex(root))[1])
        worst = max(worst, size / reach if reach else 0.0 if root == 0 else float("inf"))
    return worst
