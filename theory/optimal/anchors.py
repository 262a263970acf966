"""Best place of one knot while all others stay: exact, over every gap between the samples."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from theory.optimal.series import Scaled

# A knot closer to a sample, in units of the gap, is put on the sample: a line held by two points
# so close together would magnify their rounding.
NEAR = 1e-6
# Samples spread by less, relative to their squares, hold no slope.
_NARROW = 1e-14


class Anchor(NamedTuple):
    """What the rest of a fit says about the value at a knot: cost + weight (value - level)^2."""

    cost: float
    level: float
    weight: float


class Lines(NamedTuple):
    """Least-squares lines of many runs of samples about a common origin.

    The least cost of a line that passes through the value f at x is
    cost + (f - line(x))^2 / leverage(x), leverage = 1 / W + (x - mean)^2 / Sxx.
    """

    cost: np.ndarray
    level: np.ndarray
    slope: np.ndarray
    mean: np.ndarray
    weight: np.ndarray
    sxx: np.ndarray

    @classmethod
    def of(cls, sums: np.ndarray) -> "Lines":
        """From the `(6, ...)` sums of w, wx, wy, wxx, wxy, wyy."""
        w, x, y, xx, xy, yy = sums
        safe = np.where(w > 0, w, 1.0)
        mean, middle = x / safe, y / safe
        sxx, sxy = xx - x * mean, xy - y * mean
        broad = sxx > _NARROW * xx
        slope = np.divide(sxy, sxx, out=np.zeros_like(sxx), where=broad)
        cost = np.maximum(yy - y * middle - slope * sxy, 0.0)
        return cls(cost, middle - slope * mean, slope, mean, w, np.where(broad, sxx, 0.0))

    def at(self, x: np.ndarray) -> np.ndarray:
        """Values of the lines."""
        values: np.ndarray = self.level + self.slope * x
        return values

    def leverage(self, x: np.ndarray) -> np.ndarray:
        """How far the value at `x` gives way; infinite where nothing holds it."""
        apart = (x - self.mean) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = np.where(apart > 0, apart / self.sxx, 0.0)
            out: np.ndarray = 1.0 / self.weight + turn
        return out


def snapped(data: Scaled, knots: Float[np.ndarray, " knots"]) -> Float[np.ndarray, " knots"]:
    """The knots, those next to a sample put on it; all left alone if two would meet."""
    right = np.clip(np.searchsorted(data.u, knots), 1, data.u.size - 1)
    below, above = data.u[right - 1], data.u[right]
    part = (knots - below) / (above - below)
    placed = np.where(part < NEAR, below, np.where(part > 1 - NEAR, above, knots))
    return placed if (np.diff(placed) > 0).all() else knots


def first_anchor(data: Scaled, end: int) -> Anchor:
    """The anchor at the first (`end` = 0) or last (`end` = -1) sample."""
    return Anchor(0.0, float(data.v[end]), float(data.w[end]))


def carried(data: Scaled, anchor: Anchor, here: float, there: float) -> Anchor:
    """The anchor at another knot: with the samples passed on the way, the new knot's included."""
    if there > here:
        bounds = np.searchsorted(data.u, (here, there), side="right")
    else:
        bounds = np.searchsorted(data.u, (there, here), side="left")
    run = slice(*bounds)
    x, y, w = data.u[run] - here, data.v[run] - anchor.level, data.w[run]
    wx, wy = w * x, w * y
    moments = w.sum(), wx.sum(), wy.sum(), wx @ x, wx @ y, wy @ y
    return _moved(anchor, np.array(moments).tolist(), there - here)


def _moved(anchor: Anchor, moments: list[float], way: float) -> Anchor:
    """`Lines.of` and `Lines.leverage` for one line: in plain floats, ten times as fast."""
    w, x, y, xx, xy, yy = moments
    weight = w + anchor.weight
    if weight <= 0:
        return Anchor(anchor.cost, anchor.level, 0.0)
    mean, middle = x / weight, y / weight
    sxx, sxy = xx - x * mean, xy - y * mean
    if sxx <= _NARROW * xx:
        return Anchor(anchor.cost + max(yy - y * middle, 0.0), anchor.level + middle, 0.0)
    slope, apart = sxy / sxx, way - mean
    cost = anchor.cost + max(yy - y * middle - slope * sxy, 0.0)
    give = 1 / weight + apart * apart / sxx
    return Anchor(cost, anchor.level + middle + slope * apart, 1 / give)


def best_knot(
    data: Scaled, left: float, right: float, before: Anchor, after: Anchor, between: bool = True
) -> tuple[float, float]:
    """The best knot between two others, all values free.

    With the samples split after number g, each side is the least-squares line of its samples and
    its anchor. Where the lines cross between samples g and g + 1, the knot is there and costs
    nothing; else the best knot of that gap is on one of the two samples.

    Args:
        data: the samples.
        left: the knot before.
        right: the knot after.
        before: what the samples up to `left` say of the value there.
        after: what the samples from `right` on say.
        between: whether the knot may lie between samples.

    Returns:
        The sum of squares of the whole fit and the knot; (inf, nan) without a sample in between.
    """
    inside = np.searchsorted(data.u, left, "right"), np.searchsorted(data.u, right, "left")
    run = slice(*map(int, inside))
    if run.stop <= run.start:
        return np.inf, np.nan
    x, first, second = _both_sides(data, run, left, right, before, after)
    apart = first.at(x - left) - second.at(x - right)
    with np.errstate(invalid="ignore"):
        pinned = apart**2 / (first.leverage(x - left) + second.leverage(x - right))
    free = first.cost + second.cost
    cost = free + np.where(apart == 0, 0.0, pinned)
    where, ahead = int(np.argmin(cost)), np.append(x[1:], x[-1])
    across = first.at(ahead - left) - second.at(ahead - right)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = apart / (apart - across)
    crossing = (part > NEAR) & (part < 1 - NEAR) & (free < cost[where])
    base, place = before.cost + after.cost, float(x[where])
    if between and crossing.any():
        where = int(np.argmin(np.where(crossing, free, np.inf)))
        cost, place = free, float(x[where] + part[where] * (ahead[where] - x[where]))
    return base + float(cost[where]), place


def _both_sides(
    data: Scaled, run: slice, left: float, right: float, before: Anchor, after: Anchor
) -> tuple[np.ndarray, Lines, Lines]:
    """Lines through the samples up to g and beyond g, for every g, about the two knots."""
    x, w = data.u[run], data.w[run]
    share = w / w.sum()
    # About one line: exact, as both sides are lines, and it keeps the digits of the sums.
    centre, middle = share @ x, share @ data.v[run]
    apart = x - centre
    size = (share * apart) @ apart
    tilt = (share * apart) @ (data.v[run] - middle) / size if x.size > 1 else 0.0
    y = data.v[run] - middle - tilt * apart

    held = before.weight, before.level - middle - tilt * (left - centre)
    first = Lines.of(np.cumsum(_terms(x - left, y, w), axis=1) + _pinned(*held))
    beyond = np.zeros((6, x.size))
    beyond[:, :-1] = np.cumsum(_terms(x - right, y, w)[:, :0:-1], axis=1)[:, ::-1]
    held = after.weight, after.level - middle - tilt * (right - centre)
    return x, first, Lines.of(beyond + _pinned(*held))


def _terms(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """`(6, samples)` w, wx, wy, wxx, wxy, wyy."""
    wx, wy = w * x, w * y
    return np.stack([w, wx, wy, wx * x, wx * y, wy * y])


def _pinned(weight: float, level: float) -> np.ndarray:
    """`(6, 1)` the same of one value at the origin."""
    return weight * np.array([[1.0], [0.0], [level], [0.0], [0.0], [level**2]])
