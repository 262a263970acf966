"""The door: approximate a function or data by few lines, or ask how few lines it takes."""

from collections.abc import Callable
from typing import Any, TypeGuard

import numpy as np

from neurons.search.threads import one_thread
from theory.optimal.laws import limit_constant
from theory.optimal.minimax import check_tolerance
from theory.optimal.minimax_curve import fewest_curve
from theory.optimal.minimax_data import fewest_samples, fit_samples
from theory.optimal.model_choice import Choice, fewest_for_series
from theory.optimal.model_choice import choose_segments as choose_for_series
from theory.optimal.resolution import resolve
from theory.optimal.result import NORMS, Approximation, Fewest, Norm
from theory.optimal.series import Series
from theory.optimal.series_fit import fit_series
from theory.optimal.series_l2 import checked
from theory.optimal.series_solvers import SeriesSolver
from theory.optimal.solvers import Automatic, Problem, Solver
from theory.optimal.target import Target

_MOST_SEGMENTS = 10_000

Function = Callable[..., Any] | Target
Data = tuple[Any, Any]


def approximate(
    target: Function | Data,
    domain: tuple[float, float] | None = None,
    segments: int = 8,
    *,
    norm: Norm = "l2",
    continuous: bool = True,
    weights: Any = None,
    solver: Solver | SeriesSolver | None = None,
) -> Approximation:
    """The best piecewise-linear approximation with a given number of segments, and a certificate.

    Minimises the distance between f and s over knots a = t_0 < ... < t_n = b and the lines between
    them: (integral |f - s|^p dx)^(1/p) of a function, (sum w |y - s(x)|^p)^(1/p) of data, or the
    largest |f - s|. Every result has a lower bound that no approximation with as many segments
    beats, up to the rounding of float64.

    Args:
        target: a callable of one variable (NumPy or JAX), or data `(x, y)` with x in order.
        domain: (low, high) of a callable; data have their own.
        segments: number of pieces.
        norm: "l1", "l2" or "linf".
        continuous: whether pieces must meet at the knots.
        weights: `(samples,)` positive, for data.
        solver: a solver object of `theory.optimal`; by default the best that fits.

    Returns:
        Knots, values, error, lower bound, status, iterations.

    Raises:
        ValueError: for a bad domain, norm, number of segments, data that are not finite, out of
            order or too few, or a function that is not finite, has a pole, or is too rough.
        TypeError: for a target that is neither callable nor data.

    References:
        H.-C. Dong et al., Training Neural Networks for Solving 1-D Optimal Piecewise Linear
        Approximation, arXiv 2110.08259 (the problem); the solvers and bounds are ours.

    Example:
        >>> best = approximate(np.exp, (0.0, 1.0), segments=2)
        >>> round(best.error, 9), round(float(best.knots[1]), 6), best.status
        (0.015637617, 0.549601, 'optimal')
    """
    count = _count(segments)
    if _is_data(target):
        _refuse(domain, "domain is for callables; data (x, y) end where their x end")
        with one_thread():
            return _fit_data(target, count, _norm(norm), continuous, weights, solver)
    problem = Problem(_resolved(target, domain, weights), count, _norm(norm), continuous)
    if solver is None:
        return Automatic().solve(problem)
    if not isinstance(solver, Solver):
        raise ValueError(f"{type(solver).__name__} solves data (x, y), not functions")
    return solver.solve(problem)


def fewest_segments(
    target: Function | Data,
    domain: tuple[float, float] | None = None,
    *,
    tolerance: float,
    norm: Norm = "l2",
    continuous: bool = True,
    weights: Any = None,
) -> Fewest:
    """The fewest segments that come within a tolerance, and why fewer do not.

    Args:
        target: a callable of one variable, or data `(x, y)`.
        domain: (low, high) of a callable.
        tolerance: the largest error allowed, positive.
        norm: "l1", "l2" or "linf".
        continuous: whether pieces must meet.
        weights: `(samples,)` positive, for data.

    Returns:
        The best approximation with that number of segments, and the bound for one fewer.

    Raises:
        ValueError: as :func:`approximate`, and for a tolerance that is not positive or needs more
            than 10,000 segments.

    Example:
        >>> few = fewest_segments(np.exp, (0.0, 1.0), tolerance=0.004)
        >>> few.segments, few.proved
        (4, True)
    """
    check_tolerance(tolerance)
    if _is_data(target):
        _refuse(domain, "domain is for callables; data (x, y) end where their x end")
        with one_thread():
            return _fewest_of_data(target, tolerance, _norm(norm), continuous, weights)
    resolved = _resolved(target, domain, weights)
    if _norm(norm) == "linf" and resolved.jumps.size == 0:
        return fewest_curve(resolved, tolerance, continuous)
    guess = (limit_constant(resolved, norm) / tolerance) ** 0.5
    if guess > _MOST_SEGMENTS:
        raise ValueError(
            f"tolerance {tolerance:g} needs about {guess:.0f} segments, above {_MOST_SEGMENTS}"
        )

    def fit(segments: int) -> Approximation:
        return approximate(resolved, segments=segments, norm=norm, continuous=continuous)

    return _search(fit, max(1, round(guess)), tolerance)


def choose_segments(
    data: Data, most: int = 16, *, continuous: bool = True, weights: Any = None
) -> Choice:
    """Fit noisy data (least squares) with the number of segments that BIC prefers.

    BIC(k) = m log(RSS_k / m) + d_k log m for m samples, with d_k = 2k free numbers of a continuous
    fit, 3k - 1 of one with jumps.

    Args:
        data: `(x, y)` with x in order.
        most: largest number of segments to consider.
        continuous: whether pieces must meet.
        weights: `(samples,)` positive.

    Returns:
        The approximation, and the criterion of 1, ..., `most` segments.

    Raises:
        ValueError: for bad data or `most` below 1.
        TypeError: for anything but data.
    """
    if not _is_data(data):
        raise TypeError(f"needs data (x, y), got {type(data).__name__}")
    with one_thread():
        return choose_for_series(Series.of(*data, weights), _count(most), continuous)


def _search(fit: Callable[[int], Approximation], guess: int, tolerance: float) -> Fewest:
    """Step from the guess to the first number of segments that is enough."""
    best, short = fit(guess), None
    while best.error > tolerance:
        short, best = best, fit(best.segments + 1)
    while best.segments > 1 and short is None:
        fewer = fit(best.segments - 1)
        if fewer.error > tolerance:
            short = fewer
        else:
            best = fewer
    return Fewest(best, tolerance, short.lower_bound if short else np.inf)


def _fit_data(
    data: Data,
    segments: int,
    norm: Norm,
    continuous: bool,
    weights: Any,
    solver: Solver | SeriesSolver | None,
) -> Approximation:
    if solver is not None:
        if not isinstance(solver, SeriesSolver):
            raise ValueError(
                f"{type(solver).__name__} solves functions; data take DynamicProgramming(), "
                "FunctionalPruning() or FreeKnots()"
            )
        return solver.solve_series(Series.of(*data, weights), segments, norm, continuous)
    series = Series.of(*data, weights)
    checked(series, segments)
    if norm == "linf":
        return fit_samples(*data, segments, continuous, weights)
    return fit_series(series, segments, norm, continuous)


def _fewest_of_data(
    data: Data, tolerance: float, norm: Norm, continuous: bool, weights: Any
) -> Fewest:
    if norm == "linf":
        return fewest_samples(*data, tolerance, continuous, weights)
    return fewest_for_series(Series.of(*data, weights), tolerance, norm, continuous)


def _is_data(target: object) -> TypeGuard[Data]:
    if isinstance(target, Target) or callable(target):
        return False
    if isinstance(target, tuple | list) and len(target) == 2:
        return True
    raise TypeError(f"target must be callable or data (x, y), got {type(target).__name__}")


def _resolved(target: Any, domain: tuple[float, float] | None, weights: object) -> Target:
    _refuse(weights, "weights are for data (x, y); sample a function to weight it")
    if isinstance(target, Target):
        _refuse(domain, "a resolved Target has its own domain")
        return target
    if domain is None:
        raise ValueError("a callable needs its domain (low, high)")
    return resolve(target, domain)


def _refuse(value: object, reason: str) -> None:
    if value is not None:
        raise ValueError(f"{reason}; got {value!r}")


def _count(segments: object) -> int:
    if isinstance(segments, bool) or not isinstance(segments, int | np.integer) or segments < 1:
        raise ValueError(f"segments must be a whole number of at least 1, got {segments!r}")
    return int(segments)


def _norm(norm: Norm) -> Norm:
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {', '.join(NORMS)}, got {norm!r}")
    return norm
