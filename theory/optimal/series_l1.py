"""Least-absolute-deviation piecewise lines through data, with the bound that can be proven."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linprog

from theory.optimal.absolute_lines import NUDGE, all_costs
from theory.optimal.fitted import hats, through_runs
from theory.optimal.result import Approximation, certified
from theory.optimal.series import Series
from theory.optimal.series_l2 import LeastSquares, checked
from theory.piecewise import PiecewiseLinear

# Up to so many samples every run's line is computed; beyond, runs of so many cells.
EXACT_SAMPLES = 320
_CELLS = 40
_STEPS = 40


class LeastAbsolute:
    """A series and its segmentations into 1, ..., `most` least-absolute-deviation lines.

    Exact for up to `EXACT_SAMPLES` samples. Longer series are cut into equal cells: the bound
    leaves out the cells that hold a knot, and the fit is the best of what the cells' ends and the
    least-squares knots lead to.

    Args:
        series: the data.
        most: number of pieces, at most (different x) - 1.

    Raises:
        ValueError: for fewer pieces than 1 or more than the data hold.
    """

    def __init__(self, series: Series, most: int) -> None:
        checked(series, most)
        self.series = series
        self.cell = 1 if series.x.size <= EXACT_SAMPLES else -(-series.x.size // _CELLS)
        self.size = float(np.abs(series.y - series.y.mean()).max()) or 1.0
        x = (series.x - series.x[0]) / (series.x[-1] - series.x[0])
        padded = -series.x.size % self.cell
        self.costs = all_costs(
            np.pad(x, (0, padded), mode="edge"),
            np.pad((series.y - series.y.mean()) / self.size, (0, padded), mode="edge"),
            np.pad(series.weights, (0, padded)),
            self.cell,
        )
        self.uncut = self._whole(self.costs)

    def bound(self, segments: int) -> float:
        """No piecewise line of so many segments, continuous or not, is closer than this."""
        exact = self.cell == 1
        least = self._table(segments)[segments, -1] if exact else self._between(segments)
        # What the nudge may have added, and the rounding of the sums.
        rounding = 2 * NUDGE * self.series.weights.sum()
        return max(float(least) - float(rounding), 0.0) * self.size

    def with_jumps(self, segments: int) -> Approximation:
        """The fit with jumps: the optimum for up to `EXACT_SAMPLES` samples."""
        starts = [self._runs(segments), least_squares_runs(self.series, segments)]
        fits = [_settled(self.series, start) for start in starts[: 1 if self.cell == 1 else 2]]
        function = min(fits, key=lambda fit: self.series.error(fit, 1))
        error = self.series.error(function, 1)
        return certified(function, error, self.bound(segments), "l1", 1, "dynamic programming")

    def continuous(self, segments: int) -> Approximation:
        """The best continuous fit found: linear programs that move knots and values together.

        They start from the least-squares knots and, for few samples, from those with jumps.
        """
        squares = LeastSquares(self.series, segments).continuous(segments).knots
        starts = [squares, through_runs(self.series, self._runs(segments)).knots]
        fits = [_moved(self.series, knots) for knots in starts[: 2 if self.cell == 1 else 1]]
        function = min((fit for fit, _ in fits), key=lambda fit: self.series.error(fit, 1))
        error, steps = self.series.error(function, 1), sum(steps for _, steps in fits)
        return certified(function, error, self.bound(segments), "l1", steps, "linear programs")

    def _table(self, segments: int) -> np.ndarray:
        """`(segments + 1, cells + 1)` least cost of whole cells by exactly so many lines."""
        table = np.full((segments + 1, self.costs.shape[0] + 1), np.inf)
        table[0, 0] = 0.0
        for row in range(segments):
            table[row + 1, 1:] = (table[row, :-1, None] + self.uncut).min(axis=0)
        return table

    def _whole(self, costs: np.ndarray) -> np.ndarray:
        """The costs, without the runs that would part samples of one x."""
        ends = np.arange(self.cell, self.series.x.size, self.cell)
        tied = np.flatnonzero(self.series.x[ends] == self.series.x[ends - 1])
        whole = costs.copy()
        whole[tied + 1], whole[:, tied] = np.inf, np.inf
        return whole

    def _between(self, segments: int) -> float:
        """Least cost of the cells that hold no cut, over all cells the cuts may be in."""
        cells = self.costs.shape[0]
        # Row a, column b: the cells between cuts in cells a and b; none costs nothing.
        inner = np.zeros((cells + 1, cells + 1))
        starts, ends = np.triu_indices(cells)
        inner[starts, ends + 1] = self.costs[starts, ends]
        least = inner[0].copy()  # the first cut is in cell b: cells 0 ... b - 1 lie before it
        for _ in range(segments - 1):
            after = np.vstack([inner[1:], np.zeros(cells + 1)])
            reach = np.where(np.tri(cells + 1, k=-1, dtype=bool), np.inf, after)
            least = (least[:, None] + reach).min(axis=0)
        return float(least[-1])

    def _runs(self, segments: int) -> np.ndarray:
        """First places of the best runs of whole cells, or of equal runs if cells are too few."""
        table, stop, starts = self._table(segments), self.costs.shape[0], []
        if not np.isfinite(table[segments, stop]):
            return np.linspace(0, self.series.places.size, segments, endpoint=False).astype(int)
        for row in range(segments - 1, -1, -1):
            stop = int(np.argmin(table[row, :stop] + self.uncut[:stop, stop - 1]))
            starts.append(stop)
        first = np.array(starts[::-1]) * self.cell
        return np.searchsorted(self.series.places, self.series.x[first])


def least_squares_runs(series: Series, segments: int) -> Int[np.ndarray, " segments"]:
    """First places of the runs of the least-squares optimum."""
    knots = LeastSquares(series, segments).with_jumps(segments).knots
    return np.append(0, np.searchsorted(series.places, knots[1:-1]))


def absolute_values(
    series: Series, knots: Float[np.ndarray, " knots"], step: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Best values at the knots in sum w |y - s|, and steps of the inner knots (linearised).

    Solved as the dual linear program, which has few rows:
    max r'm with H'm = 0, |m| <= w, and step |D'm| added for the knots' own columns D.

    Args:
        series: the data.
        knots: `(segments + 1,)`.
        step: how far inner knots may move, in units of the neighbours' distance; 0 leaves them.

    Returns:
        `(segments + 1,)` values and `(segments - 1,)` steps in x.
    """
    level, size = float(series.y.mean()), float(np.abs(series.y - series.y.mean()).max()) or 1.0
    rest, basis = (series.y - level) / size, hats(series.x, knots)
    solved = _dual(rest, basis, series.weights, np.zeros((series.x.size, 0)))
    if step == 0 or knots.size == 2:
        return level + size * solved, np.zeros(knots.size - 2)
    slopes, reach = (
        np.diff(solved) / np.diff(knots),
        np.minimum(np.diff(knots)[:-1], np.diff(knots)[1:]),
    )
    piece = np.searchsorted(knots[1:-1], series.x, side="right")
    moves = -basis[:, 1:-1] * slopes[piece][:, None] * (step * reach)
    both = _dual(rest - basis @ solved, basis, series.weights, moves)
    return level + size * (solved + both[: knots.size]), both[knots.size :] * step * reach


def _dual(
    rest: np.ndarray, basis: np.ndarray, weights: np.ndarray, moves: np.ndarray
) -> np.ndarray:
    """Coefficients c, d of min sum w |rest - basis c - moves d| with |d| <= 1."""
    free, count = basis.shape[1], moves.shape[1]
    slack = np.vstack([np.zeros((free, 2 * count)), np.hstack([-np.eye(count), np.eye(count)])])
    rows = np.hstack([np.hstack([basis, moves]).T, slack])
    bounds = np.vstack(
        [np.stack([-weights, weights], axis=1), np.tile([0.0, np.inf], (2 * count, 1))]
    )
    goal = np.append(-rest, np.ones(2 * count))
    solution = linprog(goal, A_eq=rows, b_eq=np.zeros(free + count), bounds=bounds, method="highs")
    return -solution.eqlin.marginals


def _settled(series: Series, starts: np.ndarray) -> PiecewiseLinear:
    """Lines of the runs, then runs of the lines, until neither changes."""
    function = _absolute_lines(series, starts)
    for _ in range(_STEPS):
        moved = _recut(series, function, starts)
        if (moved == starts).all():
            break
        better = _absolute_lines(series, moved)
        if not series.error(better, 1) < series.error(function, 1):
            break
        starts, function = moved, better
    return function


def _recut(series: Series, function: PiecewiseLinear, starts: np.ndarray) -> np.ndarray:
    """Every cut where its two neighbouring lines cost least, the lines as they are."""
    bounds, moved = np.append(starts, series.places.size), starts.copy()
    for piece in range(1, starts.size):
        run = slice(
            series.starts[moved[piece - 1]],
            np.append(series.starts, series.x.size)[bounds[piece + 1]],
        )
        x, y, w = series.x[run], series.y[run], series.weights[run]
        lines = [
            function.left[i] + function.slopes[i] * (x - function.knots[i])
            for i in (piece - 1, piece)
        ]
        gain = np.append(0.0, np.cumsum(w * (np.abs(y - lines[0]) - np.abs(y - lines[1]))))
        inner = series.starts[moved[piece - 1] + 1 : bounds[piece + 1]] - run.start
        moved[piece] = moved[piece - 1] + 1 + int(np.argmin(gain[inner]))
    return moved


def _absolute_lines(series: Series, starts: np.ndarray) -> PiecewiseLinear:
    """Best lines of the runs in sum w |y - s|; knots halfway between them."""
    knots = through_runs(series, starts).knots
    bounds = np.append(series.starts, series.x.size)[np.append(starts, series.places.size)]
    ends = []
    for (first, last), here in zip(pairwise(bounds), pairwise(knots), strict=True):
        x, y, w = (part[first:last] for part in (series.x, series.y, series.weights))
        if x[0] == x[-1]:
            order = np.argsort(y)
            total = np.cumsum(w[order])
            ends.append([y[order][np.searchsorted(total, total[-1] / 2)]] * 2)
        else:
            run = Series(x, y, w)
            line = PiecewiseLinear.through(x[[0, -1]], absolute_values(run, x[[0, -1]])[0])
            ends.append(line(np.array(here)).tolist())
    left, right = np.array(ends).T
    return PiecewiseLinear(knots, left, right)


def _moved(series: Series, knots: np.ndarray) -> tuple[PiecewiseLinear, int]:
    """Knots and values improved together, step by step, in a region that shrinks on failure."""
    best = PiecewiseLinear.through(knots, absolute_values(series, knots)[0])
    error, reach, steps = series.error(best, 1), 0.3, 0
    while steps < _STEPS and reach > 1e-4 and error > 0 and knots.size > 2:
        steps += 1
        _, way = absolute_values(series, knots, reach)
        places = knots + np.concatenate([[0.0], way, [0.0]])
        trial = PiecewiseLinear.through(places, absolute_values(series, places)[0])
        found = series.error(trial, 1)
        if found < error * (1 - 1e-9):
            best, error, knots, reach = trial, found, places, min(2 * reach, 0.4)
        else:
            reach /= 4
    return best, steps
