"""Piecewise lines through data once the knots are known: least squares, digit by digit."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from theory.optimal.series import Series
from theory.piecewise import PiecewiseLinear


def through_runs(series: Series, starts: Int[np.ndarray, " segments"]) -> PiecewiseLinear:
    """The least-squares line of every run of places; knots halfway between the runs.

    Args:
        series: the samples.
        starts: `(segments,)` first place of every run; a run of one place gets a constant.

    Returns:
        The function, in general with jumps.
    """
    places, bounds = series.places, np.append(starts, series.places.size)
    # Between neighbours in floating point the middle rounds to one of them: never to the left one.
    halfway = places[starts[1:] - 1] / 2 + places[starts[1:]] / 2
    halfway = np.maximum(halfway, np.nextafter(places[starts[1:] - 1], np.inf))
    knots = np.concatenate([places[:1], halfway, places[-1:]])
    ends = [
        _line_ends(series, slice(first, last), knots[piece : piece + 2])
        for piece, (first, last) in enumerate(pairwise(bounds))
    ]
    left, right = np.array(ends).T
    return PiecewiseLinear(knots, left, right)


def _line_ends(series: Series, run: slice, ends: np.ndarray) -> np.ndarray:
    """Values at two places of the least-squares line of a run."""
    x, y, w = series.places[run], series.means[run], series.counts[run]
    share = w / w.sum()
    centre = x[0] + share @ (x - x[0])
    width = float(np.abs(x - centre).max()) or 1.0
    apart, values = (x - centre) / width, np.zeros(2)
    size = (share * apart) @ apart
    for _ in range(2):  # the second time takes out what the first one rounded
        level = share @ y
        slope = (share * apart) @ (y - level) / size if x.size > 1 else 0.0
        values += level + slope * ((ends - centre) / width)
        y = y - level - slope * apart
    return values


def through_knots(series: Series, knots: Float[np.ndarray, " knots"]) -> PiecewiseLinear:
    """The least-squares continuous piecewise-linear function with given knots.

    Args:
        series: the samples.
        knots: `(segments + 1,)` increasing, the first and last x at the ends.

    Returns:
        The function. Values that no sample determines are the smallest possible.
    """
    basis = hats(series.places, knots)
    root = np.sqrt(series.counts / series.counts.max())
    level = float(series.means.mean())
    rest, values = series.means - level, np.full(knots.size, level)
    for _ in range(2):
        step = np.linalg.lstsq(root[:, None] * basis, root * rest, rcond=None)[0]
        values, rest = values + step, rest - basis @ step
    return PiecewiseLinear.through(knots, values)


def hats(x: Float[np.ndarray, " points"], knots: Float[np.ndarray, " knots"]) -> np.ndarray:
    """`(points, knots)` values of the hat functions of the knots."""
    piece = np.searchsorted(knots[1:-1], x, side="right")
    part = (x - knots[piece]) / (knots[piece + 1] - knots[piece])
    basis, row = np.zeros((x.size, knots.size)), np.arange(x.size)
    basis[row, piece], basis[row, piece + 1] = 1 - part, part
    return basis
