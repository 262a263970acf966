"""Many polytopes at once, and how walls cut them, as linear programmes say."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from theory.regions.balls import balls
from theory.regions.frame import Frame
from theory.regions.polytope import Polytope, from_box, hull_volume

# A part counts if a ball of this radius fits, relative to the size of the box.
SMALLEST = 1e-9


@dataclass(frozen=True)
class Polytopes:
    """Polytopes with a point inside of each.

    Args:
        normals: `(parts, walls, in_features)`, padded with zeros.
        offsets: `(parts, walls)`.
        walls: `(parts,)` how many each has.
        centres: `(parts, in_features)` of the largest ball.
    """

    normals: Float[np.ndarray, "parts walls in_features"]
    offsets: Float[np.ndarray, "parts walls"]
    walls: Int[np.ndarray, " parts"]
    centres: Float[np.ndarray, "parts in_features"]

    def __len__(self) -> int:
        return len(self.walls)

    def volumes(self) -> Float[np.ndarray, " parts"]:
        """Of every part, all of which must be bounded."""
        return np.array(
            [hull_volume(self[i].corners(self.centres[i])) for i in range(len(self))], np.float64
        )

    def take(self, which: Int[np.ndarray, " kept"]) -> "Polytopes":
        """Some of them."""
        return Polytopes(
            self.normals[which], self.offsets[which], self.walls[which], self.centres[which]
        )

    def behind(
        self, normals: Float[np.ndarray, "parts in_features"], offsets: Float[np.ndarray, " parts"]
    ) -> "Polytopes":
        """Each with the wall normal.x <= offset added; the centres stay where they are."""
        spare = int(self.walls.max(initial=0)) + 1 - self.normals.shape[1]
        more = np.pad(self.normals, ((0, 0), (0, max(spare, 0)), (0, 0)))
        sides = np.pad(self.offsets, ((0, 0), (0, max(spare, 0))))
        each = np.arange(len(self))
        more[each, self.walls], sides[each, self.walls] = normals, offsets
        return Polytopes(more, sides, self.walls + 1, self.centres)

    def centred(self, largest: float) -> tuple["Polytopes", Float[np.ndarray, " parts"]]:
        """With the centres and the radii of the largest balls."""
        centres, radii = balls(self.normals, self.offsets, self.centres, largest)
        return Polytopes(self.normals, self.offsets, self.walls, centres), radii

    def __getitem__(self, part: int) -> Polytope:
        """One of them, without the padding."""
        walls = self.walls[part]
        return Polytope(self.normals[part, :walls], self.offsets[part, :walls])

    def moved(self, frame: Frame) -> "Polytopes":
        """The same parts in a frame's x."""
        return Polytopes(*frame.planes(self.normals, self.offsets), self.walls, frame(self.centres))

    def joined(self, others: Sequence["Polytopes"]) -> "Polytopes":
        """These and those of others."""
        every = [self, *others]
        wide = max(parts.normals.shape[1] for parts in every)
        spare = [(parts, ((0, 0), (0, wide - parts.normals.shape[1]))) for parts in every]
        return Polytopes(
            np.concatenate([np.pad(parts.normals, (*pad, (0, 0))) for parts, pad in spare]),
            np.concatenate([np.pad(parts.offsets, pad) for parts, pad in spare]),
            np.concatenate([parts.walls for parts in every]),
            np.concatenate([parts.centres for parts in every]),
        )

    def halved(
        self,
        normals: Float[np.ndarray, "parts in_features"],
        levels: Float[np.ndarray, " parts"],
        flat: Bool[np.ndarray, " parts"],
        size: float,
    ) -> tuple["Polytopes", tuple[np.ndarray, np.ndarray]]:
        """Each cut by its wall normal.x + level = 0, if a ball fits on both sides.

        Walls that do not cut are redundant and never enter.

        Returns:
            The parts now; and the number of the part each comes from, whether it is beyond its
            wall.
        """
        passed = (normals * self.centres).sum(axis=1) + levels >= 0
        side = np.where(passed, 1.0, -1.0)
        normals, offsets = side[:, None] * normals, -side * levels
        steep = np.flatnonzero(~flat)
        other, room = self.take(steep).behind(normals[steep], offsets[steep]).centred(size)
        real = np.flatnonzero(room > SMALLEST * size)
        cut, other = steep[real], other.take(real)
        own, left = self.take(cut).behind(-normals[cut], -offsets[cut]).centred(size)
        # No room on its own side: the centre was there by rounding only.
        stays = np.flatnonzero(left > SMALLEST * size)
        kept = np.setdiff1d(np.arange(len(self)), cut)
        order = np.concatenate([kept, cut[stays], cut])
        beyond = np.concatenate([passed[kept], passed[cut[stays]], ~passed[cut]])
        return self.take(kept).joined([own.take(stays), other]), (order, beyond)


def of_box(box: Float[np.ndarray, "in_features 2"] | None, in_features: int) -> Polytopes:
    """The box, or all of R^d, as the only part."""
    if box is None:
        none, walls = np.zeros((1, 0, in_features)), np.zeros(1, np.int64)
        return Polytopes(none, np.zeros((1, 0)), walls, np.zeros((1, in_features)))
    whole = from_box(box)
    walls, middle = np.array([len(whole.offsets)]), box.mean(axis=1)
    return Polytopes(whole.normals[None], whole.offsets[None], walls, middle[None])
