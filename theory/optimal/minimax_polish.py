"""A piecewise-linear function made locally best in the largest error, by Newton's method with LPs.

The largest error is the largest of finitely many extremes, each a smooth function of the knots and
of the values at the ends of the pieces. Linearised, the best step inside a trust region is a linear
program; near an optimum as sharp as a vertex the steps converge quadratically.

References:
    M. R. Osborne, G. A. Watson, "An algorithm for minimax approximation in the nonlinear case",
    Computer Journal 12(1), 1969.
    K. Madsen, "An algorithm for minimax solution of overdetermined systems of non-linear
    equations", IMA Journal of Applied Mathematics 16(3), 1975.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from theory.piecewise import PiecewiseLinear

_STEPS = 12
# Knots move by at most this part of the shorter segment beside them, and less after a failure.
_TRUST = 0.2
_SHRINK = 0.25
_LEAST_TRUST = 1e-3
# Values move by at most this many largest errors, times the trust.
_VALUES = 10.0
# What it costs to move a knot by its segment, in units of the largest error.
_COST = 1e-4
# Tolerance of the programs, the smallest that HiGHS takes.
_EXACT = 1e-10
# Steps end when they win less than this, relative.
_WIN = 1e-12


@dataclass(frozen=True)
class Extremes:
    """Local extremes of f - s, on every piece.

    Args:
        piece: the piece each belongs to.
        x: places.
        error: f - s there, with sign.
        slope: f' there.
    """

    piece: np.ndarray
    x: np.ndarray
    error: np.ndarray
    slope: np.ndarray

    @property
    def largest(self) -> float:
        """The largest error without sign."""
        return float(np.abs(self.error).max())


def polish(
    function: PiecewiseLinear,
    extremes: Callable[[PiecewiseLinear], Extremes],
    continuous: bool,
) -> PiecewiseLinear:
    """A function near the given one whose largest error is not larger, and locally least.

    Args:
        function: where to begin.
        extremes: finds the extremes of a function's error.
        continuous: whether pieces have to go on meeting.
    """
    found, trust = extremes(function), _TRUST
    for _ in range(_STEPS):
        trial = _step(function, found, continuous, trust)
        if trial is None:
            break
        reached = extremes(trial)
        if reached.largest >= found.largest:
            trust *= _SHRINK
            if trust < _LEAST_TRUST:
                break
            continue
        won = 1 - reached.largest / found.largest
        function, found, trust = trial, reached, min(_TRUST, trust / _SHRINK)
        if won < _WIN:
            break
    return function


def _step(
    function: PiecewiseLinear, found: Extremes, continuous: bool, trust: float
) -> PiecewiseLinear | None:
    """The best step of the linearised extremes, or None if the program was not solved.

    Unknowns: moves of the n - 1 inner knots in units of the segment to their left, forth and back
    apart; moves of the left and the right values, and the new largest error, in units of the
    largest error. Moves of knots cost a little, so that those that win nothing are not made.
    """
    n, size, width = function.segments, found.largest, np.diff(function.knots)
    knots, values = _gradient(function, found)
    knots = knots * (width[:-1] / size)
    each, zeros = np.arange(n - 1), np.zeros((n - 1, n - 1))
    rows = np.hstack([knots, -knots, values])
    top = np.ones((len(rows), 1))
    errors = found.error / size
    meets = np.zeros((n - 1, 2 * n))
    meets[each, each + 1], meets[each, n + each] = 1, -1
    reach = trust * np.minimum(width[:-1], width[1:]) / width[:-1]
    lifts = np.full((2 * n, 2), [-_VALUES * trust, _VALUES * trust])
    steps = np.stack([0 * reach, reach], axis=1)
    joined = continuous and n > 1
    answer = linprog(
        np.concatenate([np.full(2 * (n - 1), _COST), np.zeros(2 * n), [1.0]]),
        A_ub=csr_array(np.block([[-rows, -top], [rows, -top]])),
        b_ub=np.concatenate([-errors, errors]),
        A_eq=csr_array(np.hstack([zeros, zeros, meets, zeros[:, :1]])) if joined else None,
        b_eq=(function.right[:-1] - function.left[1:]) / size if joined else None,
        bounds=np.concatenate([steps, steps, lifts, [[0, np.inf]]]),
        method="highs-ds",
        options={"primal_feasibility_tolerance": _EXACT, "dual_feasibility_tolerance": _EXACT},
    )
    if answer.x is None:
        return None
    forth, back, left, right, _ = np.split(answer.x, np.cumsum([n - 1, n - 1, n, n]))
    places = function.knots + np.pad((forth - back) * width[:-1], 1)
    starts, ends = function.left + size * left, function.right + size * right
    if joined:
        starts[1:] = ends[:-1]
    return PiecewiseLinear(places, starts, ends)


def _gradient(function: PiecewiseLinear, found: Extremes) -> tuple[np.ndarray, np.ndarray]:
    """d(s - f) at the extremes by inner knots and by values; extremes at knots move with them."""
    n, piece, x = function.segments, found.piece, found.x
    start, end = function.knots[piece], function.knots[piece + 1]
    part = (x - start) / (end - start)
    slope = function.slopes[piece]
    knots, values = np.zeros((x.size, n + 1)), np.zeros((x.size, 2 * n))
    each = np.arange(x.size)
    along = slope - found.slope
    knots[each, piece] = np.where(x == start, along, 0) - slope * (1 - part)
    knots[each, piece + 1] = np.where(x == end, along, 0) - slope * part
    values[each, piece], values[each, n + piece] = 1 - part, part
    return knots[:, 1:-1], values
