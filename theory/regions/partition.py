"""All affine regions of a network: exact, and all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from theory.regions import cells, polytopes
from theory.regions.cells import Cells
from theory.regions.frame import Frame, frame_of
from theory.regions.network import PiecewiseAffine
from theory.regions.polytope import Polytope, as_box
from theory.regions.polytopes import Polytopes
from theory.regions.sweep import sweep


@dataclass(frozen=True)
class Region:
    """A polytope on which a network is one affine map.

    Args:
        polytope: where; without redundant inequalities in one and two dimensions.
        weight: `(out, in_features)`.
        bias: `(out,)`: the output is weight @ x + bias.
        pattern: `(units,)` which piece every hidden unit is on.
        interior: `(in_features,)` a point inside.
        corners: `(corners, in_features)` in one and two dimensions, there counter-clockwise.
    """

    polytope: Polytope
    weight: Float[np.ndarray, "out in_features"]
    bias: Float[np.ndarray, " out"]
    pattern: Int[np.ndarray, " units"]
    interior: Float[np.ndarray, " in_features"]
    corners: Float[np.ndarray, "corners in_features"] | None = None

    def __call__(self, x: ArrayLike) -> Float[np.ndarray, "points out"]:
        """The region's affine map at `x` `(points, in_features)`, wherever that is."""
        return np.asarray(x, np.float64) @ self.weight.T + self.bias


@dataclass(frozen=True, eq=False)
class Regions(Sequence[Region]):
    """All regions of a network in a box, or on all of R^d: a sequence of :class:`Region`.

    Args:
        network: whose.
        box: `(in_features, 2)`, or None for all of R^d.
        weights: `(regions, out, in_features)`.
        biases: `(regions, out)`.
        patterns: `(regions, units)`.
        interior: `(regions, in_features)` a point inside of each.
        shapes: their corners in a box of one or two dimensions, else their walls.
    """

    network: PiecewiseAffine
    box: Float[np.ndarray, "in_features 2"] | None
    weights: Float[np.ndarray, "regions out in_features"]
    biases: Float[np.ndarray, "regions out"]
    patterns: Int[np.ndarray, "regions units"]
    interior: Float[np.ndarray, "regions in_features"]
    shapes: Cells | Polytopes

    def __len__(self) -> int:
        return len(self.weights)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        """The region of that number, or a list of them for a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]
        shape = self.shapes[i]
        where, corners = (
            (shape, None) if isinstance(shape, Polytope) else (of_corners(shape), shape)
        )
        return Region(
            where, self.weights[i], self.biases[i], self.patterns[i], self.interior[i], corners
        )

    def __iter__(self) -> Iterator[Region]:
        return (self[i] for i in range(len(self)))

    @cached_property
    def volumes(self) -> Float[np.ndarray, " regions"]:
        """Length, area or volume of every region.

        Raises:
            ValueError: for the regions of all of R^d, of which some are unbounded.
        """
        if self.box is None:
            raise ValueError("regions of all of R^d are unbounded: volumes need a box")
        return self.shapes.volumes()

    def framed(self) -> "tuple[Regions, Frame]":
        """The same regions in the coordinates of a cube around zero, and the way back."""
        frame = frame_of(self.box, self.network.in_features)
        if self.box is None:
            return self, frame
        back = frame.inverse
        inner = Regions(
            frame.network(self.network),
            _cube(self.box),
            self.weights * frame.scale,
            self.biases + self.weights @ frame.middle,
            self.patterns,
            back(self.interior),
            self.shapes.moved(back),
        )
        return inner, frame

    def locate(self, x: ArrayLike) -> Int[np.ndarray, " points"]:
        """Number of the region each point of `x` `(points, in_features)` is in; -1 outside of all.

        A point on a wall goes to one of the regions that meet there.
        """
        points = self.network.points(x)
        known = self._numbers
        found = [known.get(row.tobytes(), -1) for row in self.network.pattern(points)]
        places = np.array(found, np.int64)
        for lost in np.flatnonzero(places < 0):
            places[lost] = self._search(points[lost])
        return np.where(self._inside(points), places, -1)

    @cached_property
    def _numbers(self) -> dict[bytes, int]:
        return {row.tobytes(): i for i, row in enumerate(self.patterns)}

    def _inside(self, points: np.ndarray) -> np.ndarray:
        if self.box is None:
            return np.ones(len(points), bool)
        inside: np.ndarray = (points >= self.box[:, 0]) & (points <= self.box[:, 1])
        return np.all(inside, axis=1)

    def _search(self, point: np.ndarray) -> int:
        """Where the pattern is none of ours: on a wall, or next to it by rounding."""
        slack = [region.polytope.slack(point).min(initial=np.inf) for region in self]
        return int(np.argmax(slack))


def regions(net: PiecewiseAffine, box: ArrayLike | None = None, most: int = 100_000) -> Regions:
    """Every affine region of a network, exactly.

    In one and two dimensions the box is cut layer by layer into intervals or convex polygons; in
    more, or on all of R^d, polytopes are cut as linear programmes say. A region is what shares an
    activation pattern: two of them may have the same map.

    Args:
        net: made by :func:`from_layers`.
        box: `(in_features, 2)` of (low, high); None for all of R^d.
        most: so many regions are tolerated.

    Raises:
        ValueError: for a box of another shape or low >= high, or when there are more regions.

    Example:
        >>> from theory.regions.network import from_layers
        >>> cross = from_layers([np.eye(2), np.ones((2, 1))], [np.zeros(2), np.zeros(1)])
        >>> found = regions(cross, [[-1, 1], [-1, 1]])
        >>> len(found), found.volumes.tolist()
        (4, [1.0, 1.0, 1.0, 1.0])
    """
    if most < 1:
        raise ValueError(f"most must be at least 1, got {most}")
    ends = None if box is None else as_box(box, net.in_features)
    frame = frame_of(ends, net.in_features)
    inner = frame.network(net)
    shapes: Cells | Polytopes
    if ends is not None and len(ends) <= 2:
        shapes, patterns = sweep(inner, cells.of_box(_cube(ends)), frame.size, most)
    else:
        whole = polytopes.of_box(None if ends is None else _cube(ends), net.in_features)
        shapes, patterns = sweep(inner, whole, frame.size, most)
    shapes = shapes.moved(frame)
    weights, biases = net.affine(patterns)
    return Regions(net, ends, weights, biases, patterns, shapes.centres, shapes)


def _cube(box: np.ndarray) -> np.ndarray:
    return np.tile([-1.0, 1.0], (len(box), 1))


def of_corners(corners: Float[np.ndarray, "corners in_features"]) -> Polytope:
    """The interval or counter-clockwise polygon as inequalities with unit normals."""
    if corners.shape[1] == 1:
        return Polytope(np.array([[-1.0], [1.0]]), np.array([-corners[0, 0], corners[1, 0]]))
    along = np.roll(corners, -1, axis=0) - corners
    normals = np.column_stack([along[:, 1], -along[:, 0]])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Polytope(normals, (normals * corners).sum(axis=1))
