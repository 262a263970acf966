"""Imamoto and Tang's descent on tangent points: the classical solver for convex functions.

A convex f is approximated from below by the largest of n tangents, at pivots t_1 < ... < t_n. Its
error peaks where tangents meet, and at both ends. The pivots move until all peaks are equal; half
of a peak is then the least error, and the tangents, lifted by it, are the best function. Kept as it
was published, as a named baseline: :mod:`theory.optimal.levelling` solves the same equations by
Newton's method.

References:
    A. Imamoto, B. Tang, "Optimal piecewise linear approximation of convex functions", Proceedings
    of the World Congress on Engineering and Computer Science, 2008.
"""

from dataclasses import dataclass

import numpy as np

from theory.optimal.levelling import segment_errors
from theory.optimal.minimax import check_segments
from theory.optimal.result import Approximation, certified
from theory.optimal.solvers import Problem
from theory.optimal.target import Target
from theory.piecewise import PiecewiseLinear

# The step is given up when it has been halved to this.
_LEAST_DELTA = 1e-12


@dataclass(frozen=True)
class ImamotoTang:
    """The solver, for `approximate(..., norm="linf", solver=ImamotoTang())` or by itself.

    Args:
        tolerance: stop when the largest peak exceeds the smallest by this, relative.
        most_steps: give up after this many; the result is then "not_converged".

    Example:
        >>> from theory.optimal.resolution import resolve
        >>> best = ImamotoTang()(resolve(np.sin, (0.0, np.pi)), 7)
        >>> round(best.error, 6), best.status
        (0.007654, 'optimal')
    """

    tolerance: float = 1e-10
    most_steps: int = 10_000

    def solve(self, problem: Problem) -> Approximation:
        """The best approximation, as the door asks for it; it is continuous by itself.

        Raises:
            ValueError: for another norm than "linf", and as the call.
        """
        if problem.norm != "linf":
            raise ValueError(f"Imamoto and Tang's descent solves linf, got norm {problem.norm!r}")
        return self(problem.target, problem.segments)

    def __call__(self, target: Target, segments: int) -> Approximation:
        """The best approximation of a convex or concave function in the largest error.

        Raises:
            ValueError: for a function that is neither, or fewer than one segment.
        """
        check_segments(segments)
        if target.curvature not in ("convex", "concave"):
            raise ValueError(
                f"Imamoto and Tang's descent needs a convex or concave function, got a "
                f"{target.curvature} one"
            )
        sign = 1.0 if target.curvature == "convex" else -1.0
        low, high = target.domain
        pivots = low + (high - low) * (np.arange(segments) + 0.5) / segments
        knots, peaks = _peaks(target, pivots, sign)
        delta, steps = 1.0, 0
        while _uneven(peaks) > self.tolerance and steps < self.most_steps and delta > _LEAST_DELTA:
            trial = pivots + delta * _descent(knots, pivots, peaks)
            found = _peaks(target, trial, sign) if (np.diff(trial) > 0).all() else None
            steps += 1
            if found is None or not found[1].max() <= peaks.max():
                delta /= 2
                continue
            pivots, (knots, peaks) = trial, found
        return _lifted(target, knots, pivots, peaks, sign, steps, self.tolerance)


def _peaks(target: Target, pivots: np.ndarray, sign: float) -> tuple[np.ndarray, np.ndarray]:
    """Where neighbouring tangents meet, both ends included, and f less the tangents there."""
    heights, slopes = target(pivots), target.derivative(pivots)
    bases = heights - slopes * pivots
    with np.errstate(all="ignore"):
        meets = (bases[:-1] - bases[1:]) / (slopes[1:] - slopes[:-1])
    # Neighbours with one slope are one line on this stretch: any place between them is right.
    meets = np.where(np.isfinite(meets), meets, (pivots[1:] + pivots[:-1]) / 2)
    meets = np.clip(meets, pivots[:-1], pivots[1:])
    knots = np.concatenate([[target.domain[0]], meets, [target.domain[1]]])
    owner = np.minimum(np.arange(knots.size), pivots.size - 1)
    tangents = heights[owner] + slopes[owner] * (knots - pivots[owner])
    return knots, sign * (target(knots) - tangents)


def _descent(knots: np.ndarray, pivots: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """Towards the higher of the two peaks beside every pivot, to lower it to the other."""
    ahead, behind = knots[1:] - pivots, pivots - knots[:-1]
    with np.errstate(all="ignore"):
        move = (peaks[1:] - peaks[:-1]) / (peaks[1:] / ahead + peaks[:-1] / behind)
    return np.nan_to_num(move, nan=0.0, posinf=0.0, neginf=0.0)


def _uneven(peaks: np.ndarray) -> float:
    """Largest peak over the smallest, less 1."""
    return float(peaks.max() / peaks.min() - 1) if peaks.min() > 0 else np.inf


def _lifted(
    target: Target,
    knots: np.ndarray,
    pivots: np.ndarray,
    peaks: np.ndarray,
    sign: float,
    steps: int,
    tolerance: float,
) -> Approximation:
    """The tangents in the middle of their error, and a lower bound from the knots they have."""
    error = float(peaks.max()) / 2
    owner = np.minimum(np.arange(knots.size), pivots.size - 1)
    tangents = target(pivots)[owner] + target.derivative(pivots)[owner] * (knots - pivots[owner])
    function = PiecewiseLinear.through(knots, tangents + sign * error)
    bound = float(segment_errors(target, knots)[0].min())
    converged = _uneven(peaks) <= tolerance
    return certified(function, error, bound, "linf", steps, "Imamoto-Tang", converged)
