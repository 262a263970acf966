"""Measured data for piecewise-linear approximation: checked once, scaled once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from theory.piecewise import PiecewiseLinear

# Ranges up to half the largest number: differences stay finite.
_WIDEST = float(np.finfo(np.float64).max) / 2


@dataclass(frozen=True)
class Series:
    """Samples `(x, y)` with weights, ordered by `x`.

    Samples may share an x (repeated measurements): a function has one value there, so they stay
    together in one piece.

    Args:
        x: `(samples,)` where, never decreasing, at least two different.
        y: `(samples,)` what was measured.
        weights: `(samples,)` how much every sample counts, positive.

    Raises:
        ValueError: for wrong shapes, numbers that are not finite, x out of order, weights that are
            not positive, or fewer than two different x. Nothing is sorted or dropped silently.

    Example:
        >>> Series.of([0, 1, 1, 2], [0, 1, 3, 2]).means.tolist()
        [0.0, 2.0, 2.0]
    """

    x: Float[np.ndarray, " samples"]
    y: Float[np.ndarray, " samples"]
    weights: Float[np.ndarray, " samples"]

    @classmethod
    def of(cls, x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> "Series":
        """From anything like arrays; without weights every sample counts 1."""
        places, values = np.asarray(x, np.float64), np.asarray(y, np.float64)
        counts = np.ones_like(places) if weights is None else np.asarray(weights, np.float64)
        return cls(places, values, counts)

    def __post_init__(self) -> None:
        shapes = self.x.shape, self.y.shape, self.weights.shape
        if self.x.ndim != 1 or len(set(shapes)) > 1:
            raise ValueError(f"x, y and weights must be rows of one length, got shapes {shapes}")
        for name in ("x", "y", "weights"):
            _refuse(~np.isfinite(getattr(self, name)), name, getattr(self, name), "finite")
        _refuse(self.weights <= 0, "weights", self.weights, "positive (leave out what counts 0)")
        falls = np.append(False, self.x[1:] < self.x[:-1])
        _refuse(falls, "x", self.x, "in order: sort the samples by x first")
        if self.x.size < 2 or self.x[0] == self.x[-1]:
            raise ValueError(f"needs at least two different x, got {self.x[:2].tolist()}")
        for name in ("x", "y"):
            low, high = getattr(self, name).min(), getattr(self, name).max()
            if high / 2 - low / 2 > _WIDEST / 2:
                raise ValueError(f"the range of {name} overflows: {low} to {high}")

    @cached_property
    def starts(self) -> np.ndarray:
        """`(places,)` number of the first sample at every different x."""
        return np.flatnonzero(np.append(True, self.x[1:] > self.x[:-1]))

    @property
    def places(self) -> Float[np.ndarray, " places"]:
        """The different x."""
        return self.x[self.starts]

    @cached_property
    def counts(self) -> Float[np.ndarray, " places"]:
        """Weight of all samples at every different x."""
        return np.add.reduceat(self.weights, self.starts)

    @cached_property
    def means(self) -> Float[np.ndarray, " places"]:
        """Weighted mean of y at every different x."""
        first = np.repeat(self.y[self.starts], np.diff(np.append(self.starts, self.x.size)))
        rest = np.add.reduceat(self.weights * (self.y - first), self.starts)
        return self.y[self.starts] + rest / self.counts

    @cached_property
    def spread(self) -> float:
        """The least error in "l2" of any function: what differs at one and the same x."""
        rest = self.y - np.repeat(self.means, np.diff(np.append(self.starts, self.x.size)))
        return _norm(rest, self.weights, 2)

    def error(self, function: PiecewiseLinear, power: int = 2) -> float:
        """(sum w |y - s(x)|^p)^(1/p); 0 where only the rounding of y itself is left."""
        residual = np.abs(self.y - function(self.x))
        size = np.abs(self.y).max()
        if residual.max() <= 8 * np.finfo(np.float64).eps * size:
            return 0.0
        return _norm(residual, self.weights, power)

    @cached_property
    def scaled(self) -> "Scaled":
        """The merged samples in units in which sums of squares keep their digits."""
        return Scaled.of(self)


@dataclass(frozen=True)
class Scaled:
    """A series with x in [0, 1] and y about a line, at most 1 in size; one sample a place.

    y = unit * v + the least-squares line, so that an affine trend costs no digits; weights are
    relative to the heaviest place.
    """

    u: Float[np.ndarray, " places"]
    v: Float[np.ndarray, " places"]
    w: Float[np.ndarray, " places"]
    unit: float
    heaviest: float

    @classmethod
    def of(cls, series: Series) -> "Scaled":
        """The scaled twin of a series."""
        first, last = series.x[0], series.x[-1]
        u = (series.places - first) / (last - first)
        size = float(np.abs(series.means).max()) or 1.0
        w = series.counts / series.counts.max()
        v = _detrended(u, series.means / size, w)
        # Of data on a line only rounding is left: nothing to fit.
        v = np.where(np.abs(v).max() > 16 * np.finfo(np.float64).eps, v, 0.0)
        unit = float(np.abs(v).max()) or 1.0
        return cls(u, v / unit, w, unit * size, float(series.counts.max()))

    def error(self, square: float, spread: float = 0.0) -> float:
        """The root of a sum of squares in units of y, with what differs at one x."""
        return float(np.hypot(self.unit * np.sqrt(max(square, 0.0) * self.heaviest), spread))


def _detrended(u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Residual of the weighted least-squares line, twice: the second removes the rounding."""
    for _ in range(2):
        x = u - (w @ u) / w.sum()
        v = v - (w @ v) / w.sum()
        v = v - x * ((w * x) @ v / ((w * x) @ x))
    return v


def _norm(values: np.ndarray, weights: np.ndarray, power: int) -> float:
    """(sum w |v|^p)^(1/p), scaled so that no power over- or underflows."""
    scale = float(np.abs(values).max())
    if scale == 0:
        return 0.0
    return float(scale * (weights @ np.abs(values / scale) ** power) ** (1 / power))


def _refuse(wrong: np.ndarray, name: str, values: np.ndarray, allowed: str) -> None:
    if wrong.any():
        where = int(np.argmax(wrong))
        raise ValueError(f"{name} must be {allowed}; {name}[{where}] is {values[where]}")
