"""Convex polytopes given by inequalities."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.spatial import ConvexHull, HalfspaceIntersection

from theory.regions.balls import balls, maximise_last

# Balls of this radius count as room, relative to the polytope's own.
_ROOM = 1e-9
# What is smaller than this, relative to the offsets, is rounding.
_ROUNDING = 1e-12
# Balls are no larger than this times the size of the polytope's offsets, if nothing bounds them.
_LARGEST = 1e3


@dataclass(frozen=True)
class Polytope:
    """All x with normals @ x <= offsets.

    Args:
        normals: `(walls, in_features)`.
        offsets: `(walls,)`.

    Example:
        >>> square = from_box([[0, 2], [0, 2]])
        >>> square.volume(), square.chebyshev_ball()[1], square.contains([1, 3])
        (4.0, 1.0, False)
    """

    normals: Float[np.ndarray, "walls in_features"]
    offsets: Float[np.ndarray, " walls"]

    def __and__(self, other: "Polytope") -> "Polytope":
        return Polytope(
            np.concatenate([self.normals, other.normals]),
            np.concatenate([self.offsets, other.offsets]),
        )

    def slack(self, x: ArrayLike) -> Float[np.ndarray, "*points walls"]:
        """Distance of `x` `(*points, in_features)` from every wall, negative outside it.

        Infinite (with the offset's sign) for a wall without a direction.
        """
        room = self.offsets - np.asarray(x, np.float64) @ self.normals.T
        lengths = np.linalg.norm(self.normals, axis=1)
        flat = np.where(room >= 0, np.inf, -np.inf)
        return np.where(lengths > 0, room / np.where(lengths > 0, lengths, 1.0), flat)

    def contains(self, x: ArrayLike, tolerance: float = 1e-9) -> bool:
        """Whether the point `x` `(in_features,)` is at most `tolerance` outside of every wall."""
        return bool((self.slack(x) >= -tolerance).all())

    def chebyshev_ball(
        self, largest: float | None = None
    ) -> tuple[Float[np.ndarray, " in_features"], float]:
        """Centre and radius of the largest ball inside, or of one of radius `largest`.

        Returns:
            Centre and radius; a negative radius proves that the polytope is empty.
        """
        if largest is None:
            largest = _LARGEST * (1 + np.abs(self._unit()[1]).max(initial=0.0))
        start = np.zeros((1, self.normals.shape[1]))
        centres, radii = balls(self.normals[None], self.offsets[None], start, largest)
        return centres[0], float(radii[0])

    def _unit(self) -> tuple[np.ndarray, np.ndarray]:
        """Normals of length one; walls without a direction are left out or make it empty."""
        lengths = np.linalg.norm(self.normals, axis=1)
        kept = (lengths > 0) | (self.offsets < 0)
        scale = np.where(lengths > 0, lengths, 1.0)[kept]
        return self.normals[kept] / scale[:, None], self.offsets[kept] / scale

    def reduced(self) -> "Polytope":
        """The same set without redundant inequalities, of unit normals.

        A row stays if beyond it, inside all others, there is room for a ball. A set without an
        inside comes back as it is.
        """
        columns = np.linalg.norm(self.normals, axis=0)  # features may have very different units
        columns[columns == 0] = 1.0
        inner = Polytope(self.normals / columns, self.offsets)
        normals, offsets = inner._unit()
        scale = 1.0 + np.abs(offsets).max(initial=0.0)
        centre, radius = inner.chebyshev_ball(scale)
        if radius <= _ROUNDING * scale:
            return self
        kept = _needed(normals, offsets - normals @ centre, radius, scale)
        rows, sides = self._unit()
        return Polytope(rows[kept], sides[kept])

    def vertices(self) -> Float[np.ndarray, "corners in_features"]:
        """All corners; in two dimensions counter-clockwise.

        Raises:
            ValueError: for a polytope that is empty, flat or unbounded.
        """
        centre, radius = self.chebyshev_ball()
        normals, offsets = self._unit()
        size = 1.0 + np.abs(offsets).max(initial=0.0)
        if radius <= _ROUNDING * size or not _bounded(normals):
            raise ValueError("corners need a bounded polytope with an inside")
        return self.corners(centre)

    def corners(
        self, inside: Float[np.ndarray, " in_features"]
    ) -> Float[np.ndarray, "corners in_features"]:
        """All corners of a polytope that is known to be bounded, and to have this point inside."""
        normals, offsets = self._unit()
        room = offsets - normals @ inside
        if normals.shape[1] == 1:
            low, high = -room[normals[:, 0] < 0].min(), room[normals[:, 0] > 0].min()
            return inside + np.array([[low], [high]])
        size = room.min()  # qhull's tolerances are absolute
        rows = np.column_stack([normals, -room / size])
        around = HalfspaceIntersection(rows, np.zeros(inside.size)).intersections
        return inside + size * around[ConvexHull(around).vertices]

    def volume(self) -> float:
        """Length, area or volume.

        Raises:
            ValueError: for a polytope that is empty, flat or unbounded.
        """
        return hull_volume(self.vertices())


def hull_volume(corners: Float[np.ndarray, "corners in_features"]) -> float:
    """Length, area or volume of the smallest convex set that holds the points."""
    if corners.shape[1] == 1:
        return float(np.ptp(corners))
    size = np.ptp(corners, axis=0).max()
    scaled = (corners - corners[0]) / size
    return float(ConvexHull(scaled).volume * size ** corners.shape[1])


def _bounded(normals: np.ndarray) -> bool:
    """Whether no direction u leads along all walls for ever: normals u <= 0 only for u = 0.

    Each coordinate of such a u is tried: the largest t <= 1 with t <= u_j, or with t <= -u_j.
    """
    walls, d = normals.shape
    rows = np.zeros((2 * d, walls + 2, d + 1))
    rows[:, :walls, :d] = normals
    rows[:, walls, :d] = np.concatenate([np.eye(d), -np.eye(d)])
    rows[:, walls:, d] = 1.0
    sides = np.zeros((2 * d, walls + 2))
    sides[:, -1] = 1.0
    return bool((maximise_last(rows, sides)[:, -1] < 0.5).all())


def _needed(normals: np.ndarray, offsets: np.ndarray, radius: float, largest: float) -> np.ndarray:
    """Which rows are not redundant, for a ball of some radius around zero inside all of them."""
    smallest = max(_ROOM * radius, _ROUNDING * largest)
    kept: np.ndarray = _beyond(normals, offsets, np.ones(len(offsets), bool), largest) > smallest
    # Of rows that are the same but for rounding each makes the others redundant.
    while len(offsets):
        room = np.where(kept, -np.inf, _beyond(normals, offsets, kept, largest))
        if room.max() <= smallest:
            break
        kept[room.argmax()] = True
    return kept


def _beyond(
    normals: np.ndarray, offsets: np.ndarray, kept: np.ndarray, largest: float
) -> np.ndarray:
    """Radius of the largest ball beyond each row, inside all others that are kept."""
    rows = len(offsets)
    flipped = np.where(np.eye(rows, dtype=bool), -1.0, np.where(kept, 1.0, 0.0))
    starts = np.zeros((rows, normals.shape[1]))
    return balls(flipped[:, :, None] * normals, flipped * offsets, starts, largest)[1]


def from_box(box: ArrayLike) -> Polytope:
    """The box `(in_features, 2)` of lower and upper ends."""
    ends = as_box(box)
    eye = np.eye(len(ends))
    return Polytope(np.concatenate([-eye, eye]), np.concatenate([-ends[:, 0], ends[:, 1]]))


def as_box(box: ArrayLike, in_features: int | None = None) -> Float[np.ndarray, "in_features 2"]:
    """`box` as float64.

    Raises:
        ValueError: unless every row is (low, high), finite, with low < high.
    """
    ends = np.asarray(box, np.float64)
    wanted = ends.shape[0] if in_features is None and ends.ndim == 2 else in_features
    if ends.shape != (wanted, 2):
        raise ValueError(f"box must be ({wanted or 'in_features'}, 2), got shape {ends.shape}")
    if not np.isfinite(ends).all() or (ends[:, 0] >= ends[:, 1]).any():
        raise ValueError(f"box must have finite low < high in every row, got {ends.tolist()}")
    return ends
