"""What explains locally without a network: a linear fit in the neighbourhood that LIME weighs.

It is the control for the interpreter. It has LIME's kernel and ridge, and none of its other parts
(no discretised features, no feature selection): a "local linear surrogate with LIME's kernel".
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_RIDGE = 1.0  # LIME's penalty on the standardised weights


@dataclass(frozen=True)
class Neighbourhood:
    """Points around one, and how much each counts.

    Args:
        centre: `(in_features,)` the point.
        scale: `(in_features,)` unit of every feature.
        points: `(samples, in_features)` x + scale * N(0, I), moved into the domain.
        weights: `(samples,)` exp(-D^2 / s^2), D the distance in units, s = 0.75 sqrt(in_features).

    References:
        M. T. Ribeiro, S. Singh, C. Guestrin, "Why Should I Trust You?", KDD 2016, arXiv
        1602.04938, section 3.4.
    """

    centre: Float[np.ndarray, " in_features"]
    scale: Float[np.ndarray, " in_features"]
    points: Float[np.ndarray, "samples in_features"]
    weights: Float[np.ndarray, " samples"]

    @property
    def steps(self) -> Float[np.ndarray, "samples in_features"]:
        """Where the points lie, from the centre, in units."""
        return (self.points - self.centre) / self.scale


def neighbourhood(
    x: Float[np.ndarray, " in_features"],
    scale: Float[np.ndarray, " in_features"],
    box: Float[np.ndarray, "in_features 2"],
    samples: int,
    random: np.random.Generator,
) -> Neighbourhood:
    """Normal perturbations of `x` within the domain, weighed by LIME's kernel."""
    points = np.clip(x + scale * random.normal(size=(samples, x.size)), box[:, 0], box[:, 1])
    square = (((points - x) / scale) ** 2).sum(axis=1)
    return Neighbourhood(x, scale, points, np.exp(-square / (0.75**2 * x.size)))


def weighted_r2(
    truth: Float[np.ndarray, " samples"],
    guess: Float[np.ndarray, " samples"],
    weights: Float[np.ndarray, " samples"],
) -> float:
    """1 - sum w (y - g)^2 / sum w (y - mean)^2; NaN where y never changes.

    Example:
        >>> y = np.array([0.0, 1.0, 2.0])
        >>> weighted_r2(y, y, np.ones(3)), weighted_r2(y, np.ones(3), np.ones(3))
        (1.0, 0.0)
    """
    mean = np.average(truth, weights=weights)
    total = float((weights * (truth - mean) ** 2).sum())
    left = float((weights * (truth - guess) ** 2).sum())
    return 1 - left / total if total > 1e-12 * float(weights.sum()) else float("nan")


@dataclass(frozen=True)
class LinearSurrogate:
    """A weighted ridge fit of a response around a point.

    Args:
        weights: `(in_features,)` slope by feature, in the user's units.
        bias: value at zero.
    """

    weights: Float[np.ndarray, " in_features"]
    bias: float

    def __call__(self, x: Float[np.ndarray, "points in_features"]) -> np.ndarray:
        """Response at `x`."""
        return x @ self.weights + self.bias


def linear_surrogate(
    seen: Neighbourhood, answers: Float[np.ndarray, " samples"]
) -> LinearSurrogate:
    """Explain a response around a point by a weighted ridge regression.

    Args:
        seen: perturbations of the point; other ones, another explanation.
        answers: the response at them, e.g. the probability of a class.

    Example:
        >>> around = neighbourhood(
        ...     np.zeros(1), np.ones(1), np.array([[-9.0, 9.0]]), 500, np.random.default_rng(0)
        ... )
        >>> bool(abs(linear_surrogate(around, 3 * around.points[:, 0]).weights[0] - 3) < 0.1)
        True
    """
    slopes, level = _ridge(seen.steps, answers, seen.weights)
    weights = slopes / seen.scale
    return LinearSurrogate(weights, float(level - weights @ seen.centre))


def _ridge(steps: np.ndarray, y: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, float]:
    """Slopes and level at the centre; the level is not penalised."""
    middle, mean = np.average(steps, axis=0, weights=w), np.average(y, weights=w)
    inner = (steps - middle) * w[:, None]
    gram = inner.T @ (steps - middle) + _RIDGE * np.eye(steps.shape[1])
    slopes = np.linalg.solve(gram, inner.T @ (y - mean))
    return slopes, float(mean - middle @ slopes)
