"""Where the inputs live: the interval that the search sees, and its Chebyshev nodes.

All inputs pass through one function f, so they share one interval. Light-tailed inputs map to
[-1, 1] linearly; heavy tails through `asinh`, which gives the bulk its share of the nodes.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.fft import dct

HEAVY = 60.0  # a range this many times the middle half's width counts as heavy-tailed


@dataclass(frozen=True)
class Frame:
    """A monotone map of an interval onto [-1, 1].

    Args:
        low: smallest input.
        high: largest input; above `low`.
        centre: where `asinh` bends; unused for the linear map.
        width: its linear part's half-width; 0 stands for the linear map.

    Raises:
        ValueError: unless `low < high`, both finite.
    """

    low: float
    high: float
    centre: float = 0.0
    width: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"a frame needs finite low < high, got {self.low} and {self.high}")

    @property
    def half(self) -> float:
        """Half the interval's width."""
        return (self.high - self.low) / 2

    @cached_property
    def _bent(self) -> tuple[float, float]:
        low, high = (np.arcsinh((end - self.centre) / self.width) for end in (self.low, self.high))
        return (low + high) / 2, (high - low) / 2

    def inward(self, x: np.ndarray) -> np.ndarray:
        """`x` on [-1, 1]; rounding beyond the ends is cut off."""
        if self.width:
            middle, half = self._bent
            u = (np.arcsinh((x - self.centre) / self.width) - middle) / half
        else:
            u = (x - (self.low + self.high) / 2) / self.half
        return np.clip(u, -1.0, 1.0, out=u)

    def nodes(self, degree: int) -> np.ndarray:
        """The inputs at the `degree` Chebyshev nodes of [-1, 1], from high to low."""
        u = np.cos(np.pi * (np.arange(degree) + 0.5) / degree)
        if not self.width:
            return (self.low + self.high) / 2 + self.half * u
        middle, half = self._bent
        return self.centre + self.width * np.sinh(middle + half * u)


def frame_of(x: np.ndarray) -> Frame:
    """The frame of data `(n, d)`: linear, or `asinh` for heavy tails.

    Raises:
        ValueError: if all values are equal.
    """
    low, high = float(x.min()), float(x.max())
    if low == high:
        raise ValueError(f"every input is {low}: a formula in x cannot be told from a constant")
    first, middle, third = np.quantile(x, (0.25, 0.5, 0.75))
    spread = float(third - first)
    if 0 < HEAVY * spread < high - low:
        return Frame(low, high, float(middle), spread)
    return Frame(low, high)


def to_coefficients(degree: int) -> np.ndarray:
    """The matrix `(degree, degree)` from values at the nodes to Chebyshev coefficients."""
    matrix = dct(np.eye(degree), axis=0) / degree
    matrix[0] /= 2
    return matrix
