"""Activations made of lines: thresholds, and a slope and an intercept in between."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from theory.piecewise import PiecewiseLinear


@dataclass(frozen=True)
class Activation:
    """A continuous piecewise-linear activation: slope_i z + intercept_i between thresholds.

    Args:
        thresholds: `(kinks,)` increasing.
        slopes: `(kinks + 1,)` of every piece.
        intercepts: `(kinks + 1,)` of every piece.

    Example:
        >>> activation("hard_tanh")(np.array([-3.0, 0.5, 3.0])).tolist()
        [-1.0, 0.5, 1.0]
    """

    thresholds: Float[np.ndarray, " kinks"]
    slopes: Float[np.ndarray, " pieces"]
    intercepts: Float[np.ndarray, " pieces"]

    def piece(self, z: Float[np.ndarray, "*units"]) -> Int[np.ndarray, "*units"]:
        """Number of the piece that each pre-activation is on, from the left."""
        return np.searchsorted(self.thresholds, z, side="right")

    def __call__(self, z: Float[np.ndarray, "*units"]) -> Float[np.ndarray, "*units"]:
        """Values at `z`."""
        place = self.piece(z)
        return self.slopes[place] * z + self.intercepts[place]

    @property
    def kinks(self) -> int:
        """Number of thresholds."""
        return self.thresholds.size

    @property
    def lipschitz(self) -> float:
        """The steepest slope, without its sign."""
        return float(np.abs(self.slopes).max())


def _through(thresholds: list[float], slopes: list[float], intercepts: list[float]) -> Activation:
    return Activation(np.array(thresholds), np.array(slopes), np.array(intercepts))


_NAMED: dict[str, Callable[[float], Activation]] = {
    "relu": lambda slope: _through([0.0], [0.0, 1.0], [0.0, 0.0]),
    "leaky_relu": lambda slope: _through([0.0], [slope, 1.0], [0.0, 0.0]),
    "hard_tanh": lambda slope: _through([-1.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0]),
    "identity": lambda slope: _through([], [1.0], [0.0]),
}
NAMES = tuple(_NAMED)


def activation(which: "str | PiecewiseLinear | Activation", slope: float = 0.01) -> Activation:
    """The activation of that name, or made of those pieces.

    Args:
        which: "relu", "leaky_relu", "hard_tanh", "identity", or a continuous piecewise-linear
            function, whose outer pieces go on.
        slope: of "leaky_relu" below zero.

    Raises:
        ValueError: for an unknown name, a slope that is not finite, or a function that jumps.
    """
    if isinstance(which, Activation):
        return which
    if isinstance(which, PiecewiseLinear):
        return _of_pieces(which)
    if which not in _NAMED:
        raise ValueError(
            f"activation must be one of {', '.join(NAMES)} or a theory.piecewise.PiecewiseLinear, "
            f"got {which!r}; smooth ones go through theory.regions.linearised"
        )
    if not np.isfinite(slope):
        raise ValueError(f"slope must be finite, got {slope}")
    return _NAMED[which](float(slope))


def _of_pieces(function: PiecewiseLinear) -> Activation:
    if not function.continuous:
        raise ValueError("an activation must be continuous, and this piecewise-linear one jumps")
    slopes = function.slopes
    return Activation(function.knots[1:-1], slopes, function.left - slopes * function.knots[:-1])
