"""Predictors of remaining life that need no training, or a straight line."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, " records"]


@dataclass(frozen=True)
class Constant:
    """The same share of life at every record.

    On a linear label 0.5 is the best constant, with a mean absolute error of 25 % of life.

    Args:
        share: from 0 to 1.
    """

    share: float = 0.5

    def __call__(self, signals: np.ndarray) -> Values:
        """One prediction for each record."""
        return np.full(len(signals), self.share)


@dataclass(frozen=True, eq=False)
class LinearRMS:
    """`clip(b_0 + sum_c b_c log rms_c, 0, 1)`, by least squares over the training records.

    Args:
        weights: `(channels + 1,)`, the constant last.
    """

    weights: Float[np.ndarray, " terms"]

    @classmethod
    def fit(
        cls, signals: Float[np.ndarray, "records channels samples"], share: Values
    ) -> "LinearRMS":
        """Fit the line.

        Args:
            signals: acceleration in g, of the training bearings.
            share: of life that is left at each record.

        Raises:
            ValueError: for another number of shares than records.
        """
        if len(signals) != len(share):
            raise ValueError(f"{len(signals)} records and {len(share)} shares; allowed: as many")
        terms = _terms(signals)
        return cls(np.linalg.lstsq(terms, np.asarray(share, np.float64), rcond=None)[0])

    def __call__(self, signals: Float[np.ndarray, "records channels samples"]) -> Values:
        """The remaining share at each record."""
        return np.clip(_terms(signals) @ self.weights, 0, 1)


def _terms(signals: np.ndarray) -> np.ndarray:
    power = np.square(signals.astype(np.float64)).mean(axis=-1)
    # A dead channel is as quiet as a millionth of a g, not infinitely so.
    strength = np.log(np.maximum(power, 1e-12)) / 2
    return np.concatenate([strength, np.ones((len(signals), 1))], axis=1)


@dataclass(frozen=True)
class MeanLife:
    """`max(0, 1 - elapsed / mean life)`: the clock alone, without a look at the vibration.

    Args:
        mean: of the training bearings' whole lives, in s.
    """

    mean: float

    @classmethod
    def fit(cls, whole: Sequence[float]) -> "MeanLife":
        """From the training bearings' whole lives in s.

        Raises:
            ValueError: without a life, or for one that is not above 0.
        """
        if len(whole) == 0 or min(whole) <= 0:
            raise ValueError(f"lives are {list(whole)}; allowed: at least one, above 0 s")
        return cls(float(np.mean(whole)))

    def __call__(self, elapsed: Values) -> Values:
        """The remaining share after so many seconds."""
        return np.maximum(0.0, 1 - np.asarray(elapsed, np.float64) / self.mean)
