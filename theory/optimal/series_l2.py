"""Least-squares piecewise lines through data: exact with jumps, searched and bounded without."""

import numpy as np
from jaxtyping import Float

from theory.optimal.anchors import snapped
from theory.optimal.continuous_series import on_samples
from theory.optimal.dynamic_programming import least_squares_table, traced
from theory.optimal.fitted import through_knots, through_runs
from theory.optimal.free_knots import (
    Fit,
    grown,
    inserted,
    leapt,
    polished,
    spread_out,
    swept,
    total,
)
from theory.optimal.result import Approximation, certified
from theory.optimal.series import Scaled, Series
from theory.piecewise import PiecewiseLinear

# The pruned dynamic program may put its knots on so many samples that their square times the
# segments is this: 200 for 16 segments, a tenth of a second or two.
_EFFORT = 640_000
# Of a few samples it tries so many places a gap, at most.
_BETWEEN = 8
# There it returns so many fits, all within this factor of the best known square.
_ALTERNATIVES, _NEARLY = 6, 1.03
# A sum of squares this close to its bound, relative, leaves nothing to look for.
_PROVEN = 1e-9
# Rounding of the table's sums of squares, relative to all squares of the data.
_ROUNDING = 1e-14


class LeastSquares:
    """A series and its segmentations into 1, 2, ..., `most` lines, from one pass.

    Args:
        series: the data.
        most: number of pieces, at most (different x) - 1.

    Raises:
        ValueError: for fewer pieces than 1 or more than the data hold.

    Example:
        >>> fits = LeastSquares(Series.of([0, 1, 2, 3], [0, 1, 5, 6]), most=2)
        >>> fits.with_jumps(2).error, round(fits.with_jumps(1).error, 6)
        (0.0, 1.341641)
    """

    def __init__(self, series: Series, most: int) -> None:
        checked(series, most)
        self.series, self.data = series, series.scaled
        self.table = least_squares_table(self.data, most)
        self._rounding = _ROUNDING * float(self.data.w @ self.data.v**2)

    def bound(self, segments: int) -> float:
        """No piecewise line of so many segments, continuous or not, is closer than this."""
        square = float(self.table[segments, -1]) - self._rounding
        return self.data.error(square, self.series.spread)

    def with_jumps(self, segments: int) -> Approximation:
        """The optimum with jumps; knots halfway between the samples they part.

        The bound is the dynamic program's own value, less the rounding of its sums.
        """
        function = through_runs(self.series, traced(self.table, self.data, segments))
        return self._certified(function, 1, "dynamic programming")

    def sketches(self, most: int) -> list[Approximation]:
        """Continuous fits of 1, ..., `most` segments, quickly: what a choice of model needs.

        Two starts each, polished: the segmentation with jumps, and one knot more than before.
        """
        knots, fits = np.array([0.0, 1.0]), []
        for segments in range(1, most + 1):
            more = inserted(self.data, knots)[1] if segments > 1 else knots
            starts = [self._between(segments), *([more] if more.size == segments + 1 else [])]
            knots = min((polished(self.data, start) for start in starts), key=lambda fit: fit[0])[1]
            fits.append(self._continuous(knots, len(starts)))
        return fits

    def continuous(self, segments: int) -> Approximation:
        """The best continuous fit found, its knots anywhere.

        Two starts, the segmentation with jumps and knots set one by one, are polished. The exact
        continuous optimum with knots on spread samples and on those next to the knots found is a
        third, and combines the others' knots. From the best, single knots leap elsewhere as long as
        that helps; what all of them found is combined once more.
        """
        starts = [self._between(segments), grown(self.data, segments)]
        fits = [polished(self.data, knots) for knots in starts]
        spread, none = self._spread(segments), np.array([0.0, 1.0])
        for candidates in [spread] if spread.size >= self.data.u.size else [spread, none]:
            least = min(fits, key=lambda fit: fit[0])
            if least[0] <= self.table[segments, -1] * (1 + _PROVEN):
                break
            found = self._pruned(segments, [knots for _, knots in fits], candidates)
            fits.append(self._best_of(found, fits))
            fits.append(leapt(self.data, fits[-1]))
        least = min(fits, key=lambda fit: fit[0])
        return self._continuous(least[1], len(fits))

    def _best_of(self, starts: list[np.ndarray], fits: list[Fit]) -> Fit:
        """The best of some fits and of starts after some sweeps, polished."""
        tried = [(total(self.data, knots), knots) for knots in starts]
        for _ in range(3):
            tried = [swept(self.data, fit) for fit in tried]
        return polished(self.data, min([*fits, *tried], key=lambda fit: fit[0])[1])

    def _continuous(self, knots: np.ndarray, iterations: int) -> Approximation:
        function = through_knots(self.series, unscaled(self.series, knots))
        return self._certified(function, iterations, "free knots")

    def _certified(self, function: PiecewiseLinear, iterations: int, solver: str) -> Approximation:
        error, bound = self.series.error(function), self.bound(function.segments)
        rounding = self.data.error(self._rounding)
        return certified(function, error, bound, "l2", iterations, solver, rounding=rounding)

    def _between(self, segments: int) -> np.ndarray:
        """Knots halfway between the runs of the optimum with jumps."""
        runs = traced(self.table, self.data, segments)
        halfway = (self.data.u[runs[1:] - 1] + self.data.u[runs[1:]]) / 2
        return snapped(self.data, np.concatenate([[0.0], halfway, [1.0]]))

    def _spread(self, segments: int) -> np.ndarray:
        """As many samples as `_EFFORT` allows, or all of them and places between them."""
        count = max(2 * segments, int(np.sqrt(_EFFORT / segments)))
        u, number = self.data.u, np.arange(self.data.u.size)
        if count < u.size:
            return u[np.linspace(0, u.size - 1, count).round().astype(int)]
        each = min(count // u.size, _BETWEEN)
        return np.interp(np.arange((u.size - 1) * each + 1) / each, number, u)

    def _pruned(
        self, segments: int, known: list[np.ndarray], places: np.ndarray
    ) -> list[np.ndarray]:
        """The optimum with knots on some places and on the samples next to known knots."""
        data, last = self.data, self.data.u.size - 1
        right = np.clip(np.searchsorted(data.u, np.concatenate(known)), 1, last)
        limit, reached = _reached(data, known, segments)
        near = np.concatenate([data.u[right - 1], data.u[right], reached, [0.0, 1.0]])
        slack, count = (_NEARLY, _ALTERNATIVES) if places.size > data.u.size else (1.0, 1)
        fits = []
        for stride in (4, 2, 1):  # the coarser passes are cheap, and tighten the limit
            candidates = np.union1d(places[::stride], near)
            more = on_samples(data, segments, limit * slack, candidates, count)
            limit = min([limit, *(total(data, knots) for knots in more[:1])])
            fits += more
        return fits


def fit_on_samples(series: Series, segments: int) -> Approximation:
    """The exact continuous optimum among fits whose knots are samples.

    Its lower bound speaks of such fits only. Time grows with the square of the number of samples:
    seconds for some hundreds.

    Args:
        series: the data.
        segments: number of pieces.

    Returns:
        The optimum and its certificate.

    Raises:
        ValueError: for fewer pieces than 1 or more than the data hold.
    """
    checked(series, segments)
    data = series.scaled
    free = polished(data, grown(data, segments))[1]
    knots = on_samples(data, segments, _reached(data, [free], segments)[0])
    if not knots:
        raise ArithmeticError("the optimum with knots on samples was lost to rounding")
    function = through_knots(series, unscaled(series, knots[0]))
    error = series.error(function)
    return certified(function, error, error, "l2", 1, "functional pruning")


def _reached(data: Scaled, known: list[np.ndarray], segments: int) -> Fit:
    """A good fit with knots on samples, from known knots or evenly spread ones."""
    starts = [spread_out(data, segments)]
    for knots in known:
        nearest = np.abs(np.subtract.outer(knots, data.u)).argmin(axis=1)
        if (np.diff(nearest) > 0).all():
            starts.append(data.u[nearest])
    fit = min(((total(data, knots), knots) for knots in starts), key=lambda fit: fit[0])
    for _ in range(3):
        fit = swept(data, fit, between=False)
    return fit


def unscaled(series: Series, knots: Float[np.ndarray, " knots"]) -> Float[np.ndarray, " knots"]:
    """Knots in units of x: on a sample exactly where they are on one in scaled units."""
    u, places = series.scaled.u, series.places
    right = np.clip(np.searchsorted(u, knots), 1, u.size - 1)
    part = (knots - u[right - 1]) / (u[right] - u[right - 1])
    inside = places[right - 1] + part * (places[right] - places[right - 1])
    return np.where(part >= 1, places[right], inside)


def checked(series: Series, segments: int) -> None:
    """Refuse a number of pieces the data do not hold.

    Raises:
        ValueError: if `segments` is not between 1 and (different x) - 1.
    """
    most = series.places.size - 1
    if not 1 <= segments <= most:
        raise ValueError(f"{most + 1} different x allow 1 to {most} segments, asked for {segments}")
