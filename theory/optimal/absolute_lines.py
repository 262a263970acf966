"""Least-absolute-deviation lines through many runs of samples at once."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.lib.stride_tricks import sliding_window_view

# Values are moved by so much (their largest is 1), so that no three samples share a line: the
# descent could go round in circles there. No cost changes by more, times the weights.
NUDGE = 1e-10
_PIVOTS = 200


class Runs(NamedTuple):
    """Samples of many runs of one length, as rows."""

    x: Float[np.ndarray, "runs samples"]
    y: Float[np.ndarray, "runs samples"]
    w: Float[np.ndarray, "runs samples"]


class Vertex(NamedTuple):
    """The two samples of every run that its line passes through."""

    first: Int[np.ndarray, " runs"]
    second: Int[np.ndarray, " runs"]


def nudged(y: Float[np.ndarray, " samples"]) -> Float[np.ndarray, " samples"]:
    """The values, each moved by up to `NUDGE`: the same way at every call."""
    return y + NUDGE * np.random.default_rng(0).uniform(-1, 1, y.size)


def all_costs(
    x: Float[np.ndarray, " samples"],
    y: Float[np.ndarray, " samples"],
    w: Float[np.ndarray, " samples"],
    cell: int,
) -> Float[np.ndarray, "starts ends"]:
    """Least absolute cost of a line through every run of cells: min of sum w |y - a - b x|.

    Args:
        x: increasing or equal; a multiple of `cell` samples.
        y: values, about 1 in size.
        w: weights; those of 0 count nothing.
        cell: samples a cell.

    Returns:
        `(cells, cells)`: row i, column j for cells i ... j, exact up to `NUDGE` times the weights;
        0 (a bound) for a run within one x, inf for j < i.
    """
    cells = x.size // cell
    costs, values = np.full((cells, cells), np.inf), nudged(y)
    vertex = Vertex(*np.zeros((2, cells), int))
    for length in range(1, cells + 1):
        size, rows = length * cell, cells - length + 1
        runs = Runs(*(sliding_window_view(part, size)[::cell] for part in (x, values, w)))
        # The line of one cell less is a good start; where it had none, the ends.
        row = np.arange(rows)
        known = runs.x[row, vertex.first[:rows]] != runs.x[row, vertex.second[:rows]]
        first, second = (np.where(known, part[:rows], 0) for part in vertex)
        start = Vertex(first, np.where(known, second, size - 1))
        cost, vertex = descended(runs, start)
        costs[row, row + length - 1] = cost
    return costs


def descended(runs: Runs, start: Vertex) -> tuple[Float[np.ndarray, " runs"], Vertex]:
    """Least costs and their lines, by the simplex steps of Barrodale and Roberts.

    At a vertex the other samples' signs fix the multipliers of its two samples; a multiplier
    above its weight lets its sample go, and the line turns about the other one to the weighted
    median of the slopes there.

    Args:
        runs: the samples.
        start: a vertex of every run; two samples of different x where there are any.

    Returns:
        Costs and vertices.

    References:
        I. Barrodale and F. D. K. Roberts, An improved algorithm for discrete l1 linear
        approximation, SIAM J. Numer. Anal. 10(5), 1973.
    """
    first, second = np.array(start.first), np.array(start.second)
    cost = np.zeros(first.size)
    row = np.flatnonzero(runs.x[:, 0] < runs.x[:, -1])
    for _ in range(_PIVOTS):
        if not row.size:
            break
        here = Runs(*(part[row] for part in runs))
        one, two = first[row], second[row]
        cost[row], over_one, over_two = _multipliers(here, one, two)
        held = np.where(over_one > over_two, two, one)
        turning = np.maximum(over_one, over_two) > 1e-12 * here.w.sum(axis=1)
        row, held = row[turning], held[turning]
        here = Runs(*(part[turning] for part in here))
        first[row], second[row] = held, _turned(here, held)
    return cost, Vertex(first, second)


def _multipliers(
    runs: Runs, one: np.ndarray, two: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Costs, and by how much the two multipliers exceed their weights."""
    row = np.arange(one.size)
    apart = runs.x - runs.x[row, one][:, None]
    rise = runs.y - runs.y[row, one][:, None]
    span = apart[row, two]
    rise = rise - (rise[row, two] / span)[:, None] * apart
    rise[row, one] = rise[row, two] = 0.0
    pull = np.sign(rise) * runs.w
    second = -(pull * apart).sum(axis=1) / span
    first = -pull.sum(axis=1) - second
    over = (np.abs(first) - runs.w[row, one], np.abs(second) - runs.w[row, two])
    return np.abs(rise * runs.w).sum(axis=1), *over


def _turned(runs: Runs, held: np.ndarray) -> np.ndarray:
    """The sample the line meets when it turns about `held` to its least cost."""
    row = np.arange(held.size)
    apart = runs.x - runs.x[row, held][:, None]
    rise = runs.y - runs.y[row, held][:, None]
    slope = np.divide(rise, apart, out=np.zeros_like(rise), where=apart != 0)
    order = np.argsort(slope, axis=1)
    weight = np.cumsum(np.take_along_axis(runs.w * np.abs(apart), order, axis=1), axis=1)
    middle = (weight >= weight[:, -1:] / 2).argmax(axis=1)
    chosen: np.ndarray = order[row, middle]
    return chosen
