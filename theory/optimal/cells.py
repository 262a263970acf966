"""Lower bounds for functions that bend both ways: every knot lies in some cell.

Knots are known up to cells. A segment costs at least what its inner part costs, from the end of its
first knot's cell to the start of its last one's; dynamic programming over cells adds these up. Two
things that hold at every optimum sharpen the sum. (1) Each piece is the best line of its segment,
and the residuals on both sides of a knot agree (up to sign if jumps are allowed): only segments
whose residuals can meet are joined, with residuals in bins. (2) Inside its cell the knot leaves the
residual of one side or the other, so that the cell costs something, too. Cells that no partition
better than the best known one can use are dropped, and the others halved.

How far residuals move within cells follows from |f''| on the panels of the target. Arithmetic is
float64, not interval arithmetic.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from theory.optimal.laws import density_knots
from theory.optimal.residuals import Residuals, residual_bounds
from theory.optimal.result import Norm, exponent
from theory.optimal.target import Target

_FIRST_CELLS = 48
_CELLS_PER_SEGMENT = 6
_MOST_BINS = 128
# Pairs of cells that a round may look at; in L1 every pair costs much more.
_MOST_PAIRS = {"l2": 1_500_000, "l1": 300_000}
_ROUNDS = 24


@dataclass(frozen=True)
class Bound:
    """What a round of the dynamic programme gives.

    Args:
        cost: no partition costs less than this.
        path: `(segments + 1,)` knots in the middle of the cells of the cheapest path.
    """

    cost: float
    path: np.ndarray


@dataclass
class _Stage:
    """The segments between two neighbouring knots: which cells they join, and at what cost."""

    start: np.ndarray  # cell of the left knot
    end: np.ndarray  # cell of the right knot
    residuals: Residuals


class CellBound:
    """Bounds by ever smaller cells.

    Args:
        target: the function.
        segments: number of pieces.
        norm: "l1" or "l2".
        continuous: whether the pieces must meet.
    """

    def __init__(self, target: Target, segments: int, norm: Norm, continuous: bool) -> None:
        low, high = target.domain
        self.target, self.norm, self.continuous = target, norm, continuous
        affordable = int((2 * _MOST_PAIRS[norm] / segments) ** 0.5)
        cells = min(max(_FIRST_CELLS, _CELLS_PER_SEGMENT * segments), affordable)
        edges = density_knots(target, cells, norm, spread=0.3)
        inner = np.stack([edges[:-1], edges[1:]])
        ends = [np.array([[low], [low]]), np.array([[high], [high]])]
        self.cells = [ends[0], *[inner] * (segments - 1), ends[1]]
        first, last = np.triu_indices(cells)
        everything = np.arange(cells)
        point = np.zeros(cells, int)
        middle = [(first, last)] * (segments - 2)
        outer = [(point, everything)], [(everything, point)]
        self.pairs = [*outer[0], *middle, *outer[1]] if segments > 1 else [(point[:1], point[:1])]

    def rounds(self) -> Iterator[Bound]:
        """Bounds that only get better; tell :meth:`prune` the best known cost in between."""
        for _ in range(_ROUNDS):
            stages = [
                _Stage(start, end, self._residuals(k, start, end))
                for k, (start, end) in enumerate(self.pairs)
            ]
            tables = _Programme(self.cells, stages, self.norm, self.continuous)
            self._through = tables.through
            yield tables.bound()
            if sum(4 * start.size for start, _ in self.pairs) > _MOST_PAIRS[self.norm]:
                return
            self._halve()

    def prune(self, cost: float) -> None:
        """Drop the segments that no partition of at most this cost uses."""
        allowed = cost * (1 + 1e-9)
        self.pairs = [
            (start[through <= allowed], end[through <= allowed])
            for (start, end), through in zip(self.pairs, self._through, strict=True)
        ]

    def _residuals(self, k: int, start: np.ndarray, end: np.ndarray) -> Residuals:
        left, right = self.cells[k][:, start], self.cells[k + 1][:, end]
        return residual_bounds(self.target, left, right, self.norm)

    def _halve(self) -> None:
        """Halve the cells still in use; every segment becomes up to four."""
        number = len(self.cells) - 1
        maps = []
        for k, cell in enumerate(self.cells):
            used = np.zeros(cell.shape[1], bool)
            used[self.pairs[min(k, number - 1)][0 if k < number else 1]] = True
            if 0 < k < number:
                reached = np.zeros_like(used)
                reached[self.pairs[k - 1][1]] = True
                used &= reached
            parts = 2 if 0 < k < number else 1
            self.cells[k] = _halves(cell[:, used]) if parts == 2 else cell
            maps.append((used, (np.cumsum(used) - 1) * parts, np.arange(parts)))
        self.pairs = [self._children(k, maps[k], maps[k + 1]) for k in range(number)]

    def _children(self, k: int, left: tuple, right: tuple) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of halves, the right one not before the left one."""
        start, end = self.pairs[k]
        alive = left[0][start] & right[0][end]
        starts = left[1][start[alive]][:, None, None] + left[2][:, None]
        ends = right[1][end[alive]][:, None, None] + right[2]
        starts, ends = (part.ravel() for part in np.broadcast_arrays(starts, ends))
        ordered = self.cells[k][0, starts] <= self.cells[k + 1][0, ends]
        return starts[ordered], ends[ordered]


def _halves(cells: np.ndarray) -> np.ndarray:
    """`(2, 2 cells)` both halves of every cell, side by side."""
    middle = cells.mean(axis=0)
    low = np.stack([cells[0], middle], axis=1).ravel()
    high = np.stack([middle, cells[1]], axis=1).ravel()
    return np.stack([low, high])


class _Programme:
    """Dynamic programming forward and backward over cells and bins of residuals."""

    def __init__(
        self, cells: list[np.ndarray], stages: list[_Stage], norm: Norm, continuous: bool
    ) -> None:
        self._cells, self._stages = cells, stages
        self._power, self._continuous = exponent(norm), continuous
        self._nodes = [self._node(k) for k in range(1, len(stages))]
        self._solve()

    def _interval(self, residual: np.ndarray) -> np.ndarray:
        """Residuals that can meet: equal ones, or equal absolute values where f may be left."""
        if self._continuous:
            return residual
        low, high = residual
        largest = np.maximum(np.abs(low), np.abs(high))
        crossing = (low < 0) & (high > 0)
        return np.stack([np.where(crossing, 0.0, np.minimum(np.abs(low), np.abs(high))), largest])

    def _node(self, k: int) -> "_Node":
        """Bins of the cells of knot k, and which of them its segments can use."""
        before, after = self._stages[k - 1], self._stages[k]
        arriving = self._interval(before.residuals.at_right)
        leaving = self._interval(after.residuals.at_left)
        count = self._cells[k].shape[1]
        low = np.maximum(
            _extreme(np.minimum, before.end, arriving[0], count),
            _extreme(np.minimum, after.start, leaving[0], count),
        )
        high = np.minimum(
            _extreme(np.maximum, before.end, arriving[1], count),
            _extreme(np.maximum, after.start, leaving[1], count),
        )
        # Residuals may be unknown; or known, and never meet: then no knot is in this cell.
        unknown = ~(np.isfinite(low) & np.isfinite(high))
        low, high = np.where(unknown, -1.0, low), np.where(unknown, 1.0, high)
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = (high - low)[before.end] / (arriving[1] - arriving[0])
        usable = spread[np.isfinite(spread)]
        bins = int(np.clip(2 * np.median(usable), 1, _MOST_BINS)) if usable.size else 1
        moves = np.maximum(
            _extreme(np.maximum, before.end, before.residuals.moves_right, count),
            _extreme(np.maximum, after.start, after.residuals.moves_left, count),
        )
        node = _Node(low, (high - low) / bins, bins, moves, unknown)
        node.arriving = node.places(before.end, arriving)
        node.leaving = node.places(after.start, leaving)
        node.toll = node.tolls(np.diff(self._cells[k], axis=0)[0], self._power)
        return node

    def _solve(self) -> None:
        """Cheapest ways to every bin from the left, and from every bin to the right."""
        number = len(self._stages)
        to: list[np.ndarray] = [np.zeros(1)]
        for k in range(number):
            cost = self._stages[k].residuals.cost + self._first(k, to[k])
            if k < number - 1:
                node = self._nodes[k]
                to.append(node.scatter(node.arriving, cost) + node.toll)
        onward: list[np.ndarray] = [np.zeros(1)] * number
        self.through = [np.zeros(0)] * number
        for k in range(number - 1, -1, -1):
            ahead = self._last(k, onward[k])
            cost = self._stages[k].residuals.cost + ahead
            self.through[k] = cost + self._first(k, to[k])
            if k > 0:
                node = self._nodes[k - 1]
                onward[k - 1] = node.scatter(node.leaving, cost) + node.toll

    def _first(self, k: int, table: np.ndarray) -> np.ndarray | float:
        return self._nodes[k - 1].gather(self._nodes[k - 1].leaving, table) if k else 0.0

    def _last(self, k: int, table: np.ndarray) -> np.ndarray | float:
        last = k == len(self._stages) - 1
        return 0.0 if last else self._nodes[k].gather(self._nodes[k].arriving, table)

    def bound(self) -> Bound:
        """The least cost over all paths, and the middles of the cells of about the best one."""
        knots, cell = [], None
        for k, stage in enumerate(self._stages):
            through = self.through[k]
            if cell is not None:
                through = np.where(stage.start == cell, through, np.inf)
            best = int(through.argmin())
            cell = stage.end[best]
            knots.append(self._cells[k + 1][:, cell].mean())
        return Bound(float(self.through[0].min()), np.array([self._cells[0][0, 0], *knots]))


class _Node:
    """The cells of one knot, each with bins for the residual there."""

    arriving: "_Places"
    leaving: "_Places"
    toll: np.ndarray

    def __init__(
        self, low: np.ndarray, width: np.ndarray, bins: int, moves: np.ndarray, unknown: np.ndarray
    ) -> None:
        self._low, self._width, self._bins = low, width, bins
        self._moves, self._unknown = moves, unknown

    def places(self, cell: np.ndarray, interval: np.ndarray) -> "_Places":
        """First places in the table, and numbers of bins, that intervals of residuals touch."""
        low, high = self._low[cell], self._low[cell] + self._width[cell] * self._bins
        meets = self._unknown[cell] | ((interval[0] <= high) & (interval[1] >= low) & (low <= high))
        width = np.where(self._width > 0, self._width, 1.0)[cell]
        bins = np.clip(np.floor((interval - low) / width), 0, self._bins - 1)
        first, last = np.where(self._unknown[cell], [[0], [self._bins - 1]], bins).astype(int)
        return _Places(cell * self._bins + first, last - first + 1, meets)

    def tolls(self, cell_width: np.ndarray, power: int) -> np.ndarray:
        """What the cell itself costs: its width times the least residual on either side.

        A segment within one cell has residuals smaller than they can move: it pays no toll twice.
        """
        edges = self._low[:, None] + self._width[:, None] * np.arange(self._bins + 1)
        low, high = edges[:, :-1], edges[:, 1:]
        least = np.where(low * high <= 0, 0.0, np.minimum(np.abs(low), np.abs(high)))
        least = np.where(self._unknown[:, None], 0.0, np.maximum(least - self._moves[:, None], 0))
        toll: np.ndarray = (cell_width[:, None] * least**power).ravel()
        return toll

    def gather(self, places: "_Places", table: np.ndarray) -> np.ndarray:
        """The least entry over every segment's bins."""
        index, starts = _ranges(places.first, places.count)
        return np.where(places.meets, np.minimum.reduceat(table[index], starts), np.inf)

    def scatter(self, places: "_Places", cost: np.ndarray) -> np.ndarray:
        """The least cost that reaches every bin."""
        index, _ = _ranges(places.first, places.count)
        table = np.full(self._low.size * self._bins, np.inf)
        allowed = np.where(places.meets, cost, np.inf)
        np.minimum.at(table, index, np.repeat(allowed, places.count))
        return table


@dataclass
class _Places:
    """Runs of bins: the first of each, how many, and whether the residuals meet at all."""

    first: np.ndarray
    count: np.ndarray
    meets: np.ndarray


def _ranges(first: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """first, first + 1, ..., first + count - 1 for every entry, and where each begins."""
    starts = np.concatenate([[0], np.cumsum(count)[:-1]])
    return np.arange(count.sum()) + np.repeat(first - starts, count), starts


def _extreme(kind: np.ufunc, cell: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """The least or largest value of every cell."""
    found = np.full(count, np.inf if kind is np.minimum else -np.inf)
    kind.at(found, cell, values)
    return found
