"""Solvers of data as objects, as `theory.optimal.solvers` are of functions."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from theory.optimal.result import Approximation, Norm
from theory.optimal.series import Series
from theory.optimal.series_fit import fit_series
from theory.optimal.series_l2 import fit_on_samples


@runtime_checkable
class SeriesSolver(Protocol):
    """Anything that approximates data."""

    def solve_series(
        self, series: Series, segments: int, norm: Norm, continuous: bool
    ) -> Approximation:
        """The approximation it finds, with a lower bound."""


@dataclass(frozen=True)
class DynamicProgramming:
    """Best lines of runs of samples, all partitions considered: with jumps, L2 and L1."""

    def solve_series(
        self, series: Series, segments: int, norm: Norm, continuous: bool
    ) -> Approximation:
        """The optimum; in L1 of many samples the best found.

        Raises:
            ValueError: for a continuous fit or another norm.
        """
        if continuous:
            raise ValueError(
                "DynamicProgramming lets pieces jump: continuous=False, or FunctionalPruning()"
            )
        return fit_series(series, segments, norm, continuous=False)


@dataclass(frozen=True)
class FunctionalPruning:
    """Continuous least squares with knots on samples: the exact optimum of that class.

    Values at a knot cost a piecewise quadratic of theirs; what is nowhere the least is dropped.
    """

    def solve_series(
        self, series: Series, segments: int, norm: Norm, continuous: bool
    ) -> Approximation:
        """The optimum among knots on samples; its bound speaks of those only.

        Raises:
            ValueError: for jumps or another norm than "l2".
        """
        if not continuous or norm != "l2":
            raise ValueError(
                "FunctionalPruning fits continuous least squares, got "
                f"norm {norm!r}, continuous={continuous}"
            )
        return fit_on_samples(series, segments)


@dataclass(frozen=True)
class FreeKnots:
    """Continuous fits with knots anywhere: local search from many starts, L2 and L1."""

    def solve_series(
        self, series: Series, segments: int, norm: Norm, continuous: bool
    ) -> Approximation:
        """The best local optimum found; its bound is the optimum with jumps.

        Raises:
            ValueError: for jumps or another norm.
        """
        if not continuous:
            raise ValueError("FreeKnots joins pieces: continuous=True, or DynamicProgramming()")
        return fit_series(series, segments, norm, continuous=True)
