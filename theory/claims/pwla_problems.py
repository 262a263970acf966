"""The functions of the PWLA claims, their samples, and what lattices trained on them miss.

Errors are integrals over the function itself, by Gauss quadrature between knots, not sums over the
samples that a lattice was trained on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from theory.optimal import Approximation, Target, approximate, resolve

SEGMENTS = 8
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(16)


@dataclass(frozen=True)
class Problem:
    """A function on an interval.

    Args:
        name: as printed.
        function: NumPy, of one variable.
        domain: (low, high).
        bends: "up", "down", or "both".
    """

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    domain: tuple[float, float]
    bends: str

    @property
    def one_way(self) -> bool:
        """Convex or concave."""
        return self.bends != "both"


PROBLEMS = (
    Problem("x^2", np.square, (0.0, 1.0), "up"),
    Problem("sqrt(x)", np.sqrt, (0.0, 1.0), "down"),
    Problem("exp(x)", np.exp, (0.0, 1.0), "up"),
    Problem("sin(x), a quarter", np.sin, (0.0, np.pi / 2), "down"),
    Problem("log(x)", np.log, (1.0, 2.0), "down"),
    Problem("sin(x), a period", np.sin, (0.0, 2 * np.pi), "both"),
    Problem("x^3", lambda x: x**3, (-1.0, 1.0), "both"),
    Problem("1/(1+25x^2)", lambda x: 1 / (1 + 25 * x**2), (-1.0, 1.0), "both"),
)
ONE_WAY = tuple(problem for problem in PROBLEMS if problem.one_way)
NAMED = {problem.name: problem for problem in PROBLEMS}


class Misfit(NamedTuple):
    """How far a continuous fit is from a function, and from being stationary.

    Args:
        error: (integral |f - s|^2)^(1/2).
        own: the same, after every piece is replaced by the best line of its own segment.
        gap: largest jump between such neighbours, in units of the root mean square error.
    """

    error: float
    own: float
    gap: float

    @property
    def excess(self) -> float:
        """How much better the pieces' own best lines are."""
        return self.error / self.own - 1


@lru_cache
def target(name: str) -> Target:
    """A problem's function, resolved once."""
    problem = NAMED[name]
    return resolve(problem.function, problem.domain)


@lru_cache
def optimum(name: str, segments: int = SEGMENTS) -> Approximation:
    """The certified optimum."""
    return approximate(target(name), segments=segments)


def samples(problem: Problem, points: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y and quadrature weights; denser at the ends, where sqrt(x) is steep."""
    low, high = problem.domain
    x = (low + high) / 2 - (high - low) / 2 * np.cos(np.pi * np.arange(points) / (points - 1))
    x[0], x[-1] = low, high
    return x, problem.function(x), np.gradient(x)


def misfit(
    name: str, knots: Float[np.ndarray, " knots"], values: Float[np.ndarray, " knots"]
) -> Misfit:
    """What a fit with these knots and values misses."""
    found = target(name)
    edges = np.unique(np.concatenate([found.breaks, knots]))
    half = np.diff(edges)[:, None] / 2
    x, w = edges[:-1, None] + half * (1 + _POINTS), half * _WEIGHTS
    f = NAMED[name].function(x)
    piece = np.searchsorted(knots[1:-1], x[:, 0], side="right")
    error = float(np.sqrt((w * (f - np.interp(x, knots, values)) ** 2).sum()))
    return Misfit(error, *_own_lines(knots, piece, x, f, w, found))


def _own_lines(
    knots: np.ndarray, piece: np.ndarray, x: np.ndarray, f: np.ndarray, w: np.ndarray, exact: Target
) -> tuple[float, float]:
    """Error of every segment's best line, by its first two Legendre moments, and their jumps."""
    width = np.diff(knots)
    xi = 2 * (x - knots[piece][:, None]) / width[piece][:, None] - 1
    mean, tilt = (
        np.bincount(piece, (w * f * basis).sum(axis=1), width.size) / width
        for basis in (np.ones_like(xi), 3 * xi)
    )
    left_over = f - mean[piece][:, None] - tilt[piece][:, None] * xi
    own = float(np.sqrt((w * left_over**2).sum()))
    jumps = (mean - tilt)[1:] - (mean + tilt)[:-1]
    typical = own / np.sqrt(knots[-1] - knots[0])
    return own, float(np.abs(jumps).max(initial=0.0) / max(typical, 1e-300))
