"""Between knots and lines: a piecewise-linear function of one variable as a max of mins.

A line is kept by its slope and its height at a centre near the place where it is active: a line
that is steep, or active far from 0, loses digits if it is kept by its height at 0.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

# Rounding errors are a few of these, relative to the numbers compared.
_EPS = float(np.finfo(np.float64).eps)
_SLACK = 16


class Lines(NamedTuple):
    """Lines `height + slope (x - centre)`, each `(pieces,)`."""

    slope: Float[np.ndarray, " pieces"]
    height: Float[np.ndarray, " pieces"]
    centre: Float[np.ndarray, " pieces"]

    def at(self, x: Float[np.ndarray, " points"]) -> Float[np.ndarray, "points pieces"]:
        """Heights of all lines at `x`."""
        return self.height + self.slope * (x[:, None] - self.centre)

    def crossings(self) -> Float[np.ndarray, " crossings"]:
        """Where any two lines cross, in increasing order."""
        one, two = np.triu_indices(self.slope.size, 1)
        steeper = self.slope[one] - self.slope[two]
        one, two, steeper = (part[steeper != 0] for part in (one, two, steeper))
        apart = self.centre[two] - self.centre[one]
        rise = self.height[two] - self.height[one]
        with np.errstate(over="ignore"):
            from_one = (rise - self.slope[two] * apart) / steeper
            from_two = (rise - self.slope[one] * apart) / steeper
        # From the nearer centre: a crossing at a centre is then found to the last digit.
        near = np.abs(from_one) < np.abs(from_two)
        places = np.where(near, self.centre[one] + from_one, self.centre[two] + from_two)
        return np.sort(places)


def checked(knots: ArrayLike, values: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Knots and values as float64.

    Raises:
        ValueError: for fewer than two knots, another number of values, numbers that are not finite,
            or knots that do not increase.
    """
    t, v = np.asarray(knots, np.float64), np.asarray(values, np.float64)
    if t.ndim != 1 or t.size < 2 or v.shape != t.shape:
        raise ValueError(
            f"needs at least two knots and a value for each, got shapes {t.shape} and {v.shape}"
        )
    if not (np.isfinite(t).all() and np.isfinite(v).all()):
        raise ValueError(f"knots and values must be finite, got {t.tolist()} and {v.tolist()}")
    if (np.diff(t) <= 0).any():
        raise ValueError(f"knots must increase, got {t.tolist()}")
    return t, v


def lines_through(knots: np.ndarray, values: np.ndarray) -> Lines:
    """One line per segment, centred at the segment's left knot."""
    return Lines(np.diff(values) / np.diff(knots), values[:-1], knots[:-1])


def lattice_mask(
    knots: np.ndarray, values: np.ndarray, eps: float = _EPS
) -> Bool[np.ndarray, "segments segments"]:
    """Which lines each group takes the minimum of.

    S_i = {j : l_j >= l_i on segment i}, decided at the segment's ends; outer segments reach to
    infinity, where slopes decide. Then f = max_i min_(j in S_i) l_j on the whole real line. A line
    within rounding of l_i counts as above it: one too many costs a rounding error, one too few may
    leave a group without the line that holds it down elsewhere.

    Args:
        knots: `(segments + 1,)` increasing.
        values: `(segments + 1,)`.
        eps: relative rounding error of the numbers that the lines will be kept in.

    References:
        S. Ovchinnikov, "Max-min representation of piecewise linear functions", Contributions to
        Algebra and Geometry 43, 2002.
    """
    lines = lines_through(knots, values)
    heights = lines.at(knots)
    # What is added up to a height may be larger than the height.
    addends = np.abs(lines.height) + np.abs(heights - lines.height)
    slack = _SLACK * eps * (np.abs(values[:, None]) + addends)
    above = heights >= values[:, None] - slack  # (knots, segments)
    slope = lines.slope
    tie = _SLACK * eps * (np.abs(slope[:, None]) + np.abs(slope))
    rising, falling = slope >= slope[:, None] - tie, slope <= slope[:, None] + tie
    left = np.vstack([falling[:1], above[1:-1]])
    right = np.vstack([above[1:-1], rising[-1:]])
    return left & right


def active_pieces(
    lines: Lines, mask: Bool[np.ndarray, "groups pieces"], low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """Knots and values of `max_k min_(j in mask_k) l_j` on `[low, high]`.

    Between neighbouring crossings the order of the lines is fixed, hence one of them is active: it
    is found at the middle. Pieces that are nowhere active drop out, and a knot whose value lies
    within rounding of the line through its neighbours is none.
    """
    inside = lines.crossings()
    inside = inside[(inside > low) & (inside < high)]
    ends = np.concatenate([[low], inside, [high]])
    # Crossings that rounding alone holds apart are one.
    apart = np.diff(ends) > 4 * _EPS * np.abs(ends[1:])
    ends = np.append(ends[:-1][apart], high) if apart.any() else np.array([low, high])
    ends[0] = low
    active = _active((ends[:-1] + ends[1:]) / 2, lines, mask)
    turns = np.flatnonzero(active[1:] != active[:-1])
    knots = np.concatenate([[low], ends[turns + 1], [high]])
    sides = active[np.append(turns, active.size - 1)]
    return _merged(knots, _values(knots, lines, sides))


def _active(x: np.ndarray, lines: Lines, mask: np.ndarray) -> np.ndarray:
    """`(points,)` the active line at every point; group by group, to save memory."""
    heights, rows = lines.at(x), np.arange(x.size)
    best, active = np.full(x.size, -np.inf), np.zeros(x.size, int)
    for members in map(np.flatnonzero, mask):
        lowest = members[heights[:, members].argmin(axis=1)]
        higher = heights[rows, lowest] > best
        best = np.where(higher, heights[rows, lowest], best)
        active = np.where(higher, lowest, active)
    return active


def _values(knots: np.ndarray, lines: Lines, sides: np.ndarray) -> np.ndarray:
    """Values at the knots by the flatter line of two: a knot's rounding costs least there."""
    before, after = np.append(sides[:1], sides), np.append(sides, sides[-1:])
    flatter = np.abs(lines.slope[before]) <= np.abs(lines.slope[after])
    side = np.where(flatter, before, after)
    return lines.height[side] + lines.slope[side] * (knots - lines.centre[side])


def _merged(knots: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Without the knots at which the function does not turn."""
    kept = [0]
    noise = _SLACK * _EPS * np.abs(values).max()
    for i in range(1, knots.size - 1):
        before, after = kept[-1], i + 1
        part = (knots[i] - knots[before]) / (knots[after] - knots[before])
        chord = (1 - part) * values[before] + part * values[after]
        if abs(values[i] - chord) > noise:
            kept.append(i)
    kept.append(knots.size - 1)
    return knots[kept], values[kept]
