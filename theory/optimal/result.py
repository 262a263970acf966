"""What an approximation comes back as: the function, its error, and a bound no other one beats."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from theory.piecewise import PiecewiseLinear

Norm = Literal["l1", "l2", "linf"]
Status = Literal["optimal", "bounded", "not_converged"]
NORMS: tuple[Norm, ...] = ("l1", "l2", "linf")

# p of the integral norms.
_EXPONENTS: dict[str, int] = {"l1": 1, "l2": 2}
# An error this close to its lower bound is called optimal.
OPTIMAL = 1e-6


@dataclass(frozen=True)
class Approximation:
    """A piecewise-linear approximation with its certificate.

    Args:
        function: the approximation.
        error: its distance from the target in `norm`: (integral |f - s|^p dx)^(1/p) of a function,
            (sum w |y - s(x)|^p)^(1/p) of data, the largest (w) |f - s| for "linf".
        lower_bound: no function of as many segments comes closer than this.
        norm: "l1", "l2" or "linf".
        status: "optimal" (error and bound agree to 1e-6), "bounded" (the bound is the best we can
            prove), "not_converged" (the solver stopped before it was done).
        iterations: of the solver.
        solver: its name.
    """

    function: PiecewiseLinear
    error: float
    lower_bound: float
    norm: Norm
    status: Status
    iterations: int
    solver: str

    def __call__(self, x: ArrayLike | float) -> np.ndarray:
        """Values of the approximation at `x`."""
        return self.function(x)

    @property
    def knots(self) -> np.ndarray:
        """`(segments + 1,)` where the pieces end."""
        return self.function.knots

    @property
    def values(self) -> np.ndarray:
        """`(segments + 1,)` values at the knots of a continuous approximation."""
        return self.function.values

    @property
    def pieces(self) -> tuple[np.ndarray, np.ndarray]:
        """Knots and values: what `neurons.Lattice.from_pieces` takes."""
        return self.function.pieces

    @property
    def segments(self) -> int:
        """Number of pieces."""
        return self.function.segments

    @property
    def gap(self) -> float:
        """(error - lower_bound) / error; 0 for an error of 0."""
        return (self.error - self.lower_bound) / self.error if self.error > 0 else 0.0


def exponent(norm: Norm) -> int:
    """The p of "l1" and "l2", whose errors are (integral |f - s|^p)^(1/p)."""
    return _EXPONENTS[norm]


def certified(
    function: PiecewiseLinear,
    error: float,
    lower_bound: float,
    norm: Norm,
    iterations: int,
    solver: str,
    converged: bool = True,
    rounding: float = 0.0,
) -> Approximation:
    """An approximation whose status says what its bound proves.

    Errors up to `rounding` are those of arithmetic: nothing could be proved or won there.
    """
    bound = min(max(lower_bound, 0.0), error)
    proved = error - bound <= max(OPTIMAL * error, rounding)
    status: Status = "optimal" if proved else "bounded" if converged else "not_converged"
    return Approximation(function, error, bound, norm, status, iterations, solver)


@dataclass(frozen=True)
class Fewest:
    """The answer to "how few segments will do?".

    Args:
        approximation: a fit within the tolerance.
        tolerance: the error asked for.
        shorter_bound: no function with one segment fewer has a smaller error; infinite if there is
            none with fewer.
    """

    approximation: Approximation
    tolerance: float
    shorter_bound: float

    @property
    def segments(self) -> int:
        """Their number."""
        return self.approximation.segments

    @property
    def proved(self) -> bool:
        """Whether one segment fewer is proved to be too few."""
        return self.shorter_bound > self.tolerance
