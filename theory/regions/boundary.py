"""The decision boundary of a network: every facet of it, and the exact distance to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from theory.regions import facets, projection
from theory.regions.cells import Cells
from theory.regions.frame import Frame
from theory.regions.network import PiecewiseAffine
from theory.regions.partition import Regions, regions
from theory.regions.polytope import Polytope


@dataclass(frozen=True)
class Facet:
    """A flat part of a decision boundary: normal.x = offset inside a region.

    Args:
        classes: the two that tie on it and beat all others; the normal points to the second.
        region: number of the region it is in.
        normal: `(in_features,)` of length one.
        offset: of the hyperplane.
        interior: `(in_features,)` a point on it.
        ends: `(ends, in_features)`: both ends in two dimensions, the point in one.
        polytope: what bounds it in the hyperplane, in more dimensions.
    """

    classes: tuple[int, int]
    region: int
    normal: Float[np.ndarray, " in_features"]
    offset: float
    interior: Float[np.ndarray, " in_features"]
    ends: Float[np.ndarray, "ends in_features"] | None
    polytope: Polytope | None


@dataclass(frozen=True, eq=False)
class Boundary(Sequence[Facet]):
    """All facets of a decision boundary: a sequence of :class:`Facet`.

    Args:
        classes: `(facets, 2)`; of a network of one output f: 0 where f < 0, 1 where f > 0.
        regions: `(facets,)` number of each one's region.
        normals: `(facets, in_features)` of length one, pointing to the second class.
        offsets: `(facets,)` of the hyperplanes normal.x = offset.
        interior: `(facets, in_features)` a point on each.
        ends: `(facets, ends, in_features)` of segments (two ends) or points (one); None in more
            than two dimensions, and on all of R^d.
        polytopes: what bounds each facet, if there are no ends.
        ties: `(ties,)` numbers of regions on which two highest scores are equal everywhere. They
            are no facets, but each point of them is on the boundary.
    """

    classes: Int[np.ndarray, "facets two"]
    regions: Int[np.ndarray, " facets"]
    normals: Float[np.ndarray, "facets in_features"]
    offsets: Float[np.ndarray, " facets"]
    interior: Float[np.ndarray, "facets in_features"]
    ends: Float[np.ndarray, "facets ends in_features"] | None
    polytopes: tuple[Polytope, ...]
    ties: Int[np.ndarray, " ties"]

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        """The facet of that number, or a list of them for a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]
        first, second = self.classes[i].tolist()
        ends = None if self.ends is None else self.ends[i]
        polytope = self.polytopes[i] if self.polytopes else None
        return Facet(
            (first, second), int(self.regions[i]), self.normals[i], float(self.offsets[i]),
            self.interior[i], ends, polytope,
        )  # fmt: skip

    def __iter__(self) -> Iterator[Facet]:
        return (self[i] for i in range(len(self)))

    @property
    def lengths(self) -> Float[np.ndarray, " facets"]:
        """Length of every segment, in two dimensions.

        Raises:
            ValueError: in others.
        """
        if self.ends is None or self.ends.shape[1] != 2:
            raise ValueError("only the facets of two inputs in a box have a length")
        return np.linalg.norm(self.ends[:, 1] - self.ends[:, 0], axis=1)

    def nearest(self, x: ArrayLike) -> "Nearest":
        """The closest point of the boundary to each of `x` `(points, in_features)`.

        Exact: the smallest of the distances to all facets, each a projection onto a polytope. It
        is the distance to the boundary inside the box.
        """
        points = np.asarray(x, np.float64)
        if points.ndim != 2 or points.shape[1] != self.normals.shape[1]:
            wanted = self.normals.shape[1]
            raise ValueError(f"x must be (points, {wanted}), got shape {points.shape}")
        if not len(self):
            number = len(points)
            none = np.full(points.shape, np.nan)
            return Nearest(np.full(number, np.inf), none, np.full(number, -1))
        if self.ends is not None:
            found = projection.onto_segments(points, self.ends)
        else:
            found = projection.onto_facets(points, self.normals, self.offsets, self.polytopes)
        return Nearest(*found)


@dataclass(frozen=True)
class Nearest:
    """Closest points of a decision boundary.

    Args:
        distance: `(points,)`; infinite if there is no boundary.
        points: `(points, in_features)` the closest point; NaN if there is none.
        facets: `(points,)` number of its facet; -1 if there is none.
    """

    distance: Float[np.ndarray, " points"]
    points: Float[np.ndarray, "points in_features"]
    facets: Int[np.ndarray, " points"]


def boundary(
    net: PiecewiseAffine | Regions, box: ArrayLike | None = None, most: int = 100_000
) -> Boundary:
    """Every facet of the boundary between the two highest outputs.

    In the region r it is { x in P_r : (W_i - W_j) x + (b_i - b_j) = 0, and i, j are the top two }.
    A network of one output has its boundary at zero.

    Args:
        net: a network, or its regions if they are at hand.
        box: `(in_features, 2)` of (low, high); None for all of R^d. Left out for regions.
        most: so many regions are tolerated.

    Raises:
        ValueError: for a wrong box, a box beside regions, or too many regions.

    Example:
        >>> from theory.regions.network import from_layers
        >>> hat = from_layers([[[1, 1]], [[1], [-2]]], [[0, -1], [-0.5]])
        >>> boundary(hat, [[0, 2]]).ends.ravel().tolist()
        [0.5, 1.5]
    """
    if isinstance(net, Regions) and box is not None:
        raise ValueError("regions have their own box: leave it out")
    found = net if isinstance(net, Regions) else regions(net, box, most)
    inner, frame = found.framed()
    if isinstance(inner.shapes, Cells):
        made = facets.of_cells(inner, inner.shapes, frame.size)
    else:
        made = facets.of_parts(inner, inner.shapes, frame.size)
    return _moved(Boundary(*made), frame)


def _moved(made: Boundary, frame: Frame) -> Boundary:
    """The boundary in the user's coordinates."""
    normals, offsets = frame.planes(made.normals, made.offsets)
    lengths = np.linalg.norm(normals, axis=1)
    return replace(
        made,
        normals=normals / lengths[:, None],
        offsets=offsets / lengths,
        interior=frame(made.interior),
        ends=None if made.ends is None else frame(made.ends),
        polytopes=tuple(
            Polytope(*frame.planes(one.normals, one.offsets)) for one in made.polytopes
        ),
    )
