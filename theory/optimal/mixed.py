"""Optimal approximation of functions of any shape: local optima and bounds by turns."""

import numpy as np

from theory.optimal.cells import CellBound
from theory.optimal.descent import descend, error_of
from theory.optimal.laws import density_knots
from theory.optimal.result import Approximation, Norm, certified, exponent
from theory.optimal.segment import best_lines
from theory.optimal.target import Target
from theory.piecewise import PiecewiseLinear

# Errors below this part of the function's size count as none at all.
_NOTHING = 1e-10
# Rounds whose bound closes less of the gap than this are not worth their time.
_PROGRESS = 0.1
_STALLED = 3


def solve_mixed(
    target: Target, segments: int, norm: Norm, continuous: bool, gap: float
) -> Approximation:
    """Local optimisation from many starts, until a bound shows that little is left to win.

    Args:
        target: the function.
        segments: number of pieces.
        norm: "l1" or "l2".
        continuous: whether pieces must meet.
        gap: relative distance of error and bound at which to stop.
    """
    power = exponent(norm)
    search = _Search(target, norm, continuous)
    search.try_from(density_knots(target, segments, norm))
    rounding = _NOTHING * target.size * np.ptp(target.domain) ** (1 / power)
    bounds = CellBound(target, segments, norm, continuous)
    bound, open_gap, stalled = 0.0, np.inf, 0
    for found in bounds.rounds():
        if search.error <= rounding:
            break
        search.try_from(found.path)
        bound = max(bound, found.cost)
        left = 1 - bound ** (1 / power) / search.error
        stalled = stalled + 1 if left > (1 - _PROGRESS) * open_gap else 0
        open_gap = left
        if left <= gap or stalled >= _STALLED:
            break
        bounds.prune(search.error**power)
    return certified(
        search.best,
        search.error,
        bound ** (1 / power),
        norm,
        search.iterations,
        "branch and bound",
        rounding=rounding,
    )


class _Search:
    """The best local optimum so far."""

    def __init__(self, target: Target, norm: Norm, continuous: bool) -> None:
        self._target, self._norm, self._continuous = target, norm, continuous
        self._landmarks = target.landmarks
        self.error, self.iterations = np.inf, 0
        self.best: PiecewiseLinear

    def try_from(self, knots: np.ndarray) -> None:
        """Descend from knots, moved apart where they touch; and with knots on rough places."""
        low, high = self._target.domain
        even = np.linspace(low, high, knots.size)
        start = np.sort(knots) * (1 - 1e-4) + even * 1e-4
        self._keep(*descend(self._target, start, self._norm, self._continuous))
        if 0 < self._landmarks.size < knots.size - 1:
            snapped = _snapped(start, self._landmarks)
            self._keep(*descend(self._target, snapped, self._norm, self._continuous))
            if not self._continuous:
                lines = best_lines(self._target, snapped[:-1], snapped[1:], "l2")
                function = PiecewiseLinear(snapped, lines.left, lines.right)
                self._keep(function, error_of(self._target, function, self._norm), 0)

    def _keep(self, function: PiecewiseLinear, error: float, steps: int) -> None:
        self.iterations += steps
        if error < self.error:
            self.best, self.error = function, error


def _snapped(knots: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Inner knots moved to given places, the nearest one to each that is still free."""
    moved, free = knots.copy(), np.ones(knots.size, bool)
    free[[0, -1]] = False
    for place in places:
        nearest = np.where(free, np.abs(knots - place), np.inf).argmin()
        moved[nearest], free[nearest] = place, False
    distinct = np.unique(moved)
    return distinct if distinct.size == knots.size else knots
