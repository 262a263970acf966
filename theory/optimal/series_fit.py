"""Optimal piecewise-linear approximation of data: one call for every norm this folder fits."""

from theory.optimal.result import Approximation, Norm
from theory.optimal.series import Series
from theory.optimal.series_l1 import LeastAbsolute
from theory.optimal.series_l2 import LeastSquares


def fit_series(
    series: Series, segments: int, norm: Norm = "l2", continuous: bool = True
) -> Approximation:
    """The best piecewise line of so many segments through data.

    minimise (sum w |y - s(x)|^p)^(1/p), p = 2 or 1, over s with `segments` pieces on [x_1, x_m],
    its knots anywhere. With jumps, knots are halfway between the samples they part.

    - "l2" with jumps: the optimum, by dynamic programming over all pairs of samples. Time and the
      work grow with the square of the number of samples: about a second for 10,000.
    - "l2" continuous: the best local optimum of many starts (see `LeastSquares.continuous`); the
      bound is the optimum with jumps.
    - "l1" with jumps: the optimum for up to `series_l1.EXACT_SAMPLES` samples; beyond, the best
      found with a bound from dynamic programming over cells of samples.
    - "l1" continuous: linear programs from the "l2" knots; the bound is that with jumps.

    Args:
        series: the data.
        segments: number of pieces, 1 to (different x) - 1.
        norm: "l2" or "l1".
        continuous: whether the pieces must meet.

    Returns:
        The approximation with its lower bound.

    Raises:
        ValueError: for another norm, or fewer or more segments than the data hold.

    References:
        R. Bellman, On the approximation of curves by line segments using dynamic programming,
        Communications of the ACM 4(6), 1961.

    Example:
        >>> tent = Series.of([0, 1, 2, 3, 4], [1, 2, 3, 2, 1])
        >>> best = fit_series(tent, 2)
        >>> best.knots.tolist(), best.values.round(9).tolist(), best.error
        ([0.0, 2.0, 4.0], [1.0, 3.0, 1.0], 0.0)
    """
    fits = segmentations(series, segments, norm)
    return fits.continuous(segments) if continuous else fits.with_jumps(segments)


def segmentations(series: Series, most: int, norm: Norm) -> LeastSquares | LeastAbsolute:
    """All fits of 1, ..., `most` segments, in the norm named.

    Raises:
        ValueError: for another norm than "l2" or "l1", or a `most` the data do not hold.
    """
    if norm == "l2":
        return LeastSquares(series, most)
    if norm == "l1":
        return LeastAbsolute(series, most)
    raise ValueError(f'norm must be "l2" or "l1" here, got {norm!r}')
