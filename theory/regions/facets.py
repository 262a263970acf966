"""Where two scores tie and beat all others: segments in cells, polytopes in hyperplanes."""

import itertools

import numpy as np

from theory.regions.balls import balls
from theory.regions.cells import ON, Cells
from theory.regions.decision import as_scores
from theory.regions.partition import Regions
from theory.regions.polytopes import SMALLEST, Polytopes
from theory.regions.projection import ALONG
from theory.regions.sweep import FLAT

# How far, relative to the box, one looks beyond a wall that ties to see who wins there.
_BEYOND = 1e-7


def of_cells(found: Regions, cells: Cells, size: float) -> tuple:
    """What a Boundary is made of, for intervals and polygons in a cube of that size."""
    weights, biases = as_scores(found.weights, found.biases)
    parts, ties = [], [np.zeros(0, np.int64)]
    for pair in itertools.combinations(range(biases.shape[1]), 2):
        normals, offsets, tied = _tie(found, pair, size)
        ties.append(tied[_on_top(found, pair, tied)])
        which, ends = _segments(found, cells, pair, normals, offsets, size)
        which, ends = _beating_others(weights[which], biases[which], pair, which, ends)
        lengths = np.linalg.norm(normals[which], axis=1)
        classes = np.full((len(which), 2), pair)
        units = normals[which] / lengths[:, None]
        parts.append((classes, which, units, -offsets[which] / lengths, ends.mean(axis=1), ends))
    classes, which, units, levels, middles, ends = map(np.concatenate, zip(*parts, strict=True))
    return classes, which, units, levels, middles, ends, (), np.unique(np.concatenate(ties))


def _tie(
    found: Regions, pair: tuple[int, int], size: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Second score minus first on every region, and the regions on which both are the same."""
    weights, biases = as_scores(found.weights, found.biases)
    i, j = pair
    normals, offsets = weights[:, j] - weights[:, i], biases[:, j] - biases[:, i]
    summed = np.linalg.norm(weights[:, pair], axis=2).sum(axis=1) * size
    summed += np.abs(biases[:, pair]).sum(axis=1)
    flat = np.linalg.norm(normals, axis=1) * size <= FLAT * summed
    normals[flat] = 0.0
    return normals, offsets, np.flatnonzero(flat & (np.abs(offsets) <= FLAT * summed))


def _on_top(found: Regions, pair: tuple[int, int], which: np.ndarray) -> np.ndarray:
    """Whether both scores of the pair beat all others at the middle of these regions."""
    weights, biases = as_scores(found.weights[which], found.biases[which])
    scores = np.einsum("rod,rd->ro", weights, found.interior[which]) + biases
    return scores[:, pair].min(axis=1) >= scores.max(axis=1) - FLAT * np.abs(scores).max(axis=1)


def _segments(
    found: Regions,
    cells: Cells,
    pair: tuple[int, int],
    normals: np.ndarray,
    offsets: np.ndarray,
    size: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Where each cell meets the line on which the pair ties: cells, and ends of the segments."""
    heights = cells.heights(normals, offsets, size)
    low, high = cells.range(heights)
    meets = (low <= 0) & (high >= 0) & normals.any(axis=1)
    which = np.flatnonzero(meets)
    if not which.size:
        return which, np.zeros((0, cells.corners.shape[1], cells.corners.shape[1]))
    ends = _extremes(cells.level(heights, meets), normals[which])
    real = _long(ends, size)
    touching = (low[which] == 0) | (high[which] == 0)
    sides = np.sign(low + high)[which]
    middles = ends.mean(axis=1)
    real[touching] &= _parts_labels(found, pair, normals[which], sides, middles, size)[touching]
    return which[real], ends[real]


def _extremes(line: Cells, normals: np.ndarray) -> np.ndarray:
    """The outermost of the points that each cell has on a line: `(cells, 1 or 2, d)`."""
    if not line.closed:
        return line.corners[line.starts[:-1], None]
    tangents = np.column_stack([-normals[:, 1], normals[:, 0]])
    along = (np.repeat(tangents, line.counts, axis=0) * line.corners).sum(axis=1)
    order = np.lexsort((along, line.owner))
    ends = np.stack([order[line.starts[:-1]], order[line.starts[1:] - 1]], axis=1)
    return line.corners[ends]


def _long(ends: np.ndarray, size: float) -> np.ndarray:
    """Whether segments are more than a corner; points always count."""
    if ends.shape[1] == 1:
        return np.ones(len(ends), bool)
    return np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) > ON * size


def _parts_labels(
    found: Regions,
    pair: tuple[int, int],
    normals: np.ndarray,
    sides: np.ndarray,
    middles: np.ndarray,
    size: float,
) -> np.ndarray:
    """Whether ties along the walls of regions part two labels, and are theirs to report.

    Beyond the wall the other class must win; of both regions the one where the second class wins
    reports the facet. Where the neighbour ties everywhere there is only this one to do so.

    Args:
        found: all regions.
        pair: the classes.
        normals: `(ties, in_features)` of the second score minus the first.
        sides: `(ties,)` sign of that difference in the region.
        middles: `(ties, in_features)` a point of each.
        size: of the cube.
    """
    slopes = np.linalg.norm(normals, axis=1)
    step = _BEYOND * size
    outputs = found.network(middles - step * (sides / slopes)[:, None] * normals)
    _, scores = as_scores(np.zeros((*outputs.shape, 1)), outputs)
    beyond = scores[:, pair[1]] - scores[:, pair[0]]
    ties = np.abs(beyond) <= 1e-3 * step * slopes
    return ties | ((np.sign(beyond) == -sides) & (sides > 0))


def _beating_others(
    weights: np.ndarray,
    biases: np.ndarray,
    pair: tuple[int, int],
    which: np.ndarray,
    ends: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The parts of segments on which the pair's score is the highest."""
    scores = np.einsum("rod,red->reo", weights, ends) + biases[:, None]
    leads = scores[:, :, pair[0], None] - np.delete(scores, pair, axis=2)
    leads[np.abs(leads) <= FLAT * np.abs(scores).max(axis=(1, 2), initial=0.0)[:, None, None]] = 0.0
    first, last = leads[:, 0], leads[:, -1]
    drop = np.where(first == last, 1.0, first - last)
    start = np.where(first < 0, first / drop, 0.0).max(axis=1, initial=0.0)
    stop = np.where(last < 0, first / drop, 1.0).min(axis=1, initial=1.0)
    real = (np.maximum(first, last) >= 0).all(axis=1)
    if ends.shape[1] == 1:
        return which[real], ends[real]
    real &= stop - start > ON
    along = ends[:, -1] - ends[:, 0]
    shares = np.stack([start, stop], axis=1)[:, :, None]
    return which[real], (ends[:, :1] + shares * along[:, None])[real]


def of_parts(found: Regions, parts: Polytopes, size: float) -> tuple:
    """What a Boundary is made of, in a cube of more dimensions or on all of R^d."""
    weights, biases = as_scores(found.weights, found.biases)
    rows, polytopes, ties = [], [], [np.zeros(0, np.int64)]
    for pair in itertools.combinations(range(biases.shape[1]), 2):
        normals, offsets, tied = _tie(found, pair, size)
        ties.append(tied[_on_top(found, pair, tied)])
        which = np.flatnonzero(normals.any(axis=1))
        lengths = np.linalg.norm(normals[which], axis=1)
        units, levels = normals[which] / lengths[:, None], -offsets[which] / lengths
        ruled = _ruled(parts.take(which), weights[which], biases[which], pair)
        middles, radii, touching = in_hyperplanes(ruled, units, levels, size)
        sides = np.sign((units * found.interior[which]).sum(axis=1) - levels)
        parted = _parts_labels(found, pair, normals[which], sides, middles, size)
        real = np.flatnonzero((radii > SMALLEST * size) & (~touching | parted))
        classes = np.full((len(real), 2), pair)
        rows.append((classes, which[real], units[real], levels[real], middles[real]))
        polytopes += [ruled[i] for i in real.tolist()]
    arrays = map(np.concatenate, zip(*rows, strict=True))
    return *arrays, None, tuple(polytopes), np.unique(np.concatenate(ties))


def _ruled(
    parts: Polytopes, weights: np.ndarray, biases: np.ndarray, pair: tuple[int, int]
) -> Polytopes:
    """The parts, and there the part where no other score is above the first of the pair."""
    for other in range(biases.shape[1]):
        if other not in pair:
            normals = weights[:, other] - weights[:, pair[0]]
            parts = parts.behind(normals, biases[:, pair[0]] - biases[:, other])
    return parts


def in_hyperplanes(
    parts: Polytopes, units: np.ndarray, levels: np.ndarray, largest: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Largest balls of hyperplanes unit.x = level inside polytopes.

    Returns:
        Centres, radii, and whether a wall of the polytope lies in the hyperplane.
    """
    bases, feet = _bases(units), levels[:, None] * units
    lengths = np.linalg.norm(parts.normals, axis=2)
    normals = parts.normals @ bases.transpose(0, 2, 1)
    room = parts.offsets - np.einsum("pwd,pd->pw", parts.normals, feet)
    along = np.linalg.norm(normals, axis=2) <= ALONG * lengths
    near = along & (np.abs(room) <= ON * largest * lengths) & (lengths > 0)
    normals[along], room[near] = 0.0, 0.0
    starts = np.einsum("pkd,pd->pk", bases, parts.centres)
    middles, radii = balls(normals, room, starts, largest)
    return feet + np.einsum("pkd,pk->pd", bases, middles), radii, near.any(axis=1)


def _bases(units: np.ndarray) -> np.ndarray:
    """Orthonormal rows orthogonal to each unit vector: the reflection that takes it to an axis."""
    eye = np.eye(units.shape[1])
    mirror = units + np.where(units[:, :1] >= 0, 1.0, -1.0) * eye[0]
    squares = (mirror**2).sum(axis=1)[:, None, None]
    return (eye - 2 * mirror[:, :, None] * mirror[:, None] / squares)[:, 1:]
