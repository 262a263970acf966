"""Exact continuous piecewise lines with knots on samples, by functional pruning."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from theory.optimal.anchors import Lines
from theory.optimal.segment_costs import line_cost
from theory.optimal.series import Scaled

# Rounding of the bounds: relative to them, and to all squares.
_SLACK = 1e-9
_ROUNDING = 1e-12


class Front(NamedTuple):
    """Parabolas cost + weight (value - level)^2 whose lower envelopes are the costs-to-come.

    All of one number of pieces, by increasing knot: `knot` is where each one is, `parent` its
    number among those with one piece fewer.
    """

    cost: np.ndarray
    level: np.ndarray
    weight: np.ndarray
    knot: np.ndarray
    parent: np.ndarray

    def kept(self, which: np.ndarray | slice) -> "Front":
        """Those parabolas alone."""
        return Front(*(part[which] for part in self))


def on_samples(
    data: Scaled,
    segments: int,
    limit: float,
    candidates: Float[np.ndarray, " candidates"] | None = None,
    alternatives: int = 1,
) -> list[np.ndarray]:
    """The best continuous fit with knots on samples, or on other candidates.

    The cost-to-come of k pieces that end in knot j with value f is a minimum of parabolas in f,

        F[k, j](f) = min over i < j and g of F[k - 1, i](g) + cost(line (i, g) to (j, f)),

    where minimising each parabola over g gives a parabola again. Kept are those on the lower
    envelope (functional pruning) whose least value and the least cost of the samples still to come
    stay below `limit`: nothing that could win is lost, so the result is exact.

    Args:
        data: the samples.
        segments: number of pieces, at most places - 1.
        limit: a sum of squares that some such fit reaches; what exceeds it is left out.
        candidates: where knots may be, increasing from 0 to 1; by default the samples. Between two
            knots there is always a sample (the later knot's own counts).

        alternatives: how many fits to return, each with another knot before the last.

    Returns:
        `(segments + 1,)` knots of each, the optimum first; none if no such fit costs less than
        `limit`.

    References:
        P. Fearnhead, R. Maidstone and A. Letchford, Detecting changes in slope with an L0 penalty,
        J. Comput. Graph. Stat. 28(2), 2019 (CPOP); here for a fixed number of pieces.
    """
    knots = data.u if candidates is None else candidates
    layers = [Front(*np.array([[0.0], [data.v[0]], [data.w[0]]]), *np.zeros((2, 1), int))]
    grid = _Grid(data, knots, segments)
    ceiling = limit * (1 + _SLACK) + _ROUNDING * float(data.w @ data.v**2)
    for pieces in range(1, segments):
        room = ceiling - grid.rest[segments - pieces]
        layers.append(_pruned(grid.arriving(layers[-1], room), room))
    layers.append(grid.arriving(layers[-1], ceiling - grid.rest[0]))
    return [_traced(layers, knots, number) for number in _cheapest(layers, alternatives)]


def _running_sums(data: Scaled, knots: np.ndarray) -> np.ndarray:
    """`(6, knots)` running sums about the first sample, of all samples up to every knot."""
    u, v, w = data.u, data.v, data.w
    terms = np.cumsum(np.stack([w, w * u, w * v, w * u * u, w * u * v, w * v * v]), axis=1)
    return terms[:, np.searchsorted(u, knots, side="right") - 1]


class _Grid:
    """What all fronts share: the knots, sums between them, and bounds of what is to come."""

    def __init__(self, data: Scaled, knots: np.ndarray, segments: int) -> None:
        self.places, self.sums = knots, _running_sums(data, knots)
        # Row i, column j: the samples after knot i up to knot j, on a line of their own.
        runs = self.sums[:, None, :] - self.sums[:, :, None]
        below = np.tri(knots.size, dtype=bool) | (runs[0] == 0)
        runs[:, below] = 1.0
        self.runs = line_cost(runs)
        self.runs[below] = np.inf
        self.rest = np.full((segments, knots.size), np.inf)
        self.rest[0, -1] = 0.0
        for pieces in range(1, segments):
            self.rest[pieces] = (self.runs + self.rest[pieces - 1]).min(axis=1)

    def arriving(self, layer: Front, room: np.ndarray) -> Front:
        """All parabolas at later knots that come from those of one piece fewer, within `room`.

        `(knots,)` room: what a parabola at each knot may cost; where no fit can end it is -inf.
        """
        least = layer.cost[:, None] + self.runs[layer.knot]
        there, parent = np.nonzero((least <= room).T)
        here = layer.kept(parent)
        start = self.places[here.knot]
        way = self.places[there] - start
        line = Lines.of(_held(here, self.sums[:, there] - self.sums[:, here.knot], start))
        cost, weight = here.cost + line.cost, 1 / line.leverage(way)
        return Front(cost, line.at(way), weight, there, parent).kept(cost <= room[there])


def _held(front: Front, sums: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Sums of the samples passed, about the knot they start from, with its parabola added."""
    w, x, y, xx, xy, yy = sums
    moved = [w, x - origin * w, y, xx - origin * (2 * x - origin * w), xy - origin * y, yy]
    held = front.weight * np.stack(
        [np.ones_like(origin), 0 * origin, front.level, 0 * origin, 0 * origin, front.level**2]
    )
    return np.stack(moved) + held


def _pruned(front: Front, room: np.ndarray) -> Front:
    """At every knot, the parabolas that are lowest somewhere below `room`."""
    if not front.cost.size:
        return front
    front = front.kept(~_dominated(front, room))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return front.kept(_on_envelope(front, room))


def _dominated(front: Front, room: np.ndarray) -> np.ndarray:
    """Which parabolas lie above the cheapest one of their knot wherever they are within `room`."""
    starts, group, _ = _groups(front)
    best, reach = _first_least(front.cost, starts, group)[group], _reach(front, room)
    # In h = value - level: best - this = curve h^2 + 2 tilt h + offset, for |h| <= reach.
    shift, weight = front.level - front.level[best], front.weight[best]
    curve, tilt = weight - front.weight, weight * shift
    offset = front.cost[best] - front.cost + weight * shift**2
    highest = offset + curve * reach**2 + 2 * np.abs(tilt) * reach
    inner = (curve < 0) & (np.abs(tilt) < -curve * reach)
    highest = np.where(inner, offset - tilt**2 / np.where(inner, curve, -1.0), highest)
    dominated: np.ndarray = highest < 0
    dominated[best] = False
    return dominated


def _on_envelope(front: Front, room: np.ndarray) -> np.ndarray:
    """Which parabolas form the lower envelopes, walked from left to right, all knots at once."""
    starts, group, sizes = _groups(front)
    reach = _reach(front, room)
    here = np.minimum.reduceat(front.level - reach, starts)
    end = np.maximum.reduceat(front.level + reach, starts)
    value = front.cost + front.weight * (here[group] - front.level) ** 2
    current, kept = _first_least(value, starts, group), np.zeros(group.size, bool)
    for _ in range(2 * sizes.max()):
        kept[current] = True
        places = _meets(front, current[group], here[group])
        nearest = np.minimum.reduceat(places, starts)
        moving = nearest < end
        if not moving.any():
            break
        following = _first_least(places, starts, group)
        current = np.where(moving, following, current)
        here = np.where(moving, nearest, np.inf)
    return kept


def _meets(front: Front, current: np.ndarray, here: np.ndarray) -> np.ndarray:
    """Where each parabola next falls below the current one, right of `here`; inf if nowhere."""
    # In h = value - here: (a h^2 + b h + c) of the other minus the current one, from + to -.
    other, one = front.level - here, front.level[current] - here
    a = front.weight - front.weight[current]
    b = 2 * (front.weight[current] * one - front.weight * other)
    c = front.cost - front.cost[current] + front.weight * other**2
    c = c - front.weight[current] * one**2
    root = np.sqrt(b * b - 4 * a * c)
    # From + to - the difference falls: the root with derivative 2 a h + b = -root.
    step = np.where(b > 0, -(b + root) / (2 * a), 2 * c / (root - b))
    ahead = (step > 1e-14 * np.maximum(1.0, np.abs(here))) & (root > 0)
    ahead &= current != np.arange(current.size)
    places: np.ndarray = np.where(ahead, here + step, np.inf)
    return places


def _groups(front: Front) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First parabola of every knot, every parabola's group, and the groups' sizes."""
    starts = np.flatnonzero(np.diff(front.knot, prepend=-1))
    sizes = np.diff(np.append(starts, front.knot.size))
    return starts, np.repeat(np.arange(starts.size), sizes), sizes


def _reach(front: Front, room: np.ndarray) -> np.ndarray:
    """How far from its level a parabola stays within `room`."""
    left = np.maximum(room[front.knot] - front.cost, 0)
    return np.sqrt(left / np.maximum(front.weight, 1e-300))


def _first_least(values: np.ndarray, starts: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Number of the first least value of every group."""
    least = np.flatnonzero(values == np.minimum.reduceat(values, starts)[group])[::-1]
    first = starts.copy()
    first[group[least]] = least
    return first


def _cheapest(layers: list[Front], most: int) -> list[int]:
    """The last front's cheapest parabolas, each with another knot before the last."""
    order = np.argsort(layers[-1].cost, kind="stable")
    before = layers[-2].knot[layers[-1].parent[order]]
    distinct = np.sort(np.unique(before, return_index=True)[1])
    numbers: list[int] = order[distinct[:most]].tolist()
    return numbers


def _traced(layers: list[Front], knots: np.ndarray, number: int) -> np.ndarray:
    """The knots that lead to a parabola of the last front, first to last."""
    path = []
    for front in reversed(layers):
        path.append(int(front.knot[number]))
        number = int(front.parent[number])
    return knots[path[::-1]]
