"""The coordinates that regions are worked out in: those of the box, as a cube around zero.

Features have units, metres beside millions. In the cube all are alike, and what counts as rounding
does not depend on the units.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from theory.regions.network import PiecewiseAffine

# Far from zero numbers are coarser: so much of the distance counts as if it were the size.
_COARSE = 1e-3


@dataclass(frozen=True)
class Frame:
    """x = scale * u + middle.

    Args:
        scale: `(in_features,)` positive.
        middle: `(in_features,)`.
    """

    scale: Float[np.ndarray, " in_features"]
    middle: Float[np.ndarray, " in_features"]

    @property
    def inverse(self) -> "Frame":
        """From x back to u."""
        return Frame(1 / self.scale, -self.middle / self.scale)

    @property
    def size(self) -> float:
        """The unit of tolerances: the cube's diagonal, or more if the cube is far from zero."""
        far = float(np.abs(self.middle / self.scale).max())
        return max(2 * float(np.sqrt(self.scale.size)), _COARSE * far)

    def __call__(self, u: Float[np.ndarray, "*points in_features"]) -> np.ndarray:
        """Points x."""
        return self.scale * u + self.middle

    def planes(
        self,
        normals: Float[np.ndarray, "*planes in_features"],
        offsets: Float[np.ndarray, "*planes"],
    ) -> tuple[np.ndarray, np.ndarray]:
        """What normal.u = offset is in x."""
        there = normals / self.scale
        return there, offsets + there @ self.middle

    def network(self, net: PiecewiseAffine) -> PiecewiseAffine:
        """The network as a function of u."""
        first = self.scale[:, None] * net.weights[0]
        shift = net.biases[0] + self.middle @ net.weights[0]
        return replace(net, weights=(first, *net.weights[1:]), biases=(shift, *net.biases[1:]))


def frame_of(box: Float[np.ndarray, "in_features 2"] | None, in_features: int) -> Frame:
    """The frame in which the box is [-1, 1]^d; nothing changes on all of R^d."""
    if box is None:
        return Frame(np.ones(in_features), np.zeros(in_features))
    return Frame(np.ptp(box, axis=1) / 2, box.mean(axis=1))
