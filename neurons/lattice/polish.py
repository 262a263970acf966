"""Second-order polish: from a fit nearby to a stationary one, all digits of it.

At a stationary fit every piece is the best line of its own segment, and neighbours meet at the
knot. Lloyd's alternation (lines of segments, then segments of lines) comes near, at a linear rate
that worsens with the number of segments; Newton's method on the gaps between neighbours ends it.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from neurons.lattice.samples import Samples
from neurons.lattice.starts import fitted_values

# A segment may not lose more than this share of its length in one step.
_SHRINK = 0.5
_SHORTEST = 1e-9


class _Fits(NamedTuple):
    """Best lines `(fits, segments, 2)`, their gaps at inner knots, and the gaps' derivatives."""

    lines: np.ndarray
    gaps: np.ndarray
    slopes: np.ndarray


def polished(
    samples: Samples,
    knots: Float[np.ndarray, "fits knots"],
    *,
    alternations: int = 20,
    newton: int = 30,
) -> np.ndarray:
    """Knots of stationary fits near the given ones; each fit in the scale of `samples`.

    Args:
        samples: what is fitted.
        knots: `(fits, segments + 1)` from -1 to 1, increasing.
        alternations: steps of Lloyd's alternation.
        newton: at most so many steps of Newton's method.

    References:
        S. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28,
        1982 (the alternation, there for constants).
    """
    if knots.shape[1] < 3:
        return knots
    for _ in range(alternations):
        lines = _fits(samples, knots).lines
        knots = _moved(knots, _crossings(lines, knots) - knots[:, 1:-1])
    for _ in range(newton):
        found = _fits(samples, knots)
        if np.abs(found.gaps).max() < 1e-14:
            break
        knots = _moved(knots, -_solved(found.slopes, found.gaps))
    return knots


def settled(samples: Samples, knots: Float[np.ndarray, " knots"]) -> np.ndarray:
    """One fit's knots, settled between few samples: the sum over samples instead of the integral.

    Where a segment holds few samples the two have different optima. Every knot tries steps of
    neighbouring samples' distance, 4 of them at first, 1/8 at last.
    """
    best, error = knots, _error(samples, knots)
    reach = 4.0
    while reach > 1 / 16:
        before = error
        for i in range(1, knots.size - 1):
            for sign in (-1, 1):
                trial = best.copy()
                trial[i] += sign * reach * samples.spacing(best[i])
                if (
                    best[i - 1] < trial[i] < best[i + 1]
                    and (found := _error(samples, trial)) < error
                ):
                    best, error = trial, found
        if error >= before * (1 - 1e-5):
            reach /= 2
    return best


def _error(samples: Samples, knots: np.ndarray) -> float:
    values = fitted_values(samples, knots)
    return float(samples.errors(knots[None], values[None])[0])


def _fits(samples: Samples, knots: np.ndarray) -> _Fits:
    """Best line of every segment, gap of neighbours at every inner knot, and its derivatives."""
    moments = np.diff(samples.moments(knots), axis=1)
    inverse = _inverse(moments)
    lines = (inverse @ moments[..., 3:, None])[..., 0]
    basis = np.stack([np.ones_like(knots), knots], axis=-1)
    target, density = samples.target(knots), samples.density(knots)
    # Moving an end by dt adds density * residual * basis * dt to the segment's normal equations.
    left, at_left = _end(lines, inverse, basis[:, :-1], target[:, :-1], -density[:, :-1])
    right, at_right = _end(lines, inverse, basis[:, 1:], target[:, 1:], density[:, 1:])
    gaps = at_right[:, :-1] - at_left[:, 1:]
    return _Fits(lines, gaps, _slopes(lines, basis, left, right))


def _inverse(moments: np.ndarray) -> np.ndarray:
    """`(..., 2, 2)` inverses of the normal equations' matrices; 0 for segments without extent."""
    mass, first, second = moments[..., 0], moments[..., 1], moments[..., 2]
    spread = mass * second - first**2
    one = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    entries = np.stack([second, -first, -first, mass], axis=-1) * one[..., None]
    return entries.reshape(*mass.shape, 2, 2)


def _end(
    lines: np.ndarray, inverse: np.ndarray, points: np.ndarray, heights: np.ndarray, w: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How the lines turn with one of their ends, and what they leave there."""
    left_over = heights - (points * lines).sum(axis=-1)
    return (w * left_over)[..., None] * (inverse @ points[..., None])[..., 0], left_over


def _slopes(
    lines: np.ndarray, basis: np.ndarray, left: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """`(fits, knots - 2, knots - 2)` derivatives of the gaps by the inner knots: tridiagonal."""
    inner, knots = basis[:, 1:-1], np.arange(lines.shape[1] - 1)
    found = np.zeros((lines.shape[0], knots.size, knots.size))
    turn = lines[:, 1:, 1] - lines[:, :-1, 1]
    found[:, knots, knots] = turn + (inner * (left[:, 1:] - right[:, :-1])).sum(axis=-1)
    found[:, knots[:-1], knots[1:]] = (inner[:, :-1] * right[:, 1:-1]).sum(axis=-1)
    found[:, knots[1:], knots[:-1]] = -(inner[:, 1:] * left[:, 1:-1]).sum(axis=-1)
    return found


def _crossings(lines: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Where neighbouring lines cross; the knot itself where they are parallel."""
    rise, turn = lines[:, 1:, 0] - lines[:, :-1, 0], lines[:, :-1, 1] - lines[:, 1:, 1]
    usable = np.isfinite(rise) & (turn != 0)
    places = np.divide(rise, turn, out=knots[:, 1:-1].copy(), where=usable)
    return np.clip(places, knots[:, :-2], knots[:, 2:])


def _solved(matrices: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Newton's step; the shortest one where the matrix is singular."""
    usable = np.isfinite(matrices).all(axis=(1, 2)) & np.isfinite(gaps).all(axis=1)
    safe = np.where(usable[:, None, None], matrices, np.eye(matrices.shape[1]))
    right = np.where(usable[:, None], gaps, 0.0)[..., None]
    try:
        return np.linalg.solve(safe, right)[..., 0]
    except np.linalg.LinAlgError:
        return (np.linalg.pinv(safe) @ right)[..., 0]


def _moved(knots: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Inner knots after a step, shortened so that no segment closes; too short ones stay."""
    full = np.pad(np.where(np.isfinite(steps), steps, 0.0), ((0, 0), (1, 1)))
    lengths = np.diff(knots, axis=1)
    closing = (-np.diff(full, axis=1) / lengths).max(axis=1, keepdims=True)
    moved = knots + full * np.minimum(1.0, _SHRINK / np.maximum(closing, _SHRINK))
    alive = np.diff(moved, axis=1).min(axis=1, keepdims=True) > _SHORTEST
    return np.where(alive, moved, knots)
