"""Solvers as objects: which method approximates a function, and how hard it tries."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from theory.optimal.convex import bending_up, solve_convex
from theory.optimal.descent import descend, error_of
from theory.optimal.laws import density_knots
from theory.optimal.levelling import levelled
from theory.optimal.minimax_curve import Curve, exchange, fit_curve
from theory.optimal.mixed import solve_mixed
from theory.optimal.result import Approximation, Norm, certified
from theory.optimal.segment import best_lines
from theory.optimal.target import Target
from theory.piecewise import PiecewiseLinear


@dataclass(frozen=True)
class Problem:
    """What is asked: the function, the number of pieces, the norm, and whether pieces must meet."""

    target: Target
    segments: int
    norm: Norm
    continuous: bool


@runtime_checkable
class Solver(Protocol):
    """Anything that solves a problem."""

    def solve(self, problem: Problem) -> Approximation:
        """The approximation it finds, with a lower bound."""


@dataclass(frozen=True)
class Newton:
    """Newton's method on the stationarity equations of a convex or concave function (L1, L2).

    Starts from the asymptotically optimal density, certified as `theory.optimal.convex` tells.
    """

    def solve(self, problem: Problem) -> Approximation:
        """The global optimum.

        Raises:
            ValueError: for a function that bends both ways, or has straight parts.
        """
        _only(problem, "Newton", "l1", "l2")
        found = solve_convex(problem.target, problem.segments, problem.norm)
        if found is None:
            raise ValueError(
                "Newton's method needs a function that bends one way everywhere, without straight "
                f"parts; this one is {problem.target.curvature}: use BranchAndBound()"
            )
        return found


@dataclass(frozen=True)
class BranchAndBound:
    """Local optimisation from many starts, and a lower bound over cells of knots (L1, L2).

    Args:
        gap: relative distance of error and lower bound at which to stop. None: 0.002 in L2, 0.005
            in L1, where bounds take much longer.
    """

    gap: float | None = None

    def solve(self, problem: Problem) -> Approximation:
        """The best local optimum, with the bound that was reached."""
        _only(problem, "BranchAndBound", "l1", "l2")
        gap = {"l1": 5e-3, "l2": 2e-3}[problem.norm] if self.gap is None else self.gap
        return solve_mixed(problem.target, problem.segments, problem.norm, problem.continuous, gap)


@dataclass(frozen=True)
class Descent:
    """One descent from the asymptotically optimal density: a local optimum, no bound (L1, L2)."""

    def solve(self, problem: Problem) -> Approximation:
        """The local optimum; its lower bound is 0."""
        _only(problem, "Descent", "l1", "l2")
        start = density_knots(problem.target, problem.segments, problem.norm)
        found, error, steps = descend(problem.target, start, problem.norm, problem.continuous)
        return certified(found, error, 0.0, problem.norm, steps, "descent")


@dataclass(frozen=True)
class Lloyd:
    """Best lines of the segments, and knots where neighbours cross, by turns (convex f, L1, L2).

    Args:
        most_steps: when to give up; the number needed grows with the square of the segments.
        tolerance: knots that move less than this part of the domain have arrived.
    """

    most_steps: int = 20_000
    tolerance: float = 1e-12

    def solve(self, problem: Problem) -> Approximation:
        """The fixed point, or where the steps ended, with the bound of Newton's certificate.

        Raises:
            ValueError: for a function that bends both ways.
        """
        _only(problem, "Lloyd", "l1", "l2")
        _one_way(problem.target, "Lloyd")
        bent, chord = bending_up(problem.target)
        low, high = bent.domain
        knots = np.linspace(low, high, problem.segments + 1)
        moved, step = np.inf, 0
        while moved > self.tolerance * (high - low) and step < self.most_steps:
            lines = best_lines(bent, knots[:-1], knots[1:], problem.norm)
            slopes = (lines.right - lines.left) / np.diff(knots)
            jump = lines.left[1:] - lines.right[:-1]
            moves = -jump / np.diff(slopes)
            moved = float(np.abs(moves).max(initial=0))
            knots = knots + np.concatenate([[0.0], moves, [0.0]])
            step += 1
        lines = best_lines(bent, knots[:-1], knots[1:], problem.norm)
        values = np.append(lines.left, lines.right[-1])
        sign = 1 if problem.target.curvature == "convex" else -1
        function = PiecewiseLinear.through(knots, sign * values + chord(knots))
        best = solve_convex(problem.target, problem.segments, problem.norm)
        return certified(
            function,
            error_of(problem.target, function, problem.norm),
            best.lower_bound if best else 0.0,
            problem.norm,
            step,
            "lloyd",
            converged=moved <= self.tolerance * (high - low),
        )


@dataclass(frozen=True)
class Levelling:
    """Newton's method for equal errors of all segments of a convex or concave function (L-inf)."""

    def solve(self, problem: Problem) -> Approximation:
        """The optimum, with the least of the segments' errors as its bound.

        Raises:
            ValueError: for a function that bends both ways, or another norm.
        """
        _only(problem, "Levelling", "linf")
        _one_way(problem.target, "Levelling")
        return levelled(
            problem.target, density_knots(problem.target, problem.segments, problem.norm)
        )


@dataclass(frozen=True)
class Tunnel:
    """Fewest lines through a tube around any function, and bisection on its width (L-inf)."""

    def solve(self, problem: Problem) -> Approximation:
        """The optimum, bounded by a fit of finitely many places.

        Raises:
            ValueError: for a function that jumps, or another norm.
        """
        _only(problem, "Tunnel", "linf")
        _no_jumps(problem.target)
        return exchange(Curve(problem.target), problem.segments, problem.continuous)


@dataclass(frozen=True)
class Automatic:
    """Newton's method where it applies, else branch and bound; levelling for the largest error."""

    def solve(self, problem: Problem) -> Approximation:
        """The best that the room can do.

        Raises:
            ValueError: for the largest error of a function that jumps.
        """
        if problem.target.curvature == "affine":
            return _straight(problem)
        if problem.norm == "linf":
            _no_jumps(problem.target)
            return fit_curve(problem.target, problem.segments, problem.continuous)
        found = solve_convex(problem.target, problem.segments, problem.norm)
        if found is not None and found.status == "optimal":
            return found
        best = BranchAndBound().solve(problem)
        # Where the usual start failed, a better one may have a certificate after all.
        again = solve_convex(problem.target, problem.segments, problem.norm, best.knots)
        return again if again is not None and again.gap < best.gap else best


def _one_way(target: Target, solver: str) -> None:
    if target.curvature not in ("convex", "concave"):
        raise ValueError(f"{solver} needs a convex or concave function, got {target.curvature}")


def _no_jumps(target: Target) -> None:
    if target.jumps.size:
        raise ValueError(
            f"the function jumps near x = {target.jumps[0]:.6g}: its largest error hangs on single "
            "points; use l1 or l2, or give samples (x, y)"
        )


def _straight(problem: Problem) -> Approximation:
    """A line needs no search; its pieces are even, since no partition is better than another."""
    low, high = problem.target.domain
    knots = np.linspace(low, high, problem.segments + 1)
    function = PiecewiseLinear.through(knots, problem.target(knots))
    return certified(function, 0.0, 0.0, problem.norm, 0, "line")


def _only(problem: Problem, solver: str, *norms: Norm) -> None:
    if problem.norm not in norms:
        raise ValueError(f"{solver} solves {' and '.join(norms)}, got norm {problem.norm!r}")
