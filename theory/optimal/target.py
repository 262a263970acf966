"""A function of one variable as polynomials on panels: fast values, derivatives and integrals."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike

Curvature = Literal["convex", "concave", "affine", "mixed"]

DEGREE = 15
# Slopes are compared between panels of at least this part of the domain.
_WIDE = 1e-9
_GAUSS_POINTS, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(DEGREE + 1)


class Quadrature(NamedTuple):
    """Gauss nodes over a batch of intervals, each cut into parts.

    Args:
        nodes: `(parts, 16)`.
        weights: `(parts, 16)`.
        starts: `(intervals,)` the first part of every interval.
    """

    nodes: np.ndarray
    weights: np.ndarray
    starts: np.ndarray

    @property
    def owner(self) -> np.ndarray:
        """`(parts,)` the interval that every part belongs to."""
        counts = np.diff(np.append(self.starts, self.nodes.shape[0]))
        return np.repeat(np.arange(self.starts.size), counts)

    def integrals(self, values: np.ndarray) -> np.ndarray:
        """`(..., intervals)` integrals, from `(..., parts, 16)` values at the nodes."""
        found: np.ndarray = np.add.reduceat(
            (self.weights * values).sum(axis=-1), self.starts, axis=-1
        )
        return found


@dataclass(frozen=True)
class Target:
    """A function resolved on panels; see :func:`theory.optimal.resolve`.

    Args:
        breaks: `(panels + 1,)` increasing edges of the panels.
        coefficients: `(panels, 16)` Chebyshev coefficients on every panel.
        noise: size of what is left out, in units of the function.
    """

    breaks: np.ndarray
    coefficients: np.ndarray
    noise: float

    @property
    def domain(self) -> tuple[float, float]:
        """Where the function is known."""
        return float(self.breaks[0]), float(self.breaks[-1])

    @cached_property
    def size(self) -> float:
        """About the largest absolute value; never zero."""
        return float(np.abs(self.coefficients).max()) + self.noise + 1e-300

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """Values at `x`, of its shape."""
        return self._evaluate(self.coefficients, x)

    def derivative(self, x: ArrayLike) -> np.ndarray:
        """First derivative at `x`; at a kink, that of the panel on the right."""
        return self._evaluate(self.slope_coefficients, x)

    def second(self, x: ArrayLike) -> np.ndarray:
        """Second derivative at `x`; a kink has none that could be seen."""
        return self._evaluate(self.second_coefficients, x)

    def integral(self, x: ArrayLike) -> np.ndarray:
        """The integral from the left end of the domain to `x`."""
        return self._evaluate(self._integrals, x)

    @cached_property
    def curvature(self) -> Curvature:
        """Whether the function bends up everywhere, down, nowhere, or both ways.

        Curvatures, and jumps of the slope between panels, count if they exceed their rounding.
        """
        half, rounding = self._half_widths[:, 0], self._rounding
        bends = self.second_coefficients @ chebyshev.chebvander(np.linspace(-1, 1, 9), DEGREE).T
        curve = (bends * half[:, None] ** 2 / (DEGREE**4 / 3 * rounding)[:, None]).ravel()
        # Around a kink panels shrink until its bend is rounding: compare their wide neighbours.
        wide = self._wide
        ends = self.slope_coefficients[wide] @ chebyshev.chebvander(np.array([-1.0, 1.0]), DEGREE).T
        steepness = (DEGREE**2 * rounding / half)[wide]
        kinks = (ends[1:, 0] - ends[:-1, 1]) / (steepness[1:] + steepness[:-1])
        if self.jumps.size:
            return "mixed"
        bend = np.concatenate([curve, kinks])
        up, down = bend.max() > 1, bend.min() < -1
        if up and down:
            return "mixed"
        return "convex" if up else "concave" if down else "affine"

    @property
    def landmarks(self) -> np.ndarray:
        """Where panels crowd inside the domain: jumps, kinks, and other rough places."""
        low, high = self.domain
        width = np.diff(self.breaks)
        narrow = width < _WIDE * (high - low)
        bounds = np.flatnonzero(np.diff(np.concatenate([[0], narrow, [0]])))
        found = [
            self.breaks[first + width[first:end].argmin()]
            for first, end in zip(bounds[::2], bounds[1::2], strict=True)
        ]
        inside = np.array([place for place in found if low < place < high])
        return np.unique(np.concatenate([inside, self._edge_jumps]))

    def negative(self) -> "Target":
        """The function with its sign changed."""
        return Target(self.breaks, -self.coefficients, self.noise)

    def minus(self, left: float, right: float) -> "Target":
        """The function less the line with these values at the ends of the domain."""
        low, high = self.domain
        part = (self.breaks - low) / (high - low)
        ends = left + part * (right - left)
        rows = self.coefficients.copy()
        rows[:, 0] -= (ends[1:] + ends[:-1]) / 2
        rows[:, 1] -= (ends[1:] - ends[:-1]) / 2
        return Target(self.breaks, rows, self.noise)

    @cached_property
    def jumps(self) -> np.ndarray:
        """Where values change across narrow panels by more than a slope explains."""
        wide = self._wide
        gap = self.breaks[wide[1:]] - self.breaks[wide[:-1] + 1]
        before = self.coefficients[wide[:-1]].sum(axis=1)
        after = self.coefficients[wide[1:]] @ (-1.0) ** np.arange(DEGREE + 1)
        steep = np.sqrt(gap) * np.abs(self.coefficients).max()
        jumping = np.abs(after - before) > 8 * (64 * self._rounding.max() + steep)
        found: np.ndarray = self.breaks[wide[:-1] + 1][jumping]
        return found

    @property
    def _edge_jumps(self) -> np.ndarray:
        """Jumps that happen to lie between two wide panels."""
        width = np.diff(self.breaks)
        place = np.searchsorted(self.breaks, self.jumps)
        low, high = self.domain
        return self.jumps[width[place] >= _WIDE * (high - low)]

    @property
    def _wide(self) -> np.ndarray:
        """Panels that are not crowded around a rough place."""
        low, high = self.domain
        return np.flatnonzero(np.diff(self.breaks) >= _WIDE * (high - low))

    @property
    def _rounding(self) -> np.ndarray:
        """`(panels,)` size of rounding in the values."""
        size = np.abs(self.coefficients).max(axis=1) + self.noise
        return 64 * (np.finfo(float).eps * size + self.noise) + np.finfo(float).tiny

    def pieces(self, left: np.ndarray, right: np.ndarray) -> Quadrature:
        """Gauss nodes that integrate the function times a polynomial over every interval.

        Args:
            left: `(intervals,)` left ends.
            right: `(intervals,)` right ends, none below its left end.

        Returns:
            Nodes and weights; the parts end at the panels' edges.
        """
        first = np.searchsorted(self.breaks, left, side="right") - 1
        last = np.maximum(np.searchsorted(self.breaks, right, side="left") - 1, first)
        parts = last - first + 1
        starts = np.concatenate([[0], np.cumsum(parts)[:-1]])
        owner = np.repeat(np.arange(left.size), parts)
        panel = np.clip(
            np.arange(owner.size) - starts[owner] + first[owner], 0, self.breaks.size - 2
        )
        low = np.maximum(self.breaks[panel], left[owner])
        high = np.minimum(self.breaks[panel + 1], right[owner])
        half = np.maximum(high - low, 0)[:, None] / 2
        nodes = low[:, None] + half * (1 + _GAUSS_POINTS)
        return Quadrature(nodes, half * _GAUSS_WEIGHTS, starts)

    @cached_property
    def _half_widths(self) -> np.ndarray:
        return np.diff(self.breaks)[:, None] / 2

    @cached_property
    def slope_coefficients(self) -> np.ndarray:
        """`(panels, 16)` Chebyshev coefficients of f' on every panel."""
        return _padded(chebyshev.chebder(self.coefficients, axis=1)) / self._half_widths

    @cached_property
    def second_coefficients(self) -> np.ndarray:
        """`(panels, 16)` Chebyshev coefficients of f'' on every panel."""
        return _padded(chebyshev.chebder(self.coefficients, 2, axis=1)) / self._half_widths**2

    @cached_property
    def _integrals(self) -> np.ndarray:
        inside = chebyshev.chebint(self.coefficients, axis=1, lbnd=-1) * self._half_widths
        inside[1:, 0] += np.cumsum(inside.sum(axis=1))[:-1]
        return inside

    def _evaluate(self, coefficients: np.ndarray, x: ArrayLike) -> np.ndarray:
        """Clenshaw's recurrence on the panel of every point."""
        where = np.asarray(x, np.float64)
        flat = where.ravel()
        panel = np.clip(
            np.searchsorted(self.breaks, flat, side="right") - 1, 0, self.breaks.size - 2
        )
        low, high = self.breaks[panel], self.breaks[panel + 1]
        u = ((flat - low) - (high - flat)) / (high - low)
        rows = coefficients.T[:, panel]
        ahead, further = np.zeros_like(u), np.zeros_like(u)
        for row in rows[:0:-1]:
            ahead, further = row + 2 * u * ahead - further, ahead
        value: np.ndarray = rows[0] + u * ahead - further
        return value.reshape(where.shape)


def _padded(rows: np.ndarray) -> np.ndarray:
    return np.pad(rows, ((0, 0), (0, DEGREE + 1 - rows.shape[1])))
