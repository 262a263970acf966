"""Best piecewise-linear approximation of a function in the largest error."""

from functools import cached_property

import numpy as np

from theory.optimal.levelling import levelled
from theory.optimal.minimax import check_segments, check_tolerance, exchange, fewest
from theory.optimal.minimax_polish import Extremes, polish
from theory.optimal.result import Approximation, Fewest, certified
from theory.optimal.target import Target
from theory.piecewise import PiecewiseLinear

# Points per panel (a polynomial of degree 15) and per piece among which extremes are looked for.
_PANEL_POINTS = 16
_PIECE_POINTS = 9
# Samples to begin with, per segment and at least; places a knot's neighbourhood gets in each round.
_SAMPLES = 32
_LEAST_SAMPLES = 512
# Distances of the places around a knot, in units of the shorter segment beside it.
_CLOSER = 10.0 ** -np.arange(2, 11)
# Extremes this close to the level are made samples.
_NEAR = 0.9
_NEWTON = 6
# Levelled errors and their bound agree to this, relative, unless levelling stopped early.
_LEVEL_ENOUGH = 1e-9


class Curve:
    """A resolved function as a source of samples.

    Args:
        target: the function.
    """

    def __init__(self, target: Target) -> None:
        self._target = target

    @property
    def noise(self) -> float:
        """Errors below this cannot be told from rounding."""
        size = float(np.abs(self._target(self._grid)).max())
        return 16 * self._target.noise + 1024 * float(np.finfo(float).eps) * size

    def first(self, segments: int) -> np.ndarray:
        """Half the samples evenly, half as dense as the best knots are, and all panels' edges."""
        count = _LEAST_SAMPLES + _SAMPLES * segments
        even = np.linspace(*self._target.domain, count)
        return np.unique(np.concatenate([even, self.spread(count), self._target.breaks]))

    def spread(self, count: int) -> np.ndarray:
        """`(count,)` places whose distances go like |f''|^(-1/2), ends of the domain included."""
        low, high = self._target.domain
        if not self._mass[-1] > 0:
            return np.linspace(low, high, count)
        share = np.linspace(0, self._mass[-1], count)[1:-1]
        return np.concatenate([[low], np.interp(share, self._mass, self._grid), [high]])

    @property
    def bend(self) -> float:
        """The integral of |f''|^(1/2); n segments have an error of about (bend / 4 n)^2."""
        return float(self._mass[-1])

    def samples(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Places and values; all bars are equally high."""
        return places, self._target(places), np.ones_like(places)

    def improve(self, function: PiecewiseLinear, continuous: bool) -> PiecewiseLinear:
        """A locally best function nearby."""
        return polish(function, self.extremes, continuous)

    def check(self, function: PiecewiseLinear, level: float) -> tuple[float, np.ndarray]:
        """The largest error, and where the local extremes are that come near the level."""
        found = self.extremes(function)
        return found.largest, found.x[np.abs(found.error) > _NEAR * level]

    def around(self, function: PiecewiseLinear, places: np.ndarray) -> np.ndarray:
        """Places ever closer to the inner knots, one near whichever digit of a knot is wrong."""
        width = np.diff(function.knots)
        reach = np.minimum(width[:-1], width[1:])[:, None] * _CLOSER
        inner = function.knots[1:-1, None]
        return np.concatenate([inner, inner - reach, inner + reach], axis=1).ravel()

    @cached_property
    def _mass(self) -> np.ndarray:
        x = self._grid
        density = np.sqrt(np.abs(self._target.second((x[1:] + x[:-1]) / 2)))
        return np.append(0, np.cumsum(density * np.diff(x)))

    @cached_property
    def _grid(self) -> np.ndarray:
        breaks = self._target.breaks
        share = np.arange(_PANEL_POINTS) / _PANEL_POINTS
        inside = (breaks[:-1, None] + np.diff(breaks)[:, None] * share).ravel()
        return np.append(inside, breaks[-1])

    def extremes(self, function: PiecewiseLinear) -> Extremes:
        """Local extremes of f - s on every piece, its ends included."""
        piece, x = self._points(function)
        error = self._target(x) - _line(function, piece, x)
        size = np.abs(error)
        same = piece[1:] == piece[:-1]
        rises = np.concatenate([[True], ~same | (size[1:] >= size[:-1])])
        falls = np.concatenate([~same | (size[:-1] >= size[1:]), [True]])
        top = np.flatnonzero(rises & falls)
        tilt = self._target.derivative(x) - function.slopes[piece]
        turns = np.flatnonzero(same & (tilt[:-1] * tilt[1:] < 0))
        where = _summits(self._target, function.slopes[piece[turns]], x[turns], x[turns + 1])
        better = self._target(where) - _line(function, piece[turns], where)
        places = np.concatenate([x[top], where])
        return Extremes(
            np.concatenate([piece[top], piece[turns]]),
            places,
            np.concatenate([error[top], better]),
            self._target.derivative(places),
        )

    def _points(self, function: PiecewiseLinear) -> tuple[np.ndarray, np.ndarray]:
        """Pieces and places where extremes are looked for, in order; knots count for both sides."""
        knots = function.knots
        share = np.linspace(0, 1, _PIECE_POINTS)
        own = (knots[:-1, None] * (1 - share) + knots[1:, None] * share).ravel()
        x = np.concatenate([own, self._grid])
        piece = np.concatenate(
            [
                np.repeat(np.arange(function.segments), _PIECE_POINTS),
                np.searchsorted(knots[1:-1], self._grid, side="right"),
            ]
        )
        order = np.lexsort((x, piece))
        return piece[order], x[order]


def _line(function: PiecewiseLinear, piece: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Value at `x` of given pieces."""
    start, end = function.knots[piece], function.knots[piece + 1]
    part = (x - start) / (end - start)
    value: np.ndarray = (1 - part) * function.left[piece] + part * function.right[piece]
    return value


def _summits(target: Target, slopes: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Newton's method for f' = slope, kept inside brackets."""
    x = (low + high) / 2
    for _ in range(_NEWTON):
        bend = target.second(x)
        step = (target.derivative(x) - slopes) / np.where(bend == 0, np.inf, bend)
        x = np.clip(x - step, low, high)
    return x


def fit_curve(target: Target, segments: int, continuous: bool = True) -> Approximation:
    """The best piecewise-linear approximation in the largest error, with its certificate.

    Convex and concave functions are levelled, all others (and convex ones with straight parts or
    kinks, where levelling may stop early) go through the tunnel.

    Args:
        target: the function.
        segments: number of pieces, at least 1.
        continuous: whether pieces have to meet.

    Raises:
        ValueError: for fewer than one segment.

    Example:
        >>> from theory.optimal.resolution import resolve
        >>> best = fit_curve(resolve(np.sqrt, (0.0, 1.0)), 4)
        >>> round(best.error, 9), best.knots.round(3).tolist()  # 1 / (4 n (n + 1))
        (0.0125, [0.0, 0.01, 0.09, 0.36, 1.0])
    """
    check_segments(segments)
    curve = Curve(target)
    if target.curvature == "affine":
        knots = np.linspace(*target.domain, segments + 1)
        straight = PiecewiseLinear.through(knots, target(knots))
        error, _ = curve.check(straight, np.inf)
        if error <= curve.noise:
            return certified(straight, error, 0.0, "linf", 0, "line", rounding=curve.noise)
    if target.curvature in ("convex", "concave"):
        best = levelled(target, curve.spread(segments + 1))
        level = best.error - best.lower_bound <= max(_LEVEL_ENOUGH * best.error, curve.noise)
        if level and best.error > curve.noise:
            return best
    return exchange(curve, segments, continuous)


def fewest_curve(target: Target, tolerance: float, continuous: bool = True) -> Fewest:
    """The fewest segments that approximate a function within a tolerance, everywhere.

    Args:
        target: the function.
        tolerance: the largest error allowed, positive.
        continuous: whether pieces have to meet.

    Raises:
        ValueError: for a tolerance that is not positive, or needs more than 10,000 segments.

    Example:
        >>> from theory.optimal.resolution import resolve
        >>> found = fewest_curve(resolve(np.sqrt, (0.0, 1.0)), 0.0125001)
        >>> found.segments, found.proved, round(found.shorter_bound, 9)
        (4, True, 0.020833333)
    """
    curve = Curve(target)
    about = curve.bend / (4 * np.sqrt(check_tolerance(tolerance)))
    return fewest(
        curve,
        lambda segments, meets: fit_curve(target, segments, meets),
        tolerance,
        continuous,
        int(np.ceil(about)) + 1,
    )
