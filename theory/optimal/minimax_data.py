"""Best piecewise-linear approximation of samples in the largest error."""

import numpy as np
from numpy.typing import ArrayLike

from theory.optimal.minimax import check_segments, check_tolerance, exchange, fewest
from theory.optimal.result import Approximation, Fewest
from theory.optimal.series import Series
from theory.optimal.tunnel import Bars
from theory.piecewise import PiecewiseLinear

# Samples to begin with, per segment and at least; more are taken where they turn out to matter.
_SAMPLES = 32
_LEAST_SAMPLES = 512
_ZOOM = 8
_GUESS = 16


class Samples:
    """Weighted samples as a source; the error is the largest w_k |y_k - s(x_k)|.

    Samples may share an x: a function has one value there, and an error at each of them.

    Args:
        series: the samples.
    """

    def __init__(self, series: Series) -> None:
        self.x, self.y, self._half = series.x, series.y, 1 / series.weights

    @property
    def noise(self) -> float:
        """Errors below this are rounding."""
        return 64 * float(np.finfo(float).eps * (np.abs(self.y) / self._half).max())

    def first(self, segments: int) -> np.ndarray:
        """The samples that stick out of their blocks: few blocks already tell most."""
        blocks = (_LEAST_SAMPLES + _SAMPLES * segments) // 2
        if self.x.size <= 4 * blocks:
            return np.unique(self.x)
        edges = np.linspace(0, self.x.size, blocks + 1).astype(int)
        block = np.repeat(np.arange(blocks), np.diff(edges))
        ends = np.array([edges[:-1], edges[1:] - 1]).T.ravel()
        chord = np.interp(self.x, self.x[ends], self.y[ends])
        order = np.lexsort((self.y - chord, block))
        return np.unique(self.x[np.concatenate([[0, self.x.size - 1], order[ends]])])

    def samples(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All samples at these places, in order."""
        chosen = np.isin(self.x, places)
        return self.x[chosen], self.y[chosen], self._half[chosen]

    def check(self, function: PiecewiseLinear, level: float) -> tuple[float, np.ndarray]:
        """The largest error, and the samples that stick out of the level, peaks only."""
        error = np.abs(self.y - function(self.x)) / self._half
        around = np.pad(error, 1)
        peak = (error > level) & (error >= around[:-2]) & (error >= around[2:])
        return float(error.max()), self.x[peak]

    def improve(self, function: PiecewiseLinear, continuous: bool) -> PiecewiseLinear:
        """The function itself: it is exact on the samples it has seen."""
        return function

    def around(self, function: PiecewiseLinear, places: np.ndarray) -> np.ndarray:
        """Evenly chosen samples between those places that hold the inner knots."""
        cell = np.searchsorted(places, function.knots[1:-1], side="right") - 1
        cell = np.unique(np.clip(cell[:, None] + np.array([-1, 0, 1]), 0, places.size - 2))
        first = np.searchsorted(self.x, places[cell], side="right")[:, None]
        count = np.searchsorted(self.x, places[cell + 1], side="left")[:, None] - first
        chosen = first + (count * np.arange(_ZOOM)) // _ZOOM + count // (2 * _ZOOM)
        return self.x[chosen[np.broadcast_to(count > 0, chosen.shape)]]


def fit_samples(
    x: ArrayLike,
    y: ArrayLike,
    segments: int,
    continuous: bool = True,
    weights: ArrayLike | None = None,
) -> Approximation:
    """The best piecewise-linear function through samples in the largest error max w |y - s(x)|.

    Knots lie anywhere; those of a function that jumps lie half-way between samples.

    Args:
        x: `(samples,)` never decreasing, at least two different.
        y: `(samples,)`.
        segments: number of pieces, at least 1.
        continuous: whether pieces have to meet.
        weights: `(samples,)` positive, or None for ones.

    Raises:
        ValueError: for bad samples (see `theory.optimal.series.Series`) or fewer than one segment.

    Example:
        >>> best = fit_samples([0, 1, 2, 3, 4], [0, 1, 0, 1, 0], segments=2)
        >>> round(best.error, 9), best.status
        (0.5, 'optimal')
    """
    return exchange(Samples(Series.of(x, y, weights)), check_segments(segments), continuous)


def fewest_samples(
    x: ArrayLike,
    y: ArrayLike,
    tolerance: float,
    continuous: bool = True,
    weights: ArrayLike | None = None,
) -> Fewest:
    """The fewest segments that pass all samples within a tolerance: w |y - s(x)| <= tolerance.

    Args:
        x: `(samples,)` never decreasing, at least two different.
        y: `(samples,)`.
        tolerance: the largest error allowed, positive.
        continuous: whether pieces have to meet.
        weights: `(samples,)` positive, or None for ones.

    Raises:
        ValueError: for bad samples (see `theory.optimal.series.Series`), a tolerance that is not
            positive, or one that samples which share an x exceed whatever the function.
    """
    series = Series.of(x, y, weights)
    samples = Samples(series)
    bars = Bars.around(series.x, series.y, check_tolerance(tolerance) / series.weights)
    if bars.empty:
        raise ValueError(
            f"no function comes within {tolerance:g} of all samples at x = {bars.empty[0]:g}"
        )
    return fewest(
        samples,
        lambda segments, meets: exchange(samples, segments, meets),
        tolerance,
        continuous,
        _GUESS,
    )
