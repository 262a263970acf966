"""Piecewise-linear functions of one variable, continuous or not."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

# Values at a shared knot that differ by less, relative to the largest, meet.
_MEET = 1e-9


@dataclass(frozen=True)
class PiecewiseLinear:
    """Lines between knots, each given by its values at both ends.

    s(x) = left_i + (right_i - left_i)(x - t_i) / (t_(i+1) - t_i) for t_i <= x < t_(i+1).

    Ends instead of slopes: a steep piece on a short segment loses no digits.

    Args:
        knots: `(segments + 1,)` increasing: a = t_0 < ... < t_n = b.
        left: `(segments,)` value of every piece at its left end.
        right: `(segments,)` value of every piece at its right end.

    Raises:
        ValueError: for wrong shapes, numbers that are not finite, or knots that do not increase.

    Example:
        >>> hat = PiecewiseLinear.through([0, 1, 2], [0, 1, 0])
        >>> hat(np.array([0.5, 2.0])).tolist(), hat.slopes.tolist()
        ([0.5, 0.0], [1.0, -1.0])
    """

    knots: Float[np.ndarray, " knots"]
    left: Float[np.ndarray, " segments"]
    right: Float[np.ndarray, " segments"]

    def __post_init__(self) -> None:
        segments = self.knots.size - 1
        shapes = (self.knots.ndim, self.left.shape, self.right.shape)
        if segments < 1 or shapes != (1, (segments,), (segments,)):
            raise ValueError(
                "needs n + 1 knots and n values at the left and right ends, got "
                f"{self.knots.shape}, {self.left.shape}, {self.right.shape}"
            )
        if not all(np.isfinite(part).all() for part in (self.knots, self.left, self.right)):
            raise ValueError("knots and values must be finite")
        if (np.diff(self.knots) <= 0).any():
            raise ValueError(f"knots must increase, got {self.knots.tolist()}")

    @classmethod
    def through(cls, knots: ArrayLike, values: ArrayLike) -> "PiecewiseLinear":
        """The continuous one with `(segments + 1,)` values at the knots."""
        places, heights = np.asarray(knots, np.float64), np.asarray(values, np.float64)
        if heights.shape != places.shape:
            raise ValueError(f"needs a value per knot, got {places.shape} and {heights.shape}")
        return cls(places, heights[:-1], heights[1:])

    def __call__(self, x: ArrayLike | float) -> np.ndarray:
        """Values at `x`, of its shape; beyond the knots the outer pieces go on."""
        where = np.asarray(x, np.float64)
        piece = np.searchsorted(self.knots[1:-1], where, side="right")
        # Weights of both ends, so that the knots' own values come out to the last digit.
        part = (where - self.knots[piece]) / (self.knots[piece + 1] - self.knots[piece])
        values: np.ndarray = (1 - part) * self.left[piece] + part * self.right[piece]
        return values

    @property
    def segments(self) -> int:
        """Number of pieces."""
        return self.left.size

    @property
    def slopes(self) -> Float[np.ndarray, " segments"]:
        """Slope of every piece."""
        return (self.right - self.left) / np.diff(self.knots)

    @property
    def continuous(self) -> bool:
        """Whether neighbours meet, up to 1e-9 of the largest value."""
        size = max(np.abs(self.left).max(), np.abs(self.right).max())
        return bool((np.abs(self.left[1:] - self.right[:-1]) <= _MEET * size).all())

    @property
    def values(self) -> Float[np.ndarray, " knots"]:
        """Values at the knots, if there is one each.

        Raises:
            ValueError: for a function that jumps.
        """
        if not self.continuous:
            raise ValueError("a function that jumps has two values at a knot: see left and right")
        return np.append(self.left, self.right[-1])

    @property
    def pieces(self) -> tuple[np.ndarray, np.ndarray]:
        """Knots and values: what `neurons.Lattice.from_pieces` takes."""
        return self.knots, self.values
