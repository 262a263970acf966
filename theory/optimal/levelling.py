"""Minimax approximation of convex and concave functions: level the errors of all segments.

The best line of a convex f on [s, t] is parallel to the chord and half-way between it and the
tangent at the pivot c, f'(c) = (f(t) - f(s)) / (t - s); its error is e = (chord(c) - f(c)) / 2, of
signs +, -, + at s, c, t. Where all segments have the same error, their lines meet at the knots, so
the best function is continuous by itself. And it is the best one: of any n segments one contains a
segment of the levelled partition, and the error grows with the segment. For the same reason the
smallest error of any partition's segments is a lower bound.
"""

import numpy as np

from theory.optimal.result import Approximation, certified
from theory.optimal.target import Target
from theory.optimal.tridiagonal import solve_tridiagonal
from theory.piecewise import PiecewiseLinear

_STEPS = 20
_PIVOT_STEPS = 80
# Errors this close, relative, are level; rounding of the values may stop the steps before.
_LEVEL = 1e-13
_HALVINGS = 12
# A pivot this close, relative to its segment, gives the error to the square of it.
_PIVOT = 1e-9


def segment_errors(
    target: Target, knots: np.ndarray, pivots: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Errors of the best lines of a convex or concave function between knots.

    Args:
        target: the function.
        knots: `(segments + 1,)` increasing.
        pivots: `(segments,)` first guesses of the pivots, in units of their segments.

    Returns:
        Errors and pivots (in units of their segments), both `(segments,)`.
    """
    left, width = knots[:-1], np.diff(knots)
    values = target(knots)
    slope = np.diff(values) / width
    guess = np.full(left.size, 0.5) if pivots is None else pivots
    at = _pivots(target, left, width, slope, guess)
    chord = (1 - at) * values[:-1] + at * values[1:]
    return np.abs(chord - target(left + at * width)) / 2, at


def _pivots(
    target: Target, left: np.ndarray, width: np.ndarray, slope: np.ndarray, at: np.ndarray
) -> np.ndarray:
    """Where f' equals the chord's slope: Newton's method inside a bracket that shrinks."""
    low, high = np.zeros_like(at), np.ones_like(at)
    bends = target.derivative(left + width * 0.75) - target.derivative(left + width * 0.25)
    sign = np.where(bends < 0, -1.0, 1.0)
    for _ in range(_PIVOT_STEPS):
        x = left + at * width
        over = sign * (target.derivative(x) - slope)
        low, high = np.where(over < 0, at, low), np.where(over >= 0, at, high)
        curvature = sign * target.second(x) * width
        step = at - over / np.where(curvature > 0, curvature, np.inf)
        inside = (step > low) & (step < high) & (curvature > 0)
        step = np.where(over == 0, at, np.where(inside, step, (low + high) / 2))
        moved, at = np.abs(step - at), step
        if (moved <= _PIVOT * np.minimum(at, 1 - at)).all():
            break
    return at


def level(target: Target, start: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Knots between which a convex or concave function has equal errors, by Newton's method.

    The logarithms of neighbouring errors are made equal. With the pivot at the part p of [s, t],
    de/dt = p (f'(t) - slope) / 2 and de/ds = (1 - p)(f'(s) - slope) / 2: a tridiagonal system.

    Args:
        target: the function.
        start: `(segments + 1,)` knots to begin with.

    Returns:
        Knots, errors of the segments, and the steps that were taken.
    """
    knots = start
    errors, pivots = segment_errors(target, knots)
    size = np.finfo(float).eps * np.abs(target(knots)).max()
    for step in range(_STEPS):
        spread = _spread(errors)
        if not _LEVEL + size / errors.max() < spread < np.inf:
            return knots, errors, step
        move = _newton_move(target, knots, errors, pivots)
        for halving in range(_HALVINGS):
            trial = knots + 0.5**halving * move
            if (np.diff(trial) > 0.1 * np.diff(knots)).all():
                found = segment_errors(target, trial, pivots)
                if _spread(found[0]) < spread:
                    break
        else:
            return knots, errors, step
        knots, (errors, pivots) = trial, found
    return knots, errors, _STEPS


def _spread(errors: np.ndarray) -> float:
    """Largest error over the smallest, less 1."""
    return float(errors.max() / errors.min() - 1) if errors.min() > 0 else np.inf


def _newton_move(
    target: Target, knots: np.ndarray, errors: np.ndarray, pivots: np.ndarray
) -> np.ndarray:
    """The step of all knots that makes the logarithms of the errors equal, to first order."""
    inner = knots[1:-1]
    slopes = np.diff(target(knots)) / np.diff(knots)
    sides = target.derivative(inner)
    # log e grows with the right end of a segment by `ahead`, with the left end by `behind` < 0.
    ahead = pivots[:-1] * np.abs(sides - slopes[:-1]) / (2 * errors[:-1])
    behind = -(1 - pivots[1:]) * np.abs(sides - slopes[1:]) / (2 * errors[1:])
    move = solve_tridiagonal(behind[:-1], ahead - behind, -ahead[1:], np.diff(np.log(errors)))
    return np.pad(np.nan_to_num(move, posinf=0.0, neginf=0.0), 1)


def levelled(target: Target, knots: np.ndarray, solver: str = "levelling") -> Approximation:
    """The best function of a convex or concave target, from knots to begin with.

    Args:
        target: the function.
        knots: `(segments + 1,)` increasing, both ends of the domain among them.
        solver: the name in the result.
    """
    knots, errors, steps = level(target, knots)
    error = float(errors.max())
    values = target(knots)
    sign = 1.0 if target.curvature == "convex" else -1.0
    function = PiecewiseLinear.through(knots, values - sign * error)
    return certified(function, error, float(errors.min()), "linf", steps, solver)
