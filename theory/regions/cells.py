"""Many intervals or convex polygons at once, and how lines cut them.

The corners of all cells stand in one array, those of a cell side by side and in order, so that a
cut takes a handful of array operations however many cells there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from theory.regions.frame import Frame

# Corners closer to a line than this, relative to the size of the box, are on it.
ON = 1e-12


@dataclass(frozen=True)
class Cells:
    """Intervals (one dimension) or convex polygons (two, counter-clockwise).

    Args:
        corners: of all cells, cell after cell.
        starts: `(cells + 1,)` where the corners of each cell begin, and where the last ends.
    """

    corners: Float[np.ndarray, "corners in_features"]
    starts: Int[np.ndarray, " cells_and_one"]

    def __len__(self) -> int:
        return self.starts.size - 1

    def __getitem__(self, cell: int) -> Float[np.ndarray, "corners in_features"]:
        """Corners of one cell."""
        return self.corners[self.starts[cell] : self.starts[cell + 1]]

    @property
    def counts(self) -> Int[np.ndarray, " cells"]:
        """Corners of every cell."""
        return np.diff(self.starts)

    @property
    def owner(self) -> Int[np.ndarray, " corners"]:
        """Cell of every corner."""
        return np.repeat(np.arange(len(self)), self.counts)

    @property
    def following(self) -> Int[np.ndarray, " corners"]:
        """Index of the corner that comes next around the same cell."""
        after = np.arange(1, len(self.corners) + 1)
        after[self.starts[1:] - 1] = self.starts[:-1]
        return after

    @property
    def closed(self) -> bool:
        """Whether the last corner has an edge back to the first: polygons do."""
        return self.corners.shape[1] == 2

    def edges(self) -> tuple[Int[np.ndarray, " edges"], Int[np.ndarray, " edges"]]:
        """Indices of the corners at both ends of every edge."""
        first, second = np.arange(len(self.corners)), self.following
        if self.closed:
            return first, second
        forward = second > first
        return first[forward], second[forward]

    def range(
        self, heights: Float[np.ndarray, " corners"]
    ) -> tuple[Float[np.ndarray, " cells"], Float[np.ndarray, " cells"]]:
        """Lowest and highest corner of every cell."""
        begins = self.starts[:-1]
        return np.minimum.reduceat(heights, begins), np.maximum.reduceat(heights, begins)

    def volumes(self) -> Float[np.ndarray, " cells"]:
        """Lengths, or areas by the shoelace formula, taken from each cell's first corner."""
        first, second = self.edges()
        if not self.closed:
            return self.corners[second, 0] - self.corners[first, 0]
        base = np.repeat(self.corners[self.starts[:-1]], self.counts, axis=0)
        u, v = self.corners[first] - base, self.corners[second] - base
        return np.add.reduceat(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0], self.starts[:-1]) / 2

    @property
    def centres(self) -> Float[np.ndarray, "cells in_features"]:
        """Mean corner of every cell: inside it."""
        return np.add.reduceat(self.corners, self.starts[:-1]) / self.counts[:, None]

    def take(self, cells: Int[np.ndarray, " kept"]) -> "Cells":
        """Some of the cells, in the order given."""
        counts = self.counts[cells]
        starts = np.append(0, np.cumsum(counts))
        inside = np.arange(starts[-1]) - np.repeat(starts[:-1], counts)
        return Cells(self.corners[np.repeat(self.starts[cells], counts) + inside], starts)

    def moved(self, frame: Frame) -> "Cells":
        """The same cells in a frame's x."""
        return Cells(frame(self.corners), self.starts)

    def joined(self, others: Sequence["Cells"]) -> "Cells":
        """These and those of others, one after the other."""
        every = [self, *others]
        counts = np.concatenate([cells.counts for cells in every])
        corners = np.concatenate([cells.corners for cells in every])
        return Cells(corners, np.append(0, np.cumsum(counts)))

    def heights(
        self,
        normals: Float[np.ndarray, "cells in_features"],
        offsets: Float[np.ndarray, " cells"],
        size: float,
    ) -> Float[np.ndarray, " corners"]:
        """normal.x + offset at every corner, with its own cell's line.

        Exactly 0 for corners that are closer to the line than 1e-12 of the size of the box.
        """
        counts = self.counts
        lifted = np.repeat(normals, counts, axis=0) * self.corners
        heights = lifted.sum(axis=1) + np.repeat(offsets, counts)
        near = np.repeat(ON * size * np.linalg.norm(normals, axis=1), counts)
        heights[np.abs(heights) <= near] = 0.0
        return heights

    def halved(
        self,
        normals: Float[np.ndarray, "cells in_features"],
        levels: Float[np.ndarray, " cells"],
        flat: Bool[np.ndarray, " cells"],
        size: float,
    ) -> tuple["Cells", tuple[np.ndarray, np.ndarray]]:
        """Each cut by its line normal.x + level = 0, unless it is flat there or does not meet it.

        Returns:
            The cells that stay, the lower and the upper halves; and of each the number of the
            cell it comes from, and whether it is above its line.
        """
        heights = self.heights(normals, levels, size)
        low, high = self.range(heights)
        split = (low < 0) & (high > 0) & ~flat
        if not split.any():
            return self, (np.arange(len(self)), low + high >= 0)
        stay, gone = np.flatnonzero(~split), np.flatnonzero(split)
        above = np.append((low + high >= 0)[stay], np.repeat([False, True], gone.size))
        parts = self.take(stay).joined(self.cut(heights, split))
        return parts, (np.concatenate([stay, gone, gone]), above)

    def cut(
        self, heights: Float[np.ndarray, " corners"], which: Bool[np.ndarray, " cells"]
    ) -> tuple["Cells", "Cells"]:
        """The parts of some cells where the heights are below and above zero.

        Corners of height 0 belong to both. Where an edge crosses zero both parts get the very
        same new corner, so that they tile their cell without gap or overlap.
        """
        kept, z, new, crossing = self._crossed(heights, which)
        return (
            kept._assembled(new, z <= 0, crossing),
            kept._assembled(new, z >= 0, crossing),
        )

    def level(
        self, heights: Float[np.ndarray, " corners"], which: Bool[np.ndarray, " cells"]
    ) -> "Cells":
        """Where the outlines of some cells have height 0, each of which must reach it."""
        kept, z, new, crossing = self._crossed(heights, which)
        return kept._assembled(new, z == 0, crossing)

    def _crossed(
        self, heights: np.ndarray, which: np.ndarray
    ) -> tuple["Cells", np.ndarray, np.ndarray, np.ndarray]:
        """Some cells, their heights, and where the edge that begins at each corner crosses zero."""
        kept = self.take(np.flatnonzero(which))
        z, after = heights[np.repeat(which, self.counts)], kept.following
        crossing = z * z[after] < 0
        if not self.closed:
            crossing &= after > np.arange(len(z))
        share = np.where(crossing, z / np.where(crossing, z - z[after], 1.0), 0.0)
        new = kept.corners + share[:, None] * (kept.corners[after] - kept.corners)
        return kept, z, new, crossing

    def _assembled(self, new: np.ndarray, old: np.ndarray, crossing: np.ndarray) -> "Cells":
        """Old corners that stay, each followed by the new one on the edge it begins."""
        both = np.stack([self.corners, new], axis=1).reshape(-1, self.corners.shape[1])
        stays = np.stack([old, crossing], axis=1)
        counts = np.add.reduceat(stays.sum(axis=1), self.starts[:-1])
        return Cells(both[stays.ravel()], np.append(0, np.cumsum(counts)))


def of_box(box: Float[np.ndarray, "in_features 2"]) -> Cells:
    """The box `(1 or 2, 2)` as a single cell."""
    if len(box) == 1:
        return Cells(box.reshape(2, 1), np.array([0, 2]))
    (left, right), (bottom, top) = box
    corners = np.array([[left, bottom], [right, bottom], [right, top], [left, top]])
    return Cells(corners, np.array([0, 4]))
