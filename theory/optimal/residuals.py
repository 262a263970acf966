"""What is known of a segment whose ends lie somewhere in two cells."""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev

from theory.optimal.result import Norm
from theory.optimal.target import Target

# How fast the residual at one end moves, in units of max |f''| h: with that end, with the other.
_OWN = {"l2": 5 / 6, "l1": 5 / 16}
_OTHER = {"l2": 1 / 6, "l1": 3 / 16}
# And how large it can be, in units of max |f''| h^2.
_LARGEST = 3 / 32


@dataclass(frozen=True)
class Residuals:
    """Bounds for a batch of segments from cell to cell.

    Args:
        cost: a lower bound of the integral of |f - line|^p.
        at_left: `(2, segments)` least and largest residual of the best line at the left knot.
        at_right: the same at the right knot.
        moves_left: how much the residual at the left knot can change within the cells.
        moves_right: the same at the right knot.
    """

    cost: np.ndarray
    at_left: np.ndarray
    at_right: np.ndarray
    moves_left: np.ndarray
    moves_right: np.ndarray


def residual_bounds(target: Target, left: np.ndarray, right: np.ndarray, norm: Norm) -> Residuals:
    """Bound segments from the cells `left` to the cells `right`.

    Args:
        target: the function.
        left: `(2, segments)` ends of the cell of every left knot.
        right: the same of the right knot; no cell begins before its left one.
        norm: "l1" or "l2".
    """
    bend = _largest_bend(target, left[0], right[1])
    reach = right[1] - left[0]
    with np.errstate(invalid="ignore"):
        speed = np.where(np.isfinite(bend), bend * reach, np.inf) / 2
    wide_left, wide_right = left[1] - left[0], right[1] - right[0]
    moves_left = _product(speed, _OWN[norm] * wide_left + _OTHER[norm] * wide_right)
    moves_right = _product(speed, _OTHER[norm] * wide_left + _OWN[norm] * wide_right)
    cost, at_left, at_right = _inside(target, left, right, norm)
    largest = _LARGEST * bend * reach**2
    # Knots of one cell: nothing is known but that residuals are small.
    close = right[0] < left[1]
    cost = np.where(close, 0.0, cost)
    centre = np.where(close, 0.0, np.stack([at_left, at_right]))
    radius = np.where(close, largest, np.stack([moves_left, moves_right]))
    if norm == "l1":
        radius = np.where(_bends(target, left[0], right[1]) == 0, radius, np.inf)
    low, high = centre - radius, centre + radius
    return Residuals(
        cost,
        np.stack([low[0], high[0]]),
        np.stack([low[1], high[1]]),
        2 * moves_left,
        2 * moves_right,
    )


def _product(speed: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Infinite speeds stay infinite, but a knot that is known does not move."""
    with np.errstate(invalid="ignore"):
        return np.where(width > 0, speed * width, 0.0)


def _inside(
    target: Target, left: np.ndarray, right: np.ndarray, norm: Norm
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cost between the cells, and the residuals of the segment between their middles."""
    middles = left.mean(axis=0), right.mean(axis=0)
    if norm == "l1":
        return _dual_cost(target, left[1], right[0]), *_canonical_residuals(target, *middles)
    moments = _Moments(target, np.concatenate([left[1], right[0], *middles]))
    cost = moments.cost(left[1], right[0])
    return cost, *moments.residuals(*middles)


class _Moments:
    """Integrals of f, x f and f^2 between any two of many places, from sums over their gaps."""

    def __init__(self, target: Target, places: np.ndarray) -> None:
        low, high = target.domain
        ends = target([low, high])
        flat = target.minus(ends[0], ends[1])
        self._places = np.unique(np.append(places, low))
        self._origin = (low + high) / 2
        rule = flat.pieces(self._places[:-1], self._places[1:])
        f = flat(rule.nodes)
        sums = rule.integrals(np.stack([f, (rule.nodes - self._origin) * f, f**2]))
        self._sums = np.concatenate([np.zeros((3, 1)), np.cumsum(sums, axis=1)], axis=1)
        self._values = flat(self._places)
        # Rounding of the sums, which a lower bound must not profit from.
        self._rounding = 64 * np.finfo(float).eps * self._sums[2, -1]

    def _between(self, s: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, ...]:
        first, last = np.searchsorted(self._places, s), np.searchsorted(self._places, t)
        a, b, c = self._sums[:, last] - self._sums[:, first]
        h = t - s
        safe = np.where(h > 0, h, 1.0)
        mean = a / safe
        tilt = 2 * (b - ((s + t) / 2 - self._origin) * a) / safe**2
        return h, mean, tilt, c, self._values[first], self._values[last]

    def cost(self, s: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Integral of (f - best line)^2, rounded down; 0 where nothing is left of the segment."""
        h, mean, tilt, square, *_ = self._between(s, t)
        cost = square - h * (mean**2 + 3 * tilt**2) - self._rounding
        return np.where(h > 0, np.maximum(cost, 0), 0.0)

    def residuals(self, s: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """F - best line at both ends."""
        _, mean, tilt, _, at_s, at_t = self._between(s, t)
        return at_s - (mean - 3 * tilt), at_t - (mean + 3 * tilt)


def _canonical_residuals(
    target: Target, s: np.ndarray, t: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Residuals of the line through the quarter points: best in L1 if f bends one way."""
    h = t - s
    a, b, c, d = target(np.stack([s, s + h / 4, t - h / 4, t]))
    return a - 1.5 * b + 0.5 * c, d - 1.5 * c + 0.5 * b


def _dual_cost(target: Target, s: np.ndarray, t: np.ndarray) -> np.ndarray:
    """A lower bound of the best line's L1 error, exact if f bends one way.

    Every sign function orthogonal to lines gives |integral of f sign| as a bound, and the best one
    is the sign of the best line's residual, which changes at most twice more than f bends.
    """
    best = _signed_areas(target, s, t, _TWO)
    bends = _bends(target, s, t)
    for least, patterns in ((1, _THREE), (2, _FOUR)):
        some = np.flatnonzero((bends >= least) & (t > s))
        best[some] = np.maximum(best[some], _signed_areas(target, s[some], t[some], patterns))
    low, high = target.domain
    rounding = 64 * np.finfo(float).eps * target.size * (high - low)
    return np.maximum(best - rounding, 0)


def _signed_areas(target: Target, s: np.ndarray, t: np.ndarray, patterns: np.ndarray) -> np.ndarray:
    """The largest |integral of f sign| over sign functions that change at `patterns`."""
    h = np.maximum(t - s, 0)
    best = np.zeros_like(h)
    for changes in patterns:
        cuts = np.concatenate([[0.0], (1 + changes) / 2, [1.0]])
        areas = np.diff(target.integral(s + h * cuts[:, None]), axis=0)
        best = np.maximum(best, np.abs((-1.0) ** np.arange(cuts.size - 1) @ areas))
    return best


def _three_changes(last: np.ndarray) -> np.ndarray:
    """Orthogonal to 1 and x on [-1, 1]: z2 = z1 + z3 and z1 z3 = -1/2."""
    return np.stack([-1 / (2 * last), last - 1 / (2 * last), last], axis=1)


def _four_changes(gap: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Orthogonal to 1 and x: z4 - z1 = 1 + 2 gap and z4 + z1 = 4 middle gap / (1 + 2 gap)."""
    half, mean = 0.5 + gap, 2 * middle * gap / (1 + 2 * gap)
    found = np.stack([mean - half, middle - gap, middle + gap, mean + half], axis=1)
    inside = (np.abs(found) <= 1).all(axis=1) & (np.diff(found, axis=1) >= 0).all(axis=1)
    return found[inside]


_TWO = np.array([[-0.5, 0.5]])
_THREE = _three_changes(np.linspace(0.52, 0.98, 11))
_FOUR = _four_changes(
    *(part.ravel() for part in np.meshgrid(np.linspace(0.05, 0.47, 7), np.linspace(-0.5, 0.5, 7)))
)


def _panel_bends(target: Target) -> tuple[np.ndarray, np.ndarray]:
    """`(panels,)` least and largest f'' on every panel; infinite at kinks between panels."""
    rows = target.second_coefficients
    reach = np.abs(rows[:, 1:]).sum(axis=1)
    low, high = rows[:, 0] - reach, rows[:, 0] + reach
    if rows.shape[0] > 1:
        slopes = target.slope_coefficients
        ends = slopes @ chebyshev.chebvander(np.array([-1.0, 1.0]), slopes.shape[1] - 1).T
        jump = ends[1:, 0] - ends[:-1, 1]
        half = np.diff(target.breaks) / 2
        noise = 1e4 * (np.finfo(float).eps * target.size + target.noise) / half
        kink = np.abs(jump) > noise[1:] + noise[:-1]
        touched = np.append(kink, False) | np.append(False, kink)
        low, high = np.where(touched, -np.inf, low), np.where(touched, np.inf, high)
    return low, high


def _range(values: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Maxima of values[first : last + 1], by a table of the maxima of powers of two."""
    table = [values]
    while 2 ** len(table) <= values.size:
        half = 2 ** (len(table) - 1)
        table.append(np.maximum(table[-1][:-half], table[-1][half:]))
    level = np.log2(last - first + 1).astype(int)
    found = np.empty(first.size)
    for k, row in enumerate(table):
        here = level == k
        found[here] = np.maximum(row[first[here]], row[last[here] - 2**k + 1])
    return found


def _panels(target: Target, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    most = target.breaks.size - 2
    first = np.clip(np.searchsorted(target.breaks, low, side="right") - 1, 0, most)
    last = np.clip(np.searchsorted(target.breaks, high, side="left") - 1, first, most)
    return first, last


def _largest_bend(target: Target, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    least, largest = _panel_bends(target)
    return _range(np.maximum(np.abs(least), np.abs(largest)), *_panels(target, low, high))


def _bends(target: Target, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """How often, about, the function changes between bending up and down."""
    least, largest = _panel_bends(target)
    sign = np.where(least >= 0, 1, np.where(largest <= 0, -1, 0))
    unclear = np.cumsum(sign == 0)
    flips = np.append(0, np.cumsum(np.abs(np.diff(sign)) == 2))
    first, last = _panels(target, low, high)
    found: np.ndarray = unclear[last] - unclear[first] + (sign[first] == 0)
    return found + flips[last] - flips[first]
