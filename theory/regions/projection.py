"""Closest points of segments and of polytopes in hyperplanes."""

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls

from theory.regions.polytope import Polytope

# Distances are worked out for so many pairs of points and segments at a time.
_CHUNK = 1_000_000
# Walls of so small an angle with the hyperplane are parallel to it.
ALONG = 1e-12

Found = tuple[np.ndarray, np.ndarray, np.ndarray]


def onto_segments(
    points: Float[np.ndarray, "points in_features"],
    ends: Float[np.ndarray, "segments ends in_features"],
) -> Found:
    """Distance, closest point and number of the closest segment of each point."""
    first, along = ends[:, 0], ends[:, -1] - ends[:, 0]
    squares = np.maximum((along**2).sum(axis=1), np.finfo(np.float64).tiny)
    step = max(_CHUNK // len(ends), 1)
    parts = []
    for start in range(0, len(points), step):
        away = points[start : start + step, None] - first
        share = np.clip((away * along).sum(axis=2) / squares, 0.0, 1.0)
        distance = np.linalg.norm(away - share[:, :, None] * along, axis=2)
        best = distance.argmin(axis=1)
        rows = np.arange(len(best))
        foot = first[best] + share[rows, best, None] * along[best]
        parts.append((distance[rows, best], foot, best))
    none = (np.zeros(0), np.zeros((0, points.shape[1])), np.zeros(0, np.int64))
    distances, feet, numbers = zip(*parts, none, strict=True)
    return np.concatenate(distances), np.concatenate(feet), np.concatenate(numbers)


def onto_facets(
    points: Float[np.ndarray, "points in_features"],
    normals: Float[np.ndarray, "facets in_features"],
    offsets: Float[np.ndarray, " facets"],
    polytopes: tuple[Polytope, ...],
) -> Found:
    """Distance, closest point and number of the closest facet of each point.

    The distance to a facet's hyperplane is a lower bound: facets are tried in its order, until no
    other one can be closer.
    """
    distances, numbers = np.full(len(points), np.inf), np.zeros(len(points), np.int64)
    feet = np.full(points.shape, np.nan)
    for row, point in enumerate(points):
        bounds = np.abs(normals @ point - offsets)
        for facet in np.argsort(bounds):
            if bounds[facet] >= distances[row]:
                break
            foot = project(point, normals[facet], offsets[facet], polytopes[facet])
            distance = np.linalg.norm(point - foot)
            if distance < distances[row]:
                distances[row], feet[row], numbers[row] = distance, foot, facet
    return distances, feet, numbers


def project(
    point: Float[np.ndarray, " in_features"],
    normal: Float[np.ndarray, " in_features"],
    offset: float,
    polytope: Polytope,
) -> Float[np.ndarray, " in_features"]:
    """The closest point of { y in polytope : normal.y = offset }, which must not be empty.

    The least distance problem min ||u|| with G u >= h as non-negative least squares.

    References:
        C. Lawson, R. Hanson, Solving Least Squares Problems, 1974, chapter 23.
    """
    start = point - (normal @ point - offset) * normal
    inside = polytope.normals - (polytope.normals @ normal)[:, None] * normal
    room = polytope.offsets - polytope.normals @ start
    lengths = np.linalg.norm(inside, axis=1)
    kept = lengths > ALONG * np.linalg.norm(polytope.normals, axis=1)
    rows, room = inside[kept] / lengths[kept, None], room[kept] / lengths[kept]
    if (room >= 0).all():
        return start
    # min ||u||, -rows u >= -room: the residual of [-rows^T; -room^T] v = e_last gives u
    size = max(-room.min(), np.finfo(np.float64).tiny)
    matrix = np.concatenate([-rows.T, -room[None] / size])
    goal = np.append(np.zeros(point.size), 1.0)
    dual, _ = nnls(matrix, goal)
    residual = matrix @ dual - goal
    step: np.ndarray = -residual[:-1] / residual[-1] * size
    return start + step
