"""Least-squares cost of a line through every run of samples, from sums that keep their digits."""

import numpy as np
from jaxtyping import Float

from theory.optimal.series import Scaled

# Samples the local line is fitted to, at least.
_VICINITY = 32


def line_cost(sums: np.ndarray) -> np.ndarray:
    """Least squares of a line, min of sum w (y - a - b x)^2, from `(6, ...)` sums over each run.

    The sums are those of w, wx, wy, wxx, wxy, wyy; with S the centred ones the cost is
    Syy - Sxy^2 / Sxx, 0 for a run of one place. Works in the memory of its argument: fresh memory
    for every block would cost more than the arithmetic.
    """
    w, x, y, xx, xy, yy = sums
    np.divide(1.0, w, out=w)
    mean = x * w
    xx -= np.multiply(x, mean, out=x)
    xy -= np.multiply(y, mean, out=mean)
    yy -= np.multiply(np.multiply(y, y, out=y), w, out=y)
    np.multiply(xy, xy, out=xy)
    # A run of one place has Sxx = 0 up to rounding, and costs 0 whatever the quotient.
    xy /= np.maximum(xx, 1e-290, out=xx)
    yy -= xy
    cost: np.ndarray = np.maximum(yy, 0.0, out=yy)
    return cost


class Vicinity:
    """Sums over the runs that end in `[first, last)`, about a line fitted near there.

    Sums about a distant origin lose the digits of short runs. Here a run's sums grow backwards
    from its end, about a line that fits the end: what is lost is relative to the run's own size.

    Args:
        data: the samples.
        first: first end of a run.
        last: one beyond the last end.
    """

    def __init__(self, data: Scaled, first: int, last: int) -> None:
        near = slice(max(0, min(first, last - _VICINITY)), last)
        x = data.u[:last] - data.u[first]
        y = _about_line(x, data.v[:last], data.w[:last], near)
        w = data.w[:last]
        wx, wy = w * x, w * y
        terms = np.stack([w, wx, wy, wx * x, wx * y, wy * y])
        # before[:, i]: samples i ... first - 1; within[:, j]: samples first ... first + j.
        self.before = np.cumsum(terms[:, :first][:, ::-1], axis=1)[:, ::-1]
        self.within = np.cumsum(terms[:, first:], axis=1)
        self._terms = terms[:, first:]

    def costs(self, starts: slice, room: np.ndarray) -> Float[np.ndarray, "starts ends"]:
        """Costs of the runs from each of `starts`, all below `first`, to every end, in `room`."""
        return line_cost(np.add(self.before[:, starts, None], self.within[:, None, :], out=room))

    def to_end(self, end: int) -> Float[np.ndarray, " starts"]:
        """Costs of all runs that start below `first` and end at number `end` of the ends."""
        return line_cost(self.before + self.within[:, end, None])

    def to_first(self, starts: np.ndarray) -> Float[np.ndarray, " starts"]:
        """Costs of the runs from `starts`, below `first`, to the first end."""
        return line_cost(self.before[:, starts] + self.within[:, :1])

    def corner(self) -> Float[np.ndarray, "ends ends"]:
        """Costs of the runs within: row i, column j from `first + i` to `first + j`; inf below."""
        size = self.within.shape[1]
        # Backwards from every end, by the same rule as `before`.
        runs = np.where(np.tri(size, dtype=bool).T, self._terms[:, :, None], 0.0)
        sums = np.cumsum(runs[:, ::-1], axis=1)[:, ::-1]
        below = np.tri(size, k=-1, dtype=bool)
        sums[0][below] = 1.0
        cost = line_cost(sums)
        cost[below] = np.inf
        return cost


def _about_line(x: np.ndarray, y: np.ndarray, w: np.ndarray, near: slice) -> np.ndarray:
    """`y` minus the least-squares line through the samples `near`."""
    weight = w[near] / w[near].sum()
    centre, level = weight @ x[near], weight @ y[near]
    apart = x[near] - centre
    size = (weight * apart) @ apart
    slope = (weight * apart) @ (y[near] - level) / size if size > 0 else 0.0
    # Beyond [0, 1] in steps of the samples the line may leave the data far behind: a wild one
    # (two noisy neighbours) would cost digits instead of saving them.
    line = level + slope * (x - centre)
    wild = np.abs(y - line).max() > 8 * np.abs(y).max()
    residual: np.ndarray = y - (level if wild else line)
    return residual
