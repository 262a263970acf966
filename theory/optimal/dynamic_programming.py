"""Exact segmentation of ordered samples by dynamic programming, for every number of pieces."""

import numpy as np
from jaxtyping import Float

from theory.optimal.segment_costs import Vicinity
from theory.optimal.series import Scaled

# Samples a block: 128 x 128 costs stay in the second cache.
_BLOCK = 128
# Rounding of the bounds, relative: blocks as good as this are not left out.
_SLACK = 1e-9


def least_squares_table(data: Scaled, most: int) -> Float[np.ndarray, "pieces prefixes"]:
    """Least sum of squares of every prefix by 0, 1, ..., `most` lines (segmented least squares).

    D[k, j] = min over i < j of D[k - 1, i] + cost(i ... j - 1), with pieces of at least one
    sample. Blocks of (i, j) are left out when the least D[k - 1] plus the shortest run's cost in
    the block exceeds what the longest run to the block's end is known to allow: a run's cost never
    falls when samples are added, so the table stays exact.

    Args:
        data: `(places,)` samples.
        most: number of pieces, at most the number of places.

    Returns:
        `(most + 1, places + 1)`, in scaled units.

    References:
        R. Bellman, On the approximation of curves by line segments using dynamic programming,
        Communications of the ACM 4(6), 1961. The pruning is ours.
    """
    samples = data.u.size
    table = np.full((most + 1, samples + 1), np.inf)
    table[0, 0] = 0.0
    floors = np.full((most + 1, -(-samples // _BLOCK)), np.inf)
    room = np.empty((7, _BLOCK, _BLOCK))
    for number, first in enumerate(range(0, samples, _BLOCK)):
        last = min(first + _BLOCK, samples)
        # Only the whole series is ever cut into `most` pieces.
        rows = most if last == samples else most - 1
        _fill(table[: rows + 1], floors[:rows, :number], Vicinity(data, first, last), first, room)
        floors[:, number] = table[:, first:last].min(axis=1)
    return table


def _fill(
    table: np.ndarray, floors: np.ndarray, near: Vicinity, first: int, room: np.ndarray
) -> None:
    """Columns of the runs that end in one block, from all columns before."""
    size, rows = near.within.shape[1], table.shape[0] - 1
    best, room = np.full((rows, size), np.inf), room[:, :, :size]
    for number, wanted in enumerate(_wanted(table, floors, near, first)):
        starts = slice(number * _BLOCK, (number + 1) * _BLOCK)
        costs = near.costs(starts, room[:6]) if wanted.any() else room[5]
        for row in np.flatnonzero(wanted).tolist():
            total = np.add(costs, table[row, starts, None], out=room[6])
            np.minimum(best[row], total.min(axis=0), out=best[row])
    corner = near.corner()
    for row in range(rows):
        within = (corner + table[row, first : first + size, None]).min(axis=0)
        table[row + 1, first + 1 : first + 1 + size] = np.minimum(best[row], within)


def _wanted(table: np.ndarray, floors: np.ndarray, near: Vicinity, first: int) -> np.ndarray:
    """`(blocks, rows)` whether a block of starts can hold the best start of some end."""
    if first == 0:
        return np.zeros((0, table.shape[0] - 1), bool)
    most = (table[:-1, :first] + near.to_end(-1)).min(axis=1)
    ends = np.arange(_BLOCK - 1, first, _BLOCK)
    least = floors + near.to_first(ends)
    limit = np.where(np.isfinite(most), most * (1 + _SLACK) + _SLACK * 1e-6, np.inf)
    wanted: np.ndarray = (np.isfinite(floors) & (least <= limit[:, None])).T
    return wanted


def traced(table: np.ndarray, data: Scaled, pieces: int) -> np.ndarray:
    """First samples of the pieces of the best segmentation into `pieces`, from the table."""
    starts, stop = [], data.u.size
    for row in range(pieces - 1, -1, -1):
        near = Vicinity(data, stop - 1, stop)
        costs = np.append(near.to_end(0), 0.0)
        stop = int(np.argmin(table[row, :stop] + costs))
        starts.append(stop)
    return np.array(starts[::-1])
