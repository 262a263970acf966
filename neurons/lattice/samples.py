"""Samples of a function of one variable, as what a knot may move through.

Moving a knot between two samples changes no sum over samples. Here the samples are joined by
straight lines, and every interval carries the mean weight of its ends (the trapezoid rule): sums
become integrals, which are smooth in the knots.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Samples:
    """Samples in their own scale: x in [-1, 1], y of mean 0 and largest distance 1.

    Args:
        x: `(points,)` increasing.
        y: `(points,)`.
        weights: `(points,)` of sum 1.
        frame: middle and half width of x, mean and scale of y, as they were given.
    """

    x: Float[np.ndarray, " points"]
    y: Float[np.ndarray, " points"]
    weights: Float[np.ndarray, " points"]
    frame: tuple[float, float, float, float]

    @classmethod
    def of(cls, x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> "Samples":
        """Sorted samples; those at one place become one, at their weighted mean.

        Raises:
            ValueError: for arrays of different or wrong shapes, numbers that are not finite,
                weights that are not above 0, or fewer than two different x.
        """
        places, heights, shares = _checked(x, y, weights)
        found, where = np.unique(places, return_inverse=True)
        if found.size < 2:
            raise ValueError(f"needs samples at two places at least, got x = {found.tolist()}")
        mass = np.bincount(where, shares)
        mean = np.bincount(where, shares * heights) / mass
        middle, half = (found[0] + found[-1]) / 2, (found[-1] - found[0]) / 2
        centre = float(mean @ mass / mass.sum())
        scale = float(np.abs(mean - centre).max()) or 1.0
        frame = (float(middle), float(half), centre, scale)
        return cls((found - middle) / half, (mean - centre) / scale, mass / mass.sum(), frame)

    def thinned(self, most: int) -> "Samples":
        """At most so many samples, each the mean of neighbours; the outer ones stay."""
        if self.x.size <= most:
            return self
        inner = np.linspace(0, most - 2, self.x.size - 2, endpoint=False).astype(int)
        where = np.concatenate([[0], 1 + inner, [most - 1]])
        mass = np.bincount(where, self.weights)
        x, y = (np.bincount(where, self.weights * part) / mass for part in (self.x, self.y))
        return Samples(x, y, mass, self.frame)

    @cached_property
    def _density(self) -> np.ndarray:
        """`(points - 1,)` weight per length between neighbouring samples."""
        return (self.weights[1:] + self.weights[:-1]) / 2 / np.diff(self.x)

    @cached_property
    def _slopes(self) -> np.ndarray:
        return np.diff(self.y) / np.diff(self.x)

    @cached_property
    def _sums(self) -> np.ndarray:
        """`(points, 5)` moments from the first sample to every sample."""
        parts = self._partial(np.arange(self.x.size - 1), np.diff(self.x))
        return np.vstack([np.zeros(5), np.cumsum(parts, axis=0)])

    def _partial(self, k: np.ndarray, h: np.ndarray) -> np.ndarray:
        """`(..., 5)` integrals of density times 1, x, x^2, y, x y over a length h from sample k."""
        x, y, m = self.x[k], self.y[k], self._slopes[k]
        powers = (h, h**2 / 2, h**3 / 3)
        one = powers[0]
        first = x * h + powers[1]
        second = x**2 * h + 2 * x * powers[1] + powers[2]
        target = y * h + m * powers[1]
        mixed = x * y * h + (y + x * m) * powers[1] + m * powers[2]
        return self._density[k][..., None] * np.stack([one, first, second, target, mixed], -1)

    def interval(self, t: np.ndarray) -> np.ndarray:
        """Index of the interval that each `t` lies in."""
        return np.clip(np.searchsorted(self.x, t, side="right") - 1, 0, self.x.size - 2)

    def spacing(self, t: float) -> float:
        """Distance of the samples around `t`."""
        k = int(self.interval(np.asarray([t]))[0])
        return float(self.x[k + 1] - self.x[k])

    def moments(self, t: np.ndarray) -> np.ndarray:
        """`(..., 5)` integrals of density times 1, x, x^2, y, x y from the first sample to `t`."""
        k = self.interval(t)
        return self._sums[k] + self._partial(k, t - self.x[k])

    def target(self, t: np.ndarray) -> np.ndarray:
        """The joined samples at `t`."""
        k = self.interval(t)
        return self.y[k] + self._slopes[k] * (t - self.x[k])

    def density(self, t: np.ndarray) -> np.ndarray:
        """Weight per length at `t`."""
        return self._density[self.interval(t)]

    def errors(self, knots: np.ndarray, values: np.ndarray) -> np.ndarray:
        """`(functions,)` root mean square at the samples of functions `(functions, knots)`."""
        pairs = zip(knots, values, strict=True)
        missed = [np.interp(self.x, t, v) - self.y for t, v in pairs]
        return np.sqrt(np.square(missed) @ self.weights)

    def joined_error(self, knots: np.ndarray, values: np.ndarray) -> float:
        """Root mean square of one function against the joined samples, not at samples alone."""
        places = np.union1d(self.x, knots)
        off = self.target(places) - np.interp(places, knots, values)
        squares = (off[1:] ** 2 + off[1:] * off[:-1] + off[:-1] ** 2) / 3  # of a line, its mean
        return float(np.sqrt(squares @ (np.diff(places) * self.density(places[:-1]))))

    def restored(self, knots: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Knots and values in the scale in which the samples were given."""
        middle, half, centre, scale = self.frame
        return middle + half * knots, centre + scale * values


def _checked(
    x: ArrayLike, y: ArrayLike, weights: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    places, heights = np.asarray(x, np.float64), np.asarray(y, np.float64)
    shares = np.ones_like(places) if weights is None else np.asarray(weights, np.float64)
    if places.ndim != 1 or not places.shape == heights.shape == shares.shape:
        raise ValueError(
            "x, y and weights must be arrays of one length, got shapes "
            f"{places.shape}, {heights.shape} and {shares.shape}"
        )
    if not all(np.isfinite(part).all() for part in (places, heights, shares)):
        raise ValueError("x, y and weights must be finite")
    if (shares <= 0).any():
        raise ValueError(f"weights must be above 0, got {shares.min()}")
    return places, heights, shares
