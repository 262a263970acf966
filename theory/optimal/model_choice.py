"""How many segments: by the Bayesian information criterion, or the fewest within a tolerance."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from theory.optimal.result import Approximation, Fewest, Norm
from theory.optimal.series import Series
from theory.optimal.series_fit import segmentations
from theory.optimal.series_l2 import LeastSquares, checked


class Choice(NamedTuple):
    """A fit whose number of segments was chosen.

    `scores[k - 1]` is the criterion of k segments; the least one is the choice's.
    """

    approximation: Approximation
    scores: Float[np.ndarray, " most"]


def choose_segments(series: Series, most: int = 16, continuous: bool = True) -> Choice:
    """Fit noisy data with the number of segments of the least Bayesian information criterion.

        BIC(k) = m log(RSS_k / m) + d_k log m

    for m samples with noise of unknown variance sigma^2 / weight; d_k counts free numbers, knots
    included: 2k continuous, 3k - 1 with jumps. All k come from one pass of the dynamic program.

    Args:
        series: the data.
        most: largest number of segments to consider.
        continuous: whether the pieces must meet.

    Returns:
        The fit and the criterion of 1, ..., `most` segments.

    Raises:
        ValueError: for `most` below 1.

    References:
        G. Schwarz, Estimating the dimension of a model, Annals of Statistics 6(2), 1978.

    Example:
        >>> x = np.arange(40.0)
        >>> wiggle = 0.1 * np.sin(7 * x**2)
        >>> choose_segments(Series.of(x, abs(x - 17) + wiggle), most=4).approximation.segments
        2
    """
    most = min(most, series.places.size - 1)
    checked(series, most)
    fits = LeastSquares(series, most)
    counts = np.arange(1, most + 1)
    tried = fits.sketches(most) if continuous else [fits.with_jumps(int(k)) for k in counts]
    errors = np.array([fit.error for fit in tried])
    # Never better than rounding: exact data would make every further piece pay.
    size = float(np.sqrt(series.weights @ (series.y - series.y.mean()) ** 2))
    squares = np.maximum(errors, 1e-13 * size or 1.0) ** 2
    free = 2 * counts if continuous else 3 * counts - 1
    samples = series.x.size
    scores = samples * np.log(squares / samples) + free * np.log(samples)
    best = int(counts[np.argmin(scores)])
    if not continuous:
        return Choice(tried[best - 1], scores)
    chosen = min(tried[best - 1], fits.continuous(best), key=lambda fit: fit.error)
    return Choice(chosen, scores)


def fewest_for_series(
    series: Series,
    tolerance: float,
    norm: Norm = "l2",
    continuous: bool = True,
    most: int | None = None,
) -> Fewest:
    """The fewest segments with (sum w |y - s(x)|^p)^(1/p) at most `tolerance`.

    Numbers of segments whose lower bound exceeds the tolerance are passed over; the first fit
    within it is the answer. With jumps it is exact ("l2", and "l1" of few samples); a continuous
    fit may need more segments than its bound proves.

    Args:
        series: the data.
        tolerance: largest error allowed, not negative.
        norm: "l2" or "l1".
        continuous: whether the pieces must meet.
        most: give up beyond so many; by default (different x) - 1, which interpolate.

    Returns:
        The fit, and the bound of fits with one segment fewer.

    Raises:
        ValueError: for another norm, a tolerance below 0, or one that `most` segments miss.

    Example:
        >>> tent = Series.of([0, 1, 2, 3, 4], [0, 1, 2, 1, 0])
        >>> few = fewest_for_series(tent, 0.1)
        >>> few.segments, few.proved
        (2, True)
    """
    if not tolerance >= 0:
        raise ValueError(f"the tolerance must not be negative, got {tolerance}")
    limit = series.places.size - 1 if most is None else most
    checked(series, limit)
    tried = 0
    while tried < limit:
        first, tried = tried + 1, min(2 * tried + 8, limit)
        fits = segmentations(series, tried, norm)
        for segments in range(first, tried + 1):
            if fits.bound(segments) <= tolerance:
                fit = fits.continuous(segments) if continuous else fits.with_jumps(segments)
                if fit.error <= tolerance:
                    shorter = float(fits.bound(segments - 1)) if segments > 1 else np.inf
                    return Fewest(fit, tolerance, shorter)
    best = fits.continuous(limit) if continuous else fits.with_jumps(limit)
    raise ValueError(
        f"{limit} segments come within {best.error:.6g} at best, not within {tolerance}"
    )
